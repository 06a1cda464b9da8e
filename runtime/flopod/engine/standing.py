"""How a run stands: what is open in it, how far it is, how it ended."""

from flopod.engine.outcome import OpenSleep, OpenWait, PendingRetry, Progress, RunOutcome
from flopod.events import RunCancelled, RunCompleted, RunFailed, RunSummary
from flopod.workflow.core import Core
from flopod.workflow.operations import Sleep, Wait


def open_waits(core: Core) -> list[OpenWait]:
    """Return the waits that are open, in the order in which they began."""
    return [OpenWait(op.path, op.event, op.due) for op in core.open.values() if isinstance(op, Wait)]


def waits_of(summary: RunSummary) -> list[OpenWait]:
    """Return the waits that are open in a run that is not in memory."""
    return [OpenWait(path, wait.event, wait.due) for path, wait in summary.waits.items()]


def open_sleeps(core: Core) -> list[OpenSleep]:
    """Return the timers that are open, in the order in which they began."""
    return [OpenSleep(op.path, op.due) for op in core.open.values() if isinstance(op, Sleep)]


def progress_of(core: Core) -> Progress:
    """Return how far a run is."""
    return Progress(
        done=core.done,
        running=sorted(core.agenda.running),
        retrying=[PendingRetry(*retry) for retry in core.agenda.pending_retries()],
        waiting=open_waits(core),
        sleeping=open_sleeps(core),
    )


def outcome_of(core: Core) -> RunOutcome:
    """Return how a run ended, or that it is paused or waits."""
    if core.paused is not None:
        return RunOutcome("paused", reason=core.paused)
    if isinstance(core.ended, RunCancelled):
        return RunOutcome("cancelled", reason=core.ended.reason, error=core.error)
    if isinstance(core.ended, RunCompleted):
        return RunOutcome("completed", value=core.value)
    if isinstance(core.ended, RunFailed):
        return RunOutcome("failed", error=core.error, traceback=core.ended.traceback)
    return RunOutcome("waiting", waiting=open_waits(core), sleeping=open_sleeps(core))
