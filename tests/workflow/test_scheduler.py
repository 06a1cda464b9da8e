"""The scheduler interleaves as asyncio does: one program, stepped by both, leaves the same trace."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from flopod.events import RaceWon
from tests.workflow.support import run

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
