"""Runs in one SQLite file: an append is a transaction, and safe from a power cut when it returns."""

import contextlib
import sqlite3
from collections.abc import Container, Iterator, Sequence
from pathlib import Path

import msgspec
from msgspec import Raw

from flopod.backends import rows
from flopod.backends import sqlitestatements as sql
from flopod.backends.base import OPEN, Backend, Batch, InboxItem, Timer, due_of
from flopod.backends.database import Database, transaction
from flopod.backends.listing import Page
from flopod.backends.lock import Hold
from flopod.backends.lockfolder import LockFolder
from flopod.backends.reading import (
    damaged_summary,
    folded_on,
    read_records,
    scan_rows,
    stored_summary,
)
from flopod.backends.sqlitelisting import Piece, Query, query, read
from flopod.backends.tracking import Log, Plan, Tracked, log_of, save, set_headlines, set_summaries
from flopod.errors import DamagedLog, Fenced, FlopodError, StorageError
from flopod.events import (
    Record,
    RunSummary,
    Span,
    Status,
    encode_line,
)
from flopod.runid import check_run_id, is_run_id

_MANY = 500
_PIECE = 1000


class SqliteBackend(Backend):
    """A store in the SQLite file `path`, which is created if need be."""

    atomic = True

    def __init__(self, path: str | Path) -> None:
        super().__init__()
        self.path = Path(path)
        self._database = Database(self.path)
        self._locks = LockFolder(self._database.locks, self._forget)
        self._tracked: dict[str, Tracked] = {}
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
                new = self._without_log(db, batches)
                plans = [self._plan(db, batch, new) for batch in batches]
                if len(plans) == 1 and plans[0].is_one_statement:
                    return [self._append(db, plans[0])]
                with transaction(db):
                    return self._append_all(db, plans) if len(plans) > 1 else [self._append(db, plans[0])]
        except BaseException as error:
            for batch in batches:
                self._tracked.pop(batch.run_id, None)
            if not isinstance(error, StorageError):
                raise
            return [error] * len(batches)

    def _without_log(self, db: sqlite3.Connection, batches: Sequence[Batch]) -> set[str]:
        """The runs that are appended to for the first time."""
        asked = {batch.run_id for batch in batches if not batch.expected_seq and is_run_id(batch.run_id)}
        if not asked:
            return asked
        known = db.execute(sql.HAVE_LOG, (msgspec.json.encode(list(asked)).decode(),)).fetchall()
        return asked.difference(*known)

    def _plan(self, db: sqlite3.Connection, batch: Batch, new: Container[str]) -> Plan:
        try:
            lines = [
                encode_line(seq, event).decode()
                for seq, event in enumerate(batch.events, batch.expected_seq + 1)
            ]
            tracked = self._track(db, batch.run_id, batch.expected_seq, batch.run_id in new)
        except FlopodError as error:
            return Plan(batch, [], None, error=error)
        tracked.advance(batch)
        return Plan(batch, lines, tracked, tracked.is_due())

    def _track(self, db: sqlite3.Connection, run_id: str, expected_seq: int, is_new: bool) -> Tracked:
        tracked = self._tracked.get(run_id)
        if tracked is None or tracked.seq != expected_seq:
            tracked = Tracked(run_id, None, None, 0) if is_new else self._looked_up(db, check_run_id(run_id))
            if tracked.seq != expected_seq:
                raise Fenced(run_id, expected_seq, tracked.seq)
            self._tracked[run_id] = tracked
        return tracked

    def _looked_up(self, db: sqlite3.Connection, run_id: str) -> Tracked:
        stored, log = self._stored(db, run_id), log_of(db, run_id)
        return Tracked(run_id, log, self._current(db, run_id, stored), stored.seq if stored else 0)

    def _append_all(self, db: sqlite3.Connection, plans: Sequence[Plan]) -> list[int | FlopodError]:
        """Append to several runs; to each by itself if another process has appended to one of them."""
        self._number(db, [plan.tracked for plan in plans if plan.tracked is not None and plan.lines])
        db.execute("SAVEPOINT records")
        if not _insert(db, [row for plan in plans for row in plan.rows]):
            db.execute("ROLLBACK TO records")
            return [self._append(db, plan) for plan in plans]
        save(db, [plan.tracked for plan in plans if plan.tracked is not None and plan.is_due])
        return [plan.result for plan in plans]

    def _append(self, db: sqlite3.Connection, plan: Plan) -> int | FlopodError:
        tracked = plan.tracked
        if tracked is None or not plan.lines:
            return plan.result
        self._number(db, [tracked])
        if not _insert(db, plan.rows):
            return self._fenced(db, plan.batch, tracked)
        if plan.is_due:
            save(db, [tracked])
        return plan.result

    def _number(self, db: sqlite3.Connection, tracked: Sequence[Tracked]) -> None:
        """Give the logs that are new their numbers."""
        new = {one.run_id: one for one in tracked if one.log is None}
        for number, run_id in rows.write(db, sql.LOGS, [(run_id,) for run_id in new]):
            new[run_id].log = Log.numbered(number)

    def _fenced(self, db: sqlite3.Connection, batch: Batch, tracked: Tracked) -> Fenced:
        self._tracked.pop(batch.run_id, None)
        assert tracked.log is not None
        last = db.execute(sql.LAST, tracked.log).fetchone()[0]
        return Fenced(batch.run_id, batch.expected_seq, last - tracked.log.start)

    def load(self, run_id: str) -> list[Record]:
        with self._database.reading as db:
            return self._records(db, check_run_id(run_id))

    def scan(self, run_id: str, after: int = 0) -> Iterator[Record]:
        name = f"{self.path}, run {check_run_id(run_id)}"
        return scan_rows(name, lambda last, count: self._rows(run_id, last, count), after)

    def _rows(self, run_id: str, after: int, count: int) -> list[tuple[int, bytes]]:
        with self._database.reading as db:
            log = log_of(db, run_id)
            if log is None:
                return []
            found = db.execute(sql.LOAD, (log.start + after, log.end, count)).fetchall()
            return [(place - log.start, body or b"") for place, body in found]

    def compact(self, run_id: str, dropped: Sequence[Span], inbox: int = 0) -> None:
        try:
            with self._database.writing as db, transaction(db):
                self._remove(db, check_run_id(run_id), dropped, inbox)
        except StorageError:
            # None of it happened. What is wrong with the store the next append will find out.
            self._tracked.pop(run_id, None)

    def _remove(self, db: sqlite3.Connection, run_id: str, dropped: Sequence[Span], inbox: int) -> None:
        log = log_of(db, run_id)
        if log is None:
            return
        tracked = self._tracked.get(run_id)
        summary = tracked.summary if tracked else self._current(db, run_id, self._stored(db, run_id))
        places = [(log.start + first, log.start + last) for first, last in dropped]
        db.executemany("DELETE FROM records WHERE place BETWEEN ? AND ?", places)
        # The last item stays, whose number the next one follows.
        db.execute(sql.TAKEN, (run_id, inbox))
        if summary is not None:
            set_summaries(db, [summary])
            if tracked:
                tracked.stored_seq = summary.seq

    def first(self, run_id: str) -> Record | None:
        with self._database.reading as db:
            return next(iter(self._records(db, check_run_id(run_id), limit=1)), None)

    def _records(self, db: sqlite3.Connection, run_id: str, after: int = 0, limit: int = -1) -> list[Record]:
        log = log_of(db, run_id)
        if log is None:
            return []
        rows = db.execute(sql.LOAD, (log.start + after, log.end, limit)).fetchall()
        name = f"{self.path}, run {run_id}"
        records = read_records(name, (row[1] or b"" for row in rows), after)
        # Places ascend, so that if the last one fits its record all of them do.
        if records and rows[-1][0] - log.start != records[-1].seq:
            raise DamagedLog(name, records[-1].seq, None, f"its key is {rows[-1][0] - log.start}")
        return records

    def summary(self, run_id: str) -> RunSummary | None:
        with self._database.reading as db:
            return self._summary(db, check_run_id(run_id))

    def _summary(self, db: sqlite3.Connection, run_id: str) -> RunSummary | None:
        try:
            summary = self._current(db, run_id, self._stored(db, run_id))
            return self._locks.in_trouble(run_id, summary)
        except DamagedLog as error:
            if error.line == 0:
                raise
            return damaged_summary(run_id, error)

    def _stored(self, db: sqlite3.Connection, run_id: str) -> RunSummary | None:
        row = db.execute("SELECT body FROM summaries WHERE run_id = ?", (run_id,)).fetchone()
        return stored_summary(row[0]) if row else None

    def _current(self, db: sqlite3.Connection, run_id: str, stored: RunSummary | None) -> RunSummary | None:
        return folded_on(run_id, stored, lambda after: self._records(db, run_id, after))[0]

    def _page(self, page: Page) -> list[RunSummary]:
        asked = page
        if "storage_error" in page.statuses:
            # A run in trouble has another status in the database, if that could not be written any more.
            asked = page._replace(statuses=tuple({*page.statuses, *OPEN}), text="")
        return page.cut(self._listed(asked, page.limit))

    def _listed(self, page: Page, limit: int | None = None, *, upwards: bool = False) -> Iterator[RunSummary]:
        """Yield the runs of a page, however many they are; `limit` is how many are wanted at first."""
        self._complete_headlines()
        size, place = min(limit or _PIECE, _PIECE), page.place
        while True:
            found, place = self._read(query(page, place, size, upwards=upwards))
            yield from found
            if place is None:
                return
            size = _PIECE

    def _read(self, wanted: Query) -> Piece:
        with self._database.looking as db:
            piece = read(db, str(self.path), wanted, lambda run_id: self._summary(db, run_id))
        self._locks.note_trouble(piece.runs)
        return piece

    def counts(self) -> dict[Status, int]:
        self._complete_headlines()
        with self._database.reading as db:
            return dict(db.execute(sql.COUNTS).fetchall())

    def _complete_headlines(self) -> None:
        if self._complete:
            return
        with self._database.reading as db:
            missing = [row[0] for row in db.execute(sql.WITHOUT_HEADLINE).fetchall()]
        if missing:
            with self._database.writing as db, transaction(db):
                for run_id in missing:
                    summary = self._summary(db, run_id)
                    if summary is not None:
                        set_headlines(db, [summary])
        self._complete = True

    def tails(self, run_ids: Sequence[str]) -> dict[str, int]:
        return self._numbers(sql.TAILS, run_ids)

    def _numbers(self, query: str, run_ids: Sequence[str]) -> dict[str, int]:
        """A number for each of the runs that has one, some runs at a time."""
        found: dict[str, int] = {}
        for start in range(0, len(run_ids), _MANY):
            names = msgspec.json.encode(list(map(check_run_id, run_ids[start : start + _MANY]))).decode()
            with self._database.reading as db:
                found.update(db.execute(query, (names,)).fetchall())
        return found

    def pulse(self) -> object:
        return self._database.version, self._database.written

    def delete(self, run_id: str) -> bool:
        with self.claim(run_id), self._database.writing as db, transaction(db):
            log = log_of(db, run_id)
            if log is not None:
                db.execute("DELETE FROM records WHERE place > ? AND place < ?", log)
            for table in ("logs", "runs", "summaries", "inbox"):
                db.execute(f"DELETE FROM {table} WHERE run_id = ?", (run_id,))
            self._tracked.pop(run_id, None)
        return log is not None

    def mark(self, run_id: str, status: Status, reason: str) -> bool:
        if self._mark(run_id, status, reason):
            return True
        self._locks.note(run_id, status)
        return False

    def _mark(self, run_id: str, status: Status, reason: str) -> bool:
        try:
            with self._database.writing as db, transaction(db):
                summary = self._current(db, check_run_id(run_id), self._stored(db, run_id))
                if summary is None:
                    return False
                summary.status, summary.error = status, reason
                set_headlines(db, [summary])
                set_summaries(db, [summary])
        except StorageError:
            return False
        self._tracked.pop(run_id, None)
        return True

    def due_timers(self, before: int) -> list[Timer]:
        self._complete_headlines()
        return due_of(self._read(Query(sql.DUE, (before,))).runs, before)

    def _deliver(self, run_id: str, path: str, event: str, payload: bytes, at: int) -> int:
        values = (check_run_id(run_id), path, event, payload.decode(), at)
        with self._database.writing as db:
            number = int(db.execute(sql.DELIVER, values).fetchall()[0][0])
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

    def inbox_tails(self, run_ids: Sequence[str]) -> dict[str, int]:
        return self._numbers(sql.INBOX_TAILS, run_ids)

    def each_open(self) -> Iterator[RunSummary]:
        return self._listed(Page(OPEN), upwards=True)

    def news(self, mark: object) -> tuple[object, list[str]]:
        version = self._database.version
        before, last = mark if isinstance(mark, tuple) else (None, None)
        if version == before:
            return mark, []
        with self._database.reading as db:
            found = [] if last is None else [row[0] for row in db.execute(sql.NEWS, (last,)).fetchall()]
            latest = db.execute("SELECT coalesce(max(number), 0) FROM inbox").fetchone()[0]
        return (version, latest), found

    def inbox_token(self, run_id: str) -> object:
        check_run_id(run_id)
        return self._database.version, self._delivered

    def keep(self, kind: str, name: str, document: bytes) -> None:
        with self._database.writing as db:
            db.execute(sql.KEEP, (kind, check_run_id(name), document))

    def kept(self, kind: str, name: str) -> bytes | None:
        with self._database.reading as db:
            row = db.execute(sql.KEPT, (kind, check_run_id(name))).fetchone()
        return None if row is None else bytes(row[0])

    def all_kept(self, kind: str) -> dict[str, bytes]:
        query = "SELECT name, body FROM documents WHERE kind = ? ORDER BY name"
        with self._database.reading as db:
            return {name: bytes(body) for name, body in db.execute(query, (kind,)).fetchall()}

    def drop(self, kind: str, name: str) -> bool:
        query = "DELETE FROM documents WHERE kind = ? AND name = ?"
        with self._database.writing as db:
            return db.execute(query, (kind, check_run_id(name))).rowcount > 0

    def hold(self, run_id: str) -> Hold:
        return self._locks.hold(check_run_id(run_id))

    def claim(self, run_id: str, *, fresh: bool = False) -> Hold:
        return self._locks.claim(check_run_id(run_id), fresh)

    def _forget(self, run_id: str) -> None:
        tracked = self._tracked.pop(run_id, None)
        unsaved = None if tracked is None else tracked.unsaved
        # Where it cannot be written it stays behind its log, which readers make up for.
        with contextlib.suppress(StorageError):
            if unsaved is not None:
                with self._database.writing as db:
                    set_summaries(db, [unsaved])


def _insert(db: sqlite3.Connection, records: Sequence[tuple[int, str]]) -> bool:
    try:
        # A place is taken if another process appended since the log was looked at.
        rows.write(db, sql.RECORDS, records)
    except sqlite3.IntegrityError:
        return False
    return True
