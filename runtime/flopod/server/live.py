"""Tells who listens that runs have grown, whoever has made them grow: this process, or another one."""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Iterable
from typing import NamedTuple, Self

from flopod.backends.base import Backend
from flopod.errors import FlopodError
from flopod.server.observed import listen

POLL = 0.5
"""How often the store is asked what other processes wrote, in seconds, while somebody listens."""


class News(NamedTuple):
    """The runs that were changed since the news before; `more` if there may be others."""

    runs: frozenset[str]
    more: bool


class Changes:
    """What one listener has not heard of yet: `async for news in changes`, until the server stops."""

    def __init__(self) -> None:
        self._runs: set[str] = set()
        self._more = False
        self._end = asyncio.Event()
        self._woken = asyncio.Event()

    def tell(self, runs: Iterable[str] | None) -> None:
        """Note that these runs have changed, None for any."""
        if runs is None:
            self._more = True
        else:
            self._runs.update(runs)
        self._woken.set()

    def end(self) -> None:
        """Let the listener go, after what it has not heard of."""
        self._end.set()
        self._woken.set()

    @property
    def has_ended(self) -> bool:
        """Whether there will be no more."""
        return self._end.is_set()

    async def within(self, seconds: float) -> News | None:
        """Return the next news, None if there is none within so long, or because the server stops."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        return self._take()

    async def ended_within(self, seconds: float) -> bool:
        """Wait so long before the next news, or until the server stops; returns whether it does."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._end.wait()
        return self.has_ended

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> News:
        await self._woken.wait()
        taken = self._take()
        if taken is None:
            raise StopAsyncIteration
        return taken

    def _take(self) -> News | None:
        taken = News(frozenset(self._runs), self._more)
        self._runs.clear()
        self._more = False
        if not self.has_ended:
            self._woken.clear()
        return taken if taken.runs or taken.more else None


class Live:
    """Knows who listens to which run of `backend`.

    What this process writes through an observed store is told at once. What others write is found by
    asking the store each `poll` seconds, as long as anybody listens.
    """

    def __init__(self, backend: Backend, poll: float = POLL) -> None:
        self._backend = backend
        self._poll = poll
        self._listeners: dict[str | None, set[Changes]] = {}
        self._tails: dict[str, int] = {}
        self._told: deque[str] = deque()
        self._is_told = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._polling: asyncio.Task[None] | None = None
        self._is_closed = False
        self._stop_listening = listen(backend, self.tell)

    @property
    def count(self) -> int:
        """How many listen."""
        return sum(map(len, self._listeners.values()))

    @contextlib.asynccontextmanager
    async def watch(self, run_id: str | None) -> AsyncIterator[Changes]:
        """Listen to one run, or to all with None, within the block."""
        changes = Changes()
        if self._is_closed:
            changes.end()
        listeners = self._listeners.setdefault(run_id, set())
        listeners.add(changes)
        self._begin()
        try:
            yield changes
        finally:
            listeners.discard(changes)
            if not listeners:
                self._listeners.pop(run_id, None)
            self._stop_unless_wanted()

    def tell(self, run_id: str) -> None:
        """Tell those who listen that a run has changed. May be called in any thread."""
        loop = self._loop
        if loop is None or not self._listeners:
            return
        self._told.append(run_id)
        if not self._is_told:
            self._is_told = True
            with contextlib.suppress(RuntimeError):  # the loop has ended, and with it who listened
                loop.call_soon_threadsafe(self._pass_on)

    def close(self) -> None:
        """Let everybody go who listens: the server stops."""
        self._is_closed = True
        self._stop_listening()
        for changes in [one for each in self._listeners.values() for one in each]:
            changes.end()

    def _pass_on(self) -> None:
        self._is_told = False  # what is told from here on is passed on by the next call
        runs: set[str] = set()
        while self._told:
            runs.add(self._told.popleft())
        for run_id in runs & self._listeners.keys():
            self._say(run_id, runs & {run_id})
        self._say(None, runs)

    def _say(self, to: str | None, runs: Iterable[str] | None) -> None:
        for changes in self._listeners.get(to, ()):
            changes.tell(runs)

    # -- what other processes write --------------------------------------------------------------

    def _begin(self) -> None:
        self._loop = asyncio.get_running_loop()
        if self._polling is None and not self._is_closed:
            self._polling = asyncio.create_task(self._look_again_and_again(), name="flopod live")

    def _stop_unless_wanted(self) -> None:
        if not self._listeners and self._polling is not None:
            self._polling.cancel()
            self._polling = None
            self._tails.clear()

    async def _look_again_and_again(self) -> None:
        pulse: object = None
        while not self._is_closed:
            with contextlib.suppress(FlopodError):  # a store in trouble says so elsewhere
                pulse = await self._look(pulse)
            await asyncio.sleep(self._poll)

    async def _look(self, before: object) -> object:
        """Tell of what has changed since the store had the pulse `before`; return that of now."""
        pulse = await asyncio.to_thread(self._backend.pulse)
        wanted = [run_id for run_id in self._listeners if run_id is not None]
        known = self._tails.keys() & wanted
        if pulse == before and len(known) == len(wanted):
            return pulse
        tails = await asyncio.to_thread(self._backend.tails, wanted)
        for run_id in wanted:
            if run_id not in known or self._tails[run_id] != tails.get(run_id, 0):
                self._say(run_id, [run_id])
        self._tails = {run_id: tails.get(run_id, 0) for run_id in wanted}
        if before is not None and pulse != before:
            self._say(None, None)
        return pulse
