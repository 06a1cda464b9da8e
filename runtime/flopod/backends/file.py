"""Runs as text files: one log, one summary and one inbox a run, in folders of their own.

DIR/events/RUN.jsonl      the log, one record a line
DIR/summaries/RUN.json    the summary, and how much of the log is in it
DIR/inbox/RUN.jsonl       what was delivered to the run
DIR/locks/RUN             who holds the run
DIR/documents/KIND/NAME   what is kept beside the runs
DIR/news                  which runs were delivered to, for engines that wait
DIR/pulse                 when a run changed last
"""

import contextlib
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

from flopod.backends import disk
from flopod.backends.base import OPEN, Backend, Batch, InboxItem, Timer, due_of
from flopod.backends.documentfiles import DocumentFiles
from flopod.backends.filelisting import FileListing
from flopod.backends.inboxfile import InboxFile
from flopod.backends.linefile import UNKNOWN, LineFile
from flopod.backends.listing import Page
from flopod.backends.lock import Hold
from flopod.backends.lockfolder import LockFolder
from flopod.backends.newsfile import NewsFile
from flopod.backends.pulsefile import PulseFile
from flopod.backends.reading import (
    check_owner,
    damaged_summary,
    duplicate,
    fold_records,
    folded_on,
    last_seq,
    read_records,
    scan_lines,
    seq_of,
)
from flopod.backends.summaryfiles import Stamp, StoredSummary, SummaryFiles
from flopod.errors import DamagedLog, Fenced, FlopodError, StorageError
from flopod.events import (
    FINAL,
    Event,
    Record,
    RunDiverged,
    RunPaused,
    RunResumed,
    RunStarted,
    RunSummary,
    Span,
    Status,
    encode_line,
)
from flopod.events.spans import holds
from flopod.runid import check_run_id

_LAG = 256
_WORTH = 4
_RUN_LEVEL = (RunStarted, RunResumed, RunPaused, RunDiverged)


class _Run:
    """What this process knows of a run that it writes to."""

    def __init__(self, run_id: str, log: LineFile) -> None:
        self.run_id = run_id
        self.log = log
        self.lock = threading.RLock()
        self.seq = 0
        self.summary: RunSummary | None = None
        self.stored_seq = 0
        self.stored: Stamp | None = None


class FileBackend(Backend):
    """A store in the folder `directory`, readable with ordinary tools."""

    def __init__(self, directory: str | Path) -> None:
        super().__init__()
        self.directory = Path(directory)
        self._lock = threading.RLock()
        self._runs: dict[str, _Run] = {}
        self._inboxes: dict[str, InboxFile] = {}
        self._summaries = SummaryFiles(self.directory / "summaries")
        self._locks = LockFolder(self.directory / "locks", self._forget)
        self._documents = DocumentFiles(self.directory / "documents")
        self._news = NewsFile(self.directory / "news")
        self._pulse = PulseFile(self.directory / "pulse")
        self._listing = FileListing(self.directory, self.pulse, self._summary_or_damage)

    def describe(self) -> str:
        return f"files in {self.directory}"

    def open(self) -> None:
        self._folder("events")

    def close(self) -> None:
        for run_id in list(self._runs):
            self._forget(run_id)

    def append_many(self, batches: Sequence[Batch]) -> list[int | FlopodError]:
        return [self._append(*batch) for batch in batches]

    def _append(self, run_id: str, expected_seq: int, events: Sequence[Event]) -> int | FlopodError:
        try:
            lines = [encode_line(seq, event) for seq, event in enumerate(events, expected_seq + 1)]
            run = self._run(run_id)
            with run.lock:
                if not run.log.is_open:
                    self._folder("events")
                self._write(run, expected_seq, b"".join(b"%s\n" % line for line in lines))
                self._pulse.beat()
                self._note(run, events)
                return run.seq
        except FlopodError as error:
            return error

    def _write(self, run: _Run, expected_seq: int, data: bytes) -> None:
        with run.log:
            if not run.log.is_known():
                self._adopt(run)
            if run.seq != expected_seq:
                raise Fenced(run.run_id, expected_seq, run.seq)
            run.log.append(data)

    def _adopt(self, run: _Run) -> None:
        length, records = self._read(run.run_id)
        run.log.adopt(length)
        self._take_over(run, records)

    def _take_over(self, run: _Run, records: list[Record]) -> None:
        run.stored, stored = self._summaries.stamp(run.run_id), self._summaries.read(run.run_id)
        run.seq = records[-1].seq if records else 0
        base = stored.summary if stored and stored.summary.seq <= run.seq else None
        run.stored_seq = base.seq if base else 0
        run.summary, _ = folded_on(
            run.run_id, base, lambda after: [record for record in records if record.seq > after]
        )

    def _note(self, run: _Run, events: Sequence[Event]) -> None:
        records = [Record(seq, event) for seq, event in enumerate(events, run.seq + 1)]
        run.summary = fold_records(run.run_id, run.summary, records)
        run.seq += len(records)
        if run.summary is None:
            return
        ended = run.summary.status in FINAL
        if (
            ended
            or any(isinstance(event, _RUN_LEVEL) for event in events)
            or run.seq - run.stored_seq >= _LAG
        ):
            self._keep_up(run, run.summary)

    def _keep_up(self, run: _Run, summary: RunSummary) -> None:
        """Store the summary that this process has."""
        self._summaries.write(run.run_id, StoredSummary(run.log.length, summary))
        run.stored_seq, run.stored = run.seq, self._summaries.stamp(run.run_id)

    def load(self, run_id: str) -> list[Record]:
        length, records = self._read(check_run_id(run_id))
        run = self._run(run_id)
        with run.lock:
            if records and run.log.length == UNKNOWN:
                run.log.length = length
                self._take_over(run, records)
        return records

    def scan(self, run_id: str, after: int = 0) -> Iterator[Record]:
        file = self._file("events", check_run_id(run_id))
        if self._size("events", run_id):
            with disk.errors(file):
                yield from scan_lines(file, after)

    def compact(self, run_id: str, dropped: Sequence[Span], inbox: int = 0) -> None:
        run = self._run(check_run_id(run_id))
        if inbox:
            self._inbox(run_id).forget(inbox)
        with run.lock, run.log:
            if not run.log.is_known():
                self._adopt(run)
            with disk.errors(run.log.file):
                lines = run.log.file.read_bytes().split(b"\n")[:-1]
            kept = b"".join(b"%s\n" % line for line in lines if not holds(dropped, seq_of(line)))
            # To write much in order to remove little is put off until it is worth it.
            if (run.log.length - len(kept)) * _WORTH < len(kept) or not run.log.rewrite(kept):
                return
            if run.summary is not None:
                self._keep_up(run, run.summary)

    def first(self, run_id: str) -> Record | None:
        _, records = self._read(check_run_id(run_id), one=True)
        return records[0] if records else None

    def _read(
        self, run_id: str, start: int = 0, after: int = 0, one: bool = False
    ) -> tuple[int, list[Record]]:
        """Return the records from the offset `start` on, or `one` of them, and where they end."""
        # What follows the last line end is an append that was cut short, so it never counted.
        file = self._file("events", run_id)
        try:
            with disk.errors(file), file.open("rb") as stream:
                stream.seek(start)
                data = stream.readline() if one else stream.read()
        except StorageError as error:
            if isinstance(error.__cause__, FileNotFoundError):
                return 0, []
            raise
        lines = data.split(b"\n")
        end = start + len(data) - len(lines.pop())
        records = read_records(str(file), lines, after, start)
        if start == 0:
            check_owner(str(file), run_id, records)
        return end, records

    def summary(self, run_id: str) -> RunSummary | None:
        size = self._size("events", check_run_id(run_id))
        if not size:
            return None
        run = self._runs.get(run_id)
        if run is not None:
            with run.lock:
                # Another process may have marked the run, which is not in the log.
                if run.summary and run.log.length == size and run.stored == self._summaries.stamp(run_id):
                    return self._locks.in_trouble(run_id, duplicate(run.summary))
        stored = self._refolded(run_id, size)
        return self._locks.in_trouble(run_id, stored.summary) if stored else None

    def _refolded(self, run_id: str, size: int) -> StoredSummary | None:
        stored = self._summaries.read(run_id)
        if stored is not None and stored.offset == size:
            return stored
        if stored is not None and stored.offset < size:
            with contextlib.suppress(DamagedLog):
                return self._folded_on(run_id, stored)
        # There is no summary, or it belongs to a log that was cut since.
        return self._folded_on(run_id, None)

    def _folded_on(self, run_id: str, stored: StoredSummary | None) -> StoredSummary | None:
        end = 0

        def read(after: int) -> list[Record]:
            nonlocal end
            end, records = self._read(run_id, stored.offset if stored and after else 0, after)
            return records

        summary, records = folded_on(run_id, stored.summary if stored else None, read)
        if summary is None:
            return None
        found = StoredSummary(end, summary)
        if stored is None or len(records) >= _LAG:
            self._summaries.write(run_id, found)
        return found

    def _page(self, page: Page) -> list[RunSummary]:
        return self._listing.page(page)

    def each_open(self) -> Iterator[RunSummary]:
        return self._listing.upwards(Page(OPEN))

    def counts(self) -> dict[Status, int]:
        return self._listing.counts()

    def _summary_or_damage(self, run_id: str) -> RunSummary | None:
        try:
            return self.summary(run_id)
        except DamagedLog as error:
            return damaged_summary(run_id, error)

    def tails(self, run_ids: Sequence[str]) -> dict[str, int]:
        found = {run_id: self._last_seq(run_id) for run_id in run_ids}
        return {run_id: seq for run_id, seq in found.items() if seq}

    def _last_seq(self, run_id: str) -> int:
        run, size = self._runs.get(run_id), self._size("events", check_run_id(run_id))
        if run is not None:
            with run.lock:
                if run.log.length == size:
                    return run.seq
        if not size:
            return 0
        file = self._file("events", run_id)
        with disk.errors(file):
            return last_seq(file)

    def pulse(self) -> object:
        return self._pulse.read()

    def delete(self, run_id: str) -> bool:
        # The log is last: without it the run is gone, and before that it can be deleted again.
        with self.claim(run_id):
            there = self._size("events", run_id) > 0
            self._summaries.remove(run_id)
            for kind in ("inbox", "events"):
                with disk.errors(self._file(kind, run_id)):
                    self._file(kind, run_id).unlink(missing_ok=True)
            self._pulse.beat()
        return there

    def mark(self, run_id: str, status: Status, reason: str) -> bool:
        if self._mark(run_id, status, reason):
            return True
        self._locks.note(run_id, status)
        return False

    def _mark(self, run_id: str, status: Status, reason: str) -> bool:
        run = self._run(run_id)
        with run.lock:
            try:
                stored = self._refolded(run_id, self._size("events", run_id))
            except StorageError:
                return False
            if stored is None:
                return False
            stored.summary.status, stored.summary.error = status, reason
            run.summary, run.stored_seq = None, 0
            run.log.forget()
            written = self._summaries.write(run_id, stored)
            self._pulse.beat()
            return written

    def due_timers(self, before: int) -> list[Timer]:
        return due_of(self.summaries(), before)

    def _deliver(self, run_id: str, path: str, event: str, payload: bytes, at: int) -> int:
        inbox = self._inbox(run_id)
        self._folder("inbox")
        number = inbox.deliver(path, event, payload, at)
        self.announce(run_id)
        return number

    def announce(self, run_id: str) -> None:
        self._news.announce(run_id)

    def news(self, mark: object) -> tuple[object, list[str]]:
        return self._news.since(mark)

    def inbox(self, run_id: str, after: int = 0) -> list[InboxItem]:
        return [item for item in self._inbox(run_id).items() if item.n > after]

    def inbox_tails(self, run_ids: Sequence[str]) -> dict[str, int]:
        there = [run_id for run_id in run_ids if self._size("inbox", check_run_id(run_id))]
        found = {run_id: self._inbox(run_id).items() for run_id in there}
        return {run_id: items[-1].n for run_id, items in found.items() if items}

    def inbox_token(self, run_id: str) -> object:
        try:
            status = self._file("inbox", check_run_id(run_id)).stat()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise disk.storage_error(error, self._file("inbox", run_id)) from error
        return status.st_ino, status.st_size, status.st_mtime_ns

    def keep(self, kind: str, name: str, document: bytes) -> None:
        self._documents.keep(kind, name, document)

    def kept(self, kind: str, name: str) -> bytes | None:
        return self._documents.kept(kind, name)

    def all_kept(self, kind: str) -> dict[str, bytes]:
        return self._documents.all_kept(kind)

    def drop(self, kind: str, name: str) -> bool:
        return self._documents.drop(kind, name)

    def hold(self, run_id: str) -> Hold:
        return self._locks.hold(check_run_id(run_id))

    def claim(self, run_id: str, *, fresh: bool = False) -> Hold:
        return self._locks.claim(check_run_id(run_id), fresh)

    def _run(self, run_id: str) -> _Run:
        with self._lock:
            run = self._runs.get(run_id)
            if run is None:
                run = _Run(run_id, LineFile(self._file("events", check_run_id(run_id))))
                self._runs[run_id] = run
            return run

    def _inbox(self, run_id: str) -> InboxFile:
        with self._lock:
            inbox = self._inboxes.get(run_id)
            if inbox is None:
                inbox = self._inboxes[run_id] = InboxFile(self._file("inbox", check_run_id(run_id)))
            return inbox

    def _forget(self, run_id: str) -> None:
        with self._lock:
            run = self._runs.pop(run_id, None)
            self._inboxes.pop(run_id, None)
        if run is None:
            return
        with run.lock:
            if run.summary is not None and run.stored_seq != run.seq and run.log.length != UNKNOWN:
                self._summaries.write(run_id, StoredSummary(run.log.length, run.summary))
            run.log.settle()
            run.log.close()

    def _size(self, kind: str, run_id: str) -> int:
        try:
            return self._file(kind, run_id).stat().st_size
        except FileNotFoundError:
            return 0
        except OSError as error:
            raise disk.storage_error(error, self._file(kind, run_id)) from error

    def _file(self, kind: str, run_id: str) -> Path:
        return self.directory / kind / (run_id + _ENDINGS[kind])

    def _folder(self, kind: str) -> None:
        folder = self.directory / kind
        with disk.errors(folder):
            disk.make_folder(folder)


_ENDINGS = {"events": ".jsonl", "inbox": ".jsonl"}
