"""Decides what the log of a running run can do without: what lies before the last snapshot of a loop."""

from msgspec.structs import replace

from flopod.events import (
    Abandoned,
    ActivityCompleted,
    ActivityFailed,
    ActivityStarted,
    BranchTaken,
    CancelRequested,
    ChildCompleted,
    ChildStarted,
    Compacted,
    Detached,
    DetachEnded,
    Event,
    IterationCompleted,
    RaceWon,
    Recorded,
    SleepCompleted,
    SleepStarted,
    Span,
    WaitCompleted,
    WaitStarted,
)
from flopod.events.spans import holds, merged, size, without
from flopod.log.entries import belongs
from flopod.log.ledger import Ledger, is_constant

_REPLAYED = {
    ActivityCompleted,
    ActivityFailed,
    ActivityStarted,
    BranchTaken,
    CancelRequested,
    ChildCompleted,
    ChildStarted,
    Detached,
    DetachEnded,
    IterationCompleted,
    RaceWon,
    Recorded,
    SleepCompleted,
    SleepStarted,
    WaitCompleted,
    WaitStarted,
}


class Stretch:
    """The part of the log that belongs to a loop: after the record `base`, up to its last `snapshot`.

    It is `closed` by the first event of something else: no later snapshot of the loop could be jumped to.
    """

    __slots__ = ("base", "closed", "path", "snapshot")

    def __init__(self, path: str, base: int) -> None:
        self.path = path
        self.base = base
        self.snapshot = 0
        self.closed = False


class Compaction:
    """Follows the loops of a run that take snapshots.

    It is due when at least `least` records can go, and at least as many as stay, so that each record is
    written anew once on the average; None is never.
    """

    def __init__(self, ledger: Ledger, least: int | None) -> None:
        self._ledger = ledger
        self._least = least
        self._open: list[Stretch] = []
        self._stretches: dict[str, Stretch] = {}
        self._looked_at = 0
        self._is_fresh = False

    def enter(self, path: str, base: int) -> Stretch:
        """Follow a loop that begins after the record `base`, which is the innermost now."""
        stretch = self._stretches[path] = Stretch(path, base)
        self._close_outside(path)
        self._open.append(stretch)
        return stretch

    def emitted(self, event: Event) -> None:
        """Take note of an event that will be appended; its number is not known yet."""
        if self._open and type(event) in _REPLAYED and not _passes(event):
            self._close_outside(event.path)

    def _close_outside(self, path: str) -> None:
        while self._open and not belongs(path, self._open[-1].path):
            self._open.pop().closed = True

    def appended(self, seq: int, event: Event) -> None:
        """Take in an event with its number."""
        self._ledger.add(seq, event)
        if type(event) is Abandoned and not all(map(self._is_inside, event.paths)):
            self._ledger.pins.append(seq)
        if type(event) is IterationCompleted and event.snapshot is not None:
            stretch = self._stretches.get(event.path)
            if stretch is not None:
                stretch.snapshot = seq
                self._forget_inside(stretch)
                self._is_fresh = True

    def _is_inside(self, path: str) -> bool:
        """Whether a path is inside the outermost loop."""
        return not self._open or belongs(path, self._open[0].path)

    def _forget_inside(self, loop: Stretch) -> None:
        """Drop the loops that the snapshot of one around them covers, which entered last."""
        while (last := next(reversed(self._stretches.values()))) is not loop:
            if last.base < loop.base or not belongs(last.path, loop.path):
                break
            del self._stretches[last.path]

    def due(self, at: int) -> Compacted | None:
        """Return the event that drops what can go, if it is time."""
        if self._least is None or not self._is_fresh:
            return None
        self._is_fresh = False
        ledger = self._ledger
        if ledger.size - self._looked_at < self._least:
            return None
        self._looked_at = ledger.size
        dropped, taken = self._droppable()
        count = size(dropped) - size(ledger.dropped)
        if count < max(self._least, ledger.size - count):
            return None
        ledger.compact(dropped, count, taken)
        self._looked_at = ledger.size
        return Compacted(at=at, dropped=dropped, inbox=ledger.inbox, totals=replace(ledger.totals))

    def _droppable(self) -> tuple[list[Span], list[Span]]:
        """All that can go, what has gone included; and the mail taken that stays."""
        ledger = self._ledger
        spans = [(one.base + 1, one.snapshot - 1) for one in self._stretches.values() if one.snapshot]
        if ledger.compacted:
            spans.append((ledger.compacted, ledger.compacted))
        spans = merged([*ledger.dropped, *spans])
        pins = [pin for pin in (*ledger.pins, *ledger.mail) if not holds(ledger.dropped, pin)]
        spans = without(spans, pins)
        gone = [mail for mail, taker in ledger.taken if holds(spans, taker)]
        left = [(mail, taker) for mail, taker in ledger.taken if not holds(spans, taker)]
        return merged([*spans, *((mail, mail) for mail in gone)]), left


def _passes(event: Event) -> bool:
    return isinstance(event, Recorded) and is_constant(event)
