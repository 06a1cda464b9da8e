"""Runs that are in memory and only wait: which of them have to make room."""

import time
from collections import OrderedDict
from collections.abc import Iterator
from math import inf


class Resting:
    """At most `most` runs, each for `linger` seconds."""

    def __init__(self, most: int, linger: float) -> None:
        self._most = most
        self._linger = linger
        self._since: OrderedDict[str, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._since)

    def add(self, run_id: str) -> None:
        """Take a run that has come to rest."""
        self._since[run_id] = time.monotonic()

    def discard(self, run_id: str) -> None:
        """Forget a run that goes on or is gone."""
        self._since.pop(run_id, None)

    def next_excess(self) -> float:
        """When the next one has rested too long (seconds, monotonic)."""
        return next(iter(self._since.values()), inf) + self._linger

    def take_excess(self) -> Iterator[str]:
        """Take out those that have rested longest, as long as there are too many or they rest too long."""
        old = time.monotonic() - self._linger
        while self._since:
            run_id, since = next(iter(self._since.items()))
            if len(self._since) <= self._most and since > old:
                return
            del self._since[run_id]
            yield run_id
