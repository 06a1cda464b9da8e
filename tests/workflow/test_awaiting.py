"""What a body may await, and how a StopIteration reaches it."""

import sys
from typing import Any

import pytest

from tests.workflow.support import run


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
