"""The stores of the contract suite, for what an engine does on each of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from flopod.backends import Backend
from tests.contract.conftest import place, shared, store
from tests.contract.support import opened_place
from tests.engine.support import calls

__all__ = ["place", "shared", "store"]


@pytest.fixture(params=["memory", "file", "sqlite", "postgres"])
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Backend]:
    """A store of each kind, empty."""
    with opened_place(request, tmp_path) as found:
        yield found.open()


@pytest.fixture(autouse=True)
def _fresh() -> None:
    """Forget what the test before has called."""
    calls.clear()
