"""The rows of the run list, from summaries."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from flopod.events import RunSummary, Status
from flopod.server.views.values import short
from flopod.server.views.words import counted, duration

STATUSES: tuple[Status, ...] = (
    "running",
    "waiting",
    "pending",
    "paused",
    "failed",
    "completed",
    "cancelled",
    "diverged",
    "storage_error",
)
LABELS: Mapping[str, str] = {"storage_error": "storage error"}
_ALWAYS: frozenset[Status] = frozenset({"running", "waiting", "failed", "completed"})
_SHOWN = 3


class Chip(NamedTuple):
    """A filter by status, with how many runs have it; `on` if it is chosen."""

    status: str
    label: str
    amount: int
    on: bool


class RunRow(NamedTuple):
    """A run in the list; times are ms since the epoch, `note` says what it waits for or why it ended."""

    run_id: str
    workflow: str
    status: Status
    label: str
    started_at: int
    took: str
    is_over: bool
    steps: str
    note: str
    is_error: bool
    parent: str | None


def chips(counts: Mapping[Status, int], chosen: Sequence[str]) -> list[Chip]:
    """Return the filters by status: those that are common, and those that some run has."""
    return [
        Chip(status, LABELS.get(status, status), counts.get(status, 0), status in chosen)
        for status in STATUSES
        if status in _ALWAYS or counts.get(status) or status in chosen
    ]


def rows(summaries: Iterable[RunSummary], now: int) -> list[RunRow]:
    """Return the rows of a page of the list."""
    return [row(summary, now) for summary in summaries]


def row(summary: RunSummary, now: int) -> RunRow:
    """Return a run as a row of the list."""
    end = summary.ended_at if summary.ended_at is not None else now
    note, is_error = _note(summary)
    return RunRow(
        summary.run_id,
        summary.workflow,
        summary.status,
        LABELS.get(summary.status, summary.status),
        summary.started_at,
        duration(max(end - summary.started_at, 0)),
        summary.ended_at is not None,
        _steps(summary),
        note,
        is_error,
        summary.parent,
    )


def _steps(summary: RunSummary) -> str:
    parts = [f"{summary.activities_done:,}"]
    parts += [counted(summary.retries, "retry", "retries")] if summary.retries else []
    parts += [counted(summary.crashes, "crash", "crashes")] if summary.crashes else []
    return " · ".join(parts)


def _note(summary: RunSummary) -> tuple[str, bool]:
    """What one wants to know of a run next, and whether that is an error."""
    if summary.error:
        return short(summary.error.strip().splitlines()[0], 200), summary.status not in (
            "paused",
            "cancelled",
        )
    if summary.cancelling and summary.ended_at is None:
        return "is being cancelled", False
    if summary.waits:
        return _named("waits for", [wait.event for wait in summary.waits.values()]), False
    if summary.retrying:
        return _named("tries again:", list(summary.retrying)), False
    if summary.running:
        return _named("runs", list(summary.running)), False
    if summary.sleeps:
        return _named("sleeps at", list(summary.sleeps)), False
    if summary.children:
        return _named("waits for the runs", list(summary.children.values())), False
    return "", False


def _named(what: str, names: Sequence[str]) -> str:
    unique = list(dict.fromkeys(names))
    more = f" and {len(unique) - _SHOWN:,} more" if len(unique) > _SHOWN else ""
    return f"{what} {', '.join(short(name, 60) for name in unique[:_SHOWN])}{more}"
