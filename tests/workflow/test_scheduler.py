"""The scheduler interleaves as asyncio does: one program, stepped by both, leaves the same trace."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

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


PROGRAMS = [
    simple,
    first_error_wins,
    nested,
    started_before_awaited,
    errors_as_results,
    cancelled_child,
    arms_left_behind,
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
        caught.append(wf.parallel())
        await caught[0]

    run(body)
    assert not hasattr(caught[0].__class__, "throw")
    assert not hasattr(caught[1].__await__(), "throw")


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
    """A body that awaits what asyncio would have to step is told so, in place."""

    class Foreign:
        def __await__(self) -> Any:
            yield "something"

    async def body(_: Any) -> str:
        with pytest.raises(RuntimeError, match="not a durable operation"):
            await Foreign()
        return "ok"

    assert run(body).value == "ok"
