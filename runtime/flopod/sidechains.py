"""Side chains as they work without a compiler: work in the background of a workflow, on plain asyncio."""

import asyncio
import contextlib
import functools
import inspect
from collections.abc import Callable, Coroutine, Iterable
from contextvars import ContextVar
from types import FunctionType
from typing import Any, TypeVar, overload

from flopod.background import Background, Drained, Ended, Job, Pool, Ring
from flopod.blocks import NOTHING, all_given, given, name_of, told_failure
from flopod.durations import Duration, seconds
from flopod.reach import is_nested, reach_of

T = TypeVar("T")
U = TypeVar("U")
Values = TypeVar("Values", bound=Iterable[Any])
_MARK = "__flopod_queues__"


class _Own(Pool):
    """The pool of a task that no workflow runs in."""

    def __init__(self, task: "asyncio.Task[Any] | None") -> None:
        super().__init__(Background())
        self.task = task

    def begin(self, work: Coroutine[Any, Any, None], ended: Ended) -> "asyncio.Task[None]":
        task = super().begin(work, ended)
        _known.add(task)
        task.add_done_callback(_known.discard)
        return task


_pool: ContextVar[Pool | None] = ContextVar("flopod.work", default=None)
_known: "set[asyncio.Task[None]]" = set()
"""The work of such tasks: a loop knows its tasks weakly, and nobody else may know these."""


# -- what authors call ---------------------------------------------------------------------------


@overload
def work(
    block: Callable[[T], object],
    value: T,
    /,
    *,
    connector: None = None,
    when: bool | Callable[[T], bool] = True,
    name: str | None = None,
) -> T: ...
@overload
def work(
    block: Callable[[U], object],
    value: T,
    /,
    *,
    connector: Callable[[T], U],
    when: bool | Callable[[T], bool] = True,
    name: str | None = None,
) -> T: ...
def work(
    block: Callable[[Any], object],
    value: T,
    /,
    *,
    connector: Callable[[T], Any] | None = None,
    when: bool | Callable[[T], bool] = True,
    name: str | None = None,
) -> T:
    """Queue `block(value)`, or `block(connector(value))`, in the background, and return `value` at once.

    `when`, a bool or a function of the value, says whether anything is done. It and `connector` are called
    here, once; only the block runs later, beside whatever comes next. If it fails, that is logged under
    `name`, which is the block's own by default, and stops nothing. The workflow is over when its work is.

    Raises TypeError for a block that cannot be called, a `when` or `connector` that would have to be awaited,
    and RuntimeError where no event loop runs.
    """
    pool = _current("work")
    wanted = given("work", block, value, connector, when)
    if wanted is not NOTHING:
        pool.queue([_job(block, wanted, name)])
    return value


def for_each(
    block: Callable[[Any], object],
    values: Values,
    /,
    *,
    connector: Callable[[Any], Any] | None = None,
    when: bool | Callable[[Values], bool] = True,
    concurrency: int = 16,
    name: str | None = None,
) -> Values:
    """Queue `block(value)` for each value in the background, and return the very `values` at once.

    They begin in their order, `concurrency` of them at once; each is a piece of work by itself. `connector`
    is called for each value, and `when` once with all of them, before anything begins.

    Raises what `work` raises, TypeError for an iterator, which could not be handed on, and ValueError for
    a concurrency below 1.
    """
    pool = _current("for_each")
    wanted = all_given("for_each", block, values, connector, when, concurrency)
    pool.queue([_job(block, one, name) for one in wanted], concurrency)
    return values


async def tap(
    block: Callable[[T], object],
    value: T,
    /,
    *,
    name: str | None = None,  # noqa: ARG001 - it is for the graph
) -> T:
    """Run `block(value)` here and now, then return `value`; what the block gives is dropped.

    What it raises is raised. `name` is what a picture of the workflow calls it.
    """
    found = block(value)
    if inspect.isawaitable(found):
        await found
    return value


async def wait_for_work(*, fail_on_error: bool = False, timeout: Duration | None = None) -> Drained:
    """Wait until all work is over that this workflow has queued since it waited for all of it last.

    That is its own work, also from its loops and from functions inside it; not that of workflows that it
    calls, and not that of the one that called it. With `fail_on_error` the error of the task that was queued
    first of those that failed is then raised. After `timeout` it returns how many are `pending`; they go on,
    and the next wait covers them again.
    """
    limit = None if timeout is None else seconds(timeout)
    pool = _current("wait_for_work")
    return await pool.wait(fail_on_error, None if limit is None else _ring(limit))


def _ring(delay: float) -> Ring:
    return lambda callback: asyncio.get_running_loop().call_later(delay, callback).cancel


def _job(block: Callable[[Any], object], value: Any, name: str | None) -> Job:
    return Job(functools.partial(_call, block, value), functools.partial(_log, name_of(block, name)))


async def _call(block: Callable[[Any], object], value: Any) -> None:
    outer = _run_here()
    _pool.set(None if outer is None else Pool(outer.background))  # what a piece of work queues is its own
    found = block(value)
    if inspect.isawaitable(found):
        await found


def _log(name: str, error: Exception) -> None:
    import logging

    logging.getLogger("flopod").warning("%s", told_failure(name, error))


# -- whose work it is ----------------------------------------------------------------------------


def _current(call: str) -> Pool:
    """The pool of the workflow that runs here, or of the task if none does."""
    try:
        task = asyncio.current_task()
    except RuntimeError:
        raise RuntimeError(
            f"{call}() needs a running event loop, and there is none: call it from an `async def` that "
            "asyncio runs"
        ) from None
    pool = _pool.get()
    if pool is None or (isinstance(pool, _Own) and pool.task is not task):
        pool = _Own(task)
        _pool.set(pool)
    return pool


def apart() -> None:
    """Let what goes on in this task from here be no part of the workflow that began it."""
    _pool.set(None)


def finishing(fn: Any) -> Any:
    """Return a workflow that is over when the work queued in it is; itself if it queues none.

    One that is called by another leaves that to the one that was started, which waits for all.
    """
    if not (isinstance(fn, FunctionType) and _may_queue(fn)):
        return fn

    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        outer = _run_here()
        if outer is not None and is_nested(fn):
            return await fn(*args, **kwargs)
        background = Background() if outer is None else outer.background
        body = functools.partial(fn, *args, **kwargs)
        token = _pool.set(Pool(background))
        try:
            return await (background.finish(body) if outer is None else body())
        finally:
            with contextlib.suppress(ValueError):  # one that is collected unfinished ends in another context
                _pool.reset(token)

    def sync_wrapper(*args: Any, **kwargs: Any) -> Any:
        outer = _run_here()
        if outer is None or is_nested(fn):
            return fn(*args, **kwargs)
        token = _pool.set(Pool(outer.background))
        try:
            return fn(*args, **kwargs)
        finally:
            _pool.reset(token)

    chosen: Callable[..., Any] = wrapper if inspect.iscoroutinefunction(fn) else sync_wrapper
    named = functools.update_wrapper(chosen, fn)
    setattr(named, _MARK, True)
    return named


def _run_here() -> Pool | None:
    pool = _pool.get()
    return None if isinstance(pool, _Own) else pool


_QUEUES: dict[str, Any] = {"work": work, "for_each": for_each, "wait_for_work": wait_for_work}


def _may_queue(fn: FunctionType) -> bool:
    reach = reach_of(fn)
    return reach.is_open or not reach.unbound.isdisjoint(_QUEUES) or any(map(_queues, reach.values))


def _queues(value: Any) -> bool:
    return any(value is one for one in _QUEUES.values()) or getattr(value, _MARK, False) is True
