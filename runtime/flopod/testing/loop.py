"""An event loop in virtual time: it stands still while there is something to do, and then jumps ahead."""

import asyncio
import heapq
import selectors
from collections.abc import Callable
from contextvars import Context
from typing import Any, cast

_PLACES = 6
_INTERNAL = 1


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop with a time of its own, in seconds; `idle` says what happens when nothing else does.

    Timers due at the same moment fire in the order in which they were set, which the heap of asyncio does
    not promise.
    """

    def __init__(self, now: float = 0.0) -> None:
        self.now = now
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._timers_set = 0
        super().__init__(cast(selectors.BaseSelector, _IdleSelector(self)))

    def time(self) -> float:
        return self.now

    def call_at(  # type: ignore[override]
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        timer = asyncio.TimerHandle(when, callback, args, self, context)
        self._timers_set += 1
        heapq.heappush(self._timers, (round(when, _PLACES), self._timers_set, timer))
        return timer

    def idle(self) -> None:
        """Do what happens from outside when nothing is ready; to be overridden."""
        raise NotImplementedError

    def is_busy_outside(self) -> bool:
        """Whether to wait for the operating system, in real time, before the next jump."""
        return False

    @property
    def watches_files(self) -> bool:
        """Whether something waits for a socket or a pipe."""
        return len(self._selector.get_map()) > _INTERNAL  # type: ignore[attr-defined]

    def next_due(self) -> float | None:
        """Return when the next timer is due."""
        while self._timers and self._timers[0][2].cancelled():
            heapq.heappop(self._timers)
        return self._timers[0][0] if self._timers else None

    def fire(self) -> None:
        """Jump to the next timer, and let it go off."""
        due, _, timer = heapq.heappop(self._timers)
        self.now = max(self.now, due)
        self._ready.append(timer)  # type: ignore[attr-defined]


class _IdleSelector(selectors.DefaultSelector):
    """Asks the loop what happens next instead of waiting for the operating system."""

    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._owner = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        found: list[tuple[selectors.SelectorKey, int]] = super().select(0)
        if found or (timeout is not None and timeout <= 0):
            return found
        if self._owner.is_busy_outside():
            found = super().select(_LOOK)
        else:
            self._owner.idle()
        return found


_LOOK = 0.05
