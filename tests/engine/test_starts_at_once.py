"""The same run started by several at once: none is told that it runs before it is in the store."""

import asyncio
import threading
from collections.abc import Sequence
from typing import Any

import pytest

from flopod.backends.base import Batch
from flopod.backends.memory import MemoryBackend
from flopod.engine.engine import Engine
from flopod.errors import FlopodError, InputChanged, StorageError
from tests.engine.served import serve


class Slow(MemoryBackend):
    """Writes nothing before it is let go, and then fails if it was told to."""

    def __init__(self) -> None:
        super().__init__()
        self.goes_on = threading.Event()
        self.fails = False

    def append_many(self, batches: Sequence[Batch]) -> list[int | FlopodError]:
        self.goes_on.wait(10)
        if self.fails:
            return [StorageError("the disk is gone") for _ in batches]
        return super().append_many(batches)


def _twice(fails: bool, then: str = "b") -> tuple[list[bool], list[Any]]:
    """Start one run twice; whether each was done before the store wrote, and what came of them."""
    store = Slow()

    async def use(engine: Engine) -> tuple[list[bool], list[Any]]:
        store.fails = fails
        others = [
            asyncio.create_task(engine.start("one", [name], run_id=name))
            for name in ("x", "y")  # so that the commits are made in a thread
        ]
        starts = [asyncio.create_task(engine.start("one", [each], run_id="same")) for each in ("b", then)]
        await asyncio.sleep(0.05)
        before = [one.done() for one in starts]
        store.goes_on.set()
        ends = await asyncio.gather(*starts, return_exceptions=True)
        await asyncio.gather(*others, return_exceptions=True)
        store.fails = False
        return before, ends

    found: tuple[list[bool], list[Any]] = serve(store, use)
    return found


def test_the_second_start_waits_for_the_store_too() -> None:
    """Who is told that a run is started can rely on it, first or not."""
    before, ends = _twice(fails=False)
    assert before == [False, False]
    assert [one.run_id for one in ends] == ["same", "same"]


def test_the_second_start_fails_with_the_first() -> None:
    """A run that could not be written is started for nobody."""
    before, ends = _twice(fails=True)
    assert before == [False, False]
    assert [type(one) for one in ends] == [StorageError, StorageError]


def test_another_input_is_refused_at_once() -> None:
    """What differs is another run, written or not."""
    before, ends = _twice(fails=False, then="c")
    assert before == [False, True]
    assert type(ends[1]) is InputChanged


def test_a_fresh_id_is_not_looked_for() -> None:
    """A store is not read for a run that cannot be there."""

    class Unread(MemoryBackend):
        def first(self, run_id: str) -> Any:
            raise AssertionError(f"{run_id} was looked for")

    async def use(engine: Engine) -> Any:
        return await (await engine.start("one", ["b"], run_id="new", fresh=True)).result()

    assert serve(Unread(), use) == "b"
    with pytest.raises(AssertionError, match="new"):
        serve(Unread(), lambda engine: engine.start("one", ["b"], run_id="new"))
