"""The next commit of a run while it is being written: its events, and what to ask of the world then."""

from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from flopod.events import Abandoned, Event, RunResumed, RunStarted
from flopod.workflow.commands import Command, Commit
from flopod.workflow.snapshot import drop_captured


class Draft:
    """Events and commands since the last commit; `seq` is the number of the last event that was handed out.

    It begins with the events of this start or resume; the first of them is the `opening`.
    """

    def __init__(self, seq: int, opening: Sequence[Event]) -> None:
        self.seq = seq
        self.commands: list[Command] = []
        self.opening = opening[0] if opening else None
        self._events = list(opening)
        self._first = self.next_seq

    @property
    def pending(self) -> int:
        """How many events there are so far."""
        return len(self._events)

    @property
    def next_seq(self) -> int:
        """The sequence number of the next event."""
        return self.seq + len(self._events) + 1

    @property
    def is_silent(self) -> bool:
        """Whether there has been no event since the opening."""
        return self.next_seq == self._first

    def add(self, event: Event) -> None:
        """Put an event behind those that are there."""
        self._events.append(event)

    def extend_abandoned(self, paths: Sequence[str]) -> bool:
        """Add to the paths that the last event says were abandoned; False if it does not say that."""
        last = self._events[-1] if self._events else None
        if not isinstance(last, Abandoned):
            return False
        self._events[-1] = replace(last, paths=[*last.paths, *paths])
        return True

    def drop_captured(self, paths: Sequence[str]) -> None:
        """Take out the changes of the variables at `paths`: a snapshot that follows has them."""
        drop_captured(self._events, paths)

    def numbered(self) -> Iterator[tuple[int, Event]]:
        """The events with their sequence numbers."""
        return enumerate(self._events, self.seq + 1)

    def has_only_resumed(self) -> bool:
        """Whether nothing has happened yet in a process that only waits: then nothing is written."""
        if len(self._events) != 1 or self.commands:
            return False
        event = self._events[0]
        return isinstance(event, RunResumed) and not (event.crashed or event.reason or event.waits)

    # -- handing out -----------------------------------------------------------------------------

    def nothing(self) -> Commit:
        """Return a commit without anything; all stays for the next one."""
        return Commit(self.seq, [], [])

    def take_events(self) -> Commit:
        """Return a commit of the events alone."""
        commit = Commit(self.seq, self._events, [])
        self._events = []
        self.seq += len(commit.events)
        return commit

    def take(self, children: Sequence[RunStarted]) -> Commit:
        """Return all there is, and the runs that begin with it, as a commit."""
        commands, self.commands = self.commands, []
        return self.take_events()._replace(commands=commands, children=children)
