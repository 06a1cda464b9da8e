"""Lines of a log to its records, refusing what is damaged or out of order."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from flopod.backends.lock import FileHold
from flopod.errors import DamagedLog, DamagedRecord
from flopod.events import Event, Record, RunStarted, RunSummary, decode_line, fold

_GOING_ON = ("pending", "running", "waiting")


def read_records(
    file: str, lines: Iterable[bytes], after: int = 0, offset: int | None = None
) -> list[Record]:
    """Return the records in `lines`, whose sequence numbers go on after `after`.

    `offset` is the place of the first line in `file`, None if the lines are not lines of a file.
    Raises DamagedLog, which names the first line that is wrong.
    """
    records: list[Record] = []
    for number, line in enumerate(lines, start=after + 1):
        try:
            record = decode_line(line)
        except DamagedRecord as error:
            raise DamagedLog(file, number, offset, str(error)) from None
        if record.seq != number:
            raise DamagedLog(file, number, offset, f"it has the sequence number {record.seq}, not {number}")
        records.append(record)
        if offset is not None:
            offset += len(line) + 1
    return records


def fold_records(
    run_id: str, summary: RunSummary | None, records: Iterable[tuple[int, Event]]
) -> RunSummary | None:
    """Bring `summary` up to date with those of `records` that come after it, in place."""
    folded = 0 if summary is None else summary.seq
    for seq, event in records:
        if seq > folded:
            summary = fold(summary, seq, event)
            summary.run_id = run_id
    return summary


def duplicate(summary: RunSummary) -> RunSummary:
    """Return a copy that shares nothing with `summary`."""
    return decode_summary(msgspec.json.encode(summary))


def check_owner(file: str, run_id: str, records: Sequence[Record]) -> None:
    """Check that a log, from its first record on, is that of `run_id`. Raises DamagedLog."""
    first = records[0].event if records else None
    if isinstance(first, RunStarted) and first.run_id not in ("", run_id):
        why = f"it is the log of the run {first.run_id!r}, not of {run_id!r}"
        raise DamagedLog(file, 1, None, why)


def in_trouble(summary: RunSummary | None, lock: Path) -> RunSummary | None:
    """Return `summary`, changed if the run was left because its store could not even note that."""
    if summary is not None and summary.status in _GOING_ON and FileHold.ended_in_trouble(lock):
        summary.status = "storage_error"
        summary.error = "its store could not be written when it was left; it resumes when it can be"
    return summary


def damaged_summary(run_id: str, error: DamagedLog) -> RunSummary:
    """Return what a listing shows of a run whose log cannot be read."""
    return RunSummary(run_id=run_id, status="storage_error", error=str(error))


decode_summary = msgspec.json.Decoder(RunSummary).decode
