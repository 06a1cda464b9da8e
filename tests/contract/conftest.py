"""Each test that asks for `place` or `store` runs once for every store."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from flopod.backends import Backend
from tests.contract.support import Place


def _place(request: pytest.FixtureRequest, folder: Path) -> Place:
    is_postgres = request.param == "postgres"
    dsn = request.getfixturevalue("postgres").database() if is_postgres else ""
    return Place(request.param, folder, dsn)


@pytest.fixture(params=["memory", "file", "sqlite", "postgres", "sealed"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """Give an empty place of each kind."""
    found = _place(request, tmp_path)
    yield found
    found.close()


@pytest.fixture
def store(place: Place) -> Backend:
    """Give a store in an empty place of each kind."""
    return place.open()


@pytest.fixture(params=["file", "sqlite", "postgres"])
def shared(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """Give an empty place of each kind that several processes can share."""
    found = _place(request, tmp_path)
    yield found
    found.close()


@pytest.fixture(params=["file", "sqlite"])
def local(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """Give an empty place of each kind whose files this process writes itself."""
    found = _place(request, tmp_path)
    yield found
    found.close()
