"""Lines of a log to its records, refusing what is damaged or out of order."""

from collections.abc import Iterable

import msgspec

from flopod.errors import DamagedLog, DamagedRecord
from flopod.events import Record, RunSummary, decode_line, fold


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


def fold_records(run_id: str, summary: RunSummary | None, records: Iterable[Record]) -> RunSummary | None:
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


def damaged_summary(run_id: str, error: DamagedLog) -> RunSummary:
    """Return what a listing shows of a run whose log cannot be read."""
    return RunSummary(run_id=run_id, status="storage_error", error=str(error))


decode_summary = msgspec.json.Decoder(RunSummary).decode
