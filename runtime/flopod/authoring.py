"""What authors write, as it works without a compiler: in process, on plain asyncio."""

import asyncio
import functools
import sys
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any, TypeVar, cast, overload

import msgspec

from flopod.calling import call, call_sync, is_async, is_method
from flopod.durations import Duration, Moment, due, now_ms, seconds
from flopod.options import options_of
from flopod.retry import Retry
from flopod.sidechains import finishing
from flopod.tries import Tries
from flopod.undo import guarded, succeeded

if TYPE_CHECKING:
    from flopod.localinbox import Inbox

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])

local_inbox: "MutableMapping[str, deque[Any]] | Inbox | None" = None
"""For tests: event -> payloads (JSON data) for `wait_for`, or an inbox. None: the file or the terminal."""


class WorkflowOptions(msgspec.Struct, frozen=True):
    """What `@workflow(...)` says of a workflow."""

    name: str | None = None
    version: str | int | None = None
    queue: str | None = None


@overload
def workflow(fn: F, /) -> F: ...
@overload
def workflow(
    *, name: str | None = None, version: str | int | None = None, queue: str | None = None
) -> Callable[[F], F]: ...
def workflow(
    fn: Any = None,
    /,
    *,
    name: str | None = None,
    version: str | int | None = None,
    queue: str | None = None,
) -> Any:
    """Mark a function as a workflow.

    Uncompiled, it stays the very function that it is, unless it may register compensations or queue work:
    then a call of it undoes what it has done when it raises, and is over when its work is.
    """

    def mark(marked: F) -> F:
        marked.__flopod_workflow__ = WorkflowOptions(name, version, queue)  # type: ignore[attr-defined]
        return cast(F, guarded(marked, finishing(marked)))

    return mark if fn is None else mark(fn)


@overload
def activity(
    fn: F,
    /,
    *,
    name: str | None = None,
    retry: Retry | None = None,
    timeout: Duration | None = None,
    heartbeat: Duration | None = None,
    compensate: Callable[..., Any] | None = None,
    at_most_once: bool | None = None,
) -> F: ...
@overload
def activity(
    *,
    name: str | None = None,
    retry: Retry | None = None,
    timeout: Duration | None = None,
    heartbeat: Duration | None = None,
    compensate: Callable[..., Any] | None = None,
    at_most_once: bool | None = None,
) -> Callable[[F], F]: ...
def activity(
    fn: Any = None,
    /,
    *,
    name: str | None = None,
    retry: Retry | None = None,
    timeout: Duration | None = None,
    heartbeat: Duration | None = None,
    compensate: Callable[..., Any] | None = None,
    at_most_once: bool | None = None,
) -> Any:
    """Give a leaf options: as a decorator, with or without them, or as a call `activity(fetch, retry=...)`.

    `name` is what its calls go by, `retry` the policy for its errors. An attempt that has no result after
    `timeout` has failed with ActivityTimeout, one that gives no `heartbeat()` for that long with
    HeartbeatTimeout. With `at_most_once` an attempt that may have run is not followed by another: the caller
    gets MaybeExecuted after a crash, and the timeout after a timeout. Once a call has returned,
    `compensate(result, *args, **kwargs)` undoes it if the run fails, as with `flopod.compensate`.

    Options that are given again replace those that the function has. Uncompiled, a call applies them in
    process; where it may be tried again, each try gets a copy of the arguments, and what the last one did
    to them is done to the caller's.
    """
    options = {
        "name": name,
        "retry": retry,
        "timeout": None if timeout is None else seconds(timeout),
        "heartbeat": None if heartbeat is None else seconds(heartbeat),
        "compensate": compensate,
        "at_most_once": at_most_once,
    }
    given = {option: value for option, value in options.items() if value is not None}
    if fn is None:
        return lambda decorated: _wrap(decorated, given)
    return _wrap(fn, given)


def _wrap(fn: Callable[..., Any], given: dict[str, Any]) -> Any:
    options = msgspec.structs.replace(options_of(fn), **given)
    bare = options.fn

    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        tries = Tries(options.call_name, options.retry, args, kwargs, kept=is_method(named, args))
        value = await call(options, options.retry, tries)
        succeeded(options, value, args, kwargs)
        return value

    def sync_wrapper(*args: Any, **kwargs: Any) -> Any:
        tries = Tries(options.call_name, options.retry, args, kwargs, kept=is_method(named, args))
        value = call_sync(options, tries)
        succeeded(options, value, args, kwargs)
        return value

    chosen: Callable[..., Any] = wrapper if is_async(bare) else sync_wrapper
    named = functools.update_wrapper(chosen, bare)
    named.__flopod_activity__ = options  # type: ignore[attr-defined]
    return named


_DEFAULT = Retry()


@overload
async def attempt(
    fn: Callable[..., Coroutine[Any, Any, T]], /, *args: Any, retry: Retry = ..., **kwargs: Any
) -> T | None: ...
@overload
async def attempt(fn: Callable[..., T], /, *args: Any, retry: Retry = ..., **kwargs: Any) -> T | None: ...
async def attempt(fn: Callable[..., Any], /, *args: Any, retry: Retry = _DEFAULT, **kwargs: Any) -> Any:
    """Call a leaf by a retry policy. Returns its result, or None when every try failed."""
    options = options_of(fn)
    try:
        value = await call(options, retry, Tries(options.call_name, retry, args, kwargs))
    except Exception:
        return None
    succeeded(options, value, args, kwargs)
    return value


async def sleep(duration: Duration) -> None:
    """Sleep for a duration: `"30s"`, `"1h30m"`, seconds or a timedelta."""
    await asyncio.sleep(seconds(duration))


async def sleep_until(when: Moment) -> None:
    """Sleep until a point in time; one that has passed is no sleep."""
    now = now_ms()
    await asyncio.sleep((due(when, now) - now) / 1000)


@overload
async def wait_for(event: str, type: type[T], *, timeout: Duration) -> T | None: ...
@overload
async def wait_for(event: str, type: type[T], *, timeout: None = None) -> T: ...
@overload
async def wait_for(event: str, type: Any = Any, *, timeout: Duration | None = None) -> Any: ...
async def wait_for(event: str, type: Any = Any, *, timeout: Duration | None = None) -> Any:
    """Wait for an event from outside. Returns its payload as `type`, or None after `timeout`.

    Uncompiled, it reads `flopod.authoring.local_inbox`, the file that FLOPOD_INBOX names, or the terminal.
    Raises BadInput when the payload does not fit the type.
    """
    from flopod.codec import from_plain
    from flopod.localinbox import NOTHING, receive

    limit = None if timeout is None else seconds(timeout)
    found = await receive(event, limit, local_inbox)
    return None if found is NOTHING else from_plain(found, type, label=event)


class Results(Mapping[str, Any]):
    """Results by the names of their arms: `results.user` or `results["user"]`."""

    __slots__ = ("_by_name",)

    def __init__(self, by_name: Mapping[str, Any]) -> None:
        self._by_name = dict(by_name)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name not in self._by_name:
            raise AttributeError(f"there is no arm {name!r}; there is: {', '.join(self)}")
        return self._by_name[name]

    def __getitem__(self, name: str) -> Any:
        return self._by_name[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name)

    def __len__(self) -> int:
        return len(self._by_name)

    def __repr__(self) -> str:
        return f"Results({', '.join(f'{name}={value!r}' for name, value in self.items())})"


class Winner(msgspec.Struct, frozen=True):
    """The arm that won a race, and its result."""

    name: str
    value: Any


async def parallel(**arms: Awaitable[Any]) -> Results:
    """Run named awaitables side by side; the first error cancels the others and is raised."""
    tasks = {name: asyncio.ensure_future(arm) for name, arm in arms.items()}
    try:
        await asyncio.gather(*tasks.values())
    except BaseException:
        await _cancel(tasks.values())
        raise
    return Results({name: task.result() for name, task in tasks.items()})


async def race(**arms: Awaitable[Any]) -> Winner:
    """Run named awaitables side by side until the first ends; the others are cancelled.

    If the first one to end fails, its error is raised.
    """
    if not arms:
        raise ValueError("race() needs at least one arm")
    tasks = {name: asyncio.ensure_future(arm) for name, arm in arms.items()}
    try:
        done, _ = await asyncio.wait(tasks.values(), return_when=asyncio.FIRST_COMPLETED)
    finally:
        await _cancel(tasks.values())
    name = next(name for name, task in tasks.items() if task in done)
    return Winner(name, tasks[name].result())


async def _cancel(tasks: Any) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def log(message: str, /, **fields: Any) -> None:
    """Write a message with fields to standard error; compiled, once and not once a replay."""
    print(" ".join([message, *(f"{name}={value}" for name, value in fields.items())]), file=sys.stderr)
