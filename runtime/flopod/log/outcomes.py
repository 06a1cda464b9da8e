"""What the body waited for in the recorded past, delivered one at a time in the order of the log."""

from collections import OrderedDict
from collections.abc import Iterator
from itertools import chain, islice

from flopod.events import Event, Record
from flopod.log.entries import Older, path_of


class Outcomes:
    """Those still to be delivered; `are_left` says whether there are any.

    `older` are those of builds of other generations by their paths, which may be delivered in another order.
    """

    def __init__(self) -> None:
        self.older: OrderedDict[str, Older] = OrderedDict()
        self.are_left = False
        self._own: list[Record] = []
        self._next = 0

    def add(self, record: Record, since: str | None) -> None:
        """Take the next one of the log, which the generation `since` recorded, None for the own."""
        if since is None:
            self._own.append(record)
        else:
            self.older[path_of(record.event)] = Older(*record, since)
        self.are_left = True

    @property
    def last_seq(self) -> int:
        """The number of the last one, 0 if there is none."""
        if self._own:
            return self._own[-1].seq
        return next(reversed(self.older.values())).seq if self.older else 0

    def next(self) -> Record | None:
        """Return the next one of this generation, without moving on."""
        return self._own[self._next] if self._next < len(self._own) else None

    def delivered(self, older: str | None = None) -> int:
        """Move on past the next one, or past the older one at a path, and return its number."""
        if older is None:
            seq = self._own[self._next].seq
            self._next += 1
        else:
            seq = self.older.pop(older).seq
        self._look()
        return seq

    def skip_to(self, seq: int) -> None:
        """Drop what comes before the record `seq`."""
        for path in [path for path, one in self.older.items() if one.seq < seq]:
            del self.older[path]
        while self._next < len(self._own) and self._own[self._next].seq < seq:
            self._next += 1
        self._look()

    def until(self, seq: int) -> Iterator[Event]:
        """Those up to the record `seq`."""
        own = islice(self._own, self._next, None)
        for number, event in chain(((one.seq, one.event) for one in self.older.values()), own):
            if number > seq:
                break
            yield event

    def _look(self) -> None:
        self.are_left = self._next < len(self._own) or bool(self.older)
