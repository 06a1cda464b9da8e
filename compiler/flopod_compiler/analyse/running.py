"""What an iteration leaves running: durable calls that it starts and does not wait for."""

from __future__ import annotations

import ast

from flopod_compiler.analyse.frame import Frame
from flopod_compiler.analyse.liveness import Loop
from flopod_compiler.model import DURABLE_KINDS

_START = "asyncio.TaskGroup.create_task"


def leaves_running(frame: Frame, loop: Loop) -> bool:
    """Whether an iteration may leave a durable call to be awaited later: then it is never complete.

    Of the work that it queues, the run itself knows when that is over.
    """
    below = frame.index.below(loop)
    calls = [one for one in below if isinstance(one, ast.Call)]
    ended = {one.value for one in below if isinstance(one, ast.Await)} | _grouped(frame, below, calls)
    started = (one for one in calls if one not in ended and _is_async_and_durable(frame, one))
    return any(not any(frame.index.within(call, one) for one in ended) for call in started)


def _is_async_and_durable(frame: Frame, call: ast.Call) -> bool:
    info = frame.classified.calls.get(call)
    return info is not None and info.kind in DURABLE_KINDS and info.is_async is True


def _grouped(frame: Frame, below: list[ast.AST], calls: list[ast.Call]) -> set[ast.expr]:
    """The calls that a task group inside the loop starts: its block ends after all of them."""
    groups = {
        item.optional_vars.id
        for one in below
        if isinstance(one, ast.AsyncWith)
        for item in one.items
        if isinstance(item.optional_vars, ast.Name)
    }
    return {one for one in calls if _receiver(one) in groups and _callee(frame, one) == _START}


def _receiver(call: ast.Call) -> str:
    match call.func:
        case ast.Attribute(value=ast.Name(id=name)):
            return name
    return ""


def _callee(frame: Frame, call: ast.Call) -> str:
    info = frame.classified.calls.get(call)
    return "" if info is None else info.callee
