"""The index of a loaded log that replay reads: entries asked for by the body, outcomes in order, mail.

An *entry* is what the body itself causes (a begin, a fact); an *outcome* is what the body waited for.
Entries are matched as a set, outcomes are delivered in the order of the log.
"""

from collections.abc import Iterator, Sequence
from itertools import chain

from msgspec.structs import replace

from flopod.events import (
    Abandoned,
    ActivityCompleted,
    ActivityFailed,
    ActivityProgress,
    ActivityStarted,
    BranchTaken,
    CancelRequested,
    ChildStarted,
    Detached,
    Event,
    EventReceived,
    IterationCompleted,
    Log,
    RaceWon,
    Record,
    Recorded,
    RunCancelled,
    RunCompleted,
    RunFailed,
    RunPaused,
    RunResumed,
    RunRewound,
    RunStarted,
    SleepStarted,
    WaitCompleted,
    WaitStarted,
)
from flopod.log.attempts import Attempts
from flopod.log.entries import (
    Entries,
    Entry,
    EntryKey,
    Mail,
    belongs,
    is_inside,
    is_outcome,
    iteration_of,
    path_of,
)
from flopod.log.gone import Gone
from flopod.log.ledger import Ledger, dropped_mail, is_constant
from flopod.log.lineage import Lineage, pattern_of
from flopod.log.outcomes import Outcomes
from flopod.log.rewind import effective
from flopod.log.tail import WARNER, Tail

_CALLS = (
    ActivityStarted,
    ActivityCompleted,
    ActivityFailed,
    SleepStarted,
    WaitStarted,
    ChildStarted,
    Detached,
)
_BEGINS = {ActivityStarted, SleepStarted, WaitStarted, ChildStarted, Detached, BranchTaken, Recorded, RaceWon}
_ANY = "*"
RESUMED_ON_PURPOSE = "resumed"


class History:
    """A log, and how far replay has come in it.

    `started` is the first event, `ended` the terminal one, `last` the last; `build` the last one that
    went on with the run; `paused` a pause that still holds; `finished` the iterations of hand-written
    loops that are over; `mail` what waits may still take, `controls` what the run is still to obey;
    `last_seq` and `last_inbox` the highest numbers seen; `snapshots` the last snapshot of each loop;
    `warned` the patterns of paths warned about; `outcomes` what is still to be delivered; `attempts` what is
    known of those of activities; `detached` the paths of detaches by the ids of their handles. `abandoned`
    are the paths of operations that were cancelled; `gone` knows what is left out; `latest` is the highest
    number that was asked for or delivered, `ledger` the books.

    `lineage` judges what builds of other generations recorded (`generations` are all that did, `generation`
    the last): their paths are read as those of today, and what is gone is left out.
    """

    def __init__(
        self, records: Sequence[Record] = (), lineage: Lineage | None = None, build: str | None = None
    ) -> None:
        self.ledger = Ledger(records)
        self.is_rewound = any(isinstance(event, RunRewound) for _, event in records)
        self.latest = 0
        self._anchor: Entry | None = None
        self.lineage = lineage
        self.generations: set[str] = set()
        self.generation = ""
        self._writer: str | None = None
        self._build = build
        self._is_foreign = False
        self._foreign: set[str] = set()
        self.last_seq = records[-1].seq if records else 0
        self.started: RunStarted | None = None
        self.build = ""
        self.ended: RunCompleted | RunFailed | RunCancelled | None = None
        self.last: Event | None = records[-1].event if records else None
        self.paused: RunPaused | None = None
        self.last_inbox = self.ledger.inbox
        self.controls: list[Mail] = []
        self.mail: list[Mail] = []
        self.snapshots: dict[str, Entry] = {}
        self.warned: set[str] = set()
        self.finished: set[str] = set()
        self.abandoned: set[str] = set()
        self.detached: dict[str, str] = {}
        self.gone = Gone(lineage)
        self.entries = Entries()
        self.outcomes = Outcomes()
        self.attempts = Attempts()
        self._tail = Tail()
        self._read(effective(records))
        if self.is_rewound:
            taken = (event.inbox for _, event in records if isinstance(event, EventReceived))
            self.last_inbox = max([self.last_inbox, *taken])

    # -- reading ---------------------------------------------------------------------------------

    def _read(self, records: Sequence[Record]) -> None:
        finished = self.finished
        finished.update(
            iteration_of(event)
            for _, event in records
            if type(event) is IterationCompleted and is_outcome(event)
        )
        taken: set[int | None] = set()
        for written in records:
            record = written if self._writer is None else self._as_of_today(written)
            if record is None:
                self.gone.read(written.event, self._writer or "")
                continue
            event = record.event
            if finished and is_inside(event.path, finished):
                continue
            if is_outcome(event):
                self.outcomes.add(record, self._writer)
                if isinstance(event, WaitCompleted):
                    taken.add(event.event_seq)
                elif isinstance(event, CancelRequested):
                    self.controls.clear()
            else:
                self._read_other(record)
                if isinstance(event, Log) and event.logger == WARNER:
                    self.warned.add(pattern_of(event.path))
                    taken.add(dropped_mail(event))
        self.mail = [mail for mail in self.mail if mail.seq not in taken]
        self._read_tail(records)

    def _as_of_today(self, record: Record) -> Record | None:
        """The record under its path of today; None if nothing of today asks for it."""
        since, event = self._writer, record.event
        if since is None or not event.path or self.lineage is None:
            return record
        loop = isinstance(event, IterationCompleted)
        path = self.lineage.today(f"{event.path}[{_ANY}]" if loop else event.path, since)
        if path is None:
            if isinstance(event, EventReceived):
                self.last_inbox = max(self.last_inbox, event.inbox)
            return None
        path = path.removesuffix(f"[{_ANY}]") if loop else path
        return record if path == event.path else Record(record.seq, replace(event, path=path))

    def _read_other(self, record: Record) -> None:
        seq, event = record
        if type(event) in _BEGINS:
            self._add(event.path, seq, event)
        elif isinstance(event, IterationCompleted):
            entry = self.snapshots[event.path] = self._add((event.path, event.index), seq, event)
            if self._anchor is None and self.ledger.dropped and seq > self.ledger.dropped[-1][1]:
                self._anchor = entry
        elif isinstance(event, ActivityFailed):
            self.attempts.failed(seq, event)
        elif isinstance(event, ActivityProgress):
            self.attempts.progressed(event)
        elif isinstance(event, EventReceived):
            (self.mail if event.path else self.controls).append(Mail(seq, event.path, event))
            self.last_inbox = max(self.last_inbox, event.inbox)
        else:
            self._read_of_run(seq, event)

    def _read_of_run(self, seq: int, event: Event) -> None:
        if isinstance(event, RunStarted):
            self.started = event
            self.build = event.build
            self._written_by(event.generation)
        elif isinstance(event, RunResumed):
            self._read_resumed(seq, event)
        elif isinstance(event, RunPaused):
            self.paused = event
            self.controls.clear()
        elif isinstance(event, Abandoned):
            self.abandoned.update(event.paths)
        elif isinstance(event, RunCompleted | RunFailed | RunCancelled):
            self.ended = event

    def _read_resumed(self, seq: int, event: RunResumed) -> None:
        if event.crashed:
            self.attempts.crashed(seq)
        if event.reason == RESUMED_ON_PURPOSE:
            self.attempts.forgive(seq)
        self.build = event.build or self.build
        self.paused = None
        self._written_by(event.generation)

    def _written_by(self, generation: str) -> None:
        """What follows was recorded by a build of this generation."""
        self.generations.add(generation)
        self.generation = generation
        self._is_foreign = self._build is not None and self.build != self._build
        is_older = self.lineage is not None and generation != self.lineage.generation
        self._writer = generation if is_older else None

    def _add(self, key: EntryKey, seq: int, event: Event) -> Entry:
        entry = Entry(seq, event, self._writer)
        self.entries.add(key, entry)
        if isinstance(event, ActivityStarted):
            self.attempts.begun(seq, event)
        elif isinstance(event, Detached):
            self.detached[event.id] = event.path
        if self._is_foreign and isinstance(event, IterationCompleted):
            self._foreign.add(event.path)
        return entry

    def _read_tail(self, records: Sequence[Record]) -> None:
        last = self.outcomes.last_seq
        if self._anchor is not None:
            last = max(last, self._anchor.seq)
        for record in reversed(records):
            if record.seq <= last:
                break
            self._tail.add_before(*(self._as_of_today(record) or record))

    # -- what replay asks ------------------------------------------------------------------------

    @property
    def replaying(self) -> bool:
        """Whether recorded outcomes are still to be delivered."""
        return self.outcomes.are_left

    @property
    def behind(self) -> bool:
        """Whether the body has not come by all yet that is known to lie in its past.

        Of a loop that was compacted the last snapshot is known, and not what its iterations asked for.
        """
        return self.replaying or (self._anchor is not None and not self._anchor.asked)

    def ask(self, entry: Entry) -> None:
        """Note that the body has asked for an entry."""
        entry.asked = True
        self.latest = max(self.latest, entry.seq)

    def find(self, key: EntryKey) -> Entry | None:
        """Return the recorded entry of `key` without asking for it."""
        return self.entries.find(key)

    def delivered(self, older: str | None = None) -> None:
        """Move on past the next outcome, or past the older one at a path."""
        self.latest = max(self.latest, self.outcomes.delivered(older))

    def take_tail(self, event: Event) -> bool:
        """Whether this event of state or output is in the tail of the log already; takes it once."""
        return self._tail.take(event)

    def end(self) -> None:
        """The recorded past is over: what is emitted from now on is new."""
        self._tail.clear()

    # -- other generations -----------------------------------------------------------------------

    def today(self, path: str) -> str:
        """Return what a path that some build of this run had is now."""
        if self.lineage is not None:
            for generation in self.generations:
                path = self.lineage.today(path, generation) or path
        return path

    def is_early(self, path: str) -> bool:
        """Whether the plan lets the code ask for `path` before what older builds recorded.

        It is new or stands elsewhere, or everything still to come does.
        """
        lineage = self.lineage
        if lineage is None or self.outcomes.next() is not None or self._is_compacted(path):
            return False
        if all(lineage.is_new(path, since) for since in self.generations - {lineage.generation}):
            return True
        return all(
            lineage.is_new(path, since) or lineage.is_new(one, since) for one, since in self._still_to_come()
        )

    def _is_compacted(self, path: str) -> bool:
        """Whether a path is in iterations of which only the last snapshot is left, and not jumped to."""
        anchor = self._anchor
        return anchor is not None and not anchor.asked and belongs(path, anchor.event.path)

    def _still_to_come(self) -> Iterator[tuple[str, str]]:
        """Path and generation of what older builds recorded and nobody has asked for yet."""
        yield from ((path, older.since) for path, older in self.outcomes.older.items())
        for entry in self.entries.unasked_of_older():
            yield path_of(entry.event), entry.since or ""

    def lost(self) -> Event | None:
        """Return something that an older build recorded and that no code of today can ask for.

        What iterations hold that are completed is not asked for, if their loop stands where it stood.
        """
        lineage = self.lineage
        if lineage is None:
            return None
        begun = ((one.seq, one.event) for one in self.entries.of_older())
        ended = ((one.seq, one.event) for one in self.outcomes.older.values())
        for seq, event in chain(begun, ended):
            called = isinstance(event, _CALLS) or (self._anchor is not None and event is self._anchor.event)
            if called and not lineage.can_ask(path_of(event)) and not self._passed(seq, event):
                return event
        return None

    def _passed(self, seq: int, event: Event) -> bool:
        return any(
            seq < one.seq and belongs(event.path, loop) and self._stands(loop)
            for loop, one in self.snapshots.items()
        )

    def _stands(self, loop: str) -> bool:
        entry, lineage = self.snapshot(loop), self.lineage
        if entry is None or lineage is None:
            return False
        return entry.since is None or not lineage.is_new(f"{loop}[{_ANY}]", entry.since)

    def is_changed(self, key: EntryKey) -> bool:
        """Whether the plan says that the call has changed since it was recorded."""
        entry = self.entries.find(key)
        if entry is None or entry.since is None or self.lineage is None:
            return False
        path = key if isinstance(key, str) else f"{key[0]}[{_ANY}]"
        return self.lineage.is_changed(path, entry.since)

    def is_foreign(self, loop: str) -> bool:
        """Whether another build completed iterations of a loop."""
        return loop in self._foreign

    def snapshot(self, loop: str) -> Entry | None:
        """Return the last snapshot of a loop that carries what it carried then, as far as is known."""
        entry = self.snapshots.get(loop)
        if entry is None or entry.asked or not isinstance(entry.event, IterationCompleted):
            return None
        if self.is_foreign(loop) and (self.lineage is None or entry.since == ""):
            return None
        return None if self.is_changed((loop, entry.event.index)) else entry

    # -- fast-forward ----------------------------------------------------------------------------

    def jump_past(self, entry: Entry, loop: str) -> bool:
        """Count everything up to `entry` as asked for and delivered, if all of it belongs to `loop`.

        Returns False, and changes nothing, if something else lies between.
        """
        if not self.holds_only(loop, entry.seq):
            return False
        for passed in self.entries.unasked(entry.seq):
            passed.asked = True
        self.outcomes.skip_to(entry.seq)
        self._tail.skip_to(entry.seq)
        self.latest = max(self.latest, entry.seq)
        return True

    def holds_only(self, loop: str, until: int | None = None) -> bool:
        """Whether all that is still to come, up to the record `until`, belongs to a loop.

        The value of a module-level name is found whenever it is asked for, so that it does not count.
        """
        return all(
            belongs(event.path, loop) or (isinstance(event, Recorded) and is_constant(event))
            for event in self._pending_until(self.last_seq if until is None else until)
        )

    def base(self, end: int) -> int:
        """Return the record before all that is still to come and follows what has been, else `end`."""
        missing = self.entries.first_unasked()
        if missing is None:
            return end
        return missing.seq - 1 if missing.seq > self.latest else self.latest

    def _pending_until(self, seq: int) -> Iterator[Event]:
        yield from (entry.event for entry in self.entries.unasked(seq))
        yield from self.outcomes.until(seq)
