"""Delivers the recorded outcomes of a run in the order of its log, and stops where the code differs."""

from typing import TYPE_CHECKING

from flopod.events import Event, IterationCompleted, RunCancelled
from flopod.log.history import iteration_of
from flopod.workflow.operations import Operation, describe_event

if TYPE_CHECKING:
    from flopod.workflow.core import Core


class Replay:
    """The recorded past of a run, being delivered.

    While it is `patient`, it waits for a body that asyncio steps to ask for what the log holds.
    """

    def __init__(self, core: "Core") -> None:
        self.patient = False
        self._core = core

    def deliver(self) -> bool:
        """Deliver the next outcome, or diverge; False if the body has to go on first."""
        history = self._core.history
        record = history.next_outcome()
        if record is None:
            return True
        seq, event = record
        self._core.scheduler.now = event.at
        missing = history.first_unasked()
        if missing is not None and missing.seq < seq:
            return self._miss(missing.event)
        if isinstance(event, RunCancelled):
            history.delivered()
            self._core.ending.cancel(event.reason)
            return True
        operation = self._asked_for(event)
        if operation is None:
            return self._miss(event)
        history.delivered()
        self._settle(operation, event)
        return True

    def is_over(self) -> bool:
        """Whether the body has asked for all that the log holds; if not, it diverges or has to go on."""
        missing = self._core.history.first_unasked()
        if missing is None:
            return True
        self._miss(missing.event)
        return False

    def _asked_for(self, event: Event) -> Operation | None:
        path = iteration_of(event) if isinstance(event, IterationCompleted) else event.path
        operation = self._core.open.get(path)
        floor = self._core.scheduler.floor
        return operation if operation is None or floor in (None, operation.future) else None

    def _miss(self, event: Event) -> bool:
        if self.patient:
            return False
        self._core.diverge(event.path, describe_event(event), "this build does not ask for it")
        return True

    def _settle(self, operation: Operation, event: Event) -> None:
        try:
            self._core.settle(operation, event)
        except Exception as error:
            self._core.diverge(event.path, describe_event(event), f"this build cannot read it: {error}")
