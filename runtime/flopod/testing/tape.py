"""What is known of a run beyond its processes: the script, the calls so far, what was delivered to it."""

from collections.abc import Container, Mapping, Sequence
from typing import Any

from msgspec import Struct

from flopod.backends.base import Backend
from flopod.events import Event, Record, WaitStarted
from flopod.testing.calls import Call
from flopod.testing.errors import TestFailure
from flopod.testing.script import Dealer, Names
from flopod.testing.subject import Subject


class Delivery(Struct, frozen=True):
    """An event that was given to a run at `at` (ms since the epoch), when its wait had begun at `since`."""

    run_id: str
    path: str
    event: str
    payload: str
    at: int
    since: int | None
    number: int


class Later(Struct, frozen=True):
    """An event that a test gives to a run at `at`, not yet."""

    run_id: str
    at: int
    event: str
    payload: Any


class Tape:
    """The script of runs and their story. `begun` has when the body of each run ran first, `began` when each
    attempt did, by the loop's time; `reads` what was read from clocks, random sources and the like, by run
    and path.

    `journal` has the run and the last record of each commit, in the order of all runs; `logs` what was
    written, also what is compacted; `waits` when each wait began. `replayed` are events of another life that
    are delivered again, each to its wait.
    """

    def __init__(self, leaves: Dealer, events: Dealer) -> None:
        self.leaves = leaves
        self.events = events
        self.calls: list[Call] = []
        self.reads: dict[tuple[str, str], Any] = {}
        self.begun: dict[str, int] = {}
        self.began: dict[tuple[str, str, int], float] = {}
        self.deliveries: list[Delivery] = []
        self.replayed: list[Delivery] = []
        self.later: list[Later] = []
        self.journal: list[tuple[str, int]] = []
        self.logs: dict[str, dict[int, Event]] = {}
        self.waits: dict[tuple[str, str], int] = {}
        self.output = ""

    def committed(self, run_id: str, last: int, events: Sequence[Event]) -> None:
        """Note a commit whose last record has the number `last`."""
        self.journal.append((run_id, last))
        log = self.logs.setdefault(run_id, {})
        for seq, event in enumerate(events, last - len(events) + 1):
            log[seq] = event
            if isinstance(event, WaitStarted):
                self.waits[run_id, event.path] = event.at

    def log(self, run_id: str, backend: Backend) -> list[Record]:
        """Return all that was ever written to the log of a run, also what its driver did not write."""
        found = {**self.logs.get(run_id, {}), **dict(backend.load(run_id))}
        return [Record(seq, found[seq]) for seq in sorted(found)]

    def forget(self, run_id: str, kept: Container[str]) -> None:
        """Let what a run calls beside the paths `kept` be called anew, with outcomes of its own."""
        self.leaves.forget(run_id, kept)
        self.began = {key: at for key, at in self.began.items() if key[0] != run_id or key[1] in kept}

    def check_plain(self, subject: Subject) -> None:
        """Check that the script can be followed where there are no paths. Raises TestFailure."""
        for names, dealer, what in (
            (subject.leaves, self.leaves, "leaf"),
            (subject.events, self.events, "event"),
        ):
            without = [Names("", one.callee, one.op) for one in names or ()]
            for name in dealer.names:
                if not any(one.matches(name) for one in without):
                    raise TestFailure(f"the plain run has no paths: the script has {name!r}; name the {what}")

    def fork(self, events: Dealer) -> "Tape":
        """Return a tape with the same past of the script, for another life of the same run."""
        other = Tape(self.leaves.fork(), events)
        other.began = dict(self.began)
        other.reads = dict(self.reads)
        return other


def leaves_of(calls: list[Call]) -> Mapping[str, list[Call]]:
    """Return calls by their paths, in the order of the first one of each."""
    found: dict[str, list[Call]] = {}
    for call in calls:
        found.setdefault(call.path, []).append(call)
    return found
