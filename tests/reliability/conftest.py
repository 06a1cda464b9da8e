"""Each test that asks for `place` runs once for every store that processes share; `store` is one in it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from flopod.backends import Backend
from tests.contract.support import Place, opened_place
from tests.engine.support import calls


@pytest.fixture(params=["file", "sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """Give an empty place of each kind that several processes can share."""
    with opened_place(request, tmp_path) as found:
        yield found


@pytest.fixture
def store(place: Place) -> Backend:
    """Give a store in an empty place of each kind."""
    return place.open()


@pytest.fixture(autouse=True)
def _fresh() -> None:
    """Forget what the test before has called."""
    calls.clear()
