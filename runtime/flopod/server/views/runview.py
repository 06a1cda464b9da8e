"""The head of a run's page: how it stands, what it waits for, and how it came to an end."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from msgspec import Raw

from flopod.engine.waits import matches
from flopod.events import FINAL, Record, RunStarted, RunSummary, WaitPoint, fold
from flopod.server.views.course import Course, Operation
from flopod.server.views.listing import LABELS
from flopod.server.views.sourceview import told


class Open(NamedTuple):
    """Something that goes on. A wait has its `event` and the `schema` of what it takes."""

    path: str
    state: str
    text: str
    since: int
    due: int | None
    event: str = ""
    schema: Raw | None = None
    child: str = ""


class RunView(NamedTuple):
    """A run as its header shows it; times are ms since the epoch."""

    run_id: str
    workflow: str
    status: str
    label: str
    is_over: bool
    build: str
    build_name: str
    started_at: int
    ended_at: int | None
    seq: int
    steps: int
    failed: int
    retries: int
    crashes: int
    parent: str | None
    forked_from: str
    children: list[tuple[str, str]]
    input: Raw | None
    result: Raw | None
    error: str
    traceback: str
    cancelling: bool
    going_on: list[Open]
    queue: str
    attributes: dict[str, Any]


def run_view(
    summary: RunSummary, records: Sequence[Record], course: Course, points: Sequence[WaitPoint], now: int
) -> RunView:
    """Return the head of a run, from its summary and its log."""
    first = records[0].event if records else None
    started = first if isinstance(first, RunStarted) else None
    failure = course.failure
    return RunView(
        run_id=summary.run_id,
        workflow=summary.workflow,
        status=summary.status,
        label=LABELS.get(summary.status, summary.status),
        is_over=summary.status in FINAL,
        build=summary.build,
        build_name=summary.build_name,
        started_at=summary.started_at,
        ended_at=summary.ended_at,
        seq=summary.seq,
        steps=summary.activities_done,
        failed=summary.activities_failed,
        retries=summary.retries,
        crashes=summary.crashes,
        parent=summary.parent,
        forked_from="" if started is None else started.forked_from,
        children=[(one.path, one.child) for one in course.operations.values() if one.child],
        input=None if started is None else started.input,
        result=course.result,
        error=summary.error if summary.status != "completed" else "",
        traceback="" if failure is None else failure.traceback,
        cancelling=summary.cancelling and summary.status not in FINAL,
        going_on=[_open(one, points, now) for one in course.open_operations()],
        queue=summary.queue,
        attributes=dict(summary.attributes),
    )


def summary_at(records: Sequence[Record]) -> RunSummary:
    """Return the summary that a run had after the last of these records."""
    summary: RunSummary | None = None
    for seq, event in records:
        summary = fold(summary, seq, event)
    return RunSummary() if summary is None else summary


def _open(one: Operation, points: Sequence[WaitPoint], now: int) -> Open:
    schema = next((each.schema for each in points if matches(each.path, one.path)), None)
    return Open(one.path, one.state, told(one, now), one.begun, one.due, one.event, schema, one.child)
