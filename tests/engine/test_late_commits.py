"""A commit of a connection that was lost lands after the log was read: the engine reads it again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Any

import pytest

from flopod.backends import Backend
from flopod.backends.memory import MemoryBackend
from flopod.engine.engine import Engine
from flopod.engine.registry import HandWritten
from flopod.events import Event, RunResumed

calls: list[int] = []


async def note(x: int) -> int:
    calls.append(x)
    return x


async def body(wf: Any) -> int:
    total = [await wf.activity(f"note-{x}", note, x) for x in range(3)]
    await wf.wait("go")
    return sum(total)


class Late:
    """A store of which some writes of before land right before the next one of the run `r`."""

    def __init__(self, inner: Backend, times: int) -> None:
        self._inner = inner
        self.times = times

    def _land(self, run_id: str) -> None:
        records = self._inner.load(run_id)
        if self.times and records:
            self.times -= 1
            self._inner.append(run_id, records[-1].seq, [RunResumed(at=1)])

    def append(self, run_id: str, expected: int, events: Sequence[Event]) -> int:
        self._land(run_id)
        return self._inner.append(run_id, expected, events)

    def append_many(self, batches: Sequence[Any]) -> Any:
        for batch in batches:
            self._land(batch.run_id)
        return self._inner.append_many(batches)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


@pytest.mark.parametrize("times", [0, 1])
def test_the_run_goes_on_at_once(times: int) -> None:
    """Nothing that was recorded is done again, and nobody waits for the time of a run held elsewhere."""
    calls.clear()
    store: Any = Late(MemoryBackend(), 0)

    async def main() -> float:
        async with Engine(store, HandWritten({"body": body})) as engine:
            handle = await engine.start("body", run_id="r")
            while "r" not in engine._line.asleep and (engine._live.busy or not engine.drives("r")):
                await asyncio.sleep(0.01)
            store.times = times
            begin = time.monotonic()
            store.deliver("r", "go", "go", _null())
            assert await handle.result() == 3
            return time.monotonic() - begin

    assert asyncio.run(asyncio.wait_for(main(), 20)) < 2
    assert calls == [0, 1, 2]


def test_one_that_is_taken_over_again_and_again_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second time in a row it is another writer: the engine tries again later."""
    calls.clear()
    monkeypatch.setattr("flopod.engine.engine._AGAIN", 1.0)
    store: Any = Late(MemoryBackend(), 0)

    async def main() -> float:
        async with Engine(store, HandWritten({"body": body})) as engine:
            handle = await engine.start("body", run_id="r")
            while engine._live.busy or not engine.drives("r"):
                await asyncio.sleep(0.01)
            store.times = 2
            begin = time.monotonic()
            store.deliver("r", "go", "go", _null())
            assert await handle.result() == 3
            return time.monotonic() - begin

    assert 1 <= asyncio.run(asyncio.wait_for(main(), 20)) < 4


def _null() -> Any:
    from msgspec import Raw

    return Raw(b"null")
