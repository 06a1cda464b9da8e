"""What a live run has to do and to expect: leaves to start and to try again, timers, what has arrived."""

import heapq
from collections import deque
from collections.abc import Callable
from typing import TypeAlias

from flopod.events import Event
from flopod.workflow.activity import Activity
from flopod.workflow.operations import Operation
from flopod.workflow.scheduler import Outcome, Scheduler

_Arrived: TypeAlias = tuple[Operation, Callable[[], Event]]


class Agenda:
    """`running` are the paths of the leaves under way, `retrying` when failed ones are tried again."""

    def __init__(self) -> None:
        self.running: set[str] = set()
        self.retrying: dict[str, int] = {}
        self._again: dict[str, Activity] = {}
        self._starting: list[Activity] = []
        self._arrived: deque[_Arrived] = deque()
        self._timers: list[tuple[int, int, Operation]] = []
        self._timer_count = 0

    # -- leaves ----------------------------------------------------------------------------------

    def start(self, activity: Activity) -> None:
        """Start the next attempt of an activity with the next commit."""
        self._starting.append(activity)

    def retry_at(self, due: int, activity: Activity) -> None:
        """Start the next attempt of an activity at `due` (ms since the epoch)."""
        self.retrying[activity.path] = due
        self._again[activity.path] = activity

    def take_starting(self, now: int, scheduler: Scheduler) -> list[Activity]:
        """Return the activities to start now; one that pauses takes the floor again, or waits for it."""
        for path in [path for path, due in self.retrying.items() if due <= now]:
            activity = self._again[path]
            if activity.pauses and scheduler.floor not in (None, activity.future):
                continue
            if activity.pauses:
                scheduler.floor = activity.future
            del self.retrying[path], self._again[path]
            self._starting.append(activity)
        starting, self._starting = self._starting, []
        return starting

    def pending_retries(self) -> list[tuple[str, int, int]]:
        """Return path, attempt that failed and time of the next one, of each leaf to be tried again."""
        return [(path, self._again[path].attempt - 1, due) for path, due in self.retrying.items()]

    def arrive(self, operation: Operation, deliver: Callable[[], Event]) -> None:
        """Keep the outcome of a leaf or a child until it is delivered, by calling `deliver`."""
        self._arrived.append((operation, deliver))

    def has_arrived(self, floor: Outcome | None) -> bool:
        """Whether there is an outcome to deliver; while the floor is taken, only its own counts."""
        if floor is None:
            return bool(self._arrived)
        return any(operation.future is floor for operation, _ in self._arrived)

    def take_arrived(self, floor: Outcome | None) -> _Arrived | None:
        """Return the first outcome to deliver."""
        if floor is None:
            return self._arrived.popleft() if self._arrived else None
        for index, (operation, deliver) in enumerate(self._arrived):
            if operation.future is floor:
                del self._arrived[index]
                return operation, deliver
        return None

    def forget(self, activity: Activity) -> bool:
        """Drop an activity that is over; returns whether its leaf is still running."""
        self.retrying.pop(activity.path, None)
        self._again.pop(activity.path, None)
        if activity in self._starting:
            self._starting.remove(activity)
        running = activity.path in self.running
        self.running.discard(activity.path)
        return running

    # -- timers ----------------------------------------------------------------------------------

    def wake_at(self, due: int, operation: Operation) -> None:
        """Settle a sleep or a wait at `due` (ms since the epoch)."""
        self._timer_count += 1
        heapq.heappush(self._timers, (due, self._timer_count, operation))

    def take_due(self, now: int, floor: Outcome | None) -> Operation | None:
        """Return the timer that is due for the longest time; while the floor is taken, only its own."""
        if self._timers:
            self._drop_settled()
        if floor is not None:
            return self._take_floor(now, floor)
        if self._timers and self._timers[0][0] <= now:
            return heapq.heappop(self._timers)[2]
        return None

    def _take_floor(self, now: int, floor: Outcome) -> Operation | None:
        for timer in self._timers:
            if timer[2].future is floor and timer[0] <= now:
                self._timers.remove(timer)
                heapq.heapify(self._timers)
                return timer[2]
        return None

    def next_due(self, floor: Outcome | None) -> int | None:
        """Return when the next timer or attempt is due; while the floor is taken, of its own."""
        self._drop_settled()
        if floor is not None:
            dues = [due for due, _, operation in self._timers if operation.future is floor]
            dues += [due for path, due in self.retrying.items() if self._again[path].future is floor]
        else:
            dues = [*self.retrying.values(), *(due for due, _, _ in self._timers[:1])]
        return min(dues, default=None)

    def _drop_settled(self) -> None:
        while self._timers and self._timers[0][2].done():
            heapq.heappop(self._timers)
