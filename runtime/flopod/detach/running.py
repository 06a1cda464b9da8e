"""Runs one child to its end and tells its handle; nothing that the child raises goes anywhere else."""

import asyncio
import inspect
from contextvars import Context, copy_context
from types import FunctionType
from typing import Any, NamedTuple

from flopod.detach.driver import Child, RunChild
from flopod.detach.handle import DetachHandle, create_handle, mark_done, mark_failed, mark_running
from flopod.sidechains import apart

_VARIADIC = inspect.CO_VARARGS | inspect.CO_VARKEYWORDS

_tasks: "set[asyncio.Task[None]]" = set()


class Item(NamedTuple):
    """A child that was detached, with its input, its handle, and the context that it was detached in."""

    child: Child
    input: Any
    handle: DetachHandle
    context: Context

    @classmethod
    def queued(cls, child: Child, input: Any, ref_id: str) -> "Item":
        """A child that waits for its driver."""
        return cls(child, input, create_handle(ref_id), copy_context())


async def run_child(child: Child, input: Any) -> Any:
    """Call a child with its input, or with nothing if it takes none; what drivers do by default."""
    given = child(input) if takes_input(child) else child()
    return await given if inspect.isawaitable(given) else given


def begin(item: Item, run: RunChild) -> None:
    """Start a child on the event loop that runs here."""
    mark_running(item.handle)
    task = asyncio.get_running_loop().create_task(_run(item, run), name=item.handle.id, context=item.context)
    _tasks.add(task)  # a loop knows its tasks weakly
    task.add_done_callback(_tasks.discard)


async def _run(item: Item, run: RunChild) -> None:
    apart()
    try:
        given = run(item.child, item.input)
        result = await given if inspect.isawaitable(given) else given
    except (KeyboardInterrupt, SystemExit) as error:
        mark_failed(item.handle, error)
        raise
    except BaseException as error:
        mark_failed(item.handle, error)
    else:
        mark_done(item.handle, result)


def takes_input(child: Child, *, scoped: bool = False) -> bool:
    """Whether a child is called with its input: one without parameters is called with nothing.

    A `scoped` one is a workflow, whose first parameter is its scope.
    """
    if type(child) is FunctionType and not hasattr(child, "__wrapped__"):
        code = child.__code__
        return code.co_argcount + code.co_kwonlyargcount > scoped or bool(code.co_flags & _VARIADIC)
    try:
        parameters = inspect.signature(child).parameters.values()
    except (TypeError, ValueError):
        return True
    return len(parameters) > scoped or any(one.kind is one.VAR_POSITIONAL for one in parameters)
