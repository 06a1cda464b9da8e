"""Timeouts and delays are durable timers; what is cancelled is written down, a turn is not."""

import asyncio
from typing import Any

import pytest

from flopod.events import Abandoned, SleepCompleted, SleepStarted
from tests.workflow.support import called, run, sweep


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
