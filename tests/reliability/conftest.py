"""Each test that asks for `place` runs once for every store that processes share; `store` is one in it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from flopod.backends import Backend
from tests.contract.support import Place


@pytest.fixture(params=["file", "sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """Give an empty place of each kind that several processes can share."""
    is_postgres = request.param == "postgres"
    dsn = request.getfixturevalue("postgres").database() if is_postgres else ""
    found = Place(request.param, tmp_path, dsn)
    yield found
    found.close()


@pytest.fixture
def store(place: Place) -> Backend:
    """Give a store in an empty place of each kind."""
    return place.open()
