"""`start` as it works without a compiler: the workflow runs as a task beside the one that starts it."""

import asyncio
import contextvars
import inspect
from collections.abc import Callable, Coroutine, Generator
from itertools import count
from typing import Any, Generic, TypeVar, overload

from flopod.errors import Cancelled
from flopod.runid import check_run_id
from flopod.sidechains import apart

T = TypeVar("T")

_children: contextvars.ContextVar["list[ChildHandle[Any]] | None"] = contextvars.ContextVar(
    "flopod children", default=None
)
_goes_on: contextvars.ContextVar[bool] = contextvars.ContextVar("flopod detached", default=False)
_numbers = count(1)


class ChildHandle(Generic[T]):
    """A workflow that was started beside this one; `id` is its run id."""

    def __init__(self, run_id: str, detached: bool) -> None:
        self.id = run_id
        self._detached = detached
        self._reason = ""
        self._task: asyncio.Task[T]

    def __await__(self) -> Generator[Any, Any, T]:
        """`await handle` is `await handle.wait()`."""
        return self.wait().__await__()

    async def wait(self) -> T:
        """Wait until the child is over: its result, or its error is raised; Cancelled if it was cancelled.

        If this wait is cancelled, so is the child, unless it is detached.
        """
        try:
            return await asyncio.shield(self._task)
        except asyncio.CancelledError:
            if self._task.cancelled():
                raise Cancelled(self._reason) from None
            if not self._task.done() and not self._detached:
                self.cancel("the wait for it was cancelled")
            raise

    def cancel(self, reason: str = "") -> None:
        """Cancel the child: CancelledError is raised where it waits. One that is over stays as it is."""
        if not self._task.done():
            self._reason = self._reason or reason
            self._task.cancel()


@overload
def start(
    workflow: Callable[..., Coroutine[Any, Any, T]],
    /,
    *args: Any,
    run_id: str | None = None,
    detached: bool = False,
    **kwargs: Any,
) -> ChildHandle[T]: ...
@overload
def start(
    workflow: Callable[..., T],
    /,
    *args: Any,
    run_id: str | None = None,
    detached: bool = False,
    **kwargs: Any,
) -> ChildHandle[T]: ...
def start(
    workflow: Callable[..., Any],
    /,
    *args: Any,
    run_id: str | None = None,
    detached: bool = False,
    **kwargs: Any,
) -> ChildHandle[Any]:
    """Start a workflow as a run of its own, and go on at once: `await start(ship, order)` waits for it.

    It surely starts. It is cancelled when the one that started it ends, unless it is `detached`. It gets
    copies of its arguments. Raises SerializableError for those that cannot be copied.
    """
    from flopod import codec

    given, named = codec.decode(codec.encode((list(args), kwargs), label="input"))
    chosen = f"{workflow.__name__}-{next(_numbers)}" if run_id is None else check_run_id(run_id)
    handle: ChildHandle[Any] = ChildHandle(chosen, detached)
    running = asyncio.get_running_loop()
    context = contextvars.copy_context()
    if detached:
        _let_go_on(running)
        context.run(_goes_on.set, True)
    body = _run(handle, workflow, given, named)
    handle._task = context.run(running.create_task, body)
    family = _children.get()
    if family is not None and not detached:
        family.append(handle)
    return handle


async def _run(
    handle: ChildHandle[Any], workflow: Callable[..., Any], args: list[Any], kwargs: dict[str, Any]
) -> Any:
    family: list[ChildHandle[Any]] = []
    _children.set(family)
    apart()
    try:
        result = workflow(*args, **kwargs)
        return await result if inspect.isawaitable(result) else result
    finally:
        for child in family:
            child.cancel(f"its parent {handle.id!r} is over")


class _Lasting(asyncio.Task[Any]):
    """A task that `asyncio.run` waits for at its end, instead of cancelling it."""

    def cancel(self, msg: Any = None) -> bool:
        return super().cancel(msg) if self.get_loop().is_running() else False


class _Factory:
    """Makes tasks as a loop did before, those of detached children lasting."""

    def __init__(self, before: Callable[..., Any] | None) -> None:
        self._before = before or _plain

    def __call__(self, loop: asyncio.AbstractEventLoop, coro: Any, **options: Any) -> Any:
        return _Lasting(coro, loop=loop, **options) if _goes_on.get() else self._before(loop, coro, **options)


def _plain(loop: asyncio.AbstractEventLoop, coro: Any, **options: Any) -> Any:
    return asyncio.Task(coro, loop=loop, **options)


def _let_go_on(loop: asyncio.AbstractEventLoop) -> None:
    if not isinstance(loop.get_task_factory(), _Factory):
        loop.set_task_factory(_Factory(loop.get_task_factory()))
