"""The awaitables of a body: activity, sleep, wait, and the item of a hand-written `each`.

An operation begins when it is first awaited, once. It then asks for its recorded begin or emits one,
and is settled by an outcome: the recorded one on replay, what the world reports when live.
"""

import sys
from collections.abc import Callable, Generator
from functools import partial
from inspect import CO_COROUTINE, getattr_static, iscoroutinefunction, unwrap
from types import FunctionType
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Raw

from flopod import codec
from flopod.errors import SerializableError
from flopod.events import (
    ActivityCompleted,
    ActivityFailed,
    ActivityStarted,
    Event,
    IterationCompleted,
    SleepStarted,
    WaitCompleted,
    WaitStarted,
)
from flopod.workflow.arguments import Arguments, Raised, Returned, callee_of, read_outcome
from flopod.workflow.commands import StartLeaf
from flopod.workflow.raising import raise_in
from flopod.workflow.scheduler import Outcome

if TYPE_CHECKING:
    from flopod.retry import Retry
    from flopod.workflow.core import Core


class Operation:
    """Base of what a body awaits: begun by its `await`, once, as a coroutine is.

    It deliberately has no `throw` method: an exception thrown into a task then reaches the innermost
    frame of the body as it is.
    """

    __slots__ = ("_awaited", "core", "future", "path")

    def __init__(self, core: "Core", path: str) -> None:
        self.core = core
        self.path = path
        self.future = Outcome(loop=core.scheduler)
        self.future.on_cancel = self._cancelled
        self._awaited = False
        core.created[path] = self

    def __await__(self) -> Generator[Any, Any, Any]:
        if self._awaited:
            raise RuntimeError("cannot reuse already awaited coroutine")
        self._awaited = True
        core = self.core
        if core.scheduler.current is None:
            return core.bridge(self)
        if not core.fenced:
            self.begin()
        return self  # type: ignore[return-value] # not a generator: it must have no `throw`

    def __iter__(self) -> "Operation":
        return self

    def __next__(self) -> Outcome:
        future = self.future
        if not future.done():
            future._asyncio_future_blocking = True
            return future
        if future.stop is not None:
            raise_in(sys._getframe(1), future.stop)
            raise StopIteration
        raise StopIteration(future.result())

    def result(self) -> Any:
        """Return the outcome, or raise it."""
        if self.future.stop is not None:
            raise self.future.stop
        return self.future.result()

    def set_result(self, result: Any) -> None:
        """End with a result."""
        self.future.set_result(result)

    def set_exception(self, error: BaseException) -> None:
        """End with an error."""
        if isinstance(error, StopIteration):
            self.future.stop = error
            self.future.set_result(None)
        else:
            self.future.set_exception(error)
            self.future.exception()  # so that asyncio does not call it unretrieved

    def done(self) -> bool:
        return self.future.done()

    def close(self) -> None:
        """Give up an operation that was not awaited; a coroutine can do that."""
        self._awaited = True

    def cancel(self) -> bool:
        return self.future.cancel()

    def _cancelled(self) -> None:
        self.core.closed(self)

    def begin(self) -> None:
        """Ask for the recorded begin, or emit one."""
        raise NotImplementedError

    def activate(self) -> None:
        """Ask the world for an outcome: the recorded past is over and holds none."""

    def settle(self, event: Event, /) -> None:
        """Take over an outcome from its record."""
        raise NotImplementedError

    def describe(self) -> str:
        """Return what the code asks for, in the words of `describe_event`."""
        raise NotImplementedError


class Activity(Operation):
    """A call of a leaf. With `swallow`, an error that is given up on is None (`attempt`).

    Where one that takes the floor `pauses`, other tasks go on between its attempts: `await attempt(leaf)`
    waits for the next one as `asyncio.sleep` does, a plain call of a synchronous leaf as `time.sleep`.
    """

    __slots__ = (
        "_args",
        "_arguments",
        "_known",
        "_kwargs",
        "_policy",
        "_started",
        "_swallow",
        "attempt",
        "fn",
        "pauses",
        "sync",
        "timeout",
    )

    def __init__(
        self,
        core: "Core",
        path: str,
        fn: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        retry: "Retry | None" = None,
        swallow: bool = False,
    ) -> None:
        super().__init__(core, path)
        options = getattr(fn, "__flopod_activity__", None)
        self.fn = fn if options is None else options.fn
        self._policy = retry if retry is not None or options is None else options.retry
        self.timeout: float | None = None if options is None else options.timeout
        self.sync = not is_async(self.fn)
        self.attempt = 1
        self.pauses = False
        self._args = args
        self._kwargs = kwargs
        self._swallow = swallow
        self._started = 0
        self._arguments: Arguments
        self._known: codec.Known | None = None

    def begin(self) -> None:
        core = self.core
        try:
            self._arguments = Arguments(self.path, self._args, self._kwargs)
        except SerializableError as error:
            error.path = self.path
            raise
        self._ask()
        if core.fenced:
            return
        if self._arguments.copied and not core.scheduler.joined_only():
            self._known = self._arguments.known()
        core.opened(self)
        if self.sync and core.scheduler.current is not None:
            self.pauses = self._swallow
            if not (self.pauses and core.history.retry_of(self.path)):
                core.scheduler.floor = self.future

    def _ask(self) -> None:
        core, arguments, callee = self.core, self._arguments, callee_of(self.fn)
        recorded = core.ask(self.path, ActivityStarted, self)
        if recorded is None:
            begun = ActivityStarted(
                path=self.path,
                at=core.now,
                callee=callee,
                fingerprint=arguments.fingerprint,
                args=arguments.shown,
            )
            core.emit(begun)
            self._started = core.now
        else:
            self._started = recorded.at
            if recorded.callee != callee or recorded.fingerprint != arguments.fingerprint:
                core.conflict(self.path, describe_event(recorded), self.describe())

    def activate(self) -> None:
        failed = self.core.history.retry_of(self.path)
        if failed is None:
            self.core.agenda.start(self)
        else:
            self.attempt = failed.attempt + 1
            self.core.agenda.retry_at(failed.next_try or 0, self)

    def command(self) -> StartLeaf:
        """Return the command for the next attempt."""
        call = self._arguments.copy()
        return StartLeaf(self.path, self.attempt, self.fn, call, self.sync, self.timeout)

    def deliver(self, outcome: Returned | Raised) -> Event:
        """Settle with what the world reports, and return its record."""
        conflict = self._arguments.conflict(outcome.state)
        try:
            return self._take(conflict or outcome)
        except Exception as error:
            wrong = SerializableError(f"the outcome cannot be read back: {error}", path=self.path)
            return self._take(Raised(Raw(codec.encode(wrong)), None, wrong, "", final=True))

    def _take(self, outcome: Returned | Raised) -> Event:
        if isinstance(outcome, Raised):
            failed = self._failed(outcome)
            self._fail(failed, outcome.exception)
            return failed
        completed = ActivityCompleted(
            path=self.path, at=self.core.now, result=outcome.result, state=outcome.state, attempt=self.attempt
        )
        if outcome.ready:
            self.set_result(outcome.value)
        else:
            self.settle(completed)
        return completed

    def next_try(self, outcome: Raised) -> int | None:
        """Return when to try again after an error (ms since the epoch), or None to give up."""
        retry, error = self._policy, outcome.exception
        if outcome.final or retry is None or not retry.retries(error):
            return None
        elapsed = (self.core.now - self._started) / 1000
        delay = retry.next_delay(self.attempt, elapsed, self.core.random)
        return None if delay is None else self.core.now + round(delay * 1000)

    def retry(self, outcome: Raised, next_try: int) -> Event:
        """Go on to the next attempt at `next_try`, and return the record of the failed one."""
        failed = self._failed(outcome, next_try)
        self.attempt += 1
        if self.pauses:
            self.core.scheduler.release(self.future)
        self.core.agenda.retry_at(next_try, self)
        return failed

    def _failed(self, outcome: Raised, next_try: int | None = None) -> ActivityFailed:
        return ActivityFailed(
            path=self.path,
            at=self.core.now,
            attempt=self.attempt,
            error=outcome.error,
            state=None if next_try is not None else outcome.state,
            next_try=next_try,
            traceback=outcome.traceback,
        )

    def settle(self, event: Event) -> None:
        if isinstance(event, ActivityCompleted):
            self.set_result(read_outcome(event.result, event.state, self._originals))
        elif isinstance(event, ActivityFailed):
            self._fail(event, None)

    def _fail(self, event: ActivityFailed, live: BaseException | None) -> None:
        error = read_outcome(event.error, event.state, self._originals)
        if live is not None:
            error = error.with_traceback(live.__traceback__)
        if self._swallow and isinstance(error, Exception):
            self.set_result(None)
        else:
            self.set_exception(error)

    def _originals(self) -> codec.Known | None:
        known = self._known if self._known is not None else self._arguments.known()
        if known is not None:
            self.core.touched(known)
        return known

    def describe(self) -> str:
        arguments = self._arguments
        return _describe_call(callee_of(self.fn), arguments.fingerprint, arguments.shown)


class Sleep(Operation):
    """A durable timer of `seconds`, or until `due` (ms since the epoch); it gives `value`.

    A `blocking` one is one step, as `time.sleep` is: no other task of the run goes on meanwhile.
    """

    __slots__ = ("_blocking", "_due", "_seconds", "_value")

    def __init__(
        self,
        core: "Core",
        path: str,
        seconds: float,
        due: int | None = None,
        value: Any = None,
        blocking: bool = False,
    ) -> None:
        super().__init__(core, path)
        self._blocking = blocking
        self._seconds = seconds
        self._due = due
        self._value = value

    @property
    def due(self) -> int:
        return self._due or 0

    def begin(self) -> None:
        core = self.core
        recorded = core.ask(self.path, SleepStarted, self)
        if recorded is not None:
            self._due = recorded.due
        else:
            if self._due is None:
                self._due = core.now + round(self._seconds * 1000)
            core.emit(SleepStarted(path=self.path, at=core.now, due=self._due))
        if not core.fenced:
            core.opened(self)
            if self._blocking and core.scheduler.current is not None:
                core.scheduler.floor = self.future

    def activate(self) -> None:
        self.core.agenda.wake_at(self.due, self)

    def settle(self, _: Event, /) -> None:
        self.set_result(self._value)

    def describe(self) -> str:
        return "a sleep"


class Turn(Operation):
    """`asyncio.sleep(0)`: the other tasks take a turn, in asyncio's order. Nothing is recorded."""

    __slots__ = ("_taken", "_value")

    def __init__(self, core: "Core", path: str, value: Any) -> None:
        super().__init__(core, path)
        self._taken = False
        self._value = value

    def begin(self) -> None:
        self.core.created.pop(self.path, None)

    def __next__(self) -> Any:
        if self.core.fenced:
            return super().__next__()
        if self._taken:
            raise StopIteration(self._value)
        self._taken = True
        return None


class Wait(Operation):
    """A wait for an event from outside, for `timeout` seconds at most."""

    __slots__ = ("_timeout", "due", "event", "type")

    def __init__(self, core: "Core", path: str, event: str, type: Any, timeout: float | None) -> None:
        super().__init__(core, path)
        self.event = event
        self.type = type
        self.due: int | None = None
        self._timeout = timeout

    def begin(self) -> None:
        core = self.core
        recorded = core.ask(self.path, WaitStarted, self)
        if recorded is not None:
            self.due = recorded.due
            if recorded.event != self.event:
                core.conflict(self.path, describe_event(recorded), self.describe())
        else:
            self.due = None if self._timeout is None else core.now + round(self._timeout * 1000)
            schema = payload_schema(self.type)
            core.emit(WaitStarted(path=self.path, at=core.now, event=self.event, due=self.due, schema=schema))
        if not core.fenced:
            core.opened(self)

    def activate(self) -> None:
        self.core.mailbox.wait(self)
        if self.due is not None:
            self.core.agenda.wake_at(self.due, self)

    def settle(self, event: Event) -> None:
        if isinstance(event, WaitCompleted):
            payload = event.payload
            self.set_result(None if event.timed_out or payload is None else read_payload(payload, self.type))

    def describe(self) -> str:
        return f"a wait for {self.event!r}"


class Item(Operation):
    """One item of a hand-written `each` that an earlier process completed: settled by its record."""

    __slots__ = ("_fingerprint",)

    def __init__(self, core: "Core", path: str, fingerprint: str) -> None:
        super().__init__(core, path)
        self._fingerprint = fingerprint

    def begin(self) -> None:
        self.core.opened(self)

    def settle(self, event: Event) -> None:
        if not isinstance(event, IterationCompleted):
            return
        if event.item != self._fingerprint:
            self.core.diverge(self.path, f"an item with fingerprint {event.item}", self.describe())
        elif event.error is not None:
            self.set_result((None, codec.decode(event.error)))
        else:
            self.set_result((codec.decode(event.result or Raw(b"null")), None))

    def describe(self) -> str:
        return f"an item with fingerprint {self._fingerprint}"


def is_async(fn: Callable[..., Any]) -> bool:
    """Whether a call of `fn` gives a coroutine: a coroutine function, a wrapper of one, an object."""
    if type(fn) is FunctionType and fn.__code__.co_flags & CO_COROUTINE:
        return True
    while isinstance(fn, partial):
        fn = fn.func
    if iscoroutinefunction(fn) or iscoroutinefunction(getattr_static(type(fn), "__call__", None)):
        return True
    return hasattr(fn, "__wrapped__") and iscoroutinefunction(unwrap(fn))


def read_payload(payload: Raw, type: Any) -> Any:
    """Return a delivered payload as the type that the wait asks for. Raises if it does not fit."""
    data = msgspec.json.decode(payload)
    return data if type is Any else codec.from_plain(data, type)


def payload_schema(type: Any) -> Raw | None:
    """Return the JSON Schema of a payload type as text, None if it has none."""
    if type is Any:
        return None
    schema = codec.json_schema(type)
    return None if schema is None else Raw(msgspec.json.encode(schema))


def describe_event(event: Event) -> str:
    """Return what a recorded event says, for the two sides of a divergence."""
    if isinstance(event, ActivityStarted):
        return _describe_call(event.callee, event.fingerprint, event.args)
    if isinstance(event, SleepStarted):
        return "a sleep"
    if isinstance(event, WaitStarted):
        return f"a wait for {event.event!r}"
    facts = [
        f"{name}={_short(getattr(event, name))}"
        for name in event.__struct_fields__
        if name not in ("path", "at")
    ]
    return f"{type(event).__name__}({', '.join(facts)})"


def _short(value: object) -> str:
    text = bytes(value).decode() if isinstance(value, Raw) else repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _describe_call(callee: str, fingerprint: str, args: Raw | None) -> str:
    shown = "" if args is None else f" with {_short(args)}"
    return f"a call of {callee}{shown} (arguments {fingerprint})"
