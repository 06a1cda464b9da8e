"""What a test can see of a compiled run: its calls, its log, its variables, what it waits for."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

from flopod.backends.base import Backend
from flopod.engine.outcome import OpenSleep
from flopod.events import FINAL, ChildBegun, Event, Record, RunSummary
from flopod.testing.calls import Call, Leaf
from flopod.testing.driven import Driven, until
from flopod.testing.errors import TestFailure, near
from flopod.testing.subject import Subject
from flopod.testing.tape import Tape, leaves_of
from flopod.testing.variables import variables


class RunView(Driven):
    """A run that has a log in a store."""

    def __init__(self, subject: Subject, tape: Tape, start: float, backend: Backend) -> None:
        super().__init__(subject, tape, start)
        self.backend = backend

    @property
    @abstractmethod
    def run_id(self) -> str:
        """Its id in the store."""

    @property
    def sleeping(self) -> list[OpenSleep]:
        """Its open timers, with path and end (ms since the epoch)."""
        summary = self._summary
        found = {} if summary is None or summary.status in FINAL else summary.sleeps
        return [OpenSleep(path, due) for path, due in found.items()]

    @property
    def running(self) -> list[str]:
        """The paths of the leaves that are under way."""
        summary = self._summary
        return [] if summary is None or summary.status in FINAL else list(summary.running)

    @property
    def paths(self) -> list[str]:
        """The paths of the leaves that were called, in the order of their first calls."""
        return list(leaves_of(self._own_calls()))

    def path(self, path: str) -> Leaf:
        """Return the leaf at a path. Raises TestFailure if it was not called."""
        found = leaves_of(self._own_calls())
        if path not in found:
            raise TestFailure(f"no leaf was called at {path!r}{near(path, found)}")
        return Leaf(path, found[path])

    def calls(self, leaf: str | None = None, *, run_id: str | None = None) -> list[Call]:
        """Return the calls of a leaf, by its name or path, or all; those of a child by its run id.

        An attempt is a call, and so is one that was repeated after a crash.
        """
        wanted = self.run_id if run_id is None else run_id
        if leaf is not None and run_id is None:
            self.check_leaf(leaf)
        mine = [one for one in self.tape.calls if one.run_id == wanted]
        return mine if leaf is None else [one for one in mine if one.goes_by(leaf)]

    @property
    def events(self) -> list[Event]:
        """Its log, with what is compacted by now."""
        return [event for _, event in self.log()]

    def log(self, run_id: str | None = None) -> list[Record]:
        """Return all records that its log ever had, or those of a run that it has started."""
        return self.tape.log(self.run_id if run_id is None else run_id, self.backend)

    def children_until(self, seq: int) -> list[str]:
        """The run ids of those that it had started when its log had come so far."""
        return [one.event.child for one in self.log() if one.seq <= seq and isinstance(one.event, ChildBegun)]

    @property
    def variables(self) -> dict[str, Any]:
        """What its durable variables hold, by their paths, as far as it is recorded."""
        return variables(self.events)

    @property
    def children(self) -> list[str]:
        """The run ids of the runs that it has started."""
        return [event.child for event in self.events if isinstance(event, ChildBegun)]

    @property
    def _summary(self) -> RunSummary | None:
        return self.backend.summary(self.run_id)

    def _own_calls(self) -> list[Call]:
        return [one for one in self.tape.calls if one.run_id == self.run_id]

    def _unfinished(self) -> Sequence[str]:
        parts = [f"it sleeps at {one.path!r}{until(one.due, self.now)}" for one in self.sleeping]
        return parts + [f"the leaf at {path!r} does not return" for path in self.running]
