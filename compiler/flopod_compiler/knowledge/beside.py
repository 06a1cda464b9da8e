"""Detaches and side chains: where they take the function that they run, and what they call themselves."""

from __future__ import annotations

import ast
from collections.abc import Container, Iterator

from flopod_compiler.knowledge.author import FOR_EACH, FORGET, FORGOTTEN, JOINED, TAP, WORK
from flopod_compiler.knowledge.known import Known, refused, words

DETACHES = frozenset({JOINED, FORGOTTEN})
SIDE = frozenset({WORK, FOR_EACH, TAP})
BESIDE = DETACHES | SIDE
"""Calls that are given a function to run, and one value for it."""

HANDED = frozenset({FORGET, *BESIDE})
"""Calls that begin a function which they name, and do not call."""

TASKS = frozenset({"asyncio.create_task", "asyncio.ensure_future"})
"""Calls whose task, if nobody awaits it, is a run of its own."""

_CALLBACKS = ("input_mapper", "on_handle", "connector", "when")
_HANDLES = ("flopod.detach.registry", "flopod.detach.register.registry")
_IN_DRIVERS = refused(
    "FLP129", "write a driver: a class at the top level of a module, whose `schedule` makes and ends handles"
)
_OF_PROCESS = {
    "flush_all_detached": refused(
        "FLP129", "wait for the handles, `await handle.wait()`; flush where the process ends, outside of runs"
    ),
    **dict.fromkeys(words("create_handle mark_running mark_done mark_failed"), _IN_DRIVERS),
}
KEEP_HANDLES = (
    "keep the handles in a list of the workflow: `handles.append(...)`, or `on_handle=handles.append`"
)


def function_of(callee: str, call: ast.Call) -> ast.expr | None:
    """The function that a call in `BESIDE` is given; None if it does not say so plainly."""
    return _positional(call, 1 if callee in DETACHES else 0)


def value_of(callee: str, call: ast.Call) -> ast.expr | None:
    """The input of a detach, or the value of a side chain."""
    return _positional(call, 2 if callee in DETACHES else 1)


def callbacks(call: ast.Call) -> Iterator[tuple[str, ast.expr]]:
    """The functions that a call in `BESIDE` calls itself, in the main line, by the names of their options."""
    yield from ((one.arg, one.value) for one in call.keywords if one.arg in _CALLBACKS)


def bound_to(call: ast.Call, changing: Container[int | str]) -> Iterator[ast.expr]:
    """The objects whose methods are callbacks, as far as these change them: `handles` of `handles.append`."""
    for name, function in callbacks(call):
        if name in changing and isinstance(function, ast.Attribute):
            yield function.value


def takes_handle(call: ast.Call, function: ast.expr) -> bool:
    """Whether a function is what a detach gives its handle to."""
    return any(one.arg == "on_handle" and one.value is function for one in call.keywords)


def made_by(call: ast.Call) -> ast.Call | None:
    """The call that a task is made of, if nothing else is said about the task."""
    match call:
        case ast.Call(args=[ast.Call() as made], keywords=[]):
            return made
    return None


def of_process(qualified: str) -> Known | None:
    """The refusal of what belongs to drivers and to the process, and to no run."""
    if is_registry(qualified.rpartition(".")[0]):
        return refused("FLP129", KEEP_HANDLES)
    is_of_detach = qualified.startswith("flopod.detach.")
    return _OF_PROCESS.get(qualified.rpartition(".")[2]) if is_of_detach else None


def is_registry(qualified: str) -> bool:
    """Whether a name is that of the registry of handles, which is the process's."""
    return qualified in _HANDLES


def is_driver_factory(qualified: str) -> bool:
    """Whether a function of flopod makes a driver."""
    last = qualified.rpartition(".")[2]
    return qualified.startswith("flopod.detach.") and last.startswith("create_") and last.endswith("_driver")


def _positional(call: ast.Call, place: int) -> ast.expr | None:
    if len(call.args) <= place or any(isinstance(one, ast.Starred) for one in call.args[: place + 1]):
        return None
    return call.args[place]
