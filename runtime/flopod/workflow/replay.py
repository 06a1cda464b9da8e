"""Delivers the recorded outcomes of a run in the order of its log, and stops where the code differs."""

from typing import TYPE_CHECKING, Any, TypeVar

from flopod.errors import DivergenceError, HiddenValue, KeptElsewhere
from flopod.events import CancelRequested, Event
from flopod.log.entries import EntryKey, path_of
from flopod.workflow.describing import describe_event
from flopod.workflow.operations import Operation

if TYPE_CHECKING:
    from flopod.workflow.core import Core

E = TypeVar("E", bound=Event)


class Replay:
    """The recorded past of a run, being asked for and delivered.

    While it is `patient`, it waits for a body that asyncio steps to ask for what the log holds. `diverged`
    is the error if log and code disagree, or the log cannot be read.
    """

    def __init__(self, core: "Core") -> None:
        self.patient = False
        self.diverged: DivergenceError | HiddenValue | None = None
        self._core = core

    # -- what the body asks for ------------------------------------------------------------------

    def ask(self, key: EntryKey, kind: type[E], asking: Any) -> E | None:
        """Return the recorded entry of `key`, None if it is new; a misfit fences the run.

        `asking.describe()` says what the code asks for.
        """
        history = self._core.history
        entry = history.find(key)
        path = key if isinstance(key, str) else key[0]
        if entry is None:
            if history.ended is not None or (history.behind and not history.is_early(path)):
                asked = f"{asking.describe()}, a new call in the past"
                self.diverge(path, "nothing, though later events follow", asked)
            return None
        if not isinstance(entry.event, kind):
            self.diverge(path, describe_event(entry.event), asking.describe())
            return None
        history.ask(entry)
        return entry.event

    def conflict(self, path: str, recorded: str, current: str) -> None:
        """Stop the run, unless the plan says that this call has changed since it was recorded."""
        if not self._core.history.is_changed(path):
            self.diverge(path, recorded, current)

    def diverge(self, path: str, recorded: str, current: str) -> None:
        """Stop the run: its log and its code disagree."""
        self._stop(DivergenceError(path, recorded, current))

    def _stop(self, error: DivergenceError | HiddenValue) -> None:
        if not self._core.fenced:
            self.diverged = error
            self._core.fenced = True

    def unreadable(self, path: str, recorded: str, error: Exception) -> None:
        """Stop the run: this build cannot read what is recorded. The body is not told."""
        if isinstance(error, KeptElsewhere):
            self._stop(HiddenValue(self._core.run_id, error.message))
        else:
            self.diverge(path, recorded, f"this build cannot read it: {error}")

    # -- what is delivered -----------------------------------------------------------------------

    def deliver(self) -> bool:
        """Deliver the next outcome, or diverge; False if the body has to go on first."""
        history = self._core.history
        if history.outcomes.older and self._deliver_older():
            return True
        record = history.outcomes.next()
        if record is None:
            return not history.outcomes.older
        seq, event = record
        self._core.scheduler.now = event.at
        missing = history.entries.first_unasked(own=True)
        if missing is not None and missing.seq < seq:
            return self._miss(missing.event)
        if isinstance(event, CancelRequested):
            history.delivered()
            self._core.ending.cancel(event.reason)
            return True
        operation = self._asked_for(event)
        if operation is None:
            return self._miss(event)
        history.delivered()
        self._settle(operation, event)
        return True

    def take(self, operation: Operation) -> bool:
        """Settle an operation at once if its outcome is the next of all, and nothing is asked for before it.

        What went on in its place may have kept others from going on, so that what they ask for next is new.
        """
        history = self._core.history
        record = history.outcomes.next()
        if self._core.fenced or record is None or path_of(record.event) != operation.path:
            return False
        missing = history.entries.first_unasked(own=True)
        if history.outcomes.older or (missing is not None and missing.seq < record.seq):
            return False
        self._core.scheduler.now = record.event.at
        history.delivered()
        self._settle(operation, record.event)
        return True

    def acts(self) -> bool:
        """Whether what the body waits for now is new in the past, so that the world has to be asked.

        If it is not, and what older builds recorded is not asked for, the run diverges.
        """
        history = self._core.history
        if self._core.fenced or history.outcomes.next() is not None:
            return False
        missing = next(iter(history.outcomes.older.values()), None) or history.entries.first_unasked()
        if missing is None:
            return False
        if any(self._is_early(path) for path in self._core.open):
            return True
        self._miss(missing.event)
        return False

    def _is_early(self, path: str) -> bool:
        entry = self._core.history.find(path)
        return (entry is not None and entry.since is None) or self._core.history.is_early(path)

    def _deliver_older(self) -> bool:
        """Deliver the first outcome of an older build that the body waits for, in the order of the log."""
        history, core = self._core.history, self._core
        older = history.outcomes.older
        path = next(iter(older))
        event = older[path].event
        if isinstance(event, CancelRequested):
            history.delivered(path)
            core.ending.cancel(event.reason)
            return True
        if self._asked_for(event) is None:
            known = [one for one in core.open if one in older and self._has_floor(core.open[one])]
            path = min(known, key=lambda one: older[one].seq, default="")
            if not path:
                return False
            event = older[path].event
        history.delivered(path)
        core.scheduler.now = max(event.at, core.scheduler.now)
        self._settle(core.open[path], event)
        return True

    def check_past(self) -> None:
        """Diverge at once if there is something that the body cannot ask for, before a new call acts."""
        history = self._core.history
        lost = history.lost()
        if lost is not None:
            self._miss(lost)
        elif history.gone.repeated is not None:
            gone, again = history.gone.repeated
            now = f"this build has such a call at {again!r} instead, and would make it a second time"
            self.diverge(gone.path, describe_event(gone), now)

    def is_over(self) -> bool:
        """Whether the body has asked for all that the log holds; if not, it diverges or has to go on."""
        missing = self._core.history.entries.first_unasked()
        if missing is None:
            return True
        if missing.since is None:
            self._miss(missing.event)
        return False

    def _asked_for(self, event: Event) -> Operation | None:
        operation = self._core.open.get(path_of(event))
        return operation if operation is not None and self._has_floor(operation) else None

    def _has_floor(self, operation: Operation) -> bool:
        return self._core.scheduler.floor in (None, operation.future)

    def _miss(self, event: Event) -> bool:
        if self.patient:
            return False
        self.diverge(event.path, describe_event(event), "this build does not ask for it")
        return True

    def _settle(self, operation: Operation, event: Event) -> None:
        try:
            self._core.settle(operation, event)
        except Exception as error:
            self.unreadable(event.path, describe_event(event), error)
