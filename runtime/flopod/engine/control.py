"""Operates runs from outside: what can be told to a run without having its code.

A run that some process is driving is told through its inbox, and obeys at the next durable point. One that
nobody drives is changed in place where that needs no code: paused, resumed, retried, terminated.
"""

import contextlib
import time
from collections.abc import Iterator
from enum import Enum
from itertools import chain

from msgspec import Raw
from msgspec.structs import replace

from flopod import codec
from flopod.backends.base import Backend, now_ms
from flopod.engine.waits import summary_of
from flopod.errors import Conflict, RunHeld
from flopod.events import FINAL, Event, RunCancelled, RunPaused, RunResumed, RunRewound, RunSummary
from flopod.log.history import RESUMED_ON_PURPOSE
from flopod.log.offspring import to_retry
from flopod.log.rewind import CANCEL, place_of_failure, standing_after, undone_for_good
from flopod.workflow.core import CHANGED, PAUSE

_PATIENCE = 5.0
_UNDONE = (
    "what it did has been undone ({}), and a retry would go on as if it had not; begin a run that does it "
    "anew: `flopod runs fork {} NEW_RUN_ID --from PATH`, where PATH is the first step to be done again"
)


class Done(Enum):
    """What became of an order."""

    NOW = "now"
    TOLD = "told"
    ALREADY = "already"
    UNDERWAY = "underway"


def cancel(backend: Backend, run_id: str, reason: str = "", *, force: bool = False) -> Done:
    """Cancel a run: CancelledError is raised where its body waits, which may clean up durably.

    Without a process that drives it, it is told when the next one goes on with it. With `force` it ends
    here and now, without cleaning up. A run is told once: it is UNDERWAY if it has obeyed and not ended.
    Raises UnknownRun, Conflict if it is over, RunHeld with `force`.
    """
    summary = _open(backend, run_id, "cancelled")
    if summary is None:
        return Done.ALREADY
    if force or summary.status == "pending":
        try:
            _change(backend, run_id, RunCancelled(reason=reason))
        except RunHeld:
            if force:
                raise
        else:
            _cancel_children(backend, summary)
            tell_engines(backend, run_id)
            return Done.NOW
    if summary.status == "paused":
        resume(backend, run_id)
    if summary.cancelling:
        tell_engines(backend, run_id)  # nobody may have gone on with it since
        return Done.UNDERWAY
    return _tell(backend, run_id, CANCEL, reason)


def pause(backend: Backend, run_id: str, reason: str = "") -> Done:
    """Bring a run to rest: leaves under way end and are recorded, nothing else is started.

    Raises UnknownRun, Conflict if it is over.
    """
    if _open(backend, run_id, "paused") is None:
        return Done.ALREADY
    try:
        _change(backend, run_id, RunPaused(reason=reason or "by hand"))
    except RunHeld:
        return _tell(backend, run_id, PAUSE, reason or "by hand")
    tell_engines(backend, run_id)
    return Done.NOW


def resume(backend: Backend, run_id: str) -> Done:
    """Let a paused run go on, in an engine at once, else when it is started. Raises UnknownRun, Conflict."""
    summary = summary_of(backend, run_id)
    if summary.status in FINAL:
        raise Conflict(run_id, summary.status, "it does not go on; `retry` lets a failed run go on")
    if summary.status not in ("paused", "diverged"):
        return Done.ALREADY
    _change(backend, run_id, RunResumed(reason=RESUMED_ON_PURPOSE))
    tell_engines(backend, run_id)
    return Done.NOW


def retry(backend: Backend, run_id: str, reason: str = "") -> Done:
    """Let a failed or cancelled run go on from where it failed: before the last leaf that was given up on.

    What ran after that counts no more. If a child failed, or was cancelled with the run, it is tried again
    first. Raises UnknownRun; Conflict, and nothing is changed, if the run is in another state or has undone
    what it would go on from.
    """
    summary = summary_of(backend, run_id)
    if summary.status in ("paused", "diverged"):
        return resume(backend, run_id)
    for each, rewind in _rewinds(backend, summary):
        _change(backend, each, replace(rewind, reason=reason))
        tell_engines(backend, each)
    return Done.NOW


def _rewinds(backend: Backend, summary: RunSummary) -> Iterator[tuple[str, RunRewound]]:
    """The runs to go on with, children before their parents."""
    run_id = summary.run_id
    records = backend.load(run_id) if summary.status in ("failed", "cancelled") else []
    rewind = place_of_failure(records)
    if rewind is None:
        raise Conflict(run_id, summary.status, "only a run that failed or was cancelled can be tried again")
    undone = undone_for_good(records, rewind)
    if undone:
        raise Conflict(run_id, summary.status, _UNDONE.format(", ".join(undone), run_id))
    children = [_failed_child(backend, run_id, child) for child in to_retry(records, rewind.to)]
    below = [_rewinds(backend, child) for child in children if child is not None]
    return chain(*below, [(run_id, replace(rewind, standing=standing_after(records, rewind)))])


def _failed_child(backend: Backend, parent: str, child: str) -> RunSummary | None:
    """A child that did not complete; one that another run owns stays as it is."""
    summary = backend.summary(child)
    if summary is None or summary.parent != parent or summary.status not in ("failed", "cancelled"):
        return None
    return summary


def _open(backend: Backend, run_id: str, wanted: str) -> RunSummary | None:
    """The summary of a run that is not over, None if it is `wanted` already."""
    summary = summary_of(backend, run_id)
    if summary.status == wanted:
        return None
    if summary.status in FINAL:
        raise Conflict(run_id, summary.status, f"it cannot be {wanted} any more")
    return summary


def _change(backend: Backend, run_id: str, event: Event) -> None:
    with backend.hold(run_id) as hold:
        records = backend.load(run_id)
        crashed = [RunResumed(at=now_ms(), crashed=True)] if hold.crashed else []
        backend.append(run_id, records[-1].seq, [*crashed, replace(event, at=now_ms())])


def _cancel_children(backend: Backend, ended: RunSummary) -> None:
    """Cancel the children that end with a run, which nobody drives any more."""
    for child in ended.children.values():
        summary = backend.summary(child)
        if summary is not None and summary.parent == ended.run_id and not summary.detached:
            with contextlib.suppress(Conflict):
                cancel(backend, child, f"its parent {ended.run_id!r} is over")


def tell_engines(backend: Backend, run_id: str) -> None:
    """Let an engine that serves look at a run that was changed, or made, without it."""
    _tell(backend, run_id, CHANGED, "")


def _tell(backend: Backend, run_id: str, order: str, reason: str) -> Done:
    backend.deliver(run_id, "", order, Raw(codec.encode(reason)))
    return Done.TOLD


def wait_until(backend: Backend, run_id: str, status: str, patience: float = _PATIENCE) -> bool:
    """Wait until a run that was told has obeyed; returns whether it has, within `patience` seconds."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        if summary_of(backend, run_id).status == status:
            return True
        time.sleep(0.02)
    return False
