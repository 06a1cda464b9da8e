"""What a log is made of for a replay: entries, outcomes and mail, and which event is which."""

from collections.abc import Iterator
from itertools import islice, takewhile
from typing import NamedTuple, TypeAlias

from flopod.events import (
    ActivityCompleted,
    ActivityFailed,
    CancelRequested,
    ChildCompleted,
    DetachEnded,
    Event,
    EventReceived,
    IterationCompleted,
    SleepCompleted,
    WaitCompleted,
)

EntryKey: TypeAlias = str | tuple[str, int]

_OUTCOMES = {
    ActivityCompleted,
    SleepCompleted,
    WaitCompleted,
    ChildCompleted,
    DetachEnded,
    CancelRequested,
}


class Entry:
    """Something that the body asked for in the recorded past, and whether it has asked again.

    `since` is the generation that recorded it if that is an older one, else None.
    """

    __slots__ = ("asked", "event", "seq", "since")

    def __init__(self, seq: int, event: Event, since: str | None) -> None:
        self.seq = seq
        self.event = event
        self.since = since
        self.asked = False


class Entries:
    """What the body asked for in the recorded past, in the order of the log.

    What builds of older generations recorded comes first.
    """

    def __init__(self) -> None:
        self._by_key: dict[EntryKey, Entry] = {}
        self._order: list[Entry] = []
        self._first_unasked = 0
        self._first_own = 0

    def add(self, key: EntryKey, entry: Entry) -> None:
        """Take the next one of the log."""
        self._by_key[key] = entry
        self._order.append(entry)
        self._first_own += entry.since is not None

    def find(self, key: EntryKey) -> Entry | None:
        """Return the one of `key` without asking for it."""
        return self._by_key.get(key)

    def first_unasked(self, *, own: bool = False) -> Entry | None:
        """Return the earliest that the body has not asked for; with `own` of this generation."""
        order, place = self._order, self._place()
        if own and place < self._first_own:
            return next((one for one in islice(order, self._first_own, None) if not one.asked), None)
        return order[place] if place < len(order) else None

    def unasked(self, until: int) -> Iterator[Entry]:
        """Those up to the record `until` that the body has not asked for."""
        unasked = (one for one in islice(self._order, self._place(), None) if not one.asked)
        return takewhile(lambda entry: entry.seq <= until, unasked)

    def of_older(self) -> Iterator[Entry]:
        """Those that older builds recorded."""
        return (entry for entry in islice(self._order, self._first_own) if entry.since is not None)

    def unasked_of_older(self) -> Iterator[Entry]:
        """Those of older builds that the body has not asked for."""
        rest = islice(self._order, self._first_unasked, self._first_own)
        return (entry for entry in rest if entry.since is not None and not entry.asked)

    def _place(self) -> int:
        """Where the earliest is that the body has not asked for: before it, there is nothing to look at."""
        order, place = self._order, self._first_unasked
        while place < len(order) and order[place].asked:
            place += 1
        self._first_unasked = place
        return place


class Older(NamedTuple):
    """An outcome that a build of the older generation `since` recorded."""

    seq: int
    event: Event
    since: str


class Mail(NamedTuple):
    """A delivered event that no wait has taken yet; `seq` is its record."""

    seq: int
    path: str
    event: EventReceived


def is_outcome(event: Event) -> bool:
    """Whether the body waited for this event."""
    if type(event) is ActivityFailed:
        return event.next_try is None
    if type(event) is IterationCompleted:
        return event.result is not None or event.error is not None
    return type(event) in _OUTCOMES


def path_of(event: Event) -> str:
    """Return the path of the operation or the iteration that an event is about."""
    return iteration_of(event) if isinstance(event, IterationCompleted) else event.path


def iteration_of(event: IterationCompleted) -> str:
    """Return the path of the iteration that `event` completed."""
    return f"{event.path}[{event.key}]"


def is_inside(path: str, iterations: set[str]) -> bool:
    """Whether a path is that of an iteration, or lies in one."""
    if path in iterations:
        return True
    end = path.find("/")
    while end >= 0:
        if path[:end] in iterations:
            return True
        end = path.find("/", end + 1)
    return False


def belongs(path: str, loop: str) -> bool:
    """Whether a path is that of a loop, or lies in it."""
    return path == loop or (path.startswith(loop) and path[len(loop)] == "[")
