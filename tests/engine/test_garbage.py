"""What runs leave behind in the memory of an engine, and how often Python looks for garbage there."""

import asyncio
import gc
import sys
from collections import Counter
from typing import Any

import pytest

from flopod.backends.memory import MemoryBackend
from flopod.engine.engine import Engine
from flopod.engine.registry import HandWritten
from tests.engine.support import note


async def one(wf: Any, x: Any) -> Any:
    return await wf.activity("note", note, x)


async def several(wf: Any, x: Any) -> Any:
    total = 0
    for scope, item in wf.each("items", range(x)):
        total += await scope.activity("note", note, item)
    await wf.parallel(wf.activity("left", note, 1), wf.activity("right", note, 2))
    return total


async def undoing(wf: Any, x: Any) -> Any:
    wf.compensate("undo", note, x)
    raise ValueError(x)


async def waiting(wf: Any, x: Any) -> Any:
    return x, await wf.wait("never", timeout="30d")


_RUNS = 20


_FAILS = pytest.param(
    undoing,
    marks=pytest.mark.skipif(
        sys.version_info >= (3, 12),
        reason="the frames of its error know those that called them, and they the run",
    ),
)


@pytest.mark.parametrize("workflow", [one, several, _FAILS, waiting])
def test_a_run_that_is_over_or_put_away_leaves_nothing_to_the_collector(workflow: Any) -> None:
    """Of the objects of a run none is left that only the collector finds."""
    store = MemoryBackend()
    found: Counter[str] = Counter()

    async def main() -> None:
        async with Engine(store, HandWritten({"w": workflow}), resting=0) as engine:
            await _all_gone(engine)
            gc.collect()
            gc.disable()
            await _all_gone(engine)
            gc.set_debug(gc.DEBUG_SAVEALL)
            gc.collect()
            found.update(type(one).__name__ for one in gc.garbage)

    try:
        asyncio.run(main())
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
    left = {kind: count for kind, count in found.items() if count >= _RUNS}
    assert not left


async def _all_gone(engine: Engine) -> None:
    handles = [await engine.start("w", [3]) for _ in range(_RUNS)]
    for handle in handles:
        while handle.run_id in engine._live:
            await asyncio.sleep(0.01)


def test_garbage_is_sought_seldom_while_an_engine_is_open() -> None:
    """The last engine to leave puts back what was set before the first one."""
    before = gc.get_threshold()

    async def main() -> None:
        store = MemoryBackend()
        async with Engine(store, HandWritten({})):
            assert gc.get_threshold()[0] > before[0]
            async with Engine(store, HandWritten({})):
                pass
            assert gc.get_threshold()[0] > before[0]

    asyncio.run(main())
    assert gc.get_threshold() == before


def test_an_engine_that_is_dropped_seeks_garbage_as_before() -> None:
    """An engine killed for a test leaves no trace in the process of the test."""
    before = gc.get_threshold()

    async def main() -> None:
        engine = Engine(MemoryBackend(), HandWritten({}))
        engine.enter()
        assert gc.get_threshold()[0] > before[0]
        engine.drop()
        assert gc.get_threshold() == before

    asyncio.run(main())


def test_who_has_turned_the_collector_off_keeps_it_off() -> None:
    """A threshold of 0, or a high one, is left as it is."""
    before = gc.get_threshold()

    async def threshold() -> int:
        async with Engine(MemoryBackend(), HandWritten({})):
            return gc.get_threshold()[0]

    try:
        for chosen in (0, 1_000_000):
            gc.set_threshold(chosen)
            assert asyncio.run(threshold()) == chosen
            assert gc.get_threshold()[0] == chosen
    finally:
        gc.set_threshold(*before)
