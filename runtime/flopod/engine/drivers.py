"""The runs that an engine drives now: their tasks, their drivers and their holds."""

import asyncio
import contextlib
from collections.abc import Coroutine, Iterator
from typing import Any

from flopod.backends.lock import Hold
from flopod.engine.driver import Driver
from flopod.engine.resting import Resting


class Drivers:
    """By the ids of the runs. One that is being made ready has no driver yet; `resting` only wait."""

    def __init__(self, resting: Resting) -> None:
        self.are_draining = False
        self._resting = resting
        self._drivers: dict[str, Driver | None] = {}
        self._holds: dict[str, Hold] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._woken: set[str] = set()

    @property
    def busy(self) -> int:
        """How many do more than wait."""
        return len(self._drivers) - len(self._resting)

    def __len__(self) -> int:
        return len(self._drivers)

    def __contains__(self, run_id: object) -> bool:
        return run_id in self._drivers

    def begin(self, run_id: str, driving: Coroutine[Any, Any, None]) -> None:
        """Take a run, and make a task of what drives it."""
        self._drivers[run_id] = None
        self._tasks[run_id] = asyncio.create_task(driving, name=f"flopod {run_id}")

    @contextlib.contextmanager
    def holding(self, hold: Hold) -> Iterator[None]:
        """Know that a run is held, for `leave`."""
        self._holds[hold.run_id] = hold
        try:
            yield
        finally:
            del self._holds[hold.run_id]

    def drive(self, driver: Driver) -> None:
        """Take the driver of a run."""
        self._drivers[driver.core.run_id] = driver
        if self.are_draining:
            driver.drain()

    def ended(self, run_id: str) -> Driver | None:
        """Let go of a run, and return its driver."""
        self._woken.discard(run_id)
        self._resting.discard(run_id)
        self._tasks.pop(run_id, None)
        return self._drivers.pop(run_id, None)

    def wake(self, run_id: str) -> None:
        """Let the driver of a run look at the inbox."""
        self._woken.add(run_id)
        driver = self._drivers[run_id]
        if driver is not None:
            driver.wake()

    def take_woken(self, run_id: str) -> bool:
        """Whether a run was woken since the last time this was asked."""
        was_woken = run_id in self._woken
        self._woken.discard(run_id)
        return was_woken

    def rests(self, driver: Driver) -> None:
        """Take note that a run only waits, and has seen what came for it."""
        self._resting.add(driver.core.run_id)
        self._woken.discard(driver.core.run_id)

    def goes_on(self, driver: Driver) -> None:
        """Take note that a run does more than wait again."""
        self._resting.discard(driver.core.run_id)

    def put_away(self) -> None:
        """Let those leave the memory that have rested longest."""
        for run_id in self._resting.take_excess():
            driver = self._drivers.get(run_id)
            if driver is not None:
                driver.leave()

    def next_excess(self) -> float:
        """When `put_away` has something to do (seconds, monotonic)."""
        return self._resting.next_excess()

    async def drain(self, grace: float) -> None:
        """Let go of all runs, once their leaves under way have ended or `grace` seconds are over."""
        self.are_draining = True
        for driver in self._drivers.values():
            if driver is not None:
                driver.drain()
        if self._tasks:
            await asyncio.wait(self._tasks.values(), timeout=grace)
        left = list(self._tasks.values())
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(left)

    def drop(self) -> None:
        """Let go of all runs at once, as if killed."""
        self.are_draining = True
        for hold in list(self._holds.values()):
            hold.drop()

    def leave(self) -> None:
        """Note an orderly end of all runs. For signal handlers."""
        for hold in list(self._holds.values()):
            hold.leave()
