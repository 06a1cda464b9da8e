"""What a live run gets, one at a time: outcomes of leaves, then events from outside, then due timers."""

from typing import TYPE_CHECKING

from flopod import codec
from flopod.errors import MigrationError
from flopod.events import CancelRequested, Event, SleepCompleted, WaitCompleted
from flopod.workflow.activity import Activity
from flopod.workflow.operations import Wait, read_payload

if TYPE_CHECKING:
    from flopod.workflow.core import Core

_GROUP = 256


class Delivery:
    """Delivers to the body of a live run, and writes down what it delivers.

    `cancel_reason` is that of a cancel still to be delivered; `is_full` says that a commit is due first.
    """

    def __init__(self, core: "Core") -> None:
        self.cancel_reason: str | None = None
        self.is_full = False
        self._core = core

    def next(self) -> bool:
        """Deliver what is first in turn; returns whether there was something."""
        core = self._core
        if core.ending.is_over or self._fills_up():
            return False
        if core.scheduler.floor is not None:
            return self._arrived() or self._timer()
        if self.cancel_reason is not None:
            return self._cancel(self.cancel_reason)
        return self._arrived() or self._mail() or self._timer()

    def _fills_up(self) -> bool:
        self.is_full = self._core.draft.pending >= _GROUP
        return self.is_full

    def _arrived(self) -> bool:
        core = self._core
        arrived = core.agenda.take_arrived(core.scheduler.floor)
        if arrived is None:
            return False
        operation, deliver = arrived
        if not operation.done():
            core.scheduler.now = core.now
            try:
                event = deliver()
            except MigrationError as error:
                core.replay.unreadable(operation.path, "what arrives there", error)
                return True
            core.emit(event)
            core.done += isinstance(operation, Activity)
            core.closed(operation)
        return True

    def _mail(self) -> bool:
        core = self._core
        found = core.mailbox.match()
        if found is None:
            return False
        wait, letter = found
        payload = letter.event.payload
        try:
            value = read_payload(payload, wait.type)
        except Exception as error:
            message = f"the payload of {wait.event!r} is dropped, it does not fit: {error}"
            core.output.warn_dropped(wait.path, message, letter.seq)
            return True
        versions = codec.versions_in(wait.type, plain=True)
        core.emit(
            WaitCompleted(
                path=wait.path, at=core.now, payload=payload, event_seq=letter.seq, versions=versions
            )
        )
        core.scheduler.now = core.now
        wait.set_result(value)
        core.closed(wait)
        return True

    def _timer(self) -> bool:
        core = self._core
        due = core.agenda.take_due(core.now, core.scheduler.floor)
        if due is None:
            return False
        if isinstance(due, Wait):
            event: Event = WaitCompleted(path=due.path, at=core.now, timed_out=True)
        else:
            event = SleepCompleted(path=due.path, at=core.now)
        core.scheduler.now = core.now
        core.emit(event)
        core.settle(due, event)
        return True

    def _cancel(self, reason: str) -> bool:
        core = self._core
        self.cancel_reason = None
        if core.ending.cancelled is not None:
            return False
        core.scheduler.now = core.now
        core.emit(CancelRequested(at=core.now, reason=reason))
        core.ending.cancel(reason)
        return True
