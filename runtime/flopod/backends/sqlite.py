"""Runs in one SQLite file: an append is a transaction, and safe from a power cut when it returns."""

import sqlite3
from collections.abc import Sequence
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import msgspec
from msgspec import Raw

from flopod.backends import disk
from flopod.backends.base import Backend, Batch, InboxItem, Timer, due_of, read_cursor
from flopod.backends.database import Database, transaction
from flopod.backends.lock import FileHold, Hold
from flopod.backends.reading import (
    damaged_summary,
    decode_summary,
    fold_records,
    read_records,
)
from flopod.errors import DamagedLog, Fenced, FlopodError, StorageError
from flopod.events import (
    STEADY,
    Event,
    Record,
    RunSummary,
    Status,
    encode_line,
    fold,
    kind_of,
)
from flopod.runid import check_run_id

_LAG = 256
_FEW = 8

_Row = tuple[str, int, str, str, int, str]

_APPEND = "INSERT INTO events (run_id, seq, kind, path, at, body) VALUES "
_ROW = "(?, ?, ?, ?, ?, ?)"
_LAST_SEQ = "SELECT coalesce(max(seq), 0) FROM events WHERE run_id = ?"
_LOAD = "SELECT seq, CAST(body AS BLOB) FROM events WHERE run_id = ? AND seq > ? ORDER BY seq"
_SET_HEADLINE = """
    INSERT INTO runs (run_id, workflow, status, started_at, next_due) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (run_id) DO UPDATE SET workflow = excluded.workflow, status = excluded.status,
        started_at = excluded.started_at, next_due = excluded.next_due
"""
_SET_SUMMARY = """
    INSERT INTO summaries (run_id, seq, body) VALUES (?, ?, ?)
    ON CONFLICT (run_id) DO UPDATE SET seq = excluded.seq, body = excluded.body
"""
_DELIVER = """
    INSERT INTO inbox (run_id, n, path, event, payload, at)
    SELECT ?1, coalesce(max(n), 0) + 1, ?2, ?3, ?4, ?5 FROM inbox WHERE run_id = ?1
    RETURNING n
"""
_LIST = """
    SELECT run_id FROM runs
    WHERE (?1 IS NULL OR status = ?1) AND (?2 IS NULL OR workflow = ?2)
        AND (?3 IS NULL OR (started_at, run_id) < (?3, ?4))
    ORDER BY started_at DESC, run_id DESC LIMIT ?5
"""
_DUE = "SELECT run_id FROM runs WHERE next_due < ? AND status IN ('running', 'waiting')"
# One step from run id to run id in the index, however long the logs are.
_WITHOUT_HEADLINE = """
    WITH RECURSIVE ids (id) AS (
        SELECT min(run_id) FROM events
        UNION ALL
        SELECT (SELECT min(run_id) FROM events WHERE run_id > id) FROM ids WHERE id IS NOT NULL
    )
    SELECT id FROM ids WHERE id IS NOT NULL AND id NOT IN (SELECT run_id FROM runs)
"""


class _Tracked:
    """The summary of a run after its last event here, and what of it is in the database.

    `seq` is where the log ended when it was last looked at. While a run just goes on, its events are
    folded only when the summary is asked for.
    """

    __slots__ = ("_pending", "_run_id", "_steady", "_summary", "headline", "seq", "stored_seq")

    def __init__(self, run_id: str, summary: RunSummary | None, stored_seq: int) -> None:
        self._run_id = run_id
        self._summary = summary
        self._pending: list[tuple[int, Event]] = []
        self._steady = False
        self.seq = summary.seq if summary else 0
        self.stored_seq = stored_seq
        self.headline = _headline(summary) if summary and stored_seq else None

    @property
    def summary(self) -> RunSummary | None:
        """The summary after the event `seq`."""
        pending, self._pending = self._pending, []
        for seq, event in pending:
            self._summary = fold(self._summary, seq, event)
            self._summary.run_id = self._run_id
        return self._summary

    def advance(self, batch: Batch) -> None:
        """Take over the events of `batch`."""
        self._pending.extend(enumerate(batch.events, batch.expected_seq + 1))
        self.seq = batch.expected_seq + len(batch.events)
        self._steady = self._steady and STEADY.issuperset(map(type, batch.events))

    def is_due(self) -> bool:
        """Whether the database needs to know: most steps change nothing that it looks up by."""
        if self._steady:
            return self.seq - self.stored_seq >= _LAG
        summary = self.summary
        if summary is None:
            return False
        headline = _headline(summary)
        self._steady = headline == self.headline == ("running", None) and not summary.expects_anything
        return headline != self.headline or summary.seq - self.stored_seq >= _LAG

    def save(self, db: sqlite3.Connection) -> None:
        """Write what is due."""
        summary = self.summary
        if summary is None:
            return
        headline = _headline(summary)
        if headline != self.headline:
            _set_headline(db, summary)
            self.headline = headline
        # A summary grows with what is open, so that the more is open the more rarely it is written.
        if not self.stored_seq or summary.seq - self.stored_seq >= max(_LAG, summary.open_count):
            _set_summary(db, summary)
            self.stored_seq = summary.seq


class _Plan(NamedTuple):
    """A batch ready to be written, or the reason why it cannot be."""

    batch: Batch
    rows: list[_Row]
    tracked: _Tracked | None
    is_due: bool = False
    error: FlopodError | None = None

    @property
    def is_one_statement(self) -> bool:
        return not self.is_due and len(self.rows) <= _FEW


class SqliteBackend(Backend):
    """A store in the SQLite file `path`, which is created if need be."""

    def __init__(self, path: str | Path) -> None:
        super().__init__()
        self.path = Path(path)
        self._database = Database(self.path)
        self._tracked: dict[str, _Tracked] = {}
        self._delivered = 0
        self._complete = False

    def describe(self) -> str:
        return f"sqlite {self.path}"

    def open(self) -> None:
        with self._database.reading:
            pass

    def close(self) -> None:
        for run_id in list(self._tracked):
            self._forget(run_id)
        self._database.close()

    def append_many(self, batches: Sequence[Batch]) -> list[int | FlopodError]:
        try:
            with self._database.writing as db:
                plans = [self._plan(db, batch) for batch in batches]
                if len(plans) == 1 and plans[0].is_one_statement:
                    return [self._execute(db, plans[0])]
                with transaction(db):
                    return [self._execute(db, plan) for plan in plans]
        except BaseException as error:
            for batch in batches:
                self._tracked.pop(batch.run_id, None)
            if not isinstance(error, StorageError):
                raise
            return [error] * len(batches)

    def _plan(self, db: sqlite3.Connection, batch: Batch) -> _Plan:
        try:
            run_id = check_run_id(batch.run_id)
            rows = [
                (run_id, seq, kind_of(event), event.path, event.at, encode_line(seq, event).decode())
                for seq, event in enumerate(batch.events, batch.expected_seq + 1)
            ]
            tracked = self._track(db, run_id, batch.expected_seq)
        except FlopodError as error:
            return _Plan(batch, [], None, error=error)
        tracked.advance(batch)
        return _Plan(batch, rows, tracked, tracked.is_due())

    def _track(self, db: sqlite3.Connection, run_id: str, expected_seq: int) -> _Tracked:
        tracked = self._tracked.get(run_id)
        if tracked is None or tracked.seq != expected_seq:
            stored = self._stored(db, run_id)
            tracked = _Tracked(run_id, self._current(db, run_id, stored), stored.seq if stored else 0)
            if tracked.seq != expected_seq:
                raise Fenced(run_id, expected_seq, tracked.seq)
            self._tracked[run_id] = tracked
        return tracked

    def _execute(self, db: sqlite3.Connection, plan: _Plan) -> int | FlopodError:
        run_id, expected_seq, _ = plan.batch
        if plan.error is not None or plan.tracked is None:
            return plan.error or expected_seq
        if not plan.rows:
            return expected_seq
        if not _insert(db, plan.rows):
            self._tracked.pop(run_id, None)
            return Fenced(run_id, expected_seq, db.execute(_LAST_SEQ, (run_id,)).fetchone()[0])
        if plan.is_due:
            plan.tracked.save(db)
        return expected_seq + len(plan.rows)

    def load(self, run_id: str) -> list[Record]:
        with self._database.reading as db:
            return self._records(db, check_run_id(run_id))

    def _records(self, db: sqlite3.Connection, run_id: str, after: int = 0) -> list[Record]:
        rows = db.execute(_LOAD, (run_id, after)).fetchall()
        place = f"{self.path}, run {run_id}"
        records = read_records(place, (row[1] for row in rows), after)
        # Keys ascend, so that if the last one fits its record all of them do.
        if records and rows[-1][0] != records[-1].seq:
            raise DamagedLog(place, records[-1].seq, None, f"its key is {rows[-1][0]}")
        return records

    def summary(self, run_id: str) -> RunSummary | None:
        with self._database.reading as db:
            return self._summary(db, check_run_id(run_id))

    def _summary(self, db: sqlite3.Connection, run_id: str) -> RunSummary | None:
        try:
            return self._current(db, run_id, self._stored(db, run_id))
        except DamagedLog as error:
            if error.line == 0:
                raise
            return damaged_summary(run_id, error)

    def _stored(self, db: sqlite3.Connection, run_id: str) -> RunSummary | None:
        row = db.execute("SELECT body FROM summaries WHERE run_id = ?", (run_id,)).fetchone()
        try:
            summary = decode_summary(row[0]) if row else None
        except msgspec.DecodeError:
            return None
        return summary if summary and summary.is_current else None

    def _current(self, db: sqlite3.Connection, run_id: str, stored: RunSummary | None) -> RunSummary | None:
        return fold_records(run_id, stored, self._records(db, run_id, stored.seq if stored else 0))

    def summaries(
        self,
        status: Status | None = None,
        workflow: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> list[RunSummary]:
        started_at, run_id = read_cursor(cursor) if cursor is not None else (None, None)
        self._complete_headlines()
        wanted = (status, workflow, started_at, run_id, -1 if limit is None else limit)
        with self._database.reading as db:
            return self._summaries_of(db, _LIST, wanted)

    def _summaries_of(
        self, db: sqlite3.Connection, query: str, values: tuple[object, ...]
    ) -> list[RunSummary]:
        run_ids = [row[0] for row in db.execute(query, values).fetchall()]
        found = [self._summary(db, run_id) for run_id in run_ids]
        return [summary for summary in found if summary is not None]

    def _complete_headlines(self) -> None:
        if self._complete:
            return
        with self._database.reading as db:
            missing = [row[0] for row in db.execute(_WITHOUT_HEADLINE).fetchall()]
        if missing:
            with self._database.writing as db, transaction(db):
                for run_id in missing:
                    summary = self._summary(db, run_id)
                    if summary is not None:
                        _set_headline(db, summary)
        self._complete = True

    def mark(self, run_id: str, status: Status, reason: str) -> bool:
        try:
            with self._database.writing as db, transaction(db):
                summary = self._current(db, check_run_id(run_id), self._stored(db, run_id))
                if summary is None:
                    return False
                summary.status, summary.error = status, reason
                _set_headline(db, summary)
                _set_summary(db, summary)
        except StorageError:
            return False
        self._tracked.pop(run_id, None)
        return True

    def due_timers(self, before: int) -> list[Timer]:
        self._complete_headlines()
        with self._database.reading as db:
            return due_of(self._summaries_of(db, _DUE, (before,)), before)

    def _deliver(self, run_id: str, path: str, event: str, payload: bytes, at: int) -> int:
        values = (check_run_id(run_id), path, event, payload.decode(), at)
        with self._database.writing as db:
            number = int(db.execute(_DELIVER, values).fetchall()[0][0])
        self._delivered += 1
        return number

    def inbox(self, run_id: str, after: int = 0) -> list[InboxItem]:
        with self._database.reading as db:
            rows = db.execute(
                "SELECT n, path, event, payload, at FROM inbox WHERE run_id = ? AND n > ? ORDER BY n",
                (check_run_id(run_id), after),
            ).fetchall()
        return [
            InboxItem(n=n, path=path, event=event, payload=Raw(payload.encode()), at=at)
            for n, path, event, payload, at in rows
        ]

    def inbox_token(self, run_id: str) -> object:
        # The number of a version changes with every commit of another connection, not of this one.
        check_run_id(run_id)
        with self._database.reading as db:
            return db.execute("PRAGMA data_version").fetchone()[0], self._delivered

    def hold(self, run_id: str) -> Hold:
        file = self._database.locks / check_run_id(run_id)
        with disk.errors(file):
            disk.make_folder(file.parent)
            return FileHold(run_id, file, lambda: self._forget(run_id))

    def _forget(self, run_id: str) -> None:
        tracked = self._tracked.pop(run_id, None)
        summary = None if tracked is None else tracked.summary
        if tracked is None or summary is None or tracked.stored_seq == summary.seq:
            return
        try:
            with self._database.writing as db:
                _set_summary(db, summary)
        except StorageError:
            return  # it stays behind its log, which readers make up for


def _insert(db: sqlite3.Connection, rows: list[_Row]) -> bool:
    first = rows[:_FEW]
    try:
        # Its sequence number is taken if another process appended since the log was looked at.
        db.execute(_statement(len(first)), tuple(chain.from_iterable(first)))
    except sqlite3.IntegrityError:
        return False
    if len(rows) > _FEW:
        db.executemany(_statement(1), rows[_FEW:])
    return True


@lru_cache(_FEW)
def _statement(count: int) -> str:
    return _APPEND + ", ".join([_ROW] * count)


def _headline(summary: RunSummary) -> tuple[Status, int | None]:
    return summary.status, summary.next_due


def _set_headline(db: sqlite3.Connection, summary: RunSummary) -> None:
    values = (summary.run_id, summary.workflow, summary.status, summary.started_at, summary.next_due)
    db.execute(_SET_HEADLINE, values)


def _set_summary(db: sqlite3.Connection, summary: RunSummary) -> None:
    db.execute(_SET_SUMMARY, (summary.run_id, summary.seq, msgspec.json.encode(summary).decode()))
