"""Children: runs of their own that a run starts, awaits, cancels, or leaves to themselves."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from msgspec import Raw, json

from flopod.backends.base import Backend
from flopod.backends.memory import MemoryBackend
from flopod.backends.sqlite import SqliteBackend
from flopod.engine import control
from flopod.engine.engine import Engine
from flopod.engine.registry import HandWritten
from flopod.errors import InputChanged, UnknownWorkflow, Unsupported
from tests.engine.parents import (
    WORKFLOWS,
    adopts,
    order,
    run,
    serve,
    status,
    until,
    waits,
)
from tests.engine.support import calls, drive


def deliver(engine: Engine, run_id: str, payload: Any) -> None:
    engine.deliver(run_id, "answer", "answer", Raw(json.encode(payload)))


@pytest.mark.parametrize("resting", [256, 0])
def test_a_child_gives_its_result_as_often_as_it_is_awaited(backend: Backend, resting: int) -> None:
    """It is a run of its own with its parent's id before its own; a parent that is put away comes back."""
    assert run(backend, "order", 7, resting=resting) == "p.ship: sent 7, sent 7"
    assert sorted(map(str, calls)) == sorted(map(str, [7, ("bill", 7), ("pack", 7), "sent 7"]))
    summary = backend.summary("p.ship")
    assert summary is not None and summary.parent == "p" and summary.status == "completed"


@pytest.mark.parametrize("resting", [256, 0])
def test_children_of_a_loop_run_side_by_side(backend: Backend, resting: int) -> None:
    """Each has the path of its iteration."""
    assert run(backend, "many", 5, resting=resting) == [f"sent {x}" for x in range(5)]
    assert len({one.run_id for one in backend.summaries()}) == 6


def test_a_failed_child_raises_its_error_each_time(backend: Backend) -> None:
    """The parent may go on; the error has its type and arguments."""
    assert run(backend, "copes") == "[('gone', 7), ('gone', 7)]"
    with pytest.raises(LookupError, match="gone"):
        serve(backend, lambda engine: _result(engine, "fails_with_it"))


async def _result(engine: Engine, workflow: str, *args: Any) -> Any:
    return await (await engine.start(workflow, args)).result()


def test_a_child_that_is_cancelled_raises_cancelled(backend: Backend) -> None:
    """It cleans up durably first; the parent is not cancelled by that."""
    assert run(backend, "cancels") == "cancelled: not needed"
    assert ("undo", "unwanted") in calls
    assert status(backend, "p.slow") == "cancelled"


def test_a_wait_that_is_cancelled_cancels_the_child(backend: Backend) -> None:
    """Nobody would take its result."""
    assert run(backend, "hurries") == "cancelled: the wait for it was cancelled"
    assert ("undo", "late") in calls


@pytest.mark.parametrize("workflow", ["leaves", "fails_beside"])
def test_open_children_are_cancelled_when_their_parent_ends(backend: Backend, workflow: str) -> None:
    """However it ends; the children clean up."""
    args = [False] if workflow == "leaves" else []
    try:
        run(backend, workflow, *args)
    except ValueError:
        assert workflow == "fails_beside"
    assert status(backend, "p.slow") == "cancelled"
    assert calls[-1] == ("undo", "left" if workflow == "leaves" else "beside")


def test_a_cancelled_parent_cancels_its_children_and_theirs(backend: Backend) -> None:
    """All of them, down to the last."""

    async def use(engine: Engine) -> str:
        handle = await engine.start("grand", run_id="p")
        await until(lambda: status(backend, "p.joins.slow") == "waiting")
        control.cancel(backend, "p", "enough")
        outcome = await handle.outcome()
        await until(lambda: not backend.open_runs())
        return outcome.status

    assert serve(backend, use) == "cancelled"
    assert status(backend, "p.joins.slow") == status(backend, "p.joins") == "cancelled"
    assert calls == [("undo", "joined")]


def test_a_parent_that_waits_for_a_paused_child_says_so(
    backend: Backend, caplog: pytest.LogCaptureFixture
) -> None:
    """When the child is paused, and again where another process goes on with the parent."""

    async def begin(engine: Engine) -> None:
        await engine.start("joins", run_id="p")
        await until(lambda: status(backend, "p.slow") == "waiting")
        control.pause(backend, "p.slow", "by hand")
        await until(lambda: bool(caplog.messages))

    async def end(engine: Engine) -> Any:
        await until(lambda: len(caplog.messages) > 1)
        control.resume(backend, "p.slow")
        await until(lambda: status(backend, "p.slow") == "waiting")
        deliver(engine, "p.slow", "yes")
        return (await engine.outcome("p")).value

    serve(backend, begin)
    assert serve(backend, end) == ("answered", "yes")
    told = "p waits for p.slow, which is paused: by hand; `flopod runs resume p.slow` lets it go on"
    assert caplog.messages == [told, told]


def test_a_forced_end_of_a_parent_ends_its_children(backend: Backend) -> None:
    """An engine that goes on with them later lets them clean up."""

    async def begin(engine: Engine) -> None:
        await engine.start("joins", run_id="p")
        await until(lambda: status(backend, "p.slow") == "waiting")

    async def end(_: Engine) -> None:
        await until(lambda: status(backend, "p.slow") == "cancelled")

    serve(backend, begin)
    control.cancel(backend, "p", force=True)
    serve(backend, end)
    assert calls == [("undo", "joined")]


def test_a_detached_child_goes_on(backend: Backend) -> None:
    """Its parent has long ended, and the process as well."""

    async def begin(engine: Engine) -> Any:
        handle = await engine.start("leaves", [True], run_id="p")
        result = await handle.result()
        await until(lambda: status(backend, "p.slow") == "waiting")
        return result

    async def go_on(engine: Engine) -> Any:
        deliver(engine, "p.slow", "yes")
        return (await engine.outcome("p.slow")).value

    assert serve(backend, begin) == "ended"
    assert serve(backend, go_on) == ("answered", "yes")


@pytest.mark.parametrize("resting", [256, 0])
def test_children_of_children_wake_their_parents(backend: Backend, resting: int) -> None:
    """A parent that only waits for a child is waiting; three runs come back from one event."""

    async def use(engine: Engine) -> Any:
        handle = await engine.start("grand", run_id="p")
        await until(lambda: status(backend, "p.joins.slow") == "waiting")
        assert status(backend, "p") == "waiting"
        deliver(engine, "p.joins.slow", 42)
        return await handle.result()

    assert serve(backend, use, resting=resting) == ("answered", 42)


def test_a_parent_that_is_put_away_leaves_no_more_records_than_one_that_is_not(backend: Backend) -> None:
    """It is resumed from its log, and nothing is written of that."""

    async def use(engine: Engine) -> Any:
        handle = await engine.start("joins", run_id="p")
        await until(lambda: status(backend, "p.slow") == "waiting")
        await asyncio.sleep(0.05)
        deliver(engine, "p.slow", 1)
        return await handle.result()

    serve(backend, use, resting=0)
    kinds = [type(event).__name__ for _, event in backend.load("p")]
    assert kinds.count("ChildStarted") == kinds.count("ChildCompleted") == 1


def test_a_child_with_the_id_of_another_run_fails(backend: Backend) -> None:
    """The same workflow with the same input is the same run; another one is not taken for it."""

    async def use(engine: Engine) -> Any:
        await (await engine.start("ship", [1], run_id="s")).result()
        same = await _result(engine, "named", "s", 1)
        with pytest.raises(InputChanged, match="another input"):
            await _result(engine, "named", "s", 2)
        return same

    assert serve(backend, use) == "sent 1"


def test_an_unknown_workflow_is_refused_where_it_is_started() -> None:
    """With the names that there are."""
    with pytest.raises(UnknownWorkflow, match="there is: adopts, broken"):
        run(MemoryBackend(), "unknown")


def test_a_run_without_an_engine_says_how_to_have_children() -> None:
    """Nothing would run them."""
    outcome = drive(order, 1, backend=MemoryBackend())
    assert isinstance(outcome.error, Unsupported) and "Engine" in str(outcome.error)


def test_the_end_of_a_child_that_another_process_runs_is_seen(tmp_path: Path) -> None:
    """The parent's engine looks for it once a second."""
    backend = SqliteBackend(tmp_path / "runs.db")
    other = SqliteBackend(tmp_path / "runs.db")

    async def main() -> Any:
        async with Engine(other, WORKFLOWS) as theirs:
            await theirs.start("waits", run_id="s")
            await until(lambda: status(other, "s") == "waiting")
            async with Engine(backend, HandWritten({"adopts": adopts, "waits": waits})) as ours:
                handle = await ours.start("adopts", ["s"])
                await asyncio.sleep(0.1)
                deliver(theirs, "s", 1)
                return await asyncio.wait_for(handle.result(), 10)

    assert asyncio.run(main()) == ("answered", 1)
