"""Which runs something came for: at once through this process, of others when one looks."""

import asyncio
import time
from collections import deque
from collections.abc import Callable

from flopod.backends.base import Backend
from flopod.errors import StorageError


class Deliveries:
    """Calls `tell(run_id)` on the event loop, until it is stopped; a run may be named in vain.

    However often it is asked to, it looks each `pause` seconds.
    """

    def __init__(self, backend: Backend, tell: Callable[[str], None], pause: float) -> None:
        self._backend = backend
        self._pause = pause
        self._next_look = 0.0
        self._tell = tell
        self._untold: deque[str] = deque()
        self._loop = asyncio.get_running_loop()
        self._mark, _ = backend.news(None)
        self.stop = backend.watch(self._tell_later)

    def look(self) -> None:
        """Tell of what other processes have delivered or started since the last look.

        Raises StorageError; the next look tells what could not be told.
        """
        now = time.monotonic()
        if now < self._next_look:
            return
        self._next_look = now + self._pause
        self._mark, run_ids = self._backend.news(self._mark)
        self._untold += run_ids
        while self._untold:
            self._tell(self._untold[0])
            self._untold.popleft()

    def _tell_later(self, run_id: str) -> None:
        self._loop.call_soon_threadsafe(self._tell_now, run_id)

    def _tell_now(self, run_id: str) -> None:
        try:
            self._tell(run_id)
        except StorageError:
            self._untold.append(run_id)
