"""Raises an exception in the frame that awaits, at its `await`: the only way for a StopIteration.

An `await` takes a StopIteration for the result of what it awaits, and from Python 3.12 on even one that
is thrown into it. A trace function, which runs once, between two instructions of the frame, raises it
behind the interpreter's back.
"""

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

_pending: list[BaseException] = []


def raise_in(frame: FrameType, error: BaseException) -> None:
    """Let `frame` raise `error` when it goes on. The caller sets the tracer back: see `untraced`."""
    before = frame.f_trace, frame.f_trace_opcodes

    def trace(here: FrameType, event: str, _: Any) -> Any:
        if here is not frame or event not in ("opcode", "line"):
            return trace
        _pending.clear()
        sys.settrace(None)
        frame.f_trace, frame.f_trace_opcodes = before
        raise error

    _pending.append(error)
    frame.f_trace, frame.f_trace_opcodes = trace, True
    sys.settrace(_ignore)


def untraced(step: Callable[[], None]) -> None:
    """Do `step`, in which a frame may raise by `raise_in`, and keep the tracer of a debugger."""
    tracer = sys.gettrace()
    try:
        step()
    finally:
        sys.settrace(tracer)
    if _pending:
        raise SystemError(f"this interpreter did not raise {_pending.pop()!r} where it was awaited")


def _ignore(_frame: FrameType, _event: str, _argument: Any) -> None:
    return None
