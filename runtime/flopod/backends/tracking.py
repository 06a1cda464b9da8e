"""What a store in a database knows of a run that it appends to, and when which part of that is written."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from flopod.backends import rows
from flopod.backends.base import Batch
from flopod.backends.reading import fold_records
from flopod.backends.schema import SEQ_BITS
from flopod.errors import FlopodError
from flopod.events import AT_REST, STEADY, Event, RunSummary, Status

if TYPE_CHECKING:
    import sqlite3

_LAG = 256
_FEW = 16

_NUMBER = "SELECT number FROM logs WHERE run_id = ?"
_HEADLINES = rows.Insert(
    "INSERT INTO runs (run_id, workflow, status, started_at, next_due)",
    5,
    """ON CONFLICT (run_id) DO UPDATE SET workflow = excluded.workflow, status = excluded.status,
        started_at = excluded.started_at, next_due = excluded.next_due""",
)
_SUMMARIES = rows.Insert(
    "INSERT INTO summaries (run_id, seq, body)",
    3,
    "ON CONFLICT (run_id) DO UPDATE SET seq = excluded.seq, body = excluded.body",
)


class Log(NamedTuple):
    """The places of the records of a run: after `start`, which is that of no record, and before `end`."""

    start: int
    end: int

    @classmethod
    def numbered(cls, number: int) -> "Log":
        """Return the places of the log with this number."""
        return cls(number << SEQ_BITS, (number + 1) << SEQ_BITS)


class Tracked:
    """The summary of a run after its last event here, and what of it is in the database.

    `log` is where its records are, None before the first; `seq` is where the log ended when it was last
    looked at. While a run just goes on, its events are folded only when the summary is asked for.
    """

    __slots__ = ("_pending", "_steady", "_summary", "headline", "log", "run_id", "seq", "stored_seq")

    def __init__(self, run_id: str, log: "Log | None", summary: RunSummary | None, stored_seq: int) -> None:
        self.log = log
        self.run_id = run_id
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
        self._summary = fold_records(self.run_id, self._summary, pending)
        return self._summary

    @property
    def unsaved(self) -> RunSummary | None:
        """The summary, if it is newer than the one in the database."""
        summary = self.summary
        return None if summary is None or summary.seq == self.stored_seq else summary

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

    def take_due(self, *, together: bool = False) -> "Due | None":
        """Return what is due, and count it as written. `together` if both parts are in one row."""
        summary = self.summary
        if summary is None:
            return None
        headline = _headline(summary)
        changed, self.headline = headline != self.headline, headline
        # A summary grows with what is open, so that the more is open the more rarely it is written. One
        # at rest is not written for a while, and is read by who lists runs.
        lag = max(_LAG, summary.open_count) if not together or summary.open_count > _LAG else 0
        # Whoever looks for a text finds the reason of its rest, and what else does not change any more.
        at_rest = summary.status in AT_REST or (summary.status != "running" and summary.open_count < _FEW)
        whole = at_rest or summary.seq - self.stored_seq >= lag
        if whole:
            self.stored_seq = summary.seq
        return Due(summary, changed, whole)


class Plan(NamedTuple):
    """A batch ready to be written, or the reason why it cannot be."""

    batch: Batch
    lines: list[str]
    tracked: Tracked | None
    is_due: bool = False
    error: FlopodError | None = None

    @property
    def rows(self) -> list[tuple[int, str]]:
        """The records and their places."""
        log = None if self.tracked is None else self.tracked.log
        return [] if log is None else list(enumerate(self.lines, log.start + self.batch.expected_seq + 1))

    @property
    def result(self) -> int | FlopodError:
        """What is returned if it is written."""
        return self.error or self.batch.expected_seq + len(self.lines)

    @property
    def is_one_statement(self) -> bool:
        return not self.is_due and len(self.lines) <= rows.FEW


class Due(NamedTuple):
    """What a database needs to know of a run: what it is looked up by, or the whole summary."""

    summary: RunSummary
    headline: bool
    whole: bool


def log_of(db: "sqlite3.Connection", run_id: str) -> Log | None:
    """Return where the records of a run are, None if there are none."""
    row = db.execute(_NUMBER, (run_id,)).fetchone()
    return None if row is None else Log.numbered(row[0])


def _headline(summary: RunSummary) -> tuple[Status, int | None]:
    return summary.status, summary.next_due


def save(db: "sqlite3.Connection", tracked: Iterable[Tracked]) -> None:
    """Write what is due of runs to a SQLite database."""
    dues = [due for one in tracked if (due := one.take_due()) is not None]
    set_headlines(db, [due.summary for due in dues if due.headline])
    set_summaries(db, [due.summary for due in dues if due.whole])


def set_headlines(db: "sqlite3.Connection", summaries: Iterable[RunSummary]) -> None:
    """Write what listings filter and order by."""
    found = [(one.run_id, one.workflow, one.status, one.started_at, one.next_due) for one in summaries]
    rows.write(db, _HEADLINES, found)


def set_summaries(db: "sqlite3.Connection", summaries: Iterable[RunSummary]) -> None:
    """Write whole summaries."""
    rows.write(
        db, _SUMMARIES, [(one.run_id, one.seq, msgspec.json.encode(one).decode()) for one in summaries]
    )
