"""Lines of a log to its records, refusing what is damaged or out of order."""

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from flopod.errors import DamagedLog, DamagedRecord
from flopod.events import Compacted, Event, Record, RunStarted, RunSummary, decode_line, fold, present
from flopod.events.spans import last_compacted, merged

_PIECE = 2000
_PIECE_SIZE = 1 << 19
_LINE = 1 << 12


def read_records(
    file: str, lines: Iterable[bytes], after: int = 0, offset: int | None = None
) -> list[Record]:
    """Return the records in `lines` that count, whose sequence numbers go on after `after`.

    `offset` is the place of the first line in `file`, None if the lines are not lines of a file. Numbers
    may only be missing where a later record says that they were compacted away. Raises DamagedLog, which
    names the first line that is wrong.
    """
    records, gaps = _read(file, lines, after, offset)
    return _without_dropped(file, records, gaps)


def scan_rows(
    name: str, read: Callable[[int, int], Sequence[tuple[int, bytes]]], after: int = 0
) -> Iterator[Record]:
    """Yield the records of a log after `after`; `read(after, count)` gives rows of a number and a line.

    Only some of them are in memory at a time, so that what is missing without need shows at the end.
    Raises DamagedLog.
    """

    def pieces() -> Iterator[_Piece]:
        last = after
        while rows := read(last, _PIECE):
            last = rows[-1][0]
            yield _Piece([line for _, line in rows], last)

    return _scan(name, pieces(), after)


def scan_lines(file: Path, after: int = 0) -> Iterator[Record]:
    """Yield the records of a log in a file as `scan_rows` does. Raises DamagedLog, OSError."""

    def pieces() -> Iterator[_Piece]:
        offset = 0
        with file.open("rb") as stream:
            while lines := stream.readlines(_PIECE_SIZE):
                whole = [line for line in lines if line.endswith(b"\n")]
                wanted = [line[:-1] for line in whole if _is_after(line, after)]
                passed = sum(map(len, whole[: len(whole) - len(wanted)]))
                if wanted:
                    yield _Piece(wanted, offset=offset + passed)
                offset += sum(map(len, lines))

    return _scan(str(file), pieces(), after)


def _is_after(line: bytes, seq: int) -> bool:
    try:
        return seq_of(line) > seq
    except ValueError:
        return True  # damaged, which is for the reader to say


class _Piece(NamedTuple):
    """Some lines of a log in a row: the number of the row of the last one, or the place of the first one."""

    lines: Sequence[bytes]
    last: int | None = None
    offset: int | None = None


def _scan(file: str, pieces: Iterable[_Piece], after: int) -> Iterator[Record]:
    gaps: list[_Gap] = []
    compacted: Compacted | None = None
    for lines, last, offset in pieces:
        records, found = _read(file, lines, after, offset)
        after = records[-1].seq
        if last not in (None, after):
            raise DamagedLog(file, after, None, f"its key is {last}")
        gaps += found
        compacted = last_compacted(records) or compacted
        yield from records
    _check_gaps(file, gaps, compacted)


def _read(
    file: str, lines: Iterable[bytes], after: int, offset: int | None
) -> "tuple[list[Record], list[_Gap]]":
    records: list[Record] = []
    gaps: list[_Gap] = []
    expected = after + 1
    for line_number, line in enumerate(lines, start=expected):
        try:
            record = decode_line(line)
        except DamagedRecord as error:
            raise DamagedLog(file, line_number, offset, str(error)) from None
        if record.seq != expected:
            gaps.append(_Gap(expected, record.seq, line_number, offset))
            if record.seq < expected or expected == 1:
                swapped = (gap for gap in gaps if gap.expected <= record.seq < gap.found)
                raise next(swapped, gaps[-1]).damage(file)
        records.append(record)
        expected = record.seq + 1
        if offset is not None:
            offset += len(line) + 1
    return records, gaps


class _Gap(NamedTuple):
    """Where the record `expected` should be, there is `found`."""

    expected: int
    found: int
    line: int
    offset: int | None

    def damage(self, file: str) -> DamagedLog:
        why = f"it has the sequence number {self.found}, not {self.expected}"
        return DamagedLog(file, self.line, self.offset, why)


def _without_dropped(file: str, records: list[Record], gaps: list[_Gap]) -> list[Record]:
    _check_gaps(file, gaps, last_compacted(records) if gaps else None)
    return present(records)


def _check_gaps(file: str, gaps: "list[_Gap]", compacted: Compacted | None) -> None:
    for gap in gaps:
        missing = (gap.expected, gap.found - 1)
        if compacted is None or merged([*compacted.dropped, missing]) != compacted.dropped:
            raise gap.damage(file)


def seq_of(line: bytes) -> int:
    """Return the sequence number of a record line that is known to be good."""
    return int(line[len(b'{"seq":') : line.index(b",")])


def last_seq(file: Path) -> int:
    """Return the sequence number of the last whole line of a log in a file, 0 if none can be read.

    Raises OSError.
    """
    size, lines = _LINE, [b""]
    with file.open("rb") as stream:
        start = end = stream.seek(0, os.SEEK_END)
        # The first of the pieces may be the end of a line, and the last one its beginning.
        while start > 0 and len(lines) < 3:
            start = stream.seek(max(end - size, 0))
            lines = stream.read(end - start).split(b"\n")
            size *= 8
    with contextlib.suppress(ValueError, IndexError):
        return seq_of(lines[-2])
    return 0


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


def folded_on(
    run_id: str, base: RunSummary | None, read: Callable[[int], Sequence[Record]]
) -> tuple[RunSummary | None, Sequence[Record]]:
    """Bring a stored summary up to date with `read(after)`, the records after it; returns also those.

    One from before the last compaction is made anew: how what was open then has ended may be gone.
    """
    records = read(base.seq if base else 0)
    if base is not None and last_compacted(records) is not None:
        base, records = None, read(0)
    return fold_records(run_id, base, records), records


def duplicate(summary: RunSummary) -> RunSummary:
    """Return a copy that shares nothing with `summary`."""
    return decode_summary(msgspec.json.encode(summary))


def check_owner(file: str, run_id: str, records: Sequence[Record]) -> None:
    """Check that a log, from its first record on, is that of `run_id`. Raises DamagedLog."""
    first = records[0].event if records else None
    if isinstance(first, RunStarted) and first.run_id not in ("", run_id):
        why = f"it is the log of the run {first.run_id!r}, not of {run_id!r}"
        raise DamagedLog(file, 1, None, why)


def damaged_summary(run_id: str, error: DamagedLog) -> RunSummary:
    """Return what a listing shows of a run whose log cannot be read."""
    return RunSummary(run_id=run_id, status="storage_error", error=str(error))


def stored_summary(body: bytes | str | None) -> RunSummary | None:
    """Return the summary that a store has kept, None if there is none that can be gone on from."""
    try:
        summary = decode_summary(body) if body else None
    except msgspec.DecodeError:
        return None
    return summary if summary and summary.is_current else None


decode_summary = msgspec.json.Decoder(RunSummary).decode
