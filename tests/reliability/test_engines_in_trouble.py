"""An engine whose disk refuses for a while: its runs are in trouble, fail not, and go on by themselves."""

import asyncio
import errno
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from flopod.backends import Backend, FileBackend, SqliteBackend
from flopod.engine import engine as engines
from flopod.engine.engine import Engine
from flopod.errors import StorageError
from flopod.events import ActivityCompleted, RunCompleted
from tests.reliability.faults import Faults
from tests.reliability.support import serve, status, until
from tests.reliability.vfs import FaultyDisk

RUNS = 4
WRITING = ("write", "fdatasync", "fsync", "sync", "truncate", "ftruncate")


class Disk:
    """A disk that can be told to refuse, below a store of one kind."""

    def __init__(self, kind: str, folder: Path, code: int) -> None:
        self.refuses = False
        self._kind = kind
        self._folder = folder
        self._code = code

    def used(self) -> AbstractContextManager[object]:
        """Be below the stores that are opened meanwhile."""
        layer = Faults() if self._kind == "file" else FaultyDisk()
        return layer.injected(self._fails)

    def open(self) -> Backend:
        """Open the store."""
        if self._kind == "file":
            return FileBackend(self._folder)
        return SqliteBackend(self._folder / "runs.db")

    def _fails(self, _number: int, name: str) -> int | None:
        return self._code if self.refuses and name in WRITING else None


@pytest.mark.parametrize("kind", ["file", "sqlite"])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
def test_an_engine_goes_on_when_its_disk_does(
    tmp_path: Path, kind: str, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It fails under all leaves at once: no run fails, none is lost, new ones are refused meanwhile."""
    monkeypatch.setattr(engines, "_AGAIN", 0.02)
    disk = Disk(kind, tmp_path, code)
    begun: list[int] = []

    async def leaf(n: int) -> int:
        begun.append(n)
        while not disk.refuses and len(begun) < RUNS:
            await asyncio.sleep(0.001)
        disk.refuses = disk.refuses or len(begun) == RUNS
        return n

    async def twice(wf: Any, n: int) -> int:
        return int(await wf.activity("a", leaf, n)) + int(await wf.activity("b", leaf, n))

    async def use(engine: Engine) -> list[Any]:
        handles = [await engine.start("twice", [n], run_id=f"run{n}") for n in range(RUNS)]
        trouble = engine._refusals._in_trouble
        await until(lambda: all(trouble[f"run{n}"] > 0 for n in range(RUNS)))
        with pytest.raises(StorageError):
            await engine.start("twice", [9], run_id="refused")
        assert all(status(store, f"run{n}") in ("running", "storage_error") for n in range(RUNS))
        disk.refuses = False
        return [await handle.result() for handle in handles]

    with disk.used():
        store = disk.open()
        assert serve(store, {"twice": twice}, use) == [2 * n for n in range(RUNS)]
        store.close()
    check(disk.open())


def check(store: Backend) -> None:
    """Each run has ended once, and the outcome of each leaf is there once."""
    assert {run.run_id for run in store.summaries()} == {f"run{n}" for n in range(RUNS)}
    for n in range(RUNS):
        events = [event for _, event in store.load(f"run{n}")]
        assert [event.path for event in events if isinstance(event, ActivityCompleted)] == ["a", "b"]
        assert sum(isinstance(event, RunCompleted) for event in events) == 1
        assert status(store, f"run{n}") == "completed"
    store.close()
