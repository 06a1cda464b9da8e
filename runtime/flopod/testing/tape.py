"""What is known of a run beyond its processes: the script, the calls so far, what was delivered to it."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from flopod.testing.calls import Call
from flopod.testing.script import Dealer


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

    at: int
    event: str
    payload: Any


class Tape:
    """The script of a run and its story. `began` has when each attempt was begun first, by the loop's time.

    `journal` has the run and the last record of each commit, in the order of all runs.
    """

    def __init__(self, leaves: Dealer, events: Dealer) -> None:
        self.leaves = leaves
        self.events = events
        self.calls: list[Call] = []
        self.began: dict[tuple[str, str, int], float] = {}
        self.deliveries: list[Delivery] = []
        self.later: list[Later] = []
        self.journal: list[tuple[str, int]] = []
        self.output = ""

    def fork(self, events: Dealer) -> "Tape":
        """Return a tape with the same past of the script, for another life of the same run."""
        other = Tape(self.leaves.fork(), events)
        other.began = dict(self.began)
        return other


def leaves_of(calls: list[Call]) -> Mapping[str, list[Call]]:
    """Return calls by their paths, in the order of the first one of each."""
    found: dict[str, list[Call]] = {}
    for call in calls:
        found.setdefault(call.path, []).append(call)
    return found
