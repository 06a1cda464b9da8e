"""The scheduler interleaves as asyncio does: one program, stepped by both, leaves the same trace."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from flopod.events import Abandoned, RaceWon, SleepCompleted, SleepStarted
from tests.workflow.support import called, run, sweep

Gather = Callable[..., Awaitable[list[Any]]]
Program = Callable[[Gather, list[Any]], Awaitable[Any]]


async def turns(n: int) -> None:
    for _ in range(n):
        await asyncio.sleep(0)


async def simple(gather: Gather, trace: list[Any]) -> Any:
    async def arm(name: str, n: int) -> str:
        for i in range(n):
            trace.append((name, i))
            await turns(1)
        return name

    return await gather(arm("a", 3), arm("b", 1), arm("c", 2))


async def first_error_wins(gather: Gather, trace: list[Any]) -> Any:
    async def bad(name: str, n: int) -> None:
        await turns(n)
        trace.append(name)
        raise ValueError(name)

    async def good(n: int) -> None:
        try:
            for i in range(n):
                trace.append(i)
                await turns(1)
        finally:
            trace.append("left")

    try:
        await gather(good(6), bad("x", 3), bad("y", 2))
    except ValueError as error:
        trace.append(error.args)
        await turns(2)
    return "over"


async def nested(gather: Gather, trace: list[Any]) -> Any:
    async def leaf(name: str, n: int) -> str:
        await turns(n)
        trace.append(name)
        return name

    async def inner(name: str) -> Any:
        got = await gather(leaf(name + "1", 2), leaf(name + "2", 0))
        trace.append(got)
        return got

    return await gather(inner("a"), leaf("b", 4), inner("c"), gather(leaf("d", 1), return_exceptions=True))


async def started_before_awaited(gather: Gather, trace: list[Any]) -> Any:
    async def leaf(name: str, n: int) -> str:
        trace.append(f"{name} begins")
        await turns(n)
        trace.append(f"{name} ends")
        return name

    both = gather(leaf("a", 2), leaf("b", 1))
    trace.append("before")
    await turns(1)
    trace.append("after one turn")
    empty = await gather()
    same = leaf("same", 1)
    return await both, empty, await gather(same, same)


async def errors_as_results(gather: Gather, trace: list[Any]) -> Any:
    async def bad() -> None:
        trace.append("bad")
        raise KeyError("k")

    async def cancelled() -> None:
        raise asyncio.CancelledError("c")

    got = await gather(bad(), turns(1), cancelled(), return_exceptions=True)
    return [repr(one) for one in got]


async def cancelled_child(gather: Gather, trace: list[Any]) -> Any:
    async def cancelled() -> None:
        await turns(1)
        raise asyncio.CancelledError

    try:
        await gather(cancelled(), turns(3))
    except asyncio.CancelledError:
        trace.append("cancelled")
        await turns(1)
    return "on"


async def arms_left_behind(gather: Gather, trace: list[Any]) -> Any:
    async def worker(name: str) -> None:
        try:
            await turns(50)
        except asyncio.CancelledError:
            trace.append(f"{name} cancelled")
            await turns(2)
            trace.append(f"{name} cleaned up")
            raise
        finally:
            trace.append(f"{name} left")

    async def stubborn() -> None:
        try:
            await turns(50)
        except asyncio.CancelledError:
            await turns(3)
            trace.append("stubborn")

    gather(worker("a"))
    gather(stubborn())
    await turns(2)
    return "main"


async def task_group(_: Gather, trace: list[Any]) -> Any:
    async def worker(name: str, n: int) -> str:
        try:
            for i in range(n):
                trace.append((name, i))
                await turns(1)
            if name == "bad":
                raise ValueError(name)
            return name
        except asyncio.CancelledError:
            trace.append(f"{name} cancelled")
            raise

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(worker(name, n)) for name, n in (("a", 2), ("b", 1))]
    trace.append([task.result() for task in tasks])
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(worker("slow", 9))
            group.create_task(worker("bad", 2))
    except* ValueError as caught:
        trace.append(repr(caught.exceptions))
    return asyncio.current_task() in asyncio.all_tasks()


async def tasks(_: Gather, trace: list[Any]) -> Any:
    async def worker(name: str, n: int) -> str:
        await turns(n)
        trace.append(name)
        return name

    first = asyncio.create_task(worker("first", 3))
    second = asyncio.create_task(worker("second", 1), name="second")
    trace.append([first.done(), second.get_name()])
    done, pending = await asyncio.wait({first, second}, return_when=asyncio.FIRST_COMPLETED)
    trace.append([[second] == [*done], [first] == [*pending]])
    shielded = asyncio.shield(first)
    first.add_done_callback(lambda task: trace.append(f"{task.result()} is done"))
    await shielded
    third = asyncio.create_task(worker("third", 5))
    await turns(1)
    third.cancel()
    got = await asyncio.gather(third, return_exceptions=True)
    return repr(got), [await one for one in asyncio.as_completed([worker("x", 1)])]


async def queues_and_locks(_: Gather, trace: list[Any]) -> Any:
    queue: asyncio.Queue[int | None] = asyncio.Queue(maxsize=2)
    limit, ready, lock = asyncio.Semaphore(2), asyncio.Event(), asyncio.Lock()

    async def producer() -> None:
        for number in range(5):
            await queue.put(number)
            trace.append(f"put {number}")
        await queue.put(None)
        ready.set()

    async def consumer() -> int:
        total = 0
        while (number := await queue.get()) is not None:
            async with limit, lock:
                trace.append(f"got {number}")
                total += number
        await ready.wait()
        return total

    produced = asyncio.create_task(producer())
    total = await consumer()
    await produced
    return total


PROGRAMS = [
    simple,
    first_error_wins,
    nested,
    started_before_awaited,
    errors_as_results,
    cancelled_child,
    arms_left_behind,
    task_group,
    tasks,
    queues_and_locks,
]


@pytest.mark.parametrize("program", PROGRAMS)
def test_same_trace_as_asyncio(program: Program) -> None:
    """Order of steps, first error, cancelling of what is left: as in asyncio.run and asyncio.gather."""
    plain: list[Any] = []
    ours: list[Any] = []
    expected = asyncio.run(program(asyncio.gather, plain))

    async def body(wf: Any) -> Any:
        return await program(wf.parallel, ours)

    ran = run(body)
    assert ours == plain
    assert ran.value == expected


def raises_stop(value: Any) -> None:
    raise StopIteration(value)


def test_stop_iteration_reaches_the_innermost_frame_as_itself() -> None:
    """Rule 1: a StopIteration of a leaf is raised at its `await` (fails if it is thrown in, or returned)."""
    seen: list[Any] = []

    async def inner(wf: Any) -> str:
        try:
            got = 1 + await wf.activity("leaf", raises_stop, 7)
            seen.append(("a value", got))
        except StopIteration as error:
            seen.append(error.value)
        return "on"

    async def body(wf: Any) -> Any:
        return await wf.call("inner", inner)

    assert run(body).value == "on"
    assert seen == [7]


def test_uncaught_stop_iteration_is_what_python_makes_of_it() -> None:
    """Out of a coroutine it is a RuntimeError with the StopIteration as its cause."""

    async def arm(wf: Any) -> None:
        await wf.activity("leaf", raises_stop, 7)

    async def body(wf: Any) -> str:
        with pytest.raises(RuntimeError, match="coroutine raised StopIteration") as caught:
            await wf.parallel(arm(wf))
        return repr(caught.value.__cause__)

    assert run(body).value == "StopIteration(7)"


def test_stop_iteration_keeps_the_tracer() -> None:
    """A debugger or a coverage tool goes on tracing after such an exception."""
    lines: list[int] = []

    def tracer(frame: Any, _event: str, _: Any) -> Any:
        lines.append(frame.f_lineno)
        return tracer

    async def body(wf: Any) -> str:
        with pytest.raises(StopIteration):
            await wf.activity("leaf", raises_stop, 7)
        return "ok"

    before = sys.gettrace()
    sys.settrace(tracer)
    try:
        assert run(body).value == "ok"
        assert sys.gettrace() is tracer
    finally:
        sys.settrace(before)
    assert lines


def test_what_is_awaited_has_no_throw() -> None:
    """A generator in between would turn exceptions that are thrown in into others."""
    caught: list[Any] = []

    async def body(wf: Any) -> None:
        caught.append(wf.activity("x", len, "abc"))
        await caught[0]

    run(body)
    assert not hasattr(caught[0].__class__, "throw")


def test_awaiting_twice_is_an_error() -> None:
    """An operation is single use, with the words of CPython."""

    async def body(wf: Any) -> str:
        operation = wf.activity("x", len, "abc")
        await operation
        with pytest.raises(RuntimeError, match="cannot reuse already awaited coroutine"):
            await operation
        return "ok"

    assert run(body).value == "ok"


def test_awaiting_something_foreign_is_an_error() -> None:
    """A body that awaits what no task can is told so by asyncio, in place."""

    class Foreign:
        def __await__(self) -> Any:
            yield "something"

    async def body(_: Any) -> str:
        with pytest.raises(RuntimeError, match="got bad yield"):
            await Foreign()
        return "ok"

    assert run(body).value == "ok"


async def fast(wf: Any) -> str:
    return await wf.activity("fast", len, "abc")  # type: ignore[no-any-return]


@pytest.mark.parametrize("delay", [None, 5])
def test_a_timeout_that_is_not_reached_is_cancelled(delay: float | None) -> None:
    """asyncio.timeout and wait_for give the result, and their timers do not keep the run."""

    async def body(wf: Any) -> Any:
        async with asyncio.timeout(wf.timer("timeout", delay)) as limit:
            first = await wf.activity("first", len, "ab")
        return first, limit.expired(), await asyncio.wait_for(fast(wf), wf.timer("limit", delay))

    assert run(body).value == (2, False, 3)


def test_a_timeout_is_a_durable_timer() -> None:
    """It interrupts the body as asyncio's does, with the timer in the log, resumed from every prefix."""

    async def body(wf: Any) -> Any:
        seen = []
        try:
            async with asyncio.timeout(wf.timer("timeout", 5)):
                await wf.wait("never")
        except TimeoutError:
            seen.append("timeout")
        try:
            await asyncio.wait_for(wf.wait("never#2"), wf.timer("limit", 3))
        except TimeoutError:
            seen.append("wait_for")
        done, pending = await asyncio.wait(
            [asyncio.create_task(wf.wait("never#3")), asyncio.create_task(fast(wf))],
            timeout=wf.timer("wait", 2),
        )
        seen.append([len(done), len(pending)])
        for task in pending:
            task.cancel()
        return seen

    ran = run(body)
    assert ran.value == ["timeout", "wait_for", [1, 1]]
    assert [event.path for event in ran.of(SleepCompleted)] == ["timeout", "limit", "wait"]


def test_a_timer_without_an_id_is_refused() -> None:
    """No timer of the loop is lost silently: one that the compiler did not see is an error."""

    async def body(_: Any) -> None:
        async with asyncio.timeout(5):
            pass

    with pytest.raises(AssertionError, match="a timer of a workflow needs an id"):
        _ = run(body).value


def test_the_winner_of_a_race_is_in_the_log() -> None:
    """The first arm to end wins, the others are cancelled, and the winner is recorded by its name."""

    async def body(wf: Any) -> Any:
        winner = await wf.race("race", slow=wf.wait("never"), quick=wf.activity("quick", len, "abc"))
        named = await wf.parallel(a=wf.activity("a", len, "a"), b=wf.activity("b", len, "bb"))
        return winner.name, winner.value, named.a, named["b"]

    ran = run(body)
    assert ran.value == ("quick", 3, 1, 2)
    assert [event.winner for event in ran.of(RaceWon)] == ["quick"]


def test_as_completed_begins_in_order() -> None:
    """asyncio begins coroutines in the order of a set; here each resume must begin them alike."""
    order: list[str] = []

    async def arm(wf: Any, name: str) -> str:
        order.append(name)
        await wf.activity(name, len, name)
        return name

    async def body(wf: Any) -> Any:
        names = [f"arm{number}" for number in range(20)]
        return sorted([await one for one in wf.as_completed([arm(wf, name) for name in names])])

    assert len(run(body).value) == 20
    assert order == [f"arm{number}" for number in range(20)]


async def leaf() -> int:
    """Note the call, and give 1."""
    called()
    return 1


def test_a_delay_of_nothing_needs_no_timer() -> None:
    """`wait(timeout=0)` looks at what is done, as asyncio does, and writes no sleep."""

    async def body(wf: Any) -> Any:
        task = asyncio.create_task(wf.activity("a", leaf))
        done, pending = await asyncio.wait([task], timeout=wf.timer("timeout", 0))
        return len(done), len(pending), await task

    ran = run(body)
    assert ran.value == (0, 1, 1)
    assert ran.of(SleepStarted) == []


def test_a_point_in_time_is_a_timer() -> None:
    """`timeout_at` and `reschedule` take times of the loop, which become timers of their own ids."""

    async def body(wf: Any) -> Any:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout_at(wf.timer_at("at", loop.time() + 5)) as limit:
                limit.reschedule(wf.timer_at("later", loop.time() + 9))
                await wf.sleep("sleep", 7)
                await wf.sleep("more", 7)
        except TimeoutError:
            return limit.expired()

    ran = run(body)
    assert ran.value is True
    assert [(event.path, event.due - event.at) for event in ran.of(SleepStarted)] == [
        ("at", 5000), ("later", 9000), ("sleep", 7000), ("more", 7000),
    ]  # fmt: skip


def test_what_is_cancelled_is_written_down() -> None:
    """A timeout that was left, and the loser of a race, are no longer open; each is told of once."""

    async def body(wf: Any) -> Any:
        async with asyncio.timeout(wf.timer("timeout", 60)):
            await wf.activity("a", leaf)
        await wf.race("race", slow=wf.sleep("slow", 60), quick=wf.activity("quick", leaf))
        return await wf.activity("b", leaf)

    ran = sweep(body)
    assert [event.paths for event in ran.of(Abandoned)] == [["timeout"], ["slow"]]


def test_a_cancelled_timer_is_told_of_after_a_crash() -> None:
    """A log cut between the outcome and the word of what it cancelled gets that word on resume."""

    async def body(wf: Any) -> Any:
        async with asyncio.timeout(wf.timer("timeout", 60)):
            await wf.activity("a", leaf)
        return await wf.activity("b", leaf)

    records = run(body).records
    cut = next(index for index, record in enumerate(records) if isinstance(record.event, Abandoned))
    again = run(body, records=records[:cut])
    assert again.value == 1
    assert [event.paths for event in again.of(Abandoned)] == [["timeout"]]


def test_a_sleep_of_no_time_is_a_turn() -> None:
    """The others go on in asyncio's order, nothing is recorded, and a loop of it may be captured."""

    async def body(wf: Any) -> Any:
        trace: list[Any] = []

        async def arm(scope: Any, name: str) -> None:
            for step in range(3):
                trace.append((name, step))
                given = await scope.sleep(f"sleep#{step}", 0, name)
                trace.append((given, step))

        await wf.parallel(wf.call("a", arm, "a"), wf.call("b", arm, "b"))
        return trace

    ran = sweep(body)
    assert ran.value == [
        ("a", 0), ("b", 0), ("a", 0), ("a", 1), ("b", 0), ("b", 1),
        ("a", 1), ("a", 2), ("b", 1), ("b", 2), ("a", 2), ("b", 2),
    ]  # fmt: skip
    assert ran.of(SleepStarted) == []


def test_a_loop_that_waits_by_turns_comes_to_rest() -> None:
    """`while not done: await asyncio.sleep(0)` ends although what it waits for is a leaf."""

    async def body(wf: Any) -> Any:
        found: list[int] = []

        async def look(wf: Any) -> None:
            found.append(await wf.activity("leaf", leaf))

        async def poll(wf: Any) -> None:
            loop = wf.repeat("while", keep=None)
            while (scope := loop.next()) and not found:
                await scope.sleep("sleep", 0)

        await wf.parallel(wf.call("poll", poll), wf.call("look", look))
        return found

    ran = sweep(body)
    assert ran.value == [1]
    assert [event.path for event in ran.of(SleepStarted)] == ["poll/while[1000]/sleep"]
