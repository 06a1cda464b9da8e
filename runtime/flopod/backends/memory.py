"""Runs in memory, for tests and for programs that need no durability.

Records are kept as the lines that a file would hold, so that what cannot be written shows here too,
and so that a test can cut a log anywhere and go on from there.
"""

import os
import threading
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from msgspec import Raw

from flopod.backends.base import OPEN, Backend, Batch, InboxItem, Timer, due_of
from flopod.backends.headlines import Headlines
from flopod.backends.listing import Page
from flopod.backends.lock import Hold, MemoryHold
from flopod.backends.reading import duplicate, fold_records, read_records, seq_of
from flopod.errors import Fenced, FlopodError, RunHeld
from flopod.events import Event, Record, RunSummary, Span, Status, encode_line
from flopod.events.spans import holds
from flopod.runid import check_run_id


class MemoryBackend(Backend):
    """A store that ends with the process."""

    atomic = True

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.RLock()
        self._lines: dict[str, list[bytes]] = {}
        self._summaries: dict[str, RunSummary] = {}
        self._headlines = Headlines()
        self._beats = 0
        self._inboxes: dict[str, list[InboxItem]] = {}
        self._holds: dict[str, bool] = {}
        self._killed: set[str] = set()
        self._kept: dict[tuple[str, str], bytes] = {}

    @classmethod
    def from_records(
        cls, run_id: str, lines: Iterable[bytes], inbox: Iterable[InboxItem] = (), crashed: bool = True
    ) -> "MemoryBackend":
        """Return a store that holds one run with these record lines, as if its process had died.

        `crashed=False` means that it had left in good order instead.
        """
        backend = cls()
        backend._lines[check_run_id(run_id)] = list(lines)
        backend._inboxes[run_id] = list(inbox)
        backend._fold(run_id, backend.load(run_id))
        if crashed:
            backend._killed.add(run_id)
        return backend

    def lines(self, run_id: str) -> list[bytes]:
        """Return the record lines of a run."""
        return list(self._lines.get(check_run_id(run_id), ()))

    def prefix(self, run_id: str, count: int, crashed: bool = True) -> "MemoryBackend":
        """Return a copy of this store as a kill after `count` records of the run would leave it.

        The inbox is kept whole: what was delivered stays delivered.
        """
        return self.from_records(run_id, self.lines(run_id)[:count], self.inbox(run_id), crashed)

    def describe(self) -> str:
        return "memory (gone when the process ends)"

    def open(self) -> None:
        """Do nothing: memory is always ready."""

    def close(self) -> None:
        """Do nothing: the runs stay as long as this object does."""

    def append_many(self, batches: Sequence[Batch]) -> list[int | FlopodError]:
        with self._lock:
            return [self._append(*batch) for batch in batches]

    def _append(self, run_id: str, expected_seq: int, events: Sequence[Event]) -> int | FlopodError:
        try:
            found = self._last_seq(check_run_id(run_id))
            new = [encode_line(seq, event) for seq, event in enumerate(events, expected_seq + 1)]
            records = read_records("memory", new, expected_seq)
        except FlopodError as error:
            return error
        if found != expected_seq:
            return Fenced(run_id, expected_seq, found)
        if new:
            self._lines.setdefault(run_id, []).extend(new)
            self._fold(run_id, records)
            self._beats += 1
        return expected_seq + len(new)

    def _last_seq(self, run_id: str) -> int:
        lines = self._lines.get(run_id)
        return seq_of(lines[-1]) if lines else 0

    def _fold(self, run_id: str, records: Iterable[Record]) -> None:
        summary = fold_records(run_id, self._summaries.get(run_id), records)
        if summary is not None:
            self._summaries[run_id] = summary
            self._headlines.put(summary)

    def load(self, run_id: str) -> list[Record]:
        return read_records("memory", self.lines(run_id))

    def compact(self, run_id: str, dropped: Sequence[Span], inbox: int = 0) -> None:
        with self._lock:
            lines = self._lines.get(check_run_id(run_id), [])
            lines[:] = [line for line in lines if not holds(dropped, seq_of(line))]
            items = self._inboxes.get(run_id, [])
            items[:-1] = [item for item in items[:-1] if item.n > inbox]

    def first(self, run_id: str) -> Record | None:
        return next(iter(read_records("memory", self.lines(run_id)[:1])), None)

    def summary(self, run_id: str) -> RunSummary | None:
        with self._lock:
            summary = self._summaries.get(check_run_id(run_id))
            return None if summary is None else duplicate(summary)

    def _page(self, page: Page) -> list[RunSummary]:
        with self._lock:
            found = islice(self._headlines.of(page), page.limit)
            return [duplicate(self._summaries[run_id]) for run_id in found]

    def counts(self) -> dict[Status, int]:
        with self._lock:
            return self._headlines.counts()

    def tails(self, run_ids: Sequence[str]) -> dict[str, int]:
        with self._lock:
            found = {run_id: self._last_seq(check_run_id(run_id)) for run_id in run_ids}
        return {run_id: seq for run_id, seq in found.items() if seq}

    def pulse(self) -> object:
        return self._beats

    def delete(self, run_id: str) -> bool:
        with self.hold(run_id), self._lock:
            self._inboxes.pop(run_id, None)
            self._summaries.pop(run_id, None)
            self._headlines.drop(run_id)
            self._beats += 1
            return self._lines.pop(run_id, None) is not None

    def each_open(self) -> Iterator[RunSummary]:
        with self._lock:
            names = list(self._headlines.of(Page(OPEN)))
        found = map(self.summary, reversed(names))
        return (summary for summary in found if summary is not None and summary.status in OPEN)

    def mark(self, run_id: str, status: Status, reason: str) -> bool:
        with self._lock:
            summary = self._summaries.get(check_run_id(run_id))
            if summary is not None:
                summary.status, summary.error = status, reason
                self._beats += 1
                self._headlines.put(summary)
            return summary is not None

    def due_timers(self, before: int) -> list[Timer]:
        with self._lock:
            return due_of(list(self._summaries.values()), before)

    def _deliver(self, run_id: str, path: str, event: str, payload: bytes, at: int) -> int:
        with self._lock:
            items = self._inboxes.setdefault(check_run_id(run_id), [])
            number = items[-1].n + 1 if items else 1
            items.append(InboxItem(n=number, path=path, event=event, payload=Raw(payload), at=at))
            return number

    def inbox(self, run_id: str, after: int = 0) -> list[InboxItem]:
        return [item for item in self._inboxes.get(check_run_id(run_id), ()) if item.n > after]

    def inbox_tails(self, run_ids: Sequence[str]) -> dict[str, int]:
        with self._lock:
            found = {run_id: self._inboxes.get(check_run_id(run_id)) for run_id in run_ids}
        return {run_id: items[-1].n for run_id, items in found.items() if items}

    def inbox_token(self, run_id: str) -> object:
        items = self._inboxes.get(check_run_id(run_id))
        return items[-1].n if items else 0

    def keep(self, kind: str, name: str, document: bytes) -> None:
        with self._lock:
            self._kept[kind, check_run_id(name)] = document

    def kept(self, kind: str, name: str) -> bytes | None:
        return self._kept.get((kind, check_run_id(name)))

    def all_kept(self, kind: str) -> dict[str, bytes]:
        with self._lock:
            return {name: document for (of, name), document in sorted(self._kept.items()) if of == kind}

    def drop(self, kind: str, name: str) -> bool:
        with self._lock:
            return self._kept.pop((kind, check_run_id(name)), None) is not None

    def hold(self, run_id: str) -> Hold:
        with self._lock:
            if check_run_id(run_id) in self._holds:
                raise RunHeld(run_id, os.getpid())
            self._holds[run_id] = True
            crashed = run_id in self._killed
            self._killed.discard(run_id)
            return MemoryHold(run_id, self._holds, crashed, self._killed)
