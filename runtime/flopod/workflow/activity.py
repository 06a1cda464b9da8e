"""The call of a leaf: its arguments, its attempts and what becomes of its outcome."""

import random
from collections.abc import Callable
from functools import partial
from inspect import CO_COROUTINE, getattr_static, iscoroutinefunction, unwrap
from types import FunctionType
from typing import TYPE_CHECKING, Any

from msgspec import Raw

from flopod import codec
from flopod.callee import callee_of
from flopod.codec.migrations import typed
from flopod.errors import ActivityTimeout, MaybeExecuted, MigrationError, SerializableError
from flopod.events import ActivityCompleted, ActivityFailed, ActivityProgress, ActivityStarted, Event
from flopod.workflow.arguments import Arguments, Raised, Returned, read_outcome
from flopod.workflow.commands import StartLeaf
from flopod.workflow.describing import describe_call, describe_event
from flopod.workflow.operations import Operation

if TYPE_CHECKING:
    from flopod.options import ActivityOptions
    from flopod.retry import Retry
    from flopod.workflow.core import Core

_GRACE_MS = 1000
jitter = random.Random()


class Activity(Operation):
    """A call of a leaf. With `swallow`, an error that is given up on is None (`attempt`).

    Where one that takes the floor `pauses`, other tasks go on between its attempts: `await attempt(leaf)`
    waits for the next one as `asyncio.sleep` does, a plain call of a synchronous leaf as `time.sleep`.
    One that `awaits` is a TypeError if its function gives nothing to await. What one that `drops` its result
    gives is not recorded, and need not be data, unless it is wanted to undo the call.
    """

    __slots__ = (
        "_args",
        "_arguments",
        "_known",
        "_kwargs",
        "_last",
        "_migrated",
        "_options",
        "_policy",
        "_started",
        "_swallow",
        "attempt",
        "awaits",
        "drops",
        "fn",
        "pauses",
        "progress",
        "sync",
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
        options: ActivityOptions | None = getattr(fn, "__flopod_activity__", None)
        self._options = options
        self.fn = fn if options is None else options.fn
        self._policy = retry if retry is not None or options is None else options.retry
        self.progress: Raw | None = None
        self.sync = not is_async(self.fn)
        self.attempt = 1
        self.pauses = False
        self.awaits = False
        self.drops = False
        self._args = args
        self._kwargs = kwargs
        self._swallow = swallow
        self._migrated = False
        self._started = 0
        self._last: ActivityFailed | None = None
        self._arguments: Arguments
        self._known: codec.Known | None = None

    def begin(self) -> None:
        core = self.core
        try:
            self._arguments = Arguments(self.path, self._args, self._kwargs)
        except SerializableError as error:
            error.path = self.path
            raise
        if typed and (versions := codec.argument_versions(self.fn)):
            self._arguments.fingerprint = codec.stamped(self._arguments.fingerprint, versions)
        self._ask()
        if core.fenced:
            return
        if self._arguments.copied and not core.scheduler.joined_only():
            self._known = self._arguments.known()
        core.opened(self)
        if self.sync and core.scheduler.current is not None:
            self.pauses = self._swallow
            if not (self.pauses and core.history.attempts.last_failed(self.path)):
                core.scheduler.floor = self.future

    def _ask(self) -> None:
        core, arguments, callee = self.core, self._arguments, callee_of(self.fn)
        recorded = core.replay.ask(self.path, ActivityStarted, self)
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
            same = recorded.fingerprint == arguments.fingerprint
            self._migrated = not same and codec.is_migrated(recorded.fingerprint, arguments.fingerprint)
            if recorded.callee != callee or not (same or self._migrated):
                core.replay.conflict(self.path, describe_event(recorded), self.describe())

    def activate(self) -> None:
        core = self.core
        self.progress = core.history.attempts.progress_of(self.path)
        self._last = core.history.attempts.last_failed(self.path)
        if self._last is not None:
            self.attempt = self._last.attempt + 1
        if self._once and core.history.attempts.was_in_flight(self.path):
            core.agenda.arrive(self, partial(self.deliver, _given_up(MaybeExecuted(self.path))))
        elif self._last is None:
            core.agenda.start(self)
        else:
            core.agenda.retry_at(self._last.next_try or 0, self)

    def is_too_late(self) -> bool:
        """Whether nobody was there when the next attempt was due, and now it is past the deadline."""
        if self._last is None or self._policy is None:
            return False
        now = self.core.now
        missed = now - (self._last.next_try or now) > _GRACE_MS
        return missed and self._policy.is_over((now - self._started) / 1000)

    def give_up(self) -> Raised:
        """Return the error of the last attempt as the final one, instead of trying again."""
        assert self._last is not None
        self.attempt = self._last.attempt
        error = read_outcome(self._last.error, None, self._originals)
        return Raised(self._last.error, None, error, self._last.traceback, final=True)

    def command(self) -> StartLeaf:
        """Return the command for the next attempt; one of a call that may run once is recorded before."""
        if self._once and self._last is not None:
            self.core.emit(ActivityProgress(path=self.path, at=self.core.now, attempt=self.attempt))
        call, options = self._arguments.copy(self.drops and self._undo is None), self._options
        limits = (None, None) if options is None else (options.timeout, options.heartbeat)
        return StartLeaf(
            self.path, self.attempt, self.fn, call, self.sync, *limits, self.progress, self.awaits
        )

    @property
    def _once(self) -> bool:
        """Whether it is not started again once it may have run."""
        return self._options is not None and self._options.at_most_once

    @property
    def _undo(self) -> Callable[..., Any] | None:
        return None if self._options is None else self._options.compensate

    def progressed(self, attempt: int, progress: Raw) -> None:
        """Take over what an attempt tells of its progress."""
        self.progress = progress
        event = ActivityProgress(path=self.path, at=self.core.now, attempt=attempt, progress=progress)
        self.core.emit(event)

    def deliver(self, outcome: Returned | Raised) -> Event:
        """Settle with what the world reports, and return its record."""
        self._migrated = False
        conflict = self._arguments.conflict(outcome.state)
        try:
            return self._take(conflict or outcome)
        except Exception as error:
            wrong = SerializableError(f"the outcome cannot be read back: {error}", path=self.path)
            return self._take(_given_up(wrong))

    def _take(self, outcome: Returned | Raised) -> Event:
        if isinstance(outcome, Raised):
            failed = self._failed(outcome)
            self._fail(failed, outcome.exception)
            return failed
        completed = ActivityCompleted(
            path=self.path,
            at=self.core.now,
            result=outcome.result,
            state=outcome.state,
            attempt=self.attempt,
            versions=codec.result_versions(self.fn) if typed else {},
        )
        if outcome.ready:
            self._succeed(outcome.value)
        else:
            self.settle(completed)
        return completed

    def next_try(self, outcome: Raised) -> int | None:
        """Return when to try again after an error (ms since the epoch), or None to give up."""
        retry, error = self._policy, outcome.exception
        if outcome.final or retry is None or not retry.retries(error):
            return None
        if self._once and isinstance(error, ActivityTimeout):
            return None  # nobody knows what it did, or still does
        elapsed = (self.core.now - self._started) / 1000
        delay = retry.next_delay(self.attempt, elapsed, jitter)
        return None if delay is None else self.core.now + round(delay * 1000)

    def retry(self, outcome: Raised, next_try: int) -> ActivityFailed:
        """Go on to the next attempt at `next_try`, and return the record of the failed one."""
        failed = self._last = self._failed(outcome, next_try)
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
            value = read_outcome(event.result, event.state, self._originals)
            if typed or event.versions:
                value = codec.migrated_result(value, self.fn, event.versions)
            self._succeed(value)
        elif isinstance(event, ActivityFailed):
            self._fail(event, None)

    def _succeed(self, value: Any) -> None:
        if self._undo is not None:
            path = f"{self.path}/undo"
            self.core.compensations.register(path, self._undo, (value, *self._args), self._kwargs)
        self.set_result(value)

    def _fail(self, event: ActivityFailed, live: BaseException | None) -> None:
        error = read_outcome(event.error, event.state, self._originals)
        if live is not None:
            error = error.with_traceback(live.__traceback__)
        if self._swallow and isinstance(error, Exception):
            self.set_result(None)
        else:
            self.set_exception(error)

    def _originals(self) -> codec.Known | None:
        if self._migrated:
            raise MigrationError(self.path, "its outcome refers to arguments as they were in another version")
        known = self._known if self._known is not None else self._arguments.known()
        if known is not None:
            self.core.touched(known)
        return known

    def describe(self) -> str:
        arguments = self._arguments
        return describe_call(callee_of(self.fn), arguments.fingerprint, arguments.shown)


def _given_up(error: Exception) -> Raised:
    return Raised(Raw(codec.encode(error)), None, error, "", final=True)


def is_async(fn: Callable[..., Any]) -> bool:
    """Whether a call of `fn` gives a coroutine: a coroutine function, a wrapper of one, an object."""
    if type(fn) is FunctionType and fn.__code__.co_flags & CO_COROUTINE:
        return True
    while isinstance(fn, partial):
        fn = fn.func
    if iscoroutinefunction(fn) or iscoroutinefunction(getattr_static(type(fn), "__call__", None)):
        return True
    return hasattr(fn, "__wrapped__") and iscoroutinefunction(unwrap(fn))
