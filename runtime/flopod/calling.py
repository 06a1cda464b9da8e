"""The call of a leaf with options as it is without a compiler: tries, timeouts and heartbeats in process."""

import asyncio
import contextvars
import functools
import inspect
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from msgspec.structs import replace

from flopod.current import Pulse, Watch, current_context, inner_context
from flopod.errors import ActivityTimeout, HeartbeatTimeout
from flopod.options import ActivityOptions
from flopod.retry import Retry
from flopod.tries import Tries, Try


def is_async(fn: Any) -> bool:
    """Whether a call of a function, a partial or an object gives a coroutine."""
    bare = inspect.unwrap(fn)
    while isinstance(bare, functools.partial):
        bare = bare.func
    return inspect.iscoroutinefunction(bare) or inspect.iscoroutinefunction(
        inspect.getattr_static(type(bare), "__call__", None)
    )


def is_method(fn: Callable[..., Any], args: tuple[Any, ...]) -> bool:
    """Whether a call gives a function of a class the object that it is looked up on."""
    classes = type(args[0]).__mro__ if args else ()
    return any(vars(one).get(fn.__name__) is fn for one in classes)


class _Attempts:
    """The attempts of one call: the context of the next one, and whether there is one after an error."""

    def __init__(self, options: ActivityOptions, retry: Retry | None) -> None:
        self._options = options
        self._retry = retry
        self._began = time.monotonic()
        self._context = inner_context(options.call_name)

    @contextmanager
    def begin(self) -> Iterator[Pulse]:
        """Let the block be the next attempt; it gets its pulse."""
        pulse = self._context.pulse
        pulse.last = time.monotonic()
        token = current_context.set(self._context)
        try:
            yield pulse
        finally:
            pulse.over = True
            current_context.reset(token)

    def pause(self, error: BaseException) -> float | None:
        """Return the seconds before the next attempt, None to give up."""
        attempt, retry = self._context.attempt, self._retry
        self._context = replace(self._context, attempt=attempt + 1, pulse=self._context.pulse.next())
        if retry is None or not retry.retries(error):
            return None
        if self._options.at_most_once and isinstance(error, ActivityTimeout):
            return None
        return retry.next_delay(attempt, time.monotonic() - self._began, random.Random())


async def call(options: ActivityOptions, retry: Retry | None, tries: Tries) -> Any:
    """Call a leaf by a policy."""
    attempts = _Attempts(options, retry)
    while True:
        one = tries.next()
        try:
            with attempts.begin() as pulse:
                value = await _once(options, one, pulse)
        except BaseException as error:
            pause = attempts.pause(error)
            if pause is None:
                one.raised(error)
                raise
        else:
            return one.returned(value)
        await asyncio.sleep(pause)


def call_sync(options: ActivityOptions, tries: Tries) -> Any:
    """Call a plain leaf by its own policy, where nothing can be awaited."""
    attempts = _Attempts(options, options.retry)
    while True:
        one = tries.next()
        try:
            with attempts.begin() as pulse:
                value = _once_sync(options, one, pulse)
        except BaseException as error:
            pause = attempts.pause(error)
            if pause is None:
                one.raised(error)
                raise
        else:
            return one.returned(value)
        time.sleep(pause)


async def _once(options: ActivityOptions, one: Try, pulse: Pulse) -> Any:
    if not is_async(options.fn):
        return _once_sync(options, one, pulse)
    limit = asyncio.timeout(options.timeout)
    watch = Watch(pulse, options.heartbeat, lambda: limit.reschedule(0))
    try:
        async with limit:
            return await options.fn(*one.args, **one.kwargs)
    except TimeoutError:
        if limit.expired():
            raise _too_late(options, pulse) from None
        raise
    finally:
        watch.stop()


def _once_sync(options: ActivityOptions, one: Try, pulse: Pulse) -> Any:
    """Call a plain function; one that may take too long in a thread, which is left behind when it does."""
    if options.timeout is None and options.heartbeat is None:
        return options.fn(*one.args, **one.kwargs)
    outcome: deque[tuple[bool, Any]] = deque()
    context = contextvars.copy_context()

    def run() -> None:
        try:
            outcome.append((True, context.run(options.fn, *one.args, **one.kwargs)))
        except BaseException as error:
            outcome.append((False, error))

    thread = threading.Thread(target=run, daemon=True, name=f"flopod-{options.call_name}")
    thread.start()
    _wait_for(thread, options, pulse)
    if not outcome:
        raise _too_late(options, pulse)
    returned, value = outcome[0]
    if returned:
        return value
    raise value


def _wait_for(thread: threading.Thread, options: ActivityOptions, pulse: Pulse) -> None:
    """Wait until a thread has ended, or is over its timeout, or gives no heartbeat for too long."""
    until = None if options.timeout is None else time.monotonic() + options.timeout
    while thread.is_alive() and not pulse.missed:
        left = [] if until is None else [until - time.monotonic()]
        if left and left[0] <= 0:
            return
        if options.heartbeat is not None:
            left.append(pulse.left(options.heartbeat))
            pulse.missed = left[-1] <= 0
        thread.join(max(min(left), 0))


def _too_late(options: ActivityOptions, pulse: Pulse) -> ActivityTimeout:
    if pulse.missed:
        return HeartbeatTimeout(options.call_name, options.heartbeat or 0.0)
    return ActivityTimeout(options.call_name, options.timeout or 0.0)
