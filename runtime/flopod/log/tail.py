"""Events of state and output after the last outcome: a resumed body comes by them again, and skips them."""

from collections import deque

from flopod.events import Compensated, Event, ListChanged, Log, MapChanged, StepError, VarChanged

WARNER = "flopod"
"""The logger of the runtime's own warnings, which no body comes by."""

_STATE = (VarChanged, ListChanged, MapChanged, Compensated, StepError)


class Tail:
    """The sequence numbers of such events, in order, for each path."""

    def __init__(self) -> None:
        self._seqs: dict[tuple[str, str], deque[int]] = {}

    def add_before(self, seq: int, event: Event) -> None:
        """Put an event of the log in front of those that are here, if it is one of state or output."""
        if isinstance(event, _STATE) or (isinstance(event, Log) and event.logger != WARNER):
            self._seqs.setdefault(_key(event), deque()).appendleft(seq)

    def take(self, event: Event) -> bool:
        """Whether the log has this event already; takes it once."""
        found = self._seqs.get(_key(event)) if self._seqs else None
        if not found:
            return False
        found.popleft()
        return True

    def skip_to(self, seq: int) -> None:
        """Drop what comes before `seq`."""
        for seqs in self._seqs.values():
            while seqs and seqs[0] < seq:
                seqs.popleft()

    def clear(self) -> None:
        """Drop everything."""
        self._seqs.clear()


def _key(event: Event) -> tuple[str, str]:
    return ("log" if isinstance(event, Log) else "state"), event.path
