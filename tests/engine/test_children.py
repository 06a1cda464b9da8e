"""Children: runs of their own that a run starts, awaits, cancels, or leaves to themselves."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from msgspec import Raw, json

from flopod.backends.base import Backend
from flopod.backends.file import FileBackend
from flopod.backends.memory import MemoryBackend
from flopod.backends.sqlite import SqliteBackend
from flopod.engine import control
from flopod.engine.engine import Engine
from flopod.engine.registry import HandWritten
from flopod.errors import Cancelled, InputChanged, UnknownWorkflow, Unsupported
from flopod.events import (
    ActivityCompleted,
    ChildCompleted,
    ChildStarted,
    Event,
    EventReceived,
    RunStarted,
    SleepCompleted,
)
from tests.engine.support import calls, drive, note


async def ship(wf: Any, x: Any) -> str:
    await wf.activity("pack", note, ("pack", x))
    return await wf.activity("send", note, f"sent {x}")  # type: ignore[no-any-return]


async def order(wf: Any, x: Any) -> str:
    number = await wf.activity("number", note, x)
    handle = wf.child("ship", "ship", number)
    await wf.activity("bill", note, ("bill", number))
    return f"{handle.id}: {await handle.wait()}, {await handle.wait()}"


async def many(wf: Any, count: int) -> list[str]:
    handles = [scope.child("ship", ship, x) for scope, x in wf.each("xs", range(count))]
    return await asyncio.gather(*(handle.wait() for handle in handles))


async def broken(_: Any) -> None:
    raise LookupError("gone", 7)


async def copes(wf: Any) -> str:
    handle = wf.child("broken", broken)
    seen = []
    for _ in range(2):
        try:
            await handle.wait()
        except LookupError as error:
            seen.append(error.args)
    await wf.activity("note", note, seen)
    return repr(seen)


async def fails_with_it(wf: Any) -> None:
    await wf.child("broken", broken).wait()


async def waits(wf: Any, x: Any = None) -> Any:
    try:
        answer = await wf.wait("answer")
    except asyncio.CancelledError:
        await wf.activity("undo", note, ("undo", x))
        raise
    return await wf.activity("answered", note, ("answered", answer))


async def leaves(wf: Any, detached: bool) -> str:
    wf.child("slow", waits, "left", detached=detached)
    await wf.activity("note", note, "left")
    return "ended"


async def leaves_at_once(wf: Any, detached: bool) -> str:
    return wf.child("slow", "ship", 1, detached=detached).id  # type: ignore[no-any-return]


async def fails_beside(wf: Any) -> None:
    wf.child("slow", waits, "beside")
    await wf.activity("note", note, 1)
    raise ValueError("parent")


async def reason_of(handle: Any) -> str:
    try:
        await handle.wait()
    except Cancelled as error:
        return f"cancelled: {error.reason}"
    return "not cancelled"


async def cancels(wf: Any) -> str:
    handle = wf.child("slow", waits, "unwanted")
    await wf.activity("note", note, "before")
    handle.cancel("not needed")
    return await reason_of(handle)


async def hurries(wf: Any) -> str:
    handle = wf.child("slow", waits, "late")
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(handle.wait(), wf.timer("limit", 0.05))
    return await reason_of(handle)


async def joins(wf: Any) -> Any:
    return await wf.child("slow", waits, "joined").wait()


async def grand(wf: Any) -> Any:
    return await wf.child("joins", joins).wait()


async def named(wf: Any, run_id: str, x: Any) -> Any:
    return await wf.child("ship", "ship", x, run_id=run_id).wait()


async def adopts(wf: Any, run_id: str) -> Any:
    return await wf.child("slow", waits, run_id=run_id).wait()


async def unknown(wf: Any) -> None:
    wf.child("ship", "no such")


FUNCTIONS = (ship, order, many, broken, copes, fails_with_it, waits, leaves, leaves_at_once, fails_beside)
MORE = (cancels, hurries, joins, grand, named, adopts, unknown)
WORKFLOWS = HandWritten({fn.__name__: fn for fn in (*FUNCTIONS, *MORE)})


def serve(backend: Backend, use: Callable[[Engine], Coroutine[Any, Any, Any]], **options: Any) -> Any:
    """Open an engine, use it, and leave it."""

    async def main() -> Any:
        async with Engine(backend, WORKFLOWS, **options) as engine:
            return await asyncio.wait_for(use(engine), 20)

    return asyncio.run(main())


def run(backend: Backend, workflow: str, *args: Any, **options: Any) -> Any:
    """Run a parent to its end, and all its children."""

    async def use(engine: Engine) -> Any:
        handle = await engine.start(workflow, args, run_id="p")
        try:
            return await handle.result()
        finally:
            await until(lambda: not backend.open_runs())

    return serve(backend, use, **options)


async def until(holds: Callable[[], bool]) -> None:
    """Wait for something to become true."""
    end = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < end, "it did not come true in 10 seconds"
        await asyncio.sleep(0.005)


def status(backend: Backend, run_id: str) -> str:
    summary = backend.summary(run_id)
    return "" if summary is None else summary.status


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


# -- crashes -------------------------------------------------------------------------------------


class Logs:
    """The logs of some runs, cut and put into a new store."""

    def __init__(self, backend: Backend, *run_ids: str) -> None:
        self.events = {run_id: [event for _, event in backend.load(run_id)] for run_id in run_ids}

    def cut(self, **lengths: int) -> MemoryBackend:
        backend = MemoryBackend()
        for run_id, length in zip(self.events, lengths.values(), strict=True):
            if length:
                backend.append(run_id, 0, self.events[run_id][:length])
        return backend


def _begins(events: list[Event], kind: type[Event]) -> int:
    return next(place for place, event in enumerate(events) if isinstance(event, kind))


@pytest.mark.parametrize("workflow, args", [("order", [7]), ("copes", []), ("cancels", []), ("hurries", [])])
def test_it_goes_on_from_every_state_of_parent_and_child(workflow: str, args: list[Any]) -> None:
    """Each prefix of the one log with each of the other, if the child was begun before its record."""
    whole = MemoryBackend()
    expected = run(whole, workflow, *args)
    child = next(one.run_id for one in whole.summaries() if one.parent == "p")
    logs = Logs(whole, "p", child)
    for parent in range(1, len(logs.events["p"]) + 1):
        for length in range(len(logs.events[child]) + 1):
            if not _can_be(logs, parent, length, child):
                continue
            backend = logs.cut(parent=parent, child=length)
            calls.clear()
            assert run_on(backend, workflow, args) == expected, (parent, length)
            assert not _called_again(logs, parent, length, child)


def _can_be(logs: Logs, parent: int, length: int, child: str) -> bool:
    """What is recorded of the one follows from what is recorded of the other."""
    whole = {type(event) for event in logs.events["p"]}
    has = {type(event) for event in logs.events["p"][:parent]}
    told = any(isinstance(event, EventReceived) for event in logs.events[child][:length])
    if ChildStarted in has and not length:
        return False
    if ChildCompleted in has and length < len(logs.events[child]):
        return False
    return not told or (ChildStarted in has and SleepCompleted in has | ({SleepCompleted} - whole))


def run_on(backend: Backend, workflow: str, args: list[Any]) -> Any:
    async def use(engine: Engine) -> Any:
        handle = await engine.start(workflow, args, run_id="p")
        try:
            return await handle.result()
        finally:
            await until(lambda: not backend.open_runs())

    return serve(backend, use)


def _called_again(logs: Logs, parent: int, child_length: int, child: str) -> list[Any]:
    """Leaves that ran although their outcome is recorded."""
    cut = [*logs.events["p"][:parent], *logs.events[child][:child_length]]
    done = [json.decode(event.result) for event in cut if isinstance(event, ActivityCompleted)]
    return [call for call in calls if call in done]


def test_the_first_events_of_children_come_before_the_record_of_them(tmp_path: Path) -> None:
    """In a store that writes one log after the other; and after all that their input is made of."""
    backend = FileBackend(tmp_path)
    written: list[tuple[str, list[str]]] = []
    append_many = backend.append_many

    def noted(batches: Any) -> Any:
        written.extend((one.run_id, [type(event).__name__ for event in one.events]) for one in batches)
        return append_many(batches)

    backend.append_many = noted  # type: ignore[method-assign]
    run(backend, "order", 7)
    place = written.index(("p.ship", ["RunStarted"]))
    assert written[place - 1] == ("p", ["ActivityCompleted"])
    assert written[place + 1] == ("p", ["ChildStarted", "ActivityStarted"])


@pytest.mark.parametrize("store", ["file", "sqlite"])
def test_a_child_is_there_whenever_its_parent_is_over(tmp_path: Path, store: str) -> None:
    """A parent that ends in the very step that starts it."""
    backend: Backend = FileBackend(tmp_path) if store == "file" else SqliteBackend(tmp_path / "runs.db")
    seen: list[bool] = []
    append_many = backend.append_many

    def noted(batches: Any) -> Any:
        result = append_many(batches)
        if any(one.run_id == "p" and type(one.events[-1]).__name__ == "RunCompleted" for one in batches):
            seen.append(isinstance(getattr(backend.first("p.slow"), "event", None), RunStarted))
        return result

    backend.append_many = noted  # type: ignore[method-assign]
    run(backend, "leaves_at_once", True)
    assert seen == [True]


def test_a_child_whose_parent_is_over_is_cancelled_when_it_is_taken_up() -> None:
    """The process was killed between the end of the parent and the cancel of its child."""
    whole = MemoryBackend()
    run(whole, "leaves", False)
    logs = Logs(whole, "p", "p.slow")
    started = _begins(logs.events["p.slow"], RunStarted) + 1
    backend = logs.cut(parent=len(logs.events["p"]), child=started)

    async def use(_: Engine) -> None:
        await until(lambda: not backend.open_runs())

    serve(backend, use)
    assert status(backend, "p.slow") == "cancelled"
