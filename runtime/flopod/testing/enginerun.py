"""A run of an engine in a test: one of many that share a clock, and queues."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from flopod.durations import Duration, seconds
from flopod.engine import control
from flopod.engine.outcome import OpenWait, RunOutcome
from flopod.events import AT_REST, RunSummary
from flopod.log.rewind import effective
from flopod.testing.errors import TestFailure
from flopod.testing.matrix import completed, printed_by
from flopod.testing.process import FOREVER, Process
from flopod.testing.subject import Subject, check_event
from flopod.testing.tape import Later
from flopod.testing.view import RunView

if TYPE_CHECKING:
    from flopod.testing.virtual import VirtualEngine


class EngineRun(RunView):
    """A run in an engine. What lets it go on lets the others go on, too."""

    def __init__(self, engine: "VirtualEngine", subject: Subject, run_id: str, start: float) -> None:
        super().__init__(subject, engine.tape, start, engine.backend)
        self._engine = engine
        self._run_id = run_id

    # -- what it does ----------------------------------------------------------------------------

    def outcome(self) -> RunOutcome:
        """Go on until it is over or paused, and return how it ended. Raises TestFailure if it never does."""
        self._alive("goes on")
        self._engine.process.engine.look()
        found: asyncio.Task[RunOutcome] = self._engine.process.do(
            self._engine.process.engine.outcome(self.run_id)
        )
        if not found.done() or found.cancelled():
            raise TestFailure(f"the run does not end: {self.story()}{self._advice()}")
        outcome = found.result()
        if outcome.status == "diverged" and outcome.error is not None:
            raise outcome.error
        return outcome

    def deliver(self, event: str, payload: Any = None, *, after: Duration | None = None) -> "EngineRun":
        """Give it an event, by its name or by the path of the wait: now, or when so much time has passed."""
        process = self._engine.process
        check_event(self.subject, event)
        if after is None:
            process.deliver(*process.place_of(event, self.run_id), payload)
            return self
        later = Later(self.run_id, process.clock.now() + round(seconds(after) * 1000), event, payload)
        self.tape.later.append(later)
        process.announce(later)
        return self

    def cancel(self, reason: str = "") -> "EngineRun":
        """Cancel it: CancelledError is raised where its body waits, which may clean up durably."""
        control.cancel(self.backend, self.run_id, reason)
        return self

    def pause(self, reason: str = "") -> "EngineRun":
        """Bring it to rest: leaves under way end, nothing else is started."""
        control.pause(self.backend, self.run_id, reason)
        return self

    def resume(self) -> "EngineRun":
        """Let it go on after a pause."""
        control.resume(self.backend, self.run_id)
        return self

    def retry(self) -> "EngineRun":
        """Let it go on from where it failed; what is called again has its next outcome in the script."""
        control.retry(self.backend, self.run_id)
        for run_id in (self.run_id, *self._engine.process.kin_of(self.run_id)):
            events = [event for _, event in effective(self.backend.load(run_id))]
            self.tape.forget(run_id, completed(events))
        return self

    # -- what there is to see --------------------------------------------------------------------

    @property
    def run_id(self) -> str:
        return self._run_id

    @property
    def workflow(self) -> str:
        """The name of its workflow."""
        return self._standing.workflow

    @property
    def status(self) -> str:
        """`pending` while it stands in line, `waiting`, `completed` and so on."""
        return self._standing.status

    @property
    def queue(self) -> str:
        """The queue that it stood in, "" for none."""
        return self._standing.queue

    @property
    def started(self) -> datetime:
        """When it was started; it may stand in line from then on."""
        return _moment(self._standing.started_at)

    @property
    def begun(self) -> datetime | None:
        """When its body ran first, None while it stands in line."""
        at = self.tape.begun.get(self.run_id)
        return None if at is None else _moment(at)

    @property
    def ended(self) -> datetime | None:
        """When it was over, None while it is not."""
        at = self._standing.ended_at
        return None if at is None else _moment(at)

    @property
    def waits(self) -> list[OpenWait]:
        """Its open waits, with path and end (ms since the epoch), then those of runs that it has started."""
        return [wait for _, wait in self._engine.process.open_waits(self.run_id)]

    @property
    def output(self) -> str:
        """What it has printed."""
        return printed_by(self.events)

    def story(self) -> str:
        """Say in a few words how it stands, for a message."""
        if self.status in AT_REST:
            return f"it is {self.status}" + (f": {self._standing.error}" if self._standing.error else "")
        if self.status == "pending":
            return "it stands in line"
        return self._open_text()

    def __repr__(self) -> str:
        return f"<run {self.run_id} of {self.workflow}: {self.status}>"

    # -- inside ----------------------------------------------------------------------------------

    @property
    def _standing(self) -> RunSummary:
        found = self._summary
        if found is None:
            raise TestFailure(f"the run {self.run_id!r} was deleted")
        return found

    @property
    def _process(self) -> Process:
        return self._engine.process

    def _drive(self, reached: Callable[[], bool] = lambda: False, horizon: float = FOREVER) -> None:
        self._engine.drive(reached, horizon)

    def _alive(self, what: str) -> None:
        self._engine.check_up(what)

    def close(self) -> None:
        """Do nothing: the engine is closed as a whole."""


def _moment(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)
