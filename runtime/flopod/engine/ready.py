"""The runs that could begin or go on, by priority, and which of them the limits let through."""

import heapq
from collections import OrderedDict
from collections.abc import Mapping
from itertools import count
from math import inf
from typing import NamedTuple

from flopod.durations import seconds
from flopod.engine.limits import Limit, Queue, Slots
from flopod.events import RunStarted, RunSummary

_Group = tuple[str, str, str]


class Place(NamedTuple):
    """Where a run stands in line: a higher priority is first, then who came first."""

    workflow: str
    queue: str = ""
    key: str = ""
    priority: int = 0

    @classmethod
    def of(cls, run: RunStarted | RunSummary) -> "Place":
        """Return where a run wants to stand."""
        return cls(run.workflow, run.queue, run.key, run.priority)

    @property
    def group(self) -> _Group:
        """Runs of one group have the same limits."""
        return self.workflow, self.queue, self.key


class Ready:
    """Who may go next. A run that goes on has its slots already, one that begins takes them.

    Runs of one workflow, queue and key stand in one line. A line that is held up by a limit is put aside
    until that limit is free again, so that it holds up no other.
    """

    def __init__(self, queues: Mapping[str, Queue], workflows: Mapping[str, Limit]) -> None:
        self._queues = queues
        self._workflows = workflows
        self._slots: dict[tuple[str, ...], Slots] = {}
        self._held: dict[str, Place] = {}
        self._lines: dict[_Group, list[tuple[int, int, str]]] = {}
        self._places: dict[str, Place] = {}
        self._heads: list[tuple[int, int, _Group]] = []
        self._aside: dict[tuple[str, ...], set[_Group]] = {}
        self._later: list[tuple[float, _Group]] = []
        self._going_on: OrderedDict[str, None] = OrderedDict()
        self._number = count()

    def __len__(self) -> int:
        return len(self._places) + len(self._going_on)

    def has_in_line(self, run_id: str) -> bool:
        """Whether a run could begin or go on."""
        return run_id in self._places or run_id in self._going_on

    def begin(self, run_id: str, place: Place) -> None:
        """Put a run that has not begun in line."""
        if run_id in self._places:
            return
        self._places[run_id] = place
        line = self._lines.setdefault(place.group, [])
        entry = (-place.priority, next(self._number), run_id)
        heapq.heappush(line, entry)
        if line[0] is entry:
            heapq.heappush(self._heads, (entry[0], entry[1], place.group))

    def go_on(self, run_id: str) -> None:
        """Let a run that has begun go on: before those that have not."""
        self._going_on[run_id] = None

    def hold(self, run_id: str, place: Place, now: float | None = None) -> None:
        """Count a run as under way."""
        self._held[run_id] = place
        for key, limit in self._limits(place.group):
            self._slots.setdefault(key, Slots(limit)).take(run_id, now)

    @property
    def longest_rate(self) -> float:
        """In how many seconds beginnings are counted at most, 0 if no limit does so."""
        limits = [part for queue in self._queues.values() for part in (queue.limit, queue.per_key)]
        rates = [limit.rate for limit in (*limits, *self._workflows.values())]
        return max((seconds(rate.per) for rate in rates if rate is not None), default=0.0)

    def has_rate(self, place: Place) -> bool:
        """Whether it counts when runs of that place began."""
        return any(limit.rate is not None for _, limit in self._limits(place.group))

    def recall(self, place: Place, begun: float) -> None:
        """Count a beginning before this process, in their order."""
        for key, limit in self._limits(place.group):
            if limit.rate is not None:
                self._slots.setdefault(key, Slots(limit)).recall(begun)

    def ended(self, run_id: str) -> None:
        """Free what a run held."""
        place = self._held.pop(run_id, None)
        for key, _ in self._limits(place.group) if place is not None else ():
            slots = self._slots.get(key)
            if slots is not None:
                slots.leave(run_id)
                if slots.is_idle:
                    del self._slots[key]
            for group in self._aside.pop(key, ()):
                self._put_back(group)

    def take(self, now: float) -> str | None:
        """Return the run that goes next, None if there is none now. Its slots are taken."""
        if self._going_on:
            return self._going_on.popitem(last=False)[0]
        while self._later and self._later[0][0] <= now:
            self._put_back(heapq.heappop(self._later)[1])
        while self._heads:
            _, number, group = heapq.heappop(self._heads)
            line = self._lines.get(group)
            if not line or line[0][1] != number:
                continue
            if self._is_held_up(group, now):
                continue
            run_id = heapq.heappop(line)[2]
            self.hold(run_id, self._places.pop(run_id), now)
            self._put_back(group)
            return run_id
        return None

    def next_at(self) -> float:
        """Return when a rate lets the next one through, never if none is waiting for that."""
        return self._later[0][0] if self._later else inf

    def _is_held_up(self, group: _Group, now: float) -> bool:
        for key, _ in self._limits(group):
            slots = self._slots.get(key)
            free = now if slots is None else slots.free_at(now)
            if free is None:
                self._aside.setdefault(key, set()).add(group)
                return True
            if free > now:
                heapq.heappush(self._later, (free, group))
                return True
        return False

    def _put_back(self, group: _Group) -> None:
        line = self._lines.get(group)
        if line:
            heapq.heappush(self._heads, (line[0][0], line[0][1], group))
        else:
            self._lines.pop(group, None)

    def _limits(self, group: _Group) -> list[tuple[tuple[str, ...], Limit]]:
        workflow, queue, key = group
        found: list[tuple[tuple[str, ...], Limit]] = []
        if workflow in self._workflows:
            found.append((("workflow", workflow), self._workflows[workflow]))
        if queue in self._queues:
            found.append((("queue", queue), self._queues[queue].limit))
            if key:
                found.append((("key", queue, key), self._queues[queue].per_key))
        return found
