"""What asyncio's functions give and the methods of its objects return, with the types inside."""

from __future__ import annotations

import ast
from collections.abc import Callable

from flopod_compiler.knowledge.concurrency import CHILD, DETACHED, begun_argument, is_asyncio_type
from flopod_compiler.types.model import AWAITABLE, ITERATOR, Type, Types, element, of, union

Read = Callable[[ast.expr], Types]

TASK = "asyncio.Task"
FUTURE = "asyncio.Future"
AWAITABLES = frozenset({AWAITABLE, TASK, FUTURE, CHILD})

_BOOL, _INT, _NONE = (of(f"builtins.{name}") for name in ("bool", "int", "NoneType"))
_LOOP = of("asyncio.AbstractEventLoop")
_FIXED: dict[str, Types] = {
    "asyncio.current_task": of(TASK),
    "asyncio.all_tasks": of("builtins.set", of(TASK)),
    "asyncio.get_running_loop": _LOOP,
    "asyncio.get_event_loop": _LOOP,
    "asyncio.timeout": of("asyncio.Timeout"),
    "asyncio.timeout_at": of("asyncio.Timeout"),
}
_ASYNC_RESULTS: dict[str, Types] = {
    "acquire": _BOOL,
    "put": _NONE,
    "join": _NONE,
    "reset": _NONE,
    "abort": _NONE,
}
_RESULTS: dict[str, Types] = {
    **dict.fromkeys(("done", "cancelled", "cancel", "locked", "is_set", "empty", "full", "expired"), _BOOL),
    **dict.fromkeys(("qsize", "cancelling", "uncancel"), _INT),
    **dict.fromkeys(("when", "time"), of("builtins.float")),
    "exception": of("builtins.BaseException"),
    "get_name": of("builtins.str"),
}


def lives(types: Types) -> bool:
    """Whether any of the types is one of asyncio's, or holds such objects."""
    return any(is_asyncio_type(one.name) or any(lives(arg) for arg in one.args) for one in types or ())


def awaited(types: Types) -> Types:
    """What awaiting a value of these types gives."""
    if types is None:
        return None
    return union(*(one.args[0] if one.name in AWAITABLES and one.args else None for one in types))


def asyncio_result(qualified: str, call: ast.Call, read: Read) -> Types:
    """What a call of a function of asyncio gives; unknown for any other."""
    if qualified in _FIXED:
        return _FIXED[qualified]
    first = begun_argument(call)
    if qualified == "asyncio.wait" and isinstance(first, ast.Name):
        first = None  # often the variable that takes the result: `done, tasks = await asyncio.wait(tasks)`
    given = read(first) if first is not None else None
    if qualified in ("asyncio.create_task", "asyncio.ensure_future"):
        return of(TASK, awaited(given))
    if qualified == "asyncio.shield":
        return of(FUTURE, awaited(given))
    if qualified == "asyncio.wait_for":
        return of(AWAITABLE, awaited(given))
    if qualified == "asyncio.wait":
        return of(AWAITABLE, of("builtins.tuple", *[of("builtins.set", _tasks(given))] * 2))
    if qualified == "asyncio.as_completed":
        return of(ITERATOR, of(AWAITABLE, awaited(element(given))))
    return None


def asyncio_method_result(receiver: Type, name: str, call: ast.Call | None, read: Read) -> Types:
    """What a method of one of asyncio's objects returns."""
    held = receiver.args[0] if receiver.args else None
    if name == "create_task":
        first = begun_argument(call) if call is not None else None
        given = read(first) if first is not None else None
        return of(TASK, awaited(given))
    if name == "create_future":
        return of(FUTURE)
    if name in ("result", "get_nowait"):
        return held
    if name == "get":
        return of(AWAITABLE, held)
    if name == "wait" and receiver.name in (CHILD, DETACHED):
        return of(AWAITABLE, held)
    if name in ("wait", "wait_for"):
        return of(AWAITABLE, _INT if receiver.name == "asyncio.Barrier" else _BOOL)
    if name in _ASYNC_RESULTS:
        return of(AWAITABLE, _ASYNC_RESULTS[name])
    return _RESULTS.get(name)


def handle_attribute(handle: Type, name: str) -> Types:
    """What is read off the handle of a detach; unknown for anything else."""
    if handle.name != DETACHED:
        return None
    if name in ("id", "status"):
        return of("builtins.str")
    return handle.args[0] if name == "result" and handle.args else None


def _tasks(given: Types) -> Types:
    """The element type of the sets of `asyncio.wait`: tasks, whatever is known of what was given."""
    known = element(given)
    return known if known is not None else of(TASK)
