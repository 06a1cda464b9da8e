"""Hooks: when they are called, what their answers do, and what becomes of a run when one raises."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest
from msgspec import Raw

from flopod.authoring import activity
from flopod.backends import Backend
from flopod.backends.lock import MemoryHold
from flopod.backends.memory import MemoryBackend
from flopod.engine.engine import Engine
from flopod.engine.hooks import Hooks, RunInfo
from flopod.engine.registry import HandWritten
from flopod.engine.runtime import create_runtime
from flopod.errors import StoppedByHook
from flopod.events import RunResumed, kind_of
from flopod.retry import Retry
from tests.engine.spies import Spy, called, double, drive, null, recorded
from tests.engine.support import RUN


@pytest.fixture(autouse=True)
def _no_calls() -> None:
    called.clear()


def test_each_is_called_once_for_each_fact_in_order(store: Backend) -> None:
    """Asked before anything is recorded, then told of each step around the records of it."""
    spy = Spy()
    assert drive(store, spy).status == "waiting"
    assert spy.seen[:2] == [("should_run", RUN, False), ("before_start", "main", ([5], {}))]
    assert spy.steps == [
        ("before_step", "a", 1),
        ("after_step", "a", 10, "None"),
        ("before_step", "b", 1),
        ("after_step", "b", 11, "None"),
        ("before_step", "c", 1),
        ("after_step", "c", None, "ValueError(11)"),
    ]
    assert [kind for _, kind in spy.events] == recorded(store)
    begun = spy.seen.index(("on_event", "activity_started", "b"))
    ended = spy.seen.index(("on_event", "activity_completed", "b"))
    assert begun < spy.seen.index(("before_step", "b", 1)) < ended
    assert ended < spy.seen.index(("after_step", "b", 11, "None"))


def test_a_replay_calls_none_again(store: Backend) -> None:
    """A resume is asked for anew, and told only of what is new."""
    drive(store, Spy())
    before = len(store.load(RUN))
    store.deliver(RUN, "go", "go", null())
    spy = Spy()
    assert drive(store, spy).value == 12
    assert spy.seen[0] == ("should_run", RUN, True)
    assert spy.steps == [("before_step", "d", 1), ("after_step", "d", 12, "None")]
    assert [kind for _, kind in spy.events] == recorded(store)[before:]


def test_a_run_that_is_over_asks_nobody(store: Backend) -> None:
    """There is nothing to start."""
    store.deliver(RUN, "go", "go", null())
    drive(store, Spy())
    spy = Spy(refuses="should_run")
    assert drive(store, spy).value == 12
    assert spy.seen == []


@pytest.mark.parametrize("name", ["should_run", "before_start"])
@pytest.mark.parametrize("how", ["refuses", "raises"])
def test_a_run_that_may_not_start_stays_as_it_is(store: Backend, name: str, how: str) -> None:
    """Nothing is recorded, and it starts when it is let."""
    with pytest.raises(StoppedByHook, match=rf"'r' does not go on here: the hook {name} r") as stopped:
        drive(store, Spy(**{how: name}))
    assert stopped.value.exit_code == 3
    assert (store.load(RUN), called) == ([], [])
    drive(store, Spy())
    before = store.load(RUN)
    with pytest.raises(StoppedByHook):
        drive(store, Spy(**{how: name}))
    assert store.load(RUN) == before


def test_should_run_comes_first(store: Backend) -> None:
    """What it refuses prepares nothing."""
    spy = Spy(refuses="should_run")
    with pytest.raises(StoppedByHook):
        drive(store, spy)
    assert spy.seen == [("should_run", RUN, False)]


def test_a_hook_that_forgets_to_answer_is_told_so(store: Backend) -> None:
    """Nothing is no yes."""

    class Silent(Hooks):
        def should_run(self, run: RunInfo) -> bool:  # noqa: ARG002
            return None  # type: ignore[return-value]

    with pytest.raises(StoppedByHook, match="should_run returned None, not True"):
        drive(store, Silent())


def test_a_step_that_may_not_run_is_not_called_and_the_run_is_left(store: Backend) -> None:
    """What was under way is recorded; the next start calls the leaf, as if it had been killed before."""
    with pytest.raises(StoppedByHook, match=r"before_step raised RuntimeError.* at 'b'"):
        drive(store, Spy(raises="before_step", at="b"))
    assert called == [5]
    assert recorded(store)[-2:] == ["activity_completed", "activity_started"]
    assert drive(store, Spy()).status == "waiting"
    assert called == [5, 10, 11]


def test_others_that_are_under_way_end_first(store: Backend) -> None:
    """Their outcomes are not lost with the step that may not run."""

    async def side_by_side(wf: Any, _: int) -> Any:
        return await wf.parallel(
            wf.activity("one", double, 1), wf.activity("two", double, 2), wf.activity("three", double, 3)
        )

    with pytest.raises(StoppedByHook, match="at 'two'"):
        drive(store, Spy(raises="before_step", at="two"), side_by_side)
    assert called == [1]
    assert recorded(store).count("activity_completed") == 1
    assert drive(store, Spy(), side_by_side).value == [2, 4, 6]
    assert sorted(called) == [1, 2, 3]


@pytest.mark.parametrize("name", ["after_step", "on_event"])
def test_one_that_is_only_told_cannot_stop_a_run(
    store: Backend, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Its error is logged with the run and the hook."""
    with caplog.at_level(logging.ERROR, "flopod"):
        store.deliver(RUN, "go", "go", null())
        assert drive(store, Spy(raises=name)).value == 12
    assert f"run r: the hook {name} raised; the run goes on" in caplog.text
    assert "is broken" in caplog.text


@activity(retry=Retry(max_attempts=3, delay="1s", jitter=False))
async def flaky(x: int) -> int:
    called.append(x)
    if len(called) < 3:
        raise ValueError(x)
    return x


def test_a_step_is_one_however_often_it_is_tried(store: Backend) -> None:
    """Its end is the one that the workflow sees; events tell of each try."""

    async def trying(wf: Any, x: int) -> int:
        return int(await wf.activity("flaky", flaky, x))

    spy = Spy()
    assert drive(store, spy, trying).value == 5
    assert spy.steps == [("before_step", "flaky", 1), ("after_step", "flaky", 5, "None")]
    assert [kind for _, kind in spy.events].count("activity_failed") == 2


def test_a_step_that_is_cancelled_ends_too(store: Backend) -> None:
    """The loser of a race, so that what was opened for it can be closed."""

    async def never(_: int) -> None:
        await asyncio.sleep(3600)

    async def racing(wf: Any, x: int) -> Any:
        won = await wf.race("race", fast=wf.activity("fast", double, x), slow=wf.activity("slow", never, x))
        return won.value

    spy = Spy()
    assert drive(store, spy, racing).value == 10
    assert ("after_step", "slow", None, "CancelledError()") in spy.steps
    assert len([one for one in spy.steps if one[:2] == ("after_step", "slow")]) == 1


def test_hooks_leave_the_log_as_it_is_without_them(store: Backend) -> None:
    """What they do is no part of the run."""
    drive(store, Spy())
    other = MemoryBackend()
    drive(other, Hooks())
    assert [(seq, kind_of(event), event.path) for seq, event in store.load(RUN)] == [
        (seq, kind_of(event), event.path) for seq, event in other.load(RUN)
    ]


def test_a_refusal_does_not_forget_that_the_process_before_was_killed() -> None:
    """The crash counts for the leaf that was in flight."""
    store = MemoryBackend()
    with pytest.raises(StoppedByHook):
        drive(store, Spy(raises="before_step", at="b"))
    with pytest.raises(StoppedByHook):
        drive(store, Spy(refuses="before_start"), hold=MemoryHold(RUN, {}, crashed=True))
    assert [event.crashed for _, event in store.load(RUN) if isinstance(event, RunResumed)] == [True]


# -- hand-written programs ---------------------------------------------------------------------------


def test_a_block_of_create_runtime_has_them_too(store: Backend) -> None:
    """Asked before the block begins, told of what it does."""
    spy = Spy()

    async def main() -> None:
        async with create_runtime(run_id=RUN, backend=store, hooks=spy) as wf:
            assert await wf.activity("a", double, 3) == 6

    asyncio.run(main())
    assert spy.steps == [("before_step", "a", 1), ("after_step", "a", 6, "None")]
    assert [kind for _, kind in spy.events] == recorded(store)


@pytest.mark.parametrize("name", ["should_run", "before_start", "before_step"])
def test_a_block_that_may_not_go_on_is_left(store: Backend, name: str) -> None:
    """By the error of the hook, and it goes on with the next start."""

    async def main(spy: Spy) -> None:
        async with create_runtime(run_id=RUN, backend=store, hooks=spy) as wf:
            wf.result = await wf.activity("a", double, 3)

    with pytest.raises(StoppedByHook, match=name):
        asyncio.run(main(Spy(**({"raises": name} if name == "before_step" else {"refuses": name}))))
    assert called == []
    asyncio.run(main(Spy()))
    assert called == [3]


class Sender(Hooks):
    """Delivers to each run before it begins."""

    def __init__(self, store: Backend) -> None:
        self._store = store

    async def before_start(self, run: RunInfo) -> bool:
        self._store.deliver(run.run_id, "go", "go", Raw(b"5"))
        await asyncio.sleep(0.01)
        return True


async def waits(wf: Any) -> Any:
    return await wf.wait("go")


def test_what_a_hook_delivers_to_a_new_run_is_there_when_it_begins(backend: Backend) -> None:
    """A run whose id was just made need not look for deliveries, unless it was told of one."""

    async def main() -> Any:
        async with Engine(backend, HandWritten({"waits": waits}), hooks=Sender(backend)) as engine:
            return await asyncio.wait_for((await engine.start("waits")).result(), 20)

    assert asyncio.run(main()) == 5
