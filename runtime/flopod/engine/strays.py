"""Looks for open runs with which nobody goes on: those that another process had, which has died."""

import asyncio
import time
from collections.abc import Callable

from flopod.backends.base import Backend
from flopod.engine.clock import Clock
from flopod.events import RunSummary

_PAUSE = 5.0
_SHARE = 50
_LATE_MS = 5_000


class Strays:
    """Calls `found(run_id)` for each open run that should go on by now, unless it `is_ours`.

    A process that has such a run holds it, so that it is refused to others as long as that process lives. The
    store is looked through each five seconds, or for a fiftieth of the time where that takes longer.
    """

    def __init__(
        self, backend: Backend, clock: Clock, is_ours: Callable[[str], bool], found: Callable[[str], None]
    ) -> None:
        self._backend = backend
        self._clock = clock
        self._is_ours = is_ours
        self._found = found
        self._pause = _PAUSE

    async def look(self) -> None:
        """Rest, then look through the store once. Raises StorageError."""
        await asyncio.sleep(self._pause)
        begun = time.monotonic()
        for run_id in await asyncio.to_thread(self._strays):
            if not self._is_ours(run_id):
                self._found(run_id)
        self._pause = max(_PAUSE, _SHARE * (time.monotonic() - begun))

    def _strays(self) -> list[str]:
        late = self._clock.now() - _LATE_MS
        return [run.run_id for run in self._backend.each_open() if _should_go_on(run, late)]


def _should_go_on(run: RunSummary, late: int) -> bool:
    """Whether there is more to a run than to wait for what it is told of: it acts, or something is due.

    A child may have ended while the process of its parent was dying.
    """
    is_due = run.next_due is not None and run.next_due < late
    return run.status != "waiting" or is_due or bool(run.children)
