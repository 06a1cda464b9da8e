"""`work`, `for_each`, `tap` and `wait_for_work` as plain Python: what each does, and what it refuses."""

import asyncio
import logging
from typing import Any

import pytest

from flopod import Drained, for_each, tap, wait_for_work, work, workflow
from tests.sidechains.blocks import called, double, fail, note, plain, slow


@workflow
async def main_line() -> Any:
    order = {"id": 1}
    same = work(slow, order["id"])
    called.append("main goes on")
    return same


def test_the_main_line_goes_on_at_once() -> None:
    """The value passes through, the block begins when the main line waits, and the workflow ends last."""
    assert asyncio.run(main_line()) == 1
    assert called == ["main goes on", "1 begins", "1 ends"]


def test_work_hands_on_the_very_value() -> None:
    """Not a copy, and not what the block gives."""

    @workflow
    async def flow() -> bool:
        order = [1]
        return work(note, order) is order and for_each(note, order) is order

    assert asyncio.run(flow())


def test_a_connector_runs_in_the_main_line() -> None:
    """It makes what the block gets, before `work` returns; without one the block gets the value."""

    @workflow
    async def flow() -> int:
        given = work(note, 4, connector=double)
        called.append("main")
        return given

    assert asyncio.run(flow()) == 4
    assert called == ["connector of 4", "main", 8]


def test_the_error_of_a_connector_is_the_main_line_s() -> None:
    """Nothing is queued then."""

    @workflow
    async def flow() -> None:
        work(note, 0, connector=lambda value: 1 / value)

    with pytest.raises(ZeroDivisionError):
        asyncio.run(flow())
    assert called == []


@pytest.mark.parametrize(("when", "expected"), [(True, ["c", 2]), (False, []), (bool, ["c", 2])])
def test_a_condition_decides(when: Any, expected: list[Any]) -> None:
    """If it is false nothing happens: the connector is not called either."""

    @workflow
    async def flow() -> int:
        return work(note, 1, when=when, connector=lambda value: [called.append("c"), value * 2][1])

    assert asyncio.run(flow()) == 1
    assert called == expected


def test_a_condition_is_asked_once_with_the_value() -> None:
    """That of `for_each` sees all values."""
    asked: list[Any] = []

    def when(value: Any) -> bool:
        asked.append(value)
        return False

    @workflow
    async def flow() -> None:
        work(note, 5, when=when)
        for_each(note, [1, 2], when=when)

    asyncio.run(flow())
    assert (asked, called) == ([5, [1, 2]], [])


def test_several_run_side_by_side() -> None:
    """Each begins before any has ended."""

    @workflow
    async def flow() -> None:
        work(slow, "a")
        work(slow, "b")
        work(plain, "c")
        await wait_for_work()
        called.append("main")

    asyncio.run(flow())
    assert called == ["a begins", "b begins", "c", "a ends", "b ends", "main"]


def test_a_failure_never_reaches_the_main_line(caplog: Any) -> None:
    """Nor the other work; it is logged with the name of the task and the error."""

    @workflow
    async def flow() -> str:
        work(fail, "x")
        work(fail, "y", name="report")
        work(slow, "z")
        await asyncio.sleep(0.01)
        return "done"

    with caplog.at_level(logging.WARNING, "flopod"):
        assert asyncio.run(flow()) == "done"
    assert called[-1] == "z ends"
    assert [one.getMessage() for one in caplog.records] == [
        "work 'fail' failed: LookupError: x",
        "work 'report' failed: LookupError: y",
    ]
    assert {one.name for one in caplog.records} == {"flopod"}


def test_waiting_covers_what_was_queued_and_does_not_raise() -> None:
    """It says how many ended well and badly; the next wait begins to count anew."""

    @workflow
    async def flow() -> list[Drained]:
        work(slow, "a")
        work(fail, "b")
        first = await wait_for_work()
        work(note, "c")
        return [first, await wait_for_work(), await wait_for_work()]

    assert asyncio.run(flow()) == [Drained(1, 1, 0), Drained(1, 0, 0), Drained(0, 0, 0)]


def test_a_wait_drains_and_then_raises_the_first_failure() -> None:
    """First is what was queued first, not what failed first; all others have ended before it is raised."""

    async def late(value: str) -> None:
        await asyncio.sleep(0.01)
        raise KeyError(value)

    @workflow
    async def flow() -> None:
        work(slow, "a")
        work(late, "b")
        work(fail, "c")
        work(slow, "d")
        await wait_for_work(fail_on_error=True)

    with pytest.raises(KeyError, match="b"):
        asyncio.run(flow())
    assert called[-2:] == ["a ends", "d ends"]


def test_the_very_error_is_raised() -> None:
    """With its attributes and its traceback, once: the next wait knows nothing of it."""
    error = ValueError("mine")

    async def broken(_: int) -> None:
        raise error

    @workflow
    async def flow() -> Drained:
        work(broken, 1)
        with pytest.raises(ValueError, match="mine") as found:
            await wait_for_work(fail_on_error=True)
        assert found.value is error
        return await wait_for_work(fail_on_error=True)

    assert asyncio.run(flow()) == Drained(0, 0, 0)


def test_segments_tell_required_work_from_optional_work() -> None:
    """`fail_on_error` is for all that is queued: a wait between them makes two groups."""

    @workflow
    async def flow() -> str:
        work(note, "required")
        await wait_for_work(fail_on_error=True)
        work(fail, "optional")
        await wait_for_work()
        return "goes on"

    assert asyncio.run(flow()) == "goes on"


def test_a_wait_may_be_over_before_the_work_is() -> None:
    """What is pending goes on, and the next wait covers it together with what had ended."""

    @workflow
    async def flow() -> list[Drained]:
        work(slow, "a")
        work(fail, "b")
        early = await wait_for_work(timeout=0.005, fail_on_error=True)
        called.append("main")
        return [early, await wait_for_work(timeout="1m")]

    assert asyncio.run(flow()) == [Drained(0, 1, 1), Drained(1, 1, 0)]
    assert called == ["a begins", "b", "main", "a ends"]


def test_for_each_keeps_the_order_and_the_limit() -> None:
    """Each value begins in its turn, as many at once as allowed; the main line has gone on long before."""
    most, now = [0], [0]

    async def counted(value: int) -> None:
        called.append(value)
        now[0] += 1
        most[0] = max(most[0], now[0])
        await asyncio.sleep(0.001 * (3 - value % 3))
        now[0] -= 1

    @workflow
    async def flow() -> Drained:
        values = [1, 2, 3, 4, 5, 6, 7]
        assert for_each(counted, values, connector=lambda value: value * 10, concurrency=3) is values
        called.append("main")
        return await wait_for_work()

    assert asyncio.run(flow()) == Drained(7, 0, 0)
    assert (called, most) == (["main", 10, 20, 30, 40, 50, 60, 70], [3])


def test_for_each_begins_sixteen_at_once_by_default() -> None:
    """As many as the original."""
    begun: list[int] = []

    async def hold(value: int) -> None:
        begun.append(value)
        await asyncio.sleep(0.01)

    @workflow
    async def flow() -> int:
        for_each(hold, range(20))
        await asyncio.sleep(0)
        return len(begun)

    assert asyncio.run(flow()) == 16


def test_an_item_that_fails_stops_no_other() -> None:
    """Each is a piece of work by itself."""

    async def odd(value: int) -> None:
        called.append(value)
        if value % 2:
            raise ValueError(value)

    @workflow
    async def flow() -> Drained:
        for_each(odd, [1, 2, 3, 4], concurrency=1)
        for_each(odd, [])
        return await wait_for_work()

    assert asyncio.run(flow()) == Drained(2, 2, 0)
    assert called == [1, 2, 3, 4]


def test_tap_runs_in_place_and_raises() -> None:
    """The main line waits for it and goes on with its own value; a failure is the main line's."""

    @workflow
    async def flow() -> int:
        value = await tap(slow, 3)
        called.append("main")
        await tap(plain, value)
        return await tap(fail, value)

    with pytest.raises(LookupError, match="3"):
        asyncio.run(flow())
    assert called == ["3 begins", "3 ends", "main", 3, 3]


def test_no_event_loop_is_a_clear_error() -> None:
    """It names the call."""
    with pytest.raises(RuntimeError, match=r"work\(\) needs a running event loop"):
        work(note, 1)
    with pytest.raises(RuntimeError, match=r"for_each\(\) needs a running event loop"):
        for_each(note, [1])


async def asynchronous(value: Any) -> Any:
    return value


REFUSED: list[tuple[Any, type[Exception], str]] = [
    (lambda: work(7, 1), TypeError, r"work\(\) needs a function that does the work, not 7"),  # type: ignore[call-overload]
    (lambda: work(note, 1, connector=asynchronous), TypeError, "`connector` of work.. is a plain function"),
    (lambda: work(note, 1, connector="x"), TypeError, "the connector of work.. is a function"),  # type: ignore[call-overload]
    (lambda: work(note, 1, when=asynchronous), TypeError, "`when` of work.. is a plain function"),
    (lambda: for_each(note, iter([1])), TypeError, "give it a list, not an iterator"),
    (lambda: for_each(note, [1], concurrency=0), ValueError, "it must be 1 or more"),
]


@pytest.mark.parametrize(("call", "kind", "message"), REFUSED)
def test_what_cannot_be_used_is_refused_at_the_call(call: Any, kind: Any, message: str) -> None:
    """In the main line, with what to write instead."""

    @workflow
    async def flow() -> None:
        with pytest.raises(kind, match=message):
            call()
        assert await wait_for_work() == Drained(0, 0, 0)

    asyncio.run(flow())
