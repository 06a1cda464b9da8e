"""The stores of the contract suite, for what an engine does on each of them."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from flopod.backends import Backend, FileBackend, MemoryBackend, PostgresBackend, SqliteBackend
from tests.contract.conftest import place, store

__all__ = ["place", "store"]


@pytest.fixture(params=["memory", "file", "sqlite", "postgres"])
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Backend]:
    """A store of each kind, empty."""
    made: dict[str, Callable[[], Backend]] = {
        "memory": MemoryBackend,
        "file": lambda: FileBackend(tmp_path),
        "sqlite": lambda: SqliteBackend(tmp_path / "runs.db"),
        "postgres": lambda: PostgresBackend(request.getfixturevalue("postgres").database()),
    }
    with made[request.param]() as opened:
        yield opened
