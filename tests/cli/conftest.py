"""The bundle of `flows.py`, and its command line in a folder of its own."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.flows import Job, make_bundle


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of several workflows."""
    return make_bundle(tmp_path_factory.mktemp("dist"))


@pytest.fixture
def job(bundle: Path, tmp_path: Path) -> Job:
    """The bundle in a folder of its own."""
    return Job(bundle, tmp_path)


@pytest.fixture(autouse=True)
def imports_of_its_own(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A command that is called in this process imports a project, which no other test is to find."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path])
    yield
    for name in [one for one in sys.modules if one.partition(".")[0] == "shop"]:
        del sys.modules[name]
