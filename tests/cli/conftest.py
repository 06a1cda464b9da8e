"""The bundle of `flows.py`, and its command line in a folder of its own."""

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
