"""Each test that asks for `place` or `store` runs once for every store."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from flopod.backends import Backend
from tests.contract.support import Place, opened_place


@pytest.fixture(params=["memory", "file", "sqlite", "postgres", "sealed"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """Give an empty place of each kind."""
    with opened_place(request, tmp_path) as found:
        yield found


@pytest.fixture
def store(place: Place) -> Backend:
    """Give a store in an empty place of each kind."""
    return place.open()


@pytest.fixture(params=["file", "sqlite", "postgres"])
def shared(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """Give an empty place of each kind that several processes can share."""
    with opened_place(request, tmp_path) as found:
        yield found


@pytest.fixture(params=["file", "sqlite"])
def local(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """Give an empty place of each kind whose files this process writes itself."""
    with opened_place(request, tmp_path) as found:
        yield found
