"""How many runs may be under way at a time, and how many may begin in a while: of a queue, of each key."""

from collections import deque
from collections.abc import Hashable

from msgspec import Struct

from flopod.durations import seconds
from flopod.errors import BadInput


class Rate(Struct, frozen=True):
    """At most `count` beginnings in any `per` (a duration)."""

    count: int
    per: str | float = "1s"

    def __post_init__(self) -> None:
        if self.count < 1:
            raise BadInput(f"a rate of {self.count} lets nothing begin; use a number from 1 on", field="rate")
        if seconds(self.per) <= 0:
            raise BadInput(f"a rate per {self.per!r} has no length; use one like '1s'", field="rate")


class Limit(Struct, frozen=True):
    """What is allowed at a time, and in a while; None for as much as there is."""

    concurrency: int | None = None
    rate: Rate | None = None

    def __post_init__(self) -> None:
        if self.concurrency is not None and self.concurrency < 1:
            raise BadInput(
                f"a concurrency of {self.concurrency} lets nothing run; use a number from 1 on",
                field="concurrency",
            )


class Queue(Struct, frozen=True):
    """The limits of a queue as a whole, and those of each key of its runs."""

    limit: Limit = Limit()
    per_key: Limit = Limit()


class Slots:
    """The use of one limit. Runs that are under way are counted by who holds them, so that none leaks."""

    __slots__ = ("_begun", "_holders", "_limit")

    def __init__(self, limit: Limit) -> None:
        self._limit = limit
        self._holders: set[Hashable] = set()
        self._begun: deque[float] = deque()

    @property
    def is_idle(self) -> bool:
        """Whether it can be forgotten: nothing is under way, and no beginning counts any more."""
        return not self._holders and not self._begun

    def free_at(self, now: float) -> float | None:
        """Return when one more may begin (seconds of a monotonic clock), None: when another one ends."""
        limit = self._limit
        if limit.concurrency is not None and len(self._holders) >= limit.concurrency:
            return None
        if limit.rate is None:
            return now
        self._forget(now, limit.rate)
        if len(self._begun) < limit.rate.count:
            return now
        return self._begun[-limit.rate.count] + seconds(limit.rate.per)

    def take(self, holder: Hashable, now: float | None) -> None:
        """Count a run as under way; without a time it had begun before this process."""
        self._holders.add(holder)
        if now is not None and self._limit.rate is not None:
            self._begun.append(now)

    def recall(self, begun: float) -> None:
        """Count a beginning before this process, in their order."""
        if self._limit.rate is not None:
            self._begun.append(begun)

    def leave(self, holder: Hashable) -> None:
        """Count a run no more."""
        self._holders.discard(holder)

    def _forget(self, now: float, rate: Rate) -> None:
        while self._begun and self._begun[0] + seconds(rate.per) <= now:
            self._begun.popleft()
