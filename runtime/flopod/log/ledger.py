"""What is known about every record of a log, without the records: how many, and which have to stay."""

from collections import Counter
from collections.abc import Sequence

import msgspec

from flopod.events import (
    ActivityCompleted,
    ActivityFailed,
    ActivityStarted,
    CancelRequested,
    Compacted,
    Event,
    EventReceived,
    Log,
    Record,
    Recorded,
    RunCancelled,
    RunCompleted,
    RunDiverged,
    RunFailed,
    RunPaused,
    RunResumed,
    RunRewound,
    RunStarted,
    Span,
    Totals,
    WaitCompleted,
)
from flopod.log.tail import WARNER

_RUN_LEVEL = {
    RunStarted,
    RunResumed,
    RunPaused,
    RunDiverged,
    CancelRequested,
    RunRewound,
    RunCancelled,
    RunFailed,
    RunCompleted,
}
_TOLD = _RUN_LEVEL | {ActivityFailed, Recorded, Log, EventReceived, WaitCompleted, Compacted}


class Ledger:
    """The books of one log, kept as it is read and as it grows.

    `size` is the number of records that count, `dropped` what is gone, `compacted` the record that says so
    (0 for none). `pins` are records that stay whatever iteration they were written in; `mail` are those of
    received events that nobody has taken, with their paths; `taken` pairs of a received event and the
    record that took it.
    """

    def __init__(self, records: Sequence[Record] = ()) -> None:
        self.size = len(records)
        self.dropped: list[Span] = []
        self.compacted = 0
        self.inbox = 0
        self.pins: list[int] = []
        self.mail: dict[int, str] = {}
        self.taken: list[Span] = []
        self.totals = Totals()
        self._mark: RunStarted | RunResumed | None = None
        told = [record for record in records if type(record.event) in _TOLD]
        for seq, event in told:
            self._tell(seq, event)
        later = (record.event for record in records if record.seq > self.compacted)
        kinds = Counter(map(type, later))
        self.totals.started += kinds[ActivityStarted]
        self.totals.done += kinds[ActivityCompleted]

    def add(self, seq: int, event: Event) -> None:
        """Take in a record that is appended."""
        self.size += 1
        kind = type(event)
        if kind is ActivityStarted:
            self.totals.started += 1
        elif kind is ActivityCompleted:
            self.totals.done += 1
        elif kind in _TOLD:
            self._tell(seq, event)

    def _tell(self, seq: int, event: Event) -> None:
        if isinstance(event, ActivityFailed):
            self.totals.failed += event.next_try is None
            self.totals.retries += event.next_try is not None
        elif isinstance(event, EventReceived):
            self.inbox = max(self.inbox, event.inbox)
            self.mail[seq] = event.path
        elif isinstance(event, WaitCompleted):
            self._take(event.event_seq, seq)
        elif isinstance(event, Log):
            self._tell_log(seq, event)
        elif isinstance(event, Compacted):
            self._tell_compacted(seq, event)
        elif isinstance(event, Recorded):
            if is_constant(event):
                self.pins.append(seq)
        else:
            self._tell_of_run(seq, event)

    def _tell_log(self, seq: int, event: Log) -> None:
        if event.logger != WARNER:
            return
        dropped = dropped_mail(event)
        if dropped is None:
            self.pins.append(seq)
        else:
            self._take(dropped, seq)

    def _take(self, mail: int | None, seq: int) -> None:
        if mail is not None and self.mail.pop(mail, None) is not None:
            self.taken.append((mail, seq))

    def _tell_compacted(self, seq: int, event: Compacted) -> None:
        self.dropped = event.dropped
        self.compacted = seq
        self.inbox = max(self.inbox, event.inbox)
        self.totals = msgspec.structs.replace(event.totals)

    def _tell_of_run(self, seq: int, event: Event) -> None:
        """A resume by the same build, after nothing but work, says nothing that lasts."""
        mark = self._mark
        if isinstance(event, RunResumed):
            self.totals.crashes += event.crashed
            same = mark is not None and (mark.build, mark.generation) == (event.build, event.generation)
            if same and not event.reason and not event.waits:
                return
            self._mark = event
        else:
            self._mark = event if isinstance(event, RunStarted) else None
        self.pins.append(seq)

    def compact(self, dropped: list[Span], count: int, taken: list[Span]) -> None:
        """Take note of what is gone: `count` records more than before, and the mail `taken` is not."""
        self.dropped = dropped
        self.size -= count
        self.taken = taken


def is_constant(event: Recorded) -> bool:
    """Whether this is the value of a module-level name, which is recorded wherever it is read first."""
    return not event.callee


def dropped_mail(event: Log) -> int | None:
    """Return the received event that a warning says is of no use."""
    fields = None if event.fields is None else msgspec.json.decode(event.fields)
    return fields.get("dropped") if isinstance(fields, dict) else None
