"""The index of a loaded log that replay reads: entries asked for by the body, outcomes in order, mail.

An *entry* is what the body itself causes (a begin, a fact); an *outcome* is what the body waited for.
Entries are matched as a set, outcomes are delivered in the order of the log.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple, TypeAlias

import msgspec

from flopod.events import (
    Abandoned,
    ActivityCompleted,
    ActivityFailed,
    ActivityStarted,
    BranchTaken,
    Event,
    EventReceived,
    IterationCompleted,
    ListChanged,
    Log,
    MapChanged,
    RaceWon,
    Record,
    Recorded,
    RunCancelled,
    RunCompleted,
    RunFailed,
    RunPaused,
    RunResumed,
    RunStarted,
    SleepCompleted,
    SleepStarted,
    VarChanged,
    WaitCompleted,
    WaitStarted,
)

EntryKey: TypeAlias = str | tuple[str, int]

_BEGINS = (ActivityStarted, SleepStarted, WaitStarted, BranchTaken, Recorded, RaceWon)
_OUTCOMES = (ActivityCompleted, SleepCompleted, WaitCompleted, RunCancelled)
_STATE = (VarChanged, ListChanged, MapChanged)
RESUMED_ON_PURPOSE = "resumed"


class Entry:
    """Something that the body asked for in the recorded past, and whether it has asked again."""

    __slots__ = ("asked", "event", "seq")

    def __init__(self, seq: int, event: Event) -> None:
        self.seq = seq
        self.event = event
        self.asked = False


class Mail(NamedTuple):
    """A delivered event that no wait has taken yet; `seq` is its record."""

    seq: int
    path: str
    event: EventReceived


class History:
    """A log, and how far replay has come in it.

    `started` is the first event, `ended` the terminal one, `last` the last; `build` the last one that
    went on with the run; `paused` a pause that still holds; `finished` the iterations of hand-written
    loops that are over; `mail` what waits may still take; `last_seq` and `last_inbox` the highest
    numbers seen; `snapshots` the last snapshot of each loop; `warned` the paths warned about;
    `replaying` says whether recorded outcomes are still to be delivered.
    `abandoned` are the paths of operations that were cancelled.
    """

    def __init__(self, records: Sequence[Record] = ()) -> None:
        self.last_seq = records[-1].seq if records else 0
        self.started: RunStarted | None = None
        self.build = ""
        self.ended: RunCompleted | RunFailed | None = None
        self.last: Event | None = records[-1].event if records else None
        self.paused: RunPaused | None = None
        self.last_inbox = 0
        self.mail: list[Mail] = []
        self.snapshots: dict[str, Entry] = {}
        self.warned: set[str] = set()
        self.finished: set[str] = set()
        self.abandoned: set[str] = set()
        self._entries: dict[EntryKey, Entry] = {}
        self._order: list[Entry] = []
        self._first_unasked = 0
        self._outcomes: list[Record] = []
        self._next = 0
        self.replaying = False
        self._retries: dict[str, Record] = {}
        self._started_at: dict[str, int] = {}
        self._crashes: list[int] = []
        self._reset = 0
        self._tail: dict[tuple[str, str], deque[int]] = {}
        self._read(records)

    # -- reading ---------------------------------------------------------------------------------

    def _read(self, records: Sequence[Record]) -> None:
        finished = self.finished
        finished.update(
            iteration_of(event)
            for _, event in records
            if isinstance(event, IterationCompleted) and is_outcome(event)
        )
        taken: set[int | None] = set()
        for record in records:
            event = record.event
            if finished and _inside(event.path, finished):
                continue
            if is_outcome(event):
                self._outcomes.append(record)
                if isinstance(event, WaitCompleted):
                    taken.add(event.event_seq)
            else:
                self._read_other(record)
                if isinstance(event, Log) and event.logger == WARNER:
                    self.warned.add(event.path)
                    taken.add(_dropped(event))
        self.mail = [mail for mail in self.mail if mail.seq not in taken]
        self.replaying = bool(self._outcomes)
        self._read_tail(records)

    def _read_other(self, record: Record) -> None:
        seq, event = record
        if isinstance(event, _BEGINS):
            self._add(event.path, seq, event)
        elif isinstance(event, IterationCompleted):
            self.snapshots[event.path] = self._add((event.path, event.index), seq, event)
        elif isinstance(event, ActivityFailed):
            self._retries[event.path] = record
        elif isinstance(event, EventReceived):
            self.mail.append(Mail(seq, event.path, event))
            self.last_inbox = max(self.last_inbox, event.inbox)
        else:
            self._read_of_run(seq, event)

    def _read_of_run(self, seq: int, event: Event) -> None:
        if isinstance(event, RunStarted):
            self.started = event
            self.build = event.build
        elif isinstance(event, RunResumed):
            self._read_resumed(seq, event)
        elif isinstance(event, RunPaused):
            self.paused = event
        elif isinstance(event, Abandoned):
            self.abandoned.update(event.paths)
        elif isinstance(event, RunCompleted | RunFailed):
            self.ended = event

    def _read_resumed(self, seq: int, event: RunResumed) -> None:
        if event.crashed:
            self._crashes.append(seq)
        if event.reason == RESUMED_ON_PURPOSE:
            self._reset = seq
        self.build = event.build or self.build
        self.paused = None

    def _add(self, key: EntryKey, seq: int, event: Event) -> Entry:
        entry = Entry(seq, event)
        self._entries[key] = entry
        self._order.append(entry)
        return entry

    def _read_tail(self, records: Sequence[Record]) -> None:
        last_outcome = self._outcomes[-1].seq if self._outcomes else 0
        for seq, event in reversed(records):
            if seq <= last_outcome:
                break
            if isinstance(event, _STATE) or (isinstance(event, Log) and event.logger != WARNER):
                self._tail.setdefault(_tail_key(event), deque()).appendleft(seq)

    # -- what replay asks ------------------------------------------------------------------------

    def find(self, key: EntryKey) -> Entry | None:
        """Return the recorded entry of `key` without asking for it."""
        return self._entries.get(key)

    def next_outcome(self) -> Record | None:
        """Return the next outcome to deliver, without moving on."""
        return self._outcomes[self._next] if self.replaying else None

    def delivered(self) -> None:
        """Move on past the next outcome."""
        self._next += 1
        self.replaying = self._next < len(self._outcomes)

    def first_unasked(self) -> Entry | None:
        """Return the earliest entry that the body has not asked for."""
        order = self._order
        while self._first_unasked < len(order) and order[self._first_unasked].asked:
            self._first_unasked += 1
        return order[self._first_unasked] if self._first_unasked < len(order) else None

    def retry_of(self, path: str) -> ActivityFailed | None:
        """Return the last failed attempt of an activity that is not over."""
        record = self._retries.get(path)
        return record.event if record is not None and isinstance(record.event, ActivityFailed) else None

    def crashes_of(self, path: str) -> int:
        """Return how often the run was killed while the activity at `path` was in flight."""
        entry = self._entries.get(path)
        if entry is None:
            return 0
        retry = self._retries.get(path)
        since = max(entry.seq, retry.seq if retry is not None else 0, self._reset)
        return sum(1 for seq in self._crashes if seq > since)

    def forgive_crashes(self) -> None:
        """Do not count the crashes so far: the run is resumed on purpose."""
        self._reset = self.last_seq

    def take_tail(self, event: Event) -> bool:
        """Whether this event of state or output is in the tail of the log already; takes it once."""
        found = self._tail.get(_tail_key(event)) if self._tail else None
        if not found:
            return False
        found.popleft()
        return True

    def end(self) -> None:
        """The recorded past is over: what is emitted from now on is new."""
        self._tail.clear()

    # -- fast-forward ----------------------------------------------------------------------------

    def jump_past(self, entry: Entry, loop: str) -> bool:
        """Count everything up to `entry` as asked for and delivered, if all of it belongs to `loop`.

        Returns False, and changes nothing, if something else lies between.
        """
        between = list(self._pending_until(entry.seq))
        if not all(_belongs(event.path, loop) for event in between):
            return False
        for passed in islice(self._order, self._first_unasked, None):
            if passed.seq > entry.seq:
                break
            passed.asked = True
        while self._next < len(self._outcomes) and self._outcomes[self._next].seq < entry.seq:
            self._next += 1
        self.replaying = self._next < len(self._outcomes)
        for seqs in self._tail.values():
            while seqs and seqs[0] < entry.seq:
                seqs.popleft()
        return True

    def _pending_until(self, seq: int) -> Iterator[Event]:
        for entry in islice(self._order, self._first_unasked, None):
            if entry.seq > seq:
                break
            if not entry.asked:
                yield entry.event
        for record in islice(self._outcomes, self._next, None):
            if record.seq > seq:
                break
            yield record.event


WARNER = "flopod"


def is_outcome(event: Event) -> bool:
    """Whether the body waited for this event."""
    if isinstance(event, ActivityFailed):
        return event.next_try is None
    if isinstance(event, IterationCompleted):
        return event.result is not None or event.error is not None
    return isinstance(event, _OUTCOMES)


def iteration_of(event: IterationCompleted) -> str:
    """Return the path of the iteration that `event` completed."""
    return f"{event.path}[{event.key}]"


def poisoned(history: History, path: str, limit: int, crashed_now: bool) -> bool:
    """Whether the activity at `path` was in flight at `limit` successive crashes."""
    if history.find(path) is None:
        return False
    return history.crashes_of(path) + (1 if crashed_now else 0) >= limit


def _dropped(event: Log) -> int | None:
    fields = None if event.fields is None else msgspec.json.decode(event.fields)
    return fields.get("dropped") if isinstance(fields, dict) else None


def _inside(path: str, iterations: set[str]) -> bool:
    if path in iterations:
        return True
    end = path.find("/")
    while end >= 0:
        if path[:end] in iterations:
            return True
        end = path.find("/", end + 1)
    return False


def _belongs(path: str, loop: str) -> bool:
    return path == loop or (path.startswith(loop) and path[len(loop)] == "[")


def _tail_key(event: Event) -> tuple[str, str]:
    return ("log" if isinstance(event, Log) else "state"), event.path
