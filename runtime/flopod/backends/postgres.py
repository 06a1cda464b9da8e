"""Runs in a PostgreSQL database: an append is one statement and one round trip, its own transaction.

The key of a record fences: its place is taken if another writer was there. A statement whose answer was lost
is sent again; if it then finds its own records there, it had been done.
"""

import contextlib
import os
import re
import secrets
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, cast
from urllib.parse import parse_qs, unquote, urlsplit

import msgspec
from msgspec import Raw

from flopod.backends import pgschema
from flopod.backends import pgstatements as sql
from flopod.backends.base import OPEN, Backend, Batch, InboxItem, Timer, due_of
from flopod.backends.listing import Page
from flopod.backends.lock import Hold
from flopod.backends.pgconnection import PATIENCE, Conflict, Connection, Numbers, Row, Texts, Value
from flopod.backends.pglock import Holds
from flopod.backends.reading import damaged_summary, folded_on, read_records, scan_rows, stored_summary
from flopod.backends.tracking import Due, Tracked
from flopod.errors import DamagedLog, Fenced, FlopodError, StorageError
from flopod.events import Record, RunSummary, Span, Status, encode_line
from flopod.runid import check_run_id

_BRIEFLY = 2.0
_OVERLAP = 100
_PIECE = 1000


class _Plan(NamedTuple):
    """A batch ready to be written, or the reason why it cannot be."""

    batch: Batch
    lines: list[bytes]
    due: Due | None = None
    error: FlopodError | None = None

    @property
    def end(self) -> int:
        return self.batch.expected_seq + len(self.lines)


class PostgresBackend(Backend):
    """A store in the PostgreSQL database `dsn`, a `postgresql://` address or `key=value` words.

    Its tables are in `schema` and are made if need be. A server that is away is waited for `patience`
    seconds. Needs psycopg 3: pip install 'flopod[postgres]'.
    """

    atomic = True

    def __init__(self, dsn: str, *, schema: str = "flopod", patience: float = PATIENCE) -> None:
        super().__init__()
        self.dsn = dsn
        self.schema = pgschema.check_name(schema)
        self._patience = patience
        self._place = f"postgres {_shown(dsn)}"
        self._db = self._connect()
        self._holds = Holds(self._connect, self.schema)
        self._tracked: dict[str, Tracked] = {}
        self._is_ready = False
        self._is_complete = False
        self._writer = 0
        self._pid = 0

    def describe(self) -> str:
        return self._place

    def open(self) -> None:
        if not self._is_ready:
            pgschema.ensure(self._db, self.schema, self._place)
            self._is_ready = True
        if self._pid != os.getpid():
            # It marks the records of this store, so that two processes must not share one.
            self._writer, self._pid = secrets.randbits(62), os.getpid()

    def close(self) -> None:
        with self._db.lock:
            for run_id in list(self._tracked):
                self._forget(run_id)
            self._db.close()

    def _connect(self) -> Connection:
        return Connection(self.dsn, self._place, self._patience)

    def _execute(self, statement: str, *values: Value, patience: float | None = None) -> list[Row]:
        self.open()
        return self._db.execute(sql.of(self.schema, statement), *values, patience=patience)

    # -- appending ---------------------------------------------------------------------------------

    def append_many(self, batches: Sequence[Batch]) -> list[int | FlopodError]:
        with self._db.lock:
            try:
                self.open()
                return self._write([self._plan(batch) for batch in batches])
            except BaseException as error:
                for batch in batches:
                    self._tracked.pop(batch.run_id, None)
                if not isinstance(error, StorageError):
                    raise
                return [error] * len(batches)

    def _plan(self, batch: Batch) -> _Plan:
        run_id, expected_seq, events = batch
        try:
            lines = [encode_line(seq, event) for seq, event in enumerate(events, expected_seq + 1)]
            tracked = self._track(run_id, expected_seq)
        except StorageError as error:
            if isinstance(error, DamagedLog):
                return _Plan(batch, [], error=error)
            raise
        except FlopodError as error:
            return _Plan(batch, [], error=error)
        tracked.advance(batch)
        return _Plan(batch, lines, tracked.take_due(together=True) if tracked.is_due() else None)

    def _track(self, run_id: str, expected_seq: int) -> Tracked:
        tracked = self._tracked.get(run_id)
        if tracked is None or tracked.seq != expected_seq:
            check_run_id(run_id)
            # A new run needs no look: that it is not there is known when it is written.
            is_new = expected_seq == 0 and tracked is None
            stored, summary = (None, None) if is_new else self._current(run_id)
            tracked = Tracked(run_id, None, summary, stored.seq if stored else 0)
            if tracked.seq != expected_seq:
                raise Fenced(run_id, expected_seq, tracked.seq)
            self._tracked[run_id] = tracked
        return tracked

    def _write(self, plans: list[_Plan]) -> list[int | FlopodError]:
        wanted = sorted((plan for plan in plans if plan.lines), key=lambda plan: plan.batch.run_id)
        fenced: dict[str, Fenced | None] = {}
        try:
            self._insert(wanted)
        except Conflict as conflict:
            fenced = {plan.batch.run_id: self._write_alone(plan, conflict.lost) for plan in wanted}
        return [plan.error or fenced.get(plan.batch.run_id) or plan.end for plan in plans]

    def _write_alone(self, plan: _Plan, lost: bool) -> Fenced | None:
        try:
            self._insert([plan])
        except Conflict as conflict:
            if not ((lost or conflict.lost) and self._is_written(plan)):
                return self._fence(plan.batch)
        return None

    def _insert(self, plans: list[_Plan]) -> None:
        if len(plans) == 1 and plans[0].due is None and len(plans[0].lines) <= sql.FEW:
            batch, lines = plans[0].batch, plans[0].lines
            statement = sql.append(len(lines))
            self._execute(statement, batch.run_id, batch.expected_seq, self._writer, *lines)
        elif plans:
            self._execute(sql.APPEND_MANY, *_records(plans), self._writer, *_dues(plans))

    def _is_written(self, plan: _Plan) -> bool:
        """Whether exactly these records are there and this store put them there."""
        run_id, expected_seq, _ = plan.batch
        rows = self._execute(sql.FOUND, run_id, expected_seq, len(plan.lines))
        mine = b"%d" % self._writer
        wanted = [(b"%d" % seq, mine, line) for seq, line in enumerate(plan.lines, expected_seq + 1)]
        return rows == wanted

    def _fence(self, batch: Batch) -> Fenced:
        self._tracked.pop(batch.run_id, None)
        found = _number(self._execute(sql.LAST, batch.run_id)[0][0])
        return Fenced(batch.run_id, batch.expected_seq, found)

    # -- reading -----------------------------------------------------------------------------------

    def load(self, run_id: str) -> list[Record]:
        return self._records(self._execute(sql.LOAD, check_run_id(run_id), 0, None), run_id)

    def scan(self, run_id: str, after: int = 0) -> Iterator[Record]:
        def read(last: int, count: int) -> list[tuple[int, bytes]]:
            rows = self._execute(sql.LOAD, run_id, last, count)
            return [(_number(seq), body or b"") for seq, body in rows]

        return scan_rows(f"{self._place}, run {check_run_id(run_id)}", read, after)

    def first(self, run_id: str) -> Record | None:
        rows = self._execute(sql.LOAD, check_run_id(run_id), 0, 1)
        return next(iter(self._records(rows, run_id)), None)

    def _records(self, rows: Sequence[Row], run_id: str, after: int = 0) -> list[Record]:
        name = f"{self._place}, run {run_id}"
        records = read_records(name, (row[1] or b"" for row in rows), after)
        # Places ascend, so that if the last one fits its record all of them do.
        if records and _number(rows[-1][0]) != records[-1].seq:
            raise DamagedLog(name, records[-1].seq, None, f"its key is {_number(rows[-1][0])}")
        return records

    def summary(self, run_id: str) -> RunSummary | None:
        rows = self._execute(sql.STORED, check_run_id(run_id)) or [(run_id.encode(), None)]
        return next(iter(self._summaries(rows)), None)

    def _page(self, page: Page) -> list[RunSummary]:
        return page.cut(self._listed(page, sql.DOWNWARDS))

    def _listed(self, page: Page, statement: str) -> Iterator[RunSummary]:
        """Yield the runs of a page, however many they are; the limit is how many are wanted at first."""
        self._complete_rows()
        statuses = Texts(page.statuses) if page.statuses else None
        started = page.started_after, page.started_before
        size, place = min(page.limit or _PIECE, _PIECE), page.place or (None, None)
        while True:
            rows = self._execute(statement, statuses, page.workflow, *place, *started, page.pattern, size)
            yield from self._summaries(row[:2] for row in rows)
            if len(rows) < size:
                return
            size, place = _PIECE, (_number(rows[-1][2]), _text(rows[-1][0]))

    def counts(self) -> dict[Status, int]:
        self._complete_rows()
        return {cast(Status, _text(status)): _number(count) for status, count in self._execute(sql.COUNTS)}

    def tails(self, run_ids: Sequence[str]) -> dict[str, int]:
        return self._numbers(sql.TAILS, run_ids)

    def _numbers(self, statement: str, run_ids: Sequence[str]) -> dict[str, int]:
        """A number for each of the runs that has one."""
        rows = self._execute(statement, Texts(map(check_run_id, run_ids))) if run_ids else []
        return {_text(run_id): _number(number) for run_id, number in rows}

    def pulse(self) -> object:
        return self._execute(sql.PULSE)[0][0]

    def _summaries(self, rows: Iterable[Row]) -> list[RunSummary]:
        """Return the summaries that are stored in `rows`, brought up to date with their logs."""
        stored = {_text(run_id): stored_summary(body) for run_id, body in rows}
        behind: dict[str, list[Row]] = {run_id: [] for run_id in stored}
        seqs = Numbers(summary.seq if summary else 0 for summary in stored.values())
        for name, seq, body in self._execute(sql.AFTER, Texts(stored), seqs) if stored else ():
            behind[_text(name)].append((seq, body))
        found = [self._folded(run_id, summary, behind[run_id]) for run_id, summary in stored.items()]
        return [summary for summary in found if summary is not None]

    def _folded(self, run_id: str, summary: RunSummary | None, rows: list[Row]) -> RunSummary | None:
        try:
            return self._folded_on(run_id, summary, rows)
        except DamagedLog as error:
            return damaged_summary(run_id, error)

    def _folded_on(self, run_id: str, base: RunSummary | None, rows: Sequence[Row]) -> RunSummary | None:
        """Bring a stored summary up to date with `rows`, the records after it. Raises DamagedLog."""
        behind = base.seq if base else 0

        def read(after: int) -> list[Record]:
            found = rows if after == behind else self._execute(sql.LOAD, run_id, after, None)
            return self._records(found, run_id, after)

        return folded_on(run_id, base, read)[0]

    def _current(self, run_id: str) -> tuple[RunSummary | None, RunSummary | None]:
        """Return the summary that is stored, and the one after the last record. Raises DamagedLog."""
        rows = self._execute(sql.STORED, run_id)
        stored, summary = (stored_summary(rows[0][1]), stored_summary(rows[0][1])) if rows else (None, None)
        behind = self._execute(sql.LOAD, run_id, summary.seq if summary else 0, None)
        return stored, self._folded_on(run_id, summary, behind)

    def _complete_rows(self) -> None:
        """Make the rows of runs whose row somebody has removed."""
        if self._is_complete:
            return
        missing = self._summaries(self._execute(sql.WITHOUT_ROW))
        if missing:
            self._execute(sql.ADD_ROWS, *_columns([Due(each, headline=True, whole=True) for each in missing]))
        self._is_complete = True

    def each_open(self) -> Iterator[RunSummary]:
        return self._listed(Page(OPEN), sql.UPWARDS)

    def news(self, mark: object) -> tuple[object, list[str]]:
        newest = _number(self._execute(sql.NEWEST)[0][0])
        if not isinstance(mark, int):
            return newest, []
        # Numbers may come to light in another order than they were given out.
        rows = self._execute(sql.NEWS, max(mark - _OVERLAP, 0) if newest != mark else mark)
        return newest, [_text(row[0]) for row in rows]

    def compact(self, run_id: str, dropped: Sequence[Span], inbox: int = 0) -> None:
        firsts, lasts = Numbers(first for first, _ in dropped), Numbers(last for _, last in dropped)
        self._execute(sql.COMPACT, check_run_id(run_id), firsts, lasts, inbox)

    def delete(self, run_id: str) -> bool:
        with self.claim(run_id):
            self._tracked.pop(run_id, None)
            return _number(self._execute(sql.DELETE, run_id)[0][0]) > 0

    def keep(self, kind: str, name: str, document: bytes) -> None:
        self._execute(sql.KEEP, kind, check_run_id(name), b64encode(document))

    def kept(self, kind: str, name: str) -> bytes | None:
        rows = self._execute(sql.KEPT, kind, check_run_id(name))
        return b64decode(rows[0][0] or b"") if rows else None

    def all_kept(self, kind: str) -> dict[str, bytes]:
        return {_text(name): b64decode(body or b"") for name, body in self._execute(sql.ALL_KEPT, kind)}

    def drop(self, kind: str, name: str) -> bool:
        return bool(self._execute(sql.DROP, kind, check_run_id(name)))

    def mark(self, run_id: str, status: Status, reason: str) -> bool:
        check_run_id(run_id)
        with self._db.lock:
            try:
                self._execute("SELECT 1", patience=_BRIEFLY)  # it was waited for already
                _, summary = self._current(run_id)
                if summary is None:
                    return False
                summary.status, summary.error = status, reason
                written = self._save(summary, status)
            except StorageError:
                return False
            self._tracked.pop(run_id, None)
            return written

    def _save(self, summary: RunSummary, status: Status | None = None) -> bool:
        body = msgspec.json.encode(summary)
        return bool(self._execute(sql.SAVE, summary.run_id, summary.seq, body, status, patience=_BRIEFLY))

    def due_timers(self, before: int) -> list[Timer]:
        self._complete_rows()
        return due_of(self._summaries(self._execute(sql.DUE, before)), before)

    # -- inbox and holds ---------------------------------------------------------------------------

    def _deliver(self, run_id: str, path: str, event: str, payload: bytes, at: int) -> int:
        token = secrets.randbits(62)
        check_run_id(run_id)
        while True:
            try:
                return _number(self._execute(sql.DELIVER, run_id, path, event, payload, at, token)[0][0])
            except Conflict:
                # The number was another's, or the answer to this very delivery was lost.
                mine = self._execute(sql.DELIVERED, run_id, token)
            if mine:
                return _number(mine[0][0])

    def inbox(self, run_id: str, after: int = 0) -> list[InboxItem]:
        return [
            InboxItem(
                n=_number(n),
                path=_text(path),
                event=_text(event),
                payload=Raw(payload or b""),
                at=_number(at),
            )
            for n, path, event, payload, at in self._execute(sql.INBOX, check_run_id(run_id), after)
        ]

    def inbox_tails(self, run_ids: Sequence[str]) -> dict[str, int]:
        return self._numbers(sql.INBOX_TAILS, run_ids)

    def inbox_token(self, run_id: str) -> object:
        return self._execute(sql.INBOX_END, check_run_id(run_id))[0][0]

    def hold(self, run_id: str) -> Hold:
        check_run_id(run_id)
        self.open()
        return self._holds.claim(self._db, run_id, lambda: self._forget(run_id))

    def _forget(self, run_id: str) -> None:
        with self._db.lock:
            tracked = self._tracked.pop(run_id, None)
            unsaved = None if tracked is None else tracked.unsaved
            # Where it cannot be written it stays behind its log, which readers make up for.
            with contextlib.suppress(StorageError):
                if unsaved is not None:
                    self._save(unsaved)


def _records(plans: Iterable[_Plan]) -> tuple[Texts, Numbers, Texts]:
    rows = [
        (plan.batch.run_id, seq, line)
        for plan in plans
        for seq, line in enumerate(plan.lines, plan.batch.expected_seq + 1)
    ]
    names, seqs, lines = zip(*rows, strict=True)
    return Texts(names), Numbers(seqs), Texts(lines)


def _dues(plans: Iterable[_Plan]) -> tuple[Value, ...]:
    return _columns([plan.due for plan in plans if plan.due is not None])


def _columns(dues: Sequence[Due]) -> tuple[Value, ...]:
    summaries = [due.summary for due in dues]
    return (
        Texts(summary.run_id for summary in summaries),
        Texts(summary.workflow for summary in summaries),
        Texts(summary.status for summary in summaries),
        Numbers(summary.started_at for summary in summaries),
        Numbers(summary.next_due for summary in summaries),
        Numbers(summary.seq if due.whole else 0 for due, summary in zip(dues, summaries, strict=True)),
        Texts(msgspec.json.encode(due.summary) if due.whole else None for due in dues),
    )


def _text(value: bytes | None) -> str:
    return (value or b"").decode()


def _number(value: bytes | None) -> int:
    return int(value or 0)


def _shown(dsn: str) -> str:
    """Host, port and database of an address: no user and no password."""
    if "://" in dsn:
        parts = urlsplit(dsn)
        query = parse_qs(parts.query)
        host = parts.netloc.rpartition("@")[2] or query.get("host", ["localhost"])[0]
        return f"{host}/{unquote(parts.path.lstrip('/'))}".rstrip("/")
    words = dict(re.findall(r"(\w+)\s*=\s*('(?:[^'\\]|\\.)*'|\S+)", dsn))
    port = f":{words['port']}" if "port" in words else ""
    return f"{words.get('host', 'localhost')}{port}/{words.get('dbname', '')}".rstrip("/")
