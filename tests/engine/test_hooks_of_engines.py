"""Hooks of an engine: they are asked for all its runs, children and starts included."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import pytest

from flopod.backends import Backend, MemoryBackend
from flopod.engine.control import cancel
from flopod.engine.engine import Engine
from flopod.engine.hooks import Hooks, Step
from flopod.engine.registry import HandWritten
from flopod.errors import StoppedByHook
from flopod.events import ActivityStarted, kind_of
from tests.engine.spies import Spy, body, called, double, drive, null
from tests.engine.support import RUN


@pytest.fixture(autouse=True)
def _no_calls() -> None:
    called.clear()


async def short(wf: Any, x: int) -> int:
    return int(await wf.activity("a", double, x))


async def parent(wf: Any, x: int) -> int:
    child = wf.child("child", "short", x)
    return int(await child.wait())


WORKFLOWS = HandWritten({"short": short, "main": body, "parent": parent})


def test_an_engine_calls_them_for_all_its_runs(store: Backend) -> None:
    """Also for runs that stand in line, and for children; every record is told of once."""
    spy = Spy()

    async def main() -> None:
        async with Engine(store, WORKFLOWS, concurrency=2, hooks=spy) as engine:
            handles = [await engine.start("short", [n], run_id=f"s{n}") for n in range(5)]
            handles.append(await engine.start("parent", [7], run_id="p"))
            assert [await one.result() for one in handles] == [0, 2, 4, 6, 8, 14]

    asyncio.run(main())
    ids = [one.run_id for one in store.summaries()]
    assert len(ids) == 7
    for run_id in ids:
        told = [kind for name, kind in spy.events if name == run_id]
        assert told == [kind_of(event) for _, event in store.load(run_id)]
    assert sorted(one[1] for one in spy.seen if one[0] == "should_run") == sorted(ids)


def test_a_run_that_was_put_away_is_not_asked_for_again(store: Backend) -> None:
    """It has started once in this process."""
    spy = Spy()

    async def main() -> None:
        async with Engine(store, WORKFLOWS, resting=0, hooks=spy) as engine:
            handle = await engine.start("main", [5], run_id=RUN)
            while RUN in engine._live or RUN not in engine._line.asleep:
                await asyncio.sleep(0.01)
            engine.deliver(RUN, "go", "go", null())
            assert await handle.result() == 12

    asyncio.run(main())
    assert [one[0] for one in spy.seen].count("should_run") == 1
    assert [one[0] for one in spy.seen].count("before_start") == 1


@pytest.mark.parametrize("name", ["should_run", "before_start"])
def test_a_start_that_is_refused_raises_and_records_nothing(store: Backend, name: str) -> None:
    """Who asked for it is told."""

    async def main() -> None:
        async with Engine(store, WORKFLOWS, hooks=Spy(refuses=name)) as engine:
            with pytest.raises(StoppedByHook, match=name):
                await engine.start("short", [1], run_id=RUN)
            assert store.summaries() == []

    asyncio.run(main())


def test_a_run_of_the_store_that_is_refused_is_asked_for_again_later(
    store: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stays open, and goes on as soon as it is let."""
    drive(store, Spy())
    store.deliver(RUN, "go", "go", null())
    monkeypatch.setattr("flopod.engine.engine._AGAIN", 0.05)
    spy = Spy(refuses="before_start")

    async def main() -> None:
        async with Engine(store, WORKFLOWS, hooks=spy) as engine:
            while len(spy.seen) < 6:
                await asyncio.sleep(0.01)
            spy.refuses = ""
            assert (await engine.outcome(RUN)).value == 12

    asyncio.run(main())


def _refused_steps(store: Backend, times: int) -> Any:
    """The result of a run of `short`, whose step a hook refuses so often by raising."""
    spy = Spy(raises="before_step")

    async def main() -> Any:
        async with Engine(store, WORKFLOWS, hooks=spy) as engine:
            handle = await engine.start("short", [4], run_id=RUN)
            while len(spy.steps) < times:
                await asyncio.sleep(0.01)
            spy.raises = ""
            return await handle.result()

    return asyncio.run(main())


def test_a_step_that_is_refused_in_an_engine_is_tried_again_later(
    store: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However often that is, it is no crash of the leaf."""
    monkeypatch.setattr("flopod.engine.engine._AGAIN", 0.01)
    assert _refused_steps(store, times=8) == 8
    assert called == [4]
    assert len([one for _, one in store.load(RUN) if isinstance(one, ActivityStarted)]) == 1


def test_an_engine_says_which_hook_raises_once(
    store: Backend, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The run stands still as long as it does, and somebody has to know why; a no is no fault."""
    monkeypatch.setattr("flopod.engine.engine._AGAIN", 0.01)
    _refused_steps(store, times=4)
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 1
    assert "before_step" in said[0]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", ["should_run", "before_start"])
def test_a_refused_start_leaves_no_coroutine_behind(name: str) -> None:
    """Python would warn of a body that was never awaited."""

    async def main() -> None:
        async with Engine(MemoryBackend(), WORKFLOWS, hooks=Spy(refuses=name)) as engine:
            with pytest.raises(StoppedByHook):
                await engine.start("short", [1], run_id=RUN)

    asyncio.run(main())
    gc.collect()


class Held(Hooks):
    """Lets no step go by itself."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()

    async def before_step(self, step: Step) -> None:  # noqa: ARG002
        self.asked.set()
        await asyncio.Future()


def test_a_run_whose_step_waits_for_a_hook_can_be_cancelled(store: Backend) -> None:
    """The leaf is never called; an engine that drains does not wait for the hook either."""
    held = Held()

    async def main() -> None:
        async with asyncio.timeout(20), Engine(store, WORKFLOWS, hooks=held) as engine:
            handle = await engine.start("short", [1], run_id=RUN)
            await held.asked.wait()
            cancel(store, RUN)
            assert (await handle.outcome()).status == "cancelled"
            held.asked.clear()
            await engine.start("short", [2], run_id="other")
            await held.asked.wait()

    asyncio.run(main())
    assert called == []
