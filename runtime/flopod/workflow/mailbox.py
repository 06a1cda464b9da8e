"""Events from outside that no wait has taken yet, and the waits that are open."""

from collections import deque
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from flopod.events import EventReceived

if TYPE_CHECKING:
    from flopod.workflow.operations import Wait


class Letter(NamedTuple):
    """A received event and the sequence number of its record."""

    seq: int
    event: EventReceived


class Mailbox:
    """First in, first out, for each path and event."""

    def __init__(self, letters: Iterable[Letter] = ()) -> None:
        self._letters: dict[tuple[str, str], deque[Letter]] = {}
        self._waits: dict[tuple[str, str], Wait] = {}
        for letter in letters:
            self.put(letter)

    @property
    def waiting(self) -> bool:
        return bool(self._waits)

    def put(self, letter: Letter) -> None:
        """Keep a received event until a wait takes it."""
        key = letter.event.path, letter.event.event
        self._letters.setdefault(key, deque()).append(letter)

    def wait(self, wait: "Wait") -> None:
        """Open a wait."""
        self._waits[wait.path, wait.event] = wait

    def leave(self, wait: "Wait") -> None:
        """Close a wait that ended."""
        self._waits.pop((wait.path, wait.event), None)

    def match(self) -> "tuple[Wait, Letter] | None":
        """Take the next letter that an open wait is for, the longest open wait first."""
        if not self._letters:
            return None
        for key, wait in self._waits.items():
            letters = self._letters.get(key)
            if letters:
                letter = letters.popleft()
                if not letters:
                    del self._letters[key]
                return wait, letter
        return None
