"""The call of a leaf: its arguments, its attempts and what becomes of its outcome."""

from collections.abc import Callable
from functools import partial
from inspect import CO_COROUTINE, getattr_static, iscoroutinefunction, unwrap
from types import FunctionType
from typing import TYPE_CHECKING, Any

from msgspec import Raw

from flopod import codec
from flopod.errors import SerializableError
from flopod.events import ActivityCompleted, ActivityFailed, ActivityStarted, Event
from flopod.workflow.arguments import Arguments, Raised, Returned, callee_of, read_outcome
from flopod.workflow.commands import StartLeaf
from flopod.workflow.describing import describe_call, describe_event
from flopod.workflow.operations import Operation

if TYPE_CHECKING:
    from flopod.retry import Retry
    from flopod.workflow.core import Core


class Activity(Operation):
    """A call of a leaf. With `swallow`, an error that is given up on is None (`attempt`).

    Where one that takes the floor `pauses`, other tasks go on between its attempts: `await attempt(leaf)`
    waits for the next one as `asyncio.sleep` does, a plain call of a synchronous leaf as `time.sleep`.
    One that `awaits` is a TypeError if its function gives nothing to await.
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
        "awaits",
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
        self.awaits = False
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
        return StartLeaf(self.path, self.attempt, self.fn, call, self.sync, self.timeout, self.awaits)

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
        return describe_call(callee_of(self.fn), arguments.fingerprint, arguments.shown)


def is_async(fn: Callable[..., Any]) -> bool:
    """Whether a call of `fn` gives a coroutine: a coroutine function, a wrapper of one, an object."""
    if type(fn) is FunctionType and fn.__code__.co_flags & CO_COROUTINE:
        return True
    while isinstance(fn, partial):
        fn = fn.func
    if iscoroutinefunction(fn) or iscoroutinefunction(getattr_static(type(fn), "__call__", None)):
        return True
    return hasattr(fn, "__wrapped__") and iscoroutinefunction(unwrap(fn))
