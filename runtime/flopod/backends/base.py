"""What a store of runs must do: append to a log, load it, keep summaries and an inbox, hold a run.

A store knows events and nothing above them. Every method may be called from any thread. Run ids are
checked here and in no place above, so that no caller can reach outside of the store.
"""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import NamedTuple, Self

import msgspec
from msgspec import Raw

from flopod.backends.listing import Filter as Filter
from flopod.backends.listing import Page
from flopod.backends.listing import cursor_after as cursor_after
from flopod.backends.lock import Hold
from flopod.errors import BadInput, FlopodError
from flopod.events import Event, Record, RunSummary, Span, Status


class Batch(NamedTuple):
    """Events to append to one run whose log ends at `expected_seq` (0 for a new run)."""

    run_id: str
    expected_seq: int
    events: Sequence[Event]


class InboxItem(msgspec.Struct, kw_only=True, frozen=True):
    """Something delivered to a run: number `n` (1, 2, ...) of its inbox, for the wait at `path`."""

    n: int
    path: str
    event: str
    payload: Raw
    at: int


class Timer(NamedTuple):
    """An open timer of a run; `due` in milliseconds since the epoch."""

    run_id: str
    path: str
    due: int


_PAGE = 200
_MOST = 5000
OPEN: tuple[Status, ...] = ("pending", "running", "waiting", "storage_error")
"""The statuses of runs that could go on. The store of one in trouble may be well again."""


class Backend(ABC):
    """Base of the stores. It opens itself at the first use and is closed once, or by `with`."""

    atomic: bool = False
    """Whether what `append_many` writes is there as a whole or not at all, whenever the process is killed."""

    def __init__(self) -> None:
        self._watchers: dict[str, list[Callable[[], None]]] = {}
        self._watching_all: list[Callable[[str], None]] = []

    @abstractmethod
    def describe(self) -> str:
        """Return kind and place in a few words, for a line on standard error."""

    @abstractmethod
    def open(self) -> None:
        """Make the store ready, so that what is wrong with its place is known early."""

    @abstractmethod
    def close(self) -> None:
        """Write what is pending and let go of files. A closed store opens again at the next use."""

    def append(self, run_id: str, expected_seq: int, events: Sequence[Event]) -> int:
        """Append `events` durably and return the sequence number of the last one.

        Raises Fenced if the log does not end at `expected_seq`, and StorageError if the events are
        not safely written; then none of them counts.
        """
        result = self.append_many([Batch(run_id, expected_seq, events)])[0]
        if isinstance(result, FlopodError):
            raise result
        return result

    @abstractmethod
    def append_many(self, batches: Sequence[Batch]) -> list[int | FlopodError]:
        """Append to several runs (each at most once) in one commit where the store can.

        Returns for each batch its last sequence number or the error that `append` would raise: a
        batch that is fenced does not keep the others from being written.
        """

    @abstractmethod
    def load(self, run_id: str) -> list[Record]:
        """Return the whole log of a run, empty if there is none. Raises DamagedLog.

        What a `compacted` event lists is left out, whether or not it is there still.
        """

    def scan(self, run_id: str, after: int = 0) -> Iterator[Record]:
        """Yield the records of a run after the record `after`, a long log piece by piece.

        What a `compacted` event lists may be among them, as long as it is there. Raises DamagedLog, for
        what is missing at the end.
        """
        return (record for record in self.load(run_id) if record.seq > after)

    def compact(self, run_id: str, dropped: Sequence[Span], inbox: int = 0) -> None:  # noqa: B027
        """Remove the records of a held run that its last `compacted` event lists.

        So may go what was delivered up to the inbox item `inbox`. A store may do this later, in part or
        not at all: whoever reads leaves out what is dropped. Raises StorageError.
        """

    @abstractmethod
    def first(self, run_id: str) -> Record | None:
        """Return the first record of a run without reading the others, None if there is none."""

    @abstractmethod
    def summary(self, run_id: str) -> RunSummary | None:
        """Return the summary of a run, up to date with its log, or None if there is no such run."""

    def summaries(
        self,
        status: Status | None = None,
        workflow: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> list[RunSummary]:
        """Return summaries, the youngest run first, after the place `cursor_after` that is given.

        A run whose log is damaged is listed with the status `storage_error`.
        """
        return self._page(Page(() if status is None else (status,), workflow, limit, cursor))

    @abstractmethod
    def _page(self, page: Page) -> list[RunSummary]: ...

    @abstractmethod
    def counts(self) -> dict[Status, int]:
        """Return how many runs have each status that there is. It is cheap, however many they are.

        A run that was left because its store could not even note that may count as what it was before.
        """

    def find(self, wanted: Filter, limit: int | None = None, cursor: str | None = None) -> list[RunSummary]:
        """Return the summaries that a filter lets through, the youngest first, after `cursor`."""
        found: list[RunSummary] = []
        size = _PAGE if limit is None else max(limit, 1)
        while limit is None or len(found) < limit:
            page = self._page(wanted.page(size, cursor))
            found += filter(wanted.lets_through, page)
            if len(page) < size:
                break
            cursor, size = cursor_after(page[-1]), min(2 * size, _MOST)
        return found[:limit]

    @abstractmethod
    def tails(self, run_ids: Sequence[str]) -> dict[str, int]:
        """Return the last sequence number of each of these runs that exists, without reading logs.

        Raises InvalidRunId.
        """

    @abstractmethod
    def pulse(self) -> object:
        """Return something that compares unequal once a run has grown, was made or deleted, by whomever.

        It is cheap enough to poll, and may differ in vain.
        """

    @abstractmethod
    def delete(self, run_id: str) -> bool:
        """Remove a run with all that belongs to it, at once; returns whether there was one.

        Its id can be used again, for a run that has nothing of it. Raises RunHeld if the run is held.
        """

    @abstractmethod
    def mark(self, run_id: str, status: Status, reason: str) -> bool:
        """Set the status in the summary, without an event, until the next event is appended.

        It is for what cannot be appended because the store is in trouble, so it may be in vain:
        returns whether it was written.
        """

    @abstractmethod
    def due_timers(self, before: int) -> list[Timer]:
        """Return the open timers of unfinished runs due before `before`, the earliest first."""

    @abstractmethod
    def inbox(self, run_id: str, after: int = 0) -> list[InboxItem]:
        """Return what was delivered to a run with numbers above `after`."""

    @abstractmethod
    def inbox_tails(self, run_ids: Sequence[str]) -> dict[str, int]:
        """Return the number of the last item that was delivered to each of these runs, if one was.

        Raises InvalidRunId.
        """

    @abstractmethod
    def inbox_token(self, run_id: str) -> object:
        """Return something that compares unequal once the inbox has grown; cheap enough to poll."""

    @abstractmethod
    def keep(self, kind: str, name: str, document: bytes) -> None:
        """Keep a document beside the runs, durably, in the place of one with that name.

        `kind` is a word, `name` has the form of a run id.
        """

    @abstractmethod
    def kept(self, kind: str, name: str) -> bytes | None:
        """Return a document, None if there is none."""

    @abstractmethod
    def all_kept(self, kind: str) -> dict[str, bytes]:
        """Return all documents of a kind by their names, in the order of these."""

    @abstractmethod
    def drop(self, kind: str, name: str) -> bool:
        """Remove a document; returns whether there was one."""

    @abstractmethod
    def hold(self, run_id: str) -> Hold:
        """Take the run for this process and this place in it. Raises RunHeld if it is taken."""

    def claim(self, run_id: str, *, fresh: bool = False) -> Hold:
        """Take the run for an engine of this process, which holds many. Raises RunHeld if it is taken.

        The id of a `fresh` run was just made, so that nobody can have held it before.
        """
        del fresh
        return self.hold(run_id)

    @abstractmethod
    def _deliver(self, run_id: str, path: str, event: str, payload: bytes, at: int) -> int: ...

    def deliver(self, run_id: str, path: str, event: str, payload: Raw | bytes, at: int | None = None) -> int:
        """Put an event into the inbox of a run, durably, and return its number there.

        `payload` is JSON text as the codec writes it; `at` is in milliseconds since the epoch, now if
        left out. Raises BadInput if the payload is not JSON.
        """
        number = self._deliver(run_id, path, event, _compact(payload), now_ms() if at is None else at)
        for callback in list(self._watchers.get(run_id, ())):
            callback()
        for tell in list(self._watching_all):
            tell(run_id)
        return number

    def watch(self, callback: Callable[[str], None]) -> Callable[[], None]:
        """Call `callback(run_id)` after each delivery made through this object; returns how to stop that."""
        self._watching_all.append(callback)
        return lambda: self._watching_all.remove(callback)

    def open_runs(self) -> list[RunSummary]:
        """Return the summaries of all runs that could go on, the eldest first."""
        return list(self.each_open())

    @abstractmethod
    def each_open(self) -> Iterator[RunSummary]:
        """Yield what `open_runs` returns: only some of them are in memory at a time."""
        ...

    def news(self, mark: object) -> tuple[object, list[str]]:
        """Return the runs that were delivered to, or started, since `mark` was returned, and a new mark.

        With None for a mark only that is returned. It is cheap enough to poll; a run may be named in vain.
        """
        return mark, []

    def announce(self, run_id: str) -> None:
        """Make `news` of other processes name a run that was started, where that does not show by itself."""
        del run_id

    def watch_inbox(self, run_id: str, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` after each delivery made through this object; returns how to stop that.

        It is called in the thread that delivers. Deliveries of other processes show in `inbox_token`.
        """
        self._watchers.setdefault(run_id, []).append(callback)

        def stop() -> None:
            watchers = self._watchers.get(run_id, [])
            if callback in watchers:
                watchers.remove(callback)
            if not watchers:
                self._watchers.pop(run_id, None)

        return stop

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def now_ms() -> int:
    """Return the time in milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


def due_of(summaries: Sequence[RunSummary], before: int) -> list[Timer]:
    """Do the work of `Backend.due_timers` over summaries in memory."""
    found = [
        Timer(summary.run_id, path, due)
        for summary in summaries
        if summary.status in ("running", "waiting")
        for path, due in summary.timers().items()
        if due < before
    ]
    return sorted(found, key=lambda timer: timer.due)


def _compact(payload: Raw | bytes) -> bytes:
    try:
        text = msgspec.json.format(bytes(payload), indent=-1)
        msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"the payload is not JSON: {error}", field="payload") from None
    return text
