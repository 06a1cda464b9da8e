"""Reads the summaries of many runs of a SQLite file, each brought up to date with its log, by few statements.

Python lets go of its lock for each row, and where other threads have work it takes long to get it back: so
what is found comes as one row of JSON.
"""

import sqlite3
from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec

from flopod.backends.listing import Page, Place
from flopod.backends.reading import fold_records, read_records, stored_summary
from flopod.backends.schema import SEQ_BITS
from flopod.errors import DamagedLog
from flopod.events import Compacted, RunSummary

_FOUND = f"""
    WITH wanted AS MATERIALIZED (%s)
    SELECT json_group_array(json_array(run_id, started_at, coalesce(number, 0) << {SEQ_BITS}, body))
    FROM wanted LEFT JOIN summaries USING (run_id) LEFT JOIN logs USING (run_id)
"""
_BEHIND = """
    SELECT json_group_array(json_array(place, body)) FROM json_each(?) AS log
    CROSS JOIN records ON place > log.value ->> 0 AND place < log.value ->> 1
"""
_LACKS_TEXT = "SELECT 1 FROM summaries WHERE summaries.run_id = runs.run_id AND body NOT LIKE ?"


class _Row(NamedTuple):
    """A run of a listing: where its log begins, and its stored summary."""

    run_id: str
    started_at: int
    start: int
    body: str | None


class Piece(NamedTuple):
    """Some runs of a listing, and the place of the last one; None if it is known that none follow."""

    runs: list[RunSummary]
    place: Place | None


class Query(NamedTuple):
    """A statement that gives run ids and start times: at most `size`, where that is limited."""

    text: str
    values: tuple[object, ...]
    size: int | None = None


def query(page: Page, place: Place | None, size: int, *, upwards: bool = False) -> Query:
    """Return what finds `size` runs of a page after a place, the eldest first if `upwards`."""
    pattern = page.pattern
    conditions: list[tuple[str, Sequence[object]]] = [
        (f"status IN ({', '.join('?' * len(page.statuses))})", page.statuses),
        ("workflow = ?", () if page.workflow is None else (page.workflow,)),
        ("started_at > ?", () if page.started_after is None else (page.started_after,)),
        ("started_at < ?", () if page.started_before is None else (page.started_before,)),
        (f"(started_at, run_id) {'>' if upwards else '<'} (?, ?)", place or ()),
        (
            f"(run_id LIKE ? OR workflow LIKE ? OR NOT EXISTS ({_LACKS_TEXT}))",
            () if pattern is None else (pattern,) * 3,
        ),
    ]
    given = [(text, values) for text, values in conditions if values]
    where = f"WHERE {' AND '.join(text for text, _ in given)}" if given else ""
    order = "started_at, run_id" if upwards else "started_at DESC, run_id DESC"
    text = f"SELECT run_id, started_at FROM runs {where} ORDER BY {order} LIMIT ?"
    return Query(text, (*(value for _, values in given for value in values), size), size)


def read(
    db: sqlite3.Connection, name: str, wanted: Query, alone: Callable[[str], RunSummary | None]
) -> Piece:
    """Return the summaries of runs; `alone` makes that of one whose log does not simply go on."""
    rows = _rows(db.execute(_FOUND % wanted.text, wanted.values).fetchone()[0])
    stored = {row.run_id: stored_summary(row.body) for row in rows}
    behind = _behind(db, [row.start + one.seq for row in rows if (one := stored[row.run_id]) is not None])
    found = [
        _folded(name, row, stored[row.run_id], behind.get(row.start >> SEQ_BITS, ())) or alone(row.run_id)
        for row in rows
    ]
    is_last = wanted.size is None or len(rows) < wanted.size
    place = None if is_last else (rows[-1].started_at, rows[-1].run_id)
    return Piece([summary for summary in found if summary is not None], place)


def _behind(db: sqlite3.Connection, places: Sequence[int]) -> dict[int, list[bytes]]:
    """The records after these places, by the numbers of their logs."""
    spans = msgspec.json.encode([(place, ((place >> SEQ_BITS) + 1) << SEQ_BITS) for place in places]).decode()
    found: dict[int, list[bytes]] = {}
    for place, body in _records(db.execute(_BEHIND, (spans,)).fetchone()[0]):
        found.setdefault(place >> SEQ_BITS, []).append(body.encode())
    return found


def _folded(name: str, row: _Row, summary: RunSummary | None, behind: Sequence[bytes]) -> RunSummary | None:
    if summary is None or not behind:
        return summary
    try:
        records = read_records(f"{name}, run {row.run_id}", behind, summary.seq)
    except DamagedLog:
        return None
    if any(isinstance(event, Compacted) for _, event in records):
        return None
    return fold_records(row.run_id, summary, records)


_rows = msgspec.json.Decoder(list[_Row]).decode
_records = msgspec.json.Decoder(list[tuple[int, str]]).decode
