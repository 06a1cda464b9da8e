"""The records that count: a run that was rewound goes on from an earlier place in its log."""

from collections.abc import Iterator, Sequence
from typing import Any

from msgspec import Raw, json

from flopod.events import (
    ActivityFailed,
    CancelRequested,
    ChildEnded,
    Compensated,
    Event,
    EventReceived,
    Record,
    RunCancelled,
    RunFailed,
    RunResumed,
    RunRewound,
    RunSummary,
    Standing,
    StepError,
    fold,
)

CANCEL = "flopod.cancel"
_KEPT = (EventReceived, RunResumed)


def effective(records: Sequence[Record]) -> Sequence[Record]:
    """Return the records without those that a rewind has taken back.

    What was delivered to the run stays delivered, but for orders to cancel it; the builds that went on with
    it stay known, and what was compacted away is gone.
    """
    if not any(isinstance(event, RunRewound) for _, event in records):
        return records
    found: list[Record] = []
    for record in records:
        event = record.event
        if isinstance(event, RunRewound):
            found = [one for one in found if _counts(one, event)]
        else:
            found.append(record)
    return found


def standing_after(records: Sequence[Record], rewound: RunRewound) -> Standing:
    """Return what is open in a run once its log is rewound."""
    summary = RunSummary()
    for seq, event in effective([*records, Record(records[-1].seq + 1, rewound)]):
        summary = fold(summary, seq, event)
    return Standing(summary.running, summary.retrying, summary.sleeps, summary.waits, summary.children)


def _counts(record: Record, rewound: RunRewound) -> bool:
    seq, event = record
    if _orders_cancel(event):
        return False
    if seq > rewound.to:
        return isinstance(event, _KEPT)
    return not (isinstance(event, ActivityFailed) and event.path == rewound.path)


def _orders_cancel(event: Event) -> bool:
    return isinstance(event, EventReceived) and not event.path and event.event == CANCEL


def place_of_failure(records: Sequence[Record]) -> RunRewound | None:
    """Return the rewind that lets a failed or cancelled run go on from where it failed, None if it did not.

    This is before the last activity that was given up on, or the end of the last child that failed; if the
    body failed by itself, before its end. What failed beside the main line counts if its error is the run's.
    A run that was told to end goes on from before it was.
    """
    counted = effective(records)
    if not counted or not isinstance(counted[-1].event, RunFailed | RunCancelled):
        return None
    told = next((seq for seq, event in reversed(counted) if isinstance(event, CancelRequested)), None)
    if told is not None:
        return RunRewound(to=told - 1)
    cancelled = counted[-1].seq
    beside = _beside(counted)
    for seq, event in reversed(counted):
        if any(event.path == one or event.path.startswith(f"{one}/") for one in beside):
            continue
        if isinstance(event, ActivityFailed) and event.next_try is None:
            return RunRewound(to=seq - 1, path=event.path)
        if isinstance(event, ChildEnded) and event.error is not None:
            if not _is_cancelled(event.error):
                return RunRewound(to=seq - 1)
            cancelled = min(cancelled, seq)
    return RunRewound(to=cancelled - 1)


def undone_for_good(records: Sequence[Record], rewound: RunRewound) -> list[str]:
    """Return the paths of the compensations that have run and that a run rewound like that knows nothing of.

    One that goes on with a compensation that failed is none of them: what was undone before it stays so.
    """
    ended = [(seq, event) for seq, event in effective(records) if isinstance(event, Compensated)]
    goes_on_undoing = any(event.path == rewound.path and event.error is not None for _, event in ended)
    after = rewound.to if goes_on_undoing else 0
    return [event.path for seq, event in ended if seq > after and event.error is None]


def _beside(records: Sequence[Record]) -> list[str]:
    """Where work has failed beside the main line, of which the end of the run knows nothing."""
    end = records[-1].event
    failed = [event for _, event in records if isinstance(event, StepError)]
    known = list(_errors(json.decode(end.error))) if failed and isinstance(end, RunFailed) else []
    return [event.path for event in failed if next(_errors(json.decode(event.error)), None) not in known]


def _errors(document: Any) -> Iterator[tuple[str, Any]]:
    """Type and arguments of an exception, and of those that it was raised from, in or of."""
    if isinstance(document, dict):
        if document.get("$") == "exception":
            yield document["type"], document.get("args")
        for part in document.values():
            yield from _errors(part)
    elif isinstance(document, list):
        for part in document:
            yield from _errors(part)


def _is_cancelled(error: Raw) -> bool:
    """Whether a child was cancelled, perhaps by its parent, when that had failed already."""
    return bool(json.decode(error).get("type") == "flopod.errors:Cancelled")
