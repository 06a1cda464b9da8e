"""The state of a run in a few hundred bytes, folded from its events one by one.

Listings read summaries and never logs. A summary says up to which sequence number it was folded, so
that one which is older than its log is brought up to date by the events after that.
"""

from collections.abc import Callable
from typing import Any

from msgspec import Raw, Struct

from flopod.events import events as e
from flopod.events.parts import OpenWait, Standing
from flopod.status import Status

FINAL: frozenset[str] = frozenset({"completed", "failed", "cancelled"})
AT_REST: frozenset[str] = FINAL | {"paused", "diverged"}
_VERSION = 3
_ERROR_LIMIT = 500
_FEW = 64


class RunSummary(Struct, omit_defaults=True, kw_only=True):
    """What a listing shows of a run; `fold` changes it in place.

    Times are milliseconds since the epoch. What is open is keyed by its path: `running` holds the
    attempt that each activity is at, `retrying` when the next one is due, `sleeps` when they end,
    `children` the run ids. `inbox` is the last inbox item that the run took over; `detaches` counts what it
    has detached. What was itself detached has the `driver` and the id of the `detach`.
    """

    run_id: str = ""
    workflow: str = ""
    status: Status = "pending"
    build: str = ""
    build_name: str = ""
    parent: str | None = None
    detached: bool = False
    driver: str = ""
    detach: str = ""
    detaches: int = 0
    started_at: int = 0
    updated_at: int = 0
    ended_at: int | None = None
    seq: int = 0
    inbox: int = 0
    activities_started: int = 0
    activities_done: int = 0
    activities_failed: int = 0
    retries: int = 0
    crashes: int = 0
    result_size: int | None = None
    error: str = ""
    cancelling: bool = False
    running: dict[str, int] = {}
    retrying: dict[str, int] = {}
    sleeps: dict[str, int] = {}
    waits: dict[str, OpenWait] = {}
    children: dict[str, str] = {}
    queue: str = ""
    key: str = ""
    priority: int = 0
    attributes: dict[str, e.Attribute] = {}
    version: int = 0

    def timers(self) -> dict[str, int]:
        """Return every open path that wants to be woken at a time, with that time."""
        timed_waits = {path: wait.due for path, wait in self.waits.items() if wait.due is not None}
        return {**self.retrying, **self.sleeps, **timed_waits}

    @property
    def open_count(self) -> int:
        """How many operations are open."""
        return len(self.running) + len(self.sleeps) + len(self.waits) + len(self.children)

    @property
    def expects_anything(self) -> bool:
        """Whether anything but activities under way is open, so that the run may come to wait."""
        return bool(self.retrying or self.sleeps or self.waits or self.children)

    @property
    def next_due(self) -> int | None:
        """The earliest time at which something open wants to be woken."""
        if not (self.retrying or self.sleeps or self.waits):
            return None
        timed_waits = [wait.due for wait in self.waits.values() if wait.due is not None]
        return min((*self.retrying.values(), *self.sleeps.values(), *timed_waits), default=None)

    @property
    def is_current(self) -> bool:
        """Whether this version of flopod made it, so that it can be folded on."""
        return self.version == _VERSION


def fold(summary: RunSummary | None, seq: int, event: e.Event) -> RunSummary:
    """Bring `summary` (None before the first event) up to `event`, in place, and return it.

    A run that has only started is pending; whatever follows makes it running, or waiting if all that
    is open are waits, sleeps and children. A run at rest (paused, diverged, ended) stays so until it
    is resumed.
    """
    if summary is None:
        summary = RunSummary(started_at=event.at, version=_VERSION)
    if summary.status == "storage_error":
        summary.error = ""
    summary.seq = seq
    summary.updated_at = event.at
    step = _STEPS.get(type(event))
    if step is not None:
        step(summary, event)
    if seq > 1 and summary.status not in AT_REST:
        summary.status = "waiting" if _only_waits(summary) else "running"
    return summary


def _only_waits(summary: RunSummary) -> bool:
    return not summary.running and bool(summary.waits or summary.sleeps or summary.children)


def _started(summary: RunSummary, event: e.RunStarted) -> None:
    summary.run_id = event.run_id
    summary.workflow = event.workflow
    summary.build = event.build
    summary.build_name = event.build_name
    summary.parent = event.parent
    summary.detached = event.detached
    summary.driver = event.driver
    summary.detach = event.detach
    summary.queue = event.queue
    summary.key = event.key
    summary.priority = event.priority
    summary.attributes = event.attributes


def _resumed(summary: RunSummary, event: e.RunResumed) -> None:
    summary.status = "running"
    summary.build = event.build or summary.build
    summary.crashes += event.crashed
    summary.ended_at = None
    summary.result_size = None
    summary.error = ""


def _paused(summary: RunSummary, event: e.RunPaused) -> None:
    summary.status = "paused"
    summary.error = event.reason[:_ERROR_LIMIT]


def _diverged(summary: RunSummary, event: e.RunDiverged) -> None:
    summary.status = "diverged"
    summary.error = event.reason[:_ERROR_LIMIT]


def _cancel_requested(summary: RunSummary, _: e.CancelRequested) -> None:
    summary.cancelling = True


def _rewound(summary: RunSummary, event: e.RunRewound) -> None:
    summary.status = "running"
    summary.cancelling = False
    summary.ended_at = None
    summary.result_size = None
    summary.error = ""
    for opened, then in zip(_all_open(summary), _all_open(event.standing), strict=True):
        opened.clear()
        opened.update(then)


def _cancelled(summary: RunSummary, event: e.RunCancelled) -> None:
    _end(summary, "cancelled", event)
    summary.error = event.reason[:_ERROR_LIMIT]


def _failed(summary: RunSummary, event: e.RunFailed) -> None:
    _end(summary, "failed", event)
    summary.error = _last_line(event.traceback) or _text(event.error)


def _completed(summary: RunSummary, event: e.RunCompleted) -> None:
    _end(summary, "completed", event)
    summary.result_size = len(bytes(event.result))


def _end(summary: RunSummary, status: Status, event: e.Event) -> None:
    summary.status = status
    summary.ended_at = event.at
    for opened in _all_open(summary):
        opened.clear()


def _activity_started(summary: RunSummary, event: e.ActivityStarted) -> None:
    if event.path not in summary.running:
        summary.activities_started += 1
        summary.running[event.path] = 1
    summary.retrying.pop(event.path, None)


def _activity_completed(summary: RunSummary, event: e.ActivityCompleted) -> None:
    summary.activities_done += 1
    _close_activity(summary, event.path)


def _activity_failed(summary: RunSummary, event: e.ActivityFailed) -> None:
    if event.next_try is None:
        summary.activities_failed += 1
        _close_activity(summary, event.path)
    else:
        summary.retries += 1
        summary.running[event.path] = event.attempt + 1
        summary.retrying[event.path] = event.next_try


def _activity_progress(summary: RunSummary, event: e.ActivityProgress) -> None:
    summary.retrying.pop(event.path, None)


def _sleep_started(summary: RunSummary, event: e.SleepStarted) -> None:
    summary.sleeps[event.path] = event.due


def _wait_started(summary: RunSummary, event: e.WaitStarted) -> None:
    summary.waits[event.path] = OpenWait(event.event, event.due)


def _child_started(summary: RunSummary, event: e.ChildStarted) -> None:
    summary.children[event.path] = event.child


def _detached(summary: RunSummary, event: e.Detached) -> None:
    summary.detaches += 1
    if event.mode == "join":
        summary.children[event.path] = event.child


def _closed(summary: RunSummary, event: e.Event) -> None:
    _close(summary, event.path)


def _received(summary: RunSummary, event: e.EventReceived) -> None:
    summary.inbox = max(summary.inbox, event.inbox)


def _compacted(summary: RunSummary, event: e.Compacted) -> None:
    totals = event.totals
    summary.activities_started = totals.started
    summary.activities_done = totals.done
    summary.activities_failed = totals.failed
    summary.retries = totals.retries
    summary.crashes = totals.crashes
    summary.inbox = max(summary.inbox, event.inbox)


def _abandoned(summary: RunSummary, event: e.Abandoned) -> None:
    for path in event.paths:
        _close(summary, path)


def _iteration_completed(summary: RunSummary, event: e.IterationCompleted) -> None:
    # Tidies up after cancelled arms, of which no event tells. In a wide fan-out it would cost more
    # than it gives; an enclosing iteration, or the end of the run, tidies up then.
    if not any(_all_open(summary)) or summary.open_count > _FEW:
        return
    inside = event.path if event.path.endswith("]") else f"{event.path}[{event.key}]"
    for opened in _all_open(summary):
        for path in [path for path in opened if path.startswith(inside + "/")]:
            del opened[path]


def _all_open(of: RunSummary | Standing) -> tuple[dict[str, Any], ...]:
    return of.running, of.retrying, of.sleeps, of.waits, of.children


def _close_activity(summary: RunSummary, path: str) -> None:
    summary.running.pop(path, None)
    summary.retrying.pop(path, None)


def _close(summary: RunSummary, path: str) -> None:
    for opened in _all_open(summary):
        opened.pop(path, None)


def _last_line(traceback: str) -> str:
    lines = traceback.strip().splitlines()
    return lines[-1][:_ERROR_LIMIT] if lines else ""


def _text(value: Raw) -> str:
    return bytes(value)[:_ERROR_LIMIT].decode("utf-8", "replace")


STEADY: frozenset[type[e.Event]] = frozenset(
    {
        e.ActivityStarted,
        e.ActivityCompleted,
        e.ActivityProgress,
        e.IterationCompleted,
        e.BranchTaken,
        e.Recorded,
        e.VarChanged,
        e.ListChanged,
        e.MapChanged,
        e.StepError,
        e.Log,
        e.Compacted,
    }
)
"""Events that leave a running run running, while it expects nothing but activities."""

_STEPS: dict[type[e.Event], Callable[[RunSummary, Any], None]] = {
    e.RunStarted: _started,
    e.RunResumed: _resumed,
    e.RunPaused: _paused,
    e.RunDiverged: _diverged,
    e.CancelRequested: _cancel_requested,
    e.RunRewound: _rewound,
    e.RunCancelled: _cancelled,
    e.RunFailed: _failed,
    e.RunCompleted: _completed,
    e.ActivityStarted: _activity_started,
    e.ActivityCompleted: _activity_completed,
    e.ActivityFailed: _activity_failed,
    e.ActivityProgress: _activity_progress,
    e.SleepStarted: _sleep_started,
    e.SleepCompleted: _closed,
    e.WaitStarted: _wait_started,
    e.WaitCompleted: _closed,
    e.ChildStarted: _child_started,
    e.ChildCompleted: _closed,
    e.Detached: _detached,
    e.DetachEnded: _closed,
    e.EventReceived: _received,
    e.Abandoned: _abandoned,
    e.IterationCompleted: _iteration_completed,
    e.Compacted: _compacted,
}
