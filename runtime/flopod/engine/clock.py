"""The time that a run sees: the system's, or one that tests move."""

import asyncio
import time
from typing import Protocol

SLICE_MS = 30_000


class Clock(Protocol):
    """Tells the time in milliseconds since the epoch and waits for a point in it.

    `real` says that it runs by itself, so that other processes can be polled by it.
    """

    real: bool

    def now(self) -> int: ...

    async def pause(self, due: int | None, woken: asyncio.Event, idle: bool) -> None:
        """Return when `woken` is set, at `due`, or earlier; `idle` says that no leaf is running."""


class SystemClock:
    """The clock of the machine. Waits are cut into slices, so that a clock that was set is noticed."""

    real = True

    def now(self) -> int:
        return time.time_ns() // 1_000_000

    async def pause(self, due: int | None, woken: asyncio.Event, idle: bool) -> None:
        del idle  # real time passes whether or not there is something to do
        left = SLICE_MS if due is None else min(max(due - self.now(), 0) + 1, SLICE_MS)
        try:
            async with asyncio.timeout(left / 1000):
                await woken.wait()
        except TimeoutError:
            return


class VirtualClock:
    """A clock that stands still while there is something to do, and then jumps to what is due next."""

    real = False

    def __init__(self, start: int = 1_760_000_000_000) -> None:
        self._now = start

    def now(self) -> int:
        return self._now

    def advance(self, ms: int) -> None:
        """Move the clock on by `ms` milliseconds."""
        self._now += ms

    async def pause(self, due: int | None, woken: asyncio.Event, idle: bool) -> None:
        if idle and due is not None and not woken.is_set():
            self._now = max(self._now, due)
            await asyncio.sleep(0)
        else:
            await woken.wait()
