"""asyncio: what its functions and objects are in a workflow, which runs as tasks on a loop of its own.

Most calls stay as they are. What takes a delay gets a durable timer, and what takes awaitables begins them.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass

from flopod_compiler.knowledge.author import FOR_EACH, FORGET, START, WORK
from flopod_compiler.knowledge.known import IDIOM, PURE, Known, refused, words
from flopod_compiler.model import CallKind

_ASYNC = Known(CallKind.PURE, is_async=True)
_ASYNC_IDIOM = Known(CallKind.IDIOM, is_async=True)
_CHANGES = Known(CallKind.PURE, frozenset({"self"}))
_ASYNC_CHANGES = Known(CallKind.PURE, frozenset({"self"}), is_async=True)
_CALLED = refused("FLP309", "call the function directly; a leaf may block without harm")
_THREADS = refused("FLP309", "wait for an event from outside: await wait_for(...)")
_LATER = refused(
    "FLP600",
    "make it a task that sleeps first: `async def later(): await asyncio.sleep(delay); ...` and "
    "asyncio.create_task(later())",
)
_SOON = refused(
    "FLP600", "make it a task: `async def soon(): ...` and asyncio.create_task(soon()), or call it here"
)
_NESTED = refused("FLP600", "await the coroutine; make the workflow `async def` if it is not")
_TASK = refused("FLP600", "use asyncio.create_task(...)")

BLOCKING_SLEEP = "time.sleep"
"""The sleep of plain code, which is a durable one in a workflow."""

TIMED = {
    "asyncio.timeout": (0, "delay"),
    "asyncio.timeout_at": (0, "when"),
    "asyncio.wait_for": (1, "timeout"),
    "asyncio.wait": (None, "timeout"),
    "asyncio.as_completed": (None, "timeout"),
    "asyncio.Timeout.reschedule": (0, "when"),
}
"""Where each of these calls takes its delay, or a point in time if that is called `when`."""

BEGINS = {
    **dict.fromkeys(words("create_task ensure_future shield wait_for", "asyncio."), False),
    **dict.fromkeys(words("TaskGroup.create_task AbstractEventLoop.create_task", "asyncio."), False),
    **dict.fromkeys(words("wait as_completed", "asyncio."), True),
}
"""Calls whose first argument is an awaitable that they begin (True: an iterable of them)."""

NEEDS_LOOP = frozenset(
    [
        *words("create_task ensure_future shield gather current_task", "asyncio."),
        START,
        FORGET,
        WORK,
        FOR_EACH,
    ]
)
"""Calls that fail in plain Python where no event loop runs."""

_TYPES = frozenset(
    words(
        "Task Future TaskGroup Timeout Lock Event Condition Semaphore BoundedSemaphore Queue PriorityQueue "
        "LifoQueue Barrier AbstractEventLoop Handle TimerHandle",
        "asyncio.",
    )
)
CHILD = "flopod.ChildHandle"
"""The type of what `start` gives, which lives in its run as a task does."""

DETACHED = "flopod.detach.DetachHandle"
"""The type of what `detach_and_join_later` gives, which cannot be awaited itself."""

_LIVING = _TYPES | {CHILD, DETACHED}
_ENTERED = frozenset(words("TaskGroup Timeout", "asyncio."))
_MANAGERS = _ENTERED | set(words("Lock Condition Semaphore BoundedSemaphore Barrier", "asyncio."))

ASYNCIO_TABLE: dict[str, Known] = {
    "asyncio.sleep": _ASYNC_IDIOM,
    "asyncio.gather": _ASYNC_IDIOM,
    "asyncio.as_completed": IDIOM,
    "asyncio.wait": _ASYNC,
    "asyncio.wait_for": _ASYNC,
    **dict.fromkeys(words("timeout timeout_at create_task ensure_future shield", "asyncio."), PURE),
    **dict.fromkeys(words("current_task all_tasks get_running_loop get_event_loop", "asyncio."), PURE),
    **dict.fromkeys(words("isfuture iscoroutine iscoroutinefunction", "asyncio."), PURE),
    **dict.fromkeys(
        words("CancelledError TimeoutError InvalidStateError QueueFull QueueEmpty QueueShutDown", "asyncio."),
        PURE,
    ),
    "asyncio.BrokenBarrierError": PURE,
    **dict.fromkeys(_TYPES - {"asyncio.Task", "asyncio.Timeout"}, PURE),
    "asyncio.Task": _TASK,
    "asyncio.Timeout": refused("FLP600", "use asyncio.timeout(...)"),
    "asyncio.to_thread": _CALLED,
    "asyncio.run_coroutine_threadsafe": _CALLED,
    **dict.fromkeys(words("run Runner new_event_loop set_event_loop", "asyncio."), _NESTED),
}

_LOOP = {
    "time": PURE,
    "create_task": PURE,
    "create_future": PURE,
    "is_running": PURE,
    "is_closed": PURE,
    "get_debug": PURE,
    "call_soon": _SOON,
    "call_later": _LATER,
    "call_at": _LATER,
    "call_soon_threadsafe": _THREADS,
    "run_in_executor": _CALLED,
    "run_until_complete": _NESTED,
    "run_forever": _NESTED,
}
_READERS = frozenset(
    words(
        "result exception done cancelled cancelling get_name get_coro get_loop get_stack get_context locked "
        "is_set empty full qsize when expired"
    )
)
_WAITERS = frozenset(words("acquire get put join wait wait_for reset abort"))
_BEGUN = frozenset({"coro", "coro_or_future", "arg", "fut", "fs"})


@dataclass(frozen=True, slots=True)
class Delay:
    """The delay that a call takes: an expression, or `spread` when it hides in `*args` or `**kwargs`."""

    expr: ast.expr | None
    is_moment: bool = False
    spread: bool = False


def asyncio_call(qualified: str, call: ast.Call) -> Known | None:
    """What a call of a function of asyncio is; a delay makes it a durable timer."""
    known = ASYNCIO_TABLE.get(qualified)
    if known is None or known.refused or qualified not in TIMED:
        return known
    return _timed(known, delay_of(qualified, call))


def asyncio_method(type_name: str, name: str, call: ast.Call | None) -> Known | None:
    """What a call of a method of one of asyncio's objects is."""
    if type_name not in _LIVING:
        return None
    if type_name == "asyncio.AbstractEventLoop":
        return _LOOP.get(name) or refused("FLP600", "do without the event loop: it is the run's own")
    if name in _READERS:
        return PURE
    if name == "reschedule" and call is not None:
        return _timed(_CHANGES, delay_of("asyncio.Timeout.reschedule", call))
    return _ASYNC_CHANGES if name in _WAITERS and type_name not in _ENTERED else _CHANGES


def begun_argument(call: ast.Call) -> ast.expr | None:
    """The argument of a call in `BEGINS` that it begins."""
    if call.args:
        return None if isinstance(call.args[0], ast.Starred) else call.args[0]
    return next((keyword.value for keyword in call.keywords if keyword.arg in _BEGUN), None)


def delay_of(qualified: str, call: ast.Call) -> Delay | None:
    """The delay of a call that may take one, None if it has none."""
    place = TIMED.get(qualified)
    if place is None:
        return None
    position, name = place
    is_moment = name == "when"
    for keyword in call.keywords:
        if keyword.arg == name:
            return _delay(keyword.value, is_moment)
    if any(keyword.arg is None for keyword in call.keywords):
        return Delay(None, is_moment, spread=True)
    if position is None:
        return None
    before = call.args[: position + 1]
    if any(isinstance(one, ast.Starred) for one in before):
        return Delay(None, is_moment, spread=True)
    return _delay(before[position], is_moment) if len(before) > position else None


def _delay(expr: ast.expr, is_moment: bool) -> Delay | None:
    is_none = isinstance(expr, ast.Constant) and expr.value is None
    return None if is_none else Delay(expr, is_moment)


def _timed(known: Known, delay: Delay | None) -> Known:
    if delay is None:
        return known
    if delay.spread:
        return refused("FLP600", "write the timeout as an argument of its own: it becomes a durable timer")
    return Known(CallKind.IDIOM, known.mutates, is_async=known.is_async)


def is_asyncio_type(name: str) -> bool:
    """Whether a type is one of asyncio's, whose objects live in a run and cannot be recorded."""
    return name in _LIVING


def is_asyncio_manager(name: str) -> bool:
    """Whether `async with` of a value of this type only concerns the run's own tasks."""
    return name in _MANAGERS


def is_asyncio_callee(callee: str) -> bool:
    """Whether a callee is asyncio's own function or method."""
    return callee.startswith("asyncio.")


def entered(name: str) -> str:
    """The type of what `async with` gives for a manager of asyncio."""
    if name in _ENTERED:
        return name
    return "builtins.int" if name == "asyncio.Barrier" else "builtins.NoneType"
