"""Runs that park if their process is killed once more: they go one at a time, each on its last try alone.

A leaf that kills the process takes with it what others have under way there. So at every crash all of them
are suspected; alone, the one that does it parks, and the others end what they had begun.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Set
from contextlib import asynccontextmanager

from flopod.events import Abandoned, ActivityCompleted, ActivityFailed
from flopod.workflow.commands import Commit


class Suspects:
    """The suspected runs of an engine; `waiting` is how many of them wait for their turn."""

    def __init__(self) -> None:
        self.waiting = 0
        self._alone = asyncio.Lock()

    @asynccontextmanager
    async def turn(self, last_tries: Set[str]) -> AsyncIterator[Callable[[Commit], None] | None]:
        """Wait until the run is alone, if these leaves of it are on their last try.

        What it gives is told what the run commits: once none of those leaves is under way, the next run goes.
        """
        if not last_tries:
            yield None
            return
        self.waiting += 1
        try:
            await self._alone.acquire()
        finally:
            self.waiting -= 1
        turn = _Turn(self._alone, last_tries)
        try:
            yield turn.committed
        finally:
            turn.end()


class _Turn:
    def __init__(self, alone: asyncio.Lock, paths: Set[str]) -> None:
        self._alone = alone
        self._paths = set(paths)
        self._is_over = False

    def committed(self, commit: Commit) -> None:
        for event in commit.events:
            if isinstance(event, ActivityCompleted | ActivityFailed):
                self._paths.discard(event.path)
            elif isinstance(event, Abandoned):
                self._paths.difference_update(event.paths)
        if not self._paths:
            self.end()

    def end(self) -> None:
        if not self._is_over:
            self._is_over = True
            self._alone.release()
