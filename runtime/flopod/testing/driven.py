"""What a test can do with any run, compiled or plain: let it go on, and ask how it stands."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from flopod.durations import Duration, seconds
from flopod.engine.outcome import OpenWait, RunOutcome
from flopod.errors import Cancelled
from flopod.testing.errors import TestFailure, near
from flopod.testing.process import FOREVER, Process
from flopod.testing.subject import Subject, check_leaf
from flopod.testing.tape import Tape


class Driven(ABC):
    """A run in virtual time. It goes on only while a method is called that lets it."""

    def __init__(self, subject: Subject, tape: Tape, start: float) -> None:
        self.subject = subject
        self.tape = tape
        self.start = start

    @property
    @abstractmethod
    def _process(self) -> Process:
        """The process that it is in."""

    @property
    @abstractmethod
    def waits(self) -> list[OpenWait]:
        """Its open waits, with path and end (ms since the epoch)."""

    @abstractmethod
    def _unfinished(self) -> Sequence[str]:
        """Say what is under way beside waits."""

    # -- what it does ----------------------------------------------------------------------------

    def until_waiting(self, event: str | None = None) -> Self:
        """Go on until it waits for an event, or for this one. Sleeps and retries before that pass at once."""

        def reached() -> bool:
            return any(event in (None, one.event, one.path) for one in self.waits)

        self._alive("goes on")
        self._drive(reached)
        if not reached():
            wanted = "for an event" if event is None else f"for {event!r}"
            known = "" if event is None else near(event, (one.short for one in self.subject.events or ()))
            raise TestFailure(f"the run does not come to wait {wanted}: {self.story()}{known}")
        return self

    def advance(self, duration: Duration) -> Self:
        """Let time pass: all that is due meanwhile happens, in its order."""
        self._alive("goes on")
        self._drive(horizon=self._process.loop.now + seconds(duration))
        return self

    def outcome(self) -> RunOutcome:
        """Go on to the end, and return how it ended. Raises TestFailure for a run that waits for ever."""
        self._alive("goes on")
        self._drive()
        if not self._process.is_over:
            raise TestFailure(f"the run does not end: {self.story()}{self._advice()}")
        found: RunOutcome = self._process.main.result()
        return found

    def result(self) -> Any:
        """Go on to the end and return the result, or raise the error of the workflow.

        Sleeps, retries and timeouts pass at once. Raises TestFailure for a run that waits for ever.
        """
        outcome = self.outcome()
        if outcome.status == "completed":
            return outcome.value
        if outcome.status == "cancelled":
            raise Cancelled(outcome.reason)
        if outcome.error is not None:
            raise outcome.error
        raise TestFailure(f"the run has no result: {self.story()}; resume() lets it go on")

    @property
    def error(self) -> BaseException | None:
        """Go on to the end, and return the error of the workflow, None if it completed."""
        return self.outcome().error

    # -- what there is to see --------------------------------------------------------------------

    @property
    def waiting(self) -> list[str]:
        """The events that it waits for, in the order in which the waits began."""
        return [one.event for one in self.waits]

    @property
    def now(self) -> datetime:
        """What time it is for the run, in UTC."""
        return self._process.now

    @property
    def elapsed(self) -> timedelta:
        """How much time has passed since the test began."""
        return self._process.elapsed

    @property
    def output(self) -> str:
        """What the workflow has printed."""
        return self.tape.output

    def story(self) -> str:
        """Say in a few words how it stands, for a message."""
        if self._process.is_killed:
            return "its process was killed"
        if self._process.is_over:
            return _ended(self._process.main.result())
        return self._open_text()

    def _open_text(self) -> str:
        parts = [_waits(one, self.now) for one in self.waits]
        parts += self._unfinished()
        return ", ".join(parts) or "it waits for something that no leaf, timer or event ends"

    def _advice(self) -> str:
        if not self.waiting:
            return ""
        event = self.waiting[0]
        return f"; give it one with run.deliver({event!r}, ...) or events={{{event!r}: ...}}"

    # -- inside ----------------------------------------------------------------------------------

    def _drive(self, reached: Callable[[], bool] = lambda: False, horizon: float = FOREVER) -> None:
        self._process.drive(reached, horizon)

    def _alive(self, what: str) -> None:
        if self._process.is_killed:
            raise TestFailure(f"the process of the run was killed, so nothing {what}; call resume()")

    def check_leaf(self, leaf: str) -> None:
        """Check that there is a leaf of that name or path. Raises TestFailure with near misses."""
        if not any(one.goes_by(leaf) for one in self.tape.calls):
            check_leaf(self.subject, leaf)

    def close(self) -> None:
        """Throw away what still runs."""
        self._process.close()


def _ended(outcome: RunOutcome) -> str:
    if outcome.status == "completed":
        return f"it is completed, with {outcome.value!r}"
    if outcome.error is not None:
        return f"it {outcome.status} with {outcome.error!r}"
    return f"it is {outcome.status}" + (f": {outcome.reason}" if outcome.reason else "")


def _waits(wait: OpenWait, now: datetime) -> str:
    place = "" if wait.path == wait.event else f" at {wait.path!r}"
    left = " for ever" if wait.due is None else until(wait.due, now)
    return f"it waits for the event {wait.event!r}{place}{left}"


def until(due: int, now: datetime) -> str:
    """Say how long it is to a moment."""
    return f" for another {datetime.fromtimestamp(due / 1000, UTC) - now}"
