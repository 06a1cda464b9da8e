"""Each test that asks for `place` or `store` runs once for every store."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from flopod.backends import Backend
from tests.contract.support import Place


@pytest.fixture(params=["memory", "file", "sqlite", "sealed"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """Give an empty place of each kind."""
    found = Place(request.param, tmp_path)
    yield found
    found.close()


@pytest.fixture
def store(place: Place) -> Backend:
    """Give a store in an empty place of each kind."""
    return place.open()


@pytest.fixture(params=["file", "sqlite"])
def shared(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """Give an empty place of each kind that several processes can share."""
    found = Place(request.param, tmp_path)
    yield found
    found.close()
