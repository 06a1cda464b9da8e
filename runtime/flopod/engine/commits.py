"""How the events of a run get into the store: one append each, or one for all runs that wait meanwhile."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import NamedTuple, Protocol

from flopod.backends.base import Backend, Batch
from flopod.errors import FlopodError
from flopod.events import Event


class Commits(Protocol):
    """Appends durably. `atomic` says that what is appended together is there as a whole or not at all."""

    @property
    def atomic(self) -> bool: ...

    async def append(self, run_id: str, expected_seq: int, events: Sequence[Event]) -> None:
        """Return when the events are safe. Raises Fenced or StorageError; then none of them counts."""

    async def together(self, batches: Sequence[Batch]) -> "list[int | FlopodError]":
        """Append to several runs at once; returns for each what `append_many` of a store does."""
        ...


class Direct:
    """Appends at once, on the thread of the caller: the shortest way for a run that is alone."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self.atomic = backend.atomic

    async def append(self, run_id: str, expected_seq: int, events: Sequence[Event]) -> None:
        self._backend.append(run_id, expected_seq, events)

    async def together(self, batches: Sequence[Batch]) -> list[int | FlopodError]:
        return self._backend.append_many(batches)


class _Waiting(NamedTuple):
    batches: Sequence[Batch]
    written: "asyncio.Future[list[int | FlopodError]]"


class Grouped:
    """Appends of many runs in one commit: what arrives while one is under way goes into the next.

    The store works in a thread, so that bodies and leaves go on meanwhile. While `alone()` holds there is
    nobody to share a commit with, and it is made in place.
    """

    def __init__(self, backend: Backend, alone: Callable[[], bool] = lambda: False) -> None:
        self._backend = backend
        self.atomic = backend.atomic
        self._alone = alone
        self._thread = ThreadPoolExecutor(1, "flopod commits")
        self._waiting: list[_Waiting] = []
        self._is_writing = False

    async def append(self, run_id: str, expected_seq: int, events: Sequence[Event]) -> None:
        if not self._is_writing and self._alone():
            self._backend.append(run_id, expected_seq, events)
            return
        result = (await self._queue([Batch(run_id, expected_seq, events)]))[0]
        if isinstance(result, FlopodError):
            raise result

    async def together(self, batches: Sequence[Batch]) -> list[int | FlopodError]:
        if not self._is_writing and self._alone():
            return self._backend.append_many(batches)
        return await self._queue(batches)

    async def _queue(self, batches: Sequence[Batch]) -> list[int | FlopodError]:
        loop = asyncio.get_running_loop()
        waiting = _Waiting(batches, loop.create_future())
        self._waiting.append(waiting)
        if not self._is_writing:
            self._is_writing = True
            loop.call_soon(self._begin, loop)
        return await waiting.written

    async def close(self) -> None:
        """Let the commit under way end."""
        while self._is_writing:
            await asyncio.sleep(0.001)
        self._thread.shutdown()

    def _begin(self, loop: asyncio.AbstractEventLoop) -> None:
        group = self._next_group()
        batches = [batch for each in group for batch in each.batches]
        writing = self._thread.submit(self._backend.append_many, batches)
        writing.add_done_callback(lambda done: loop.call_soon_threadsafe(self._end, loop, group, done))

    def _next_group(self) -> list[_Waiting]:
        """Take what waits, up to the first that would append to the same run once more."""
        taken: set[str] = set()
        group: list[_Waiting] = []
        while self._waiting and taken.isdisjoint(batch.run_id for batch in self._waiting[0].batches):
            group.append(self._waiting.pop(0))
            taken.update(batch.run_id for batch in group[-1].batches)
        return group

    def _end(self, loop: asyncio.AbstractEventLoop, group: list[_Waiting], done: "_Done") -> None:
        error = done.exception()
        results = iter(() if error is not None else done.result())
        for each in group:
            own = list(islice(results, len(each.batches)))
            if each.written.done():
                continue
            if error is not None:
                each.written.set_exception(error)
            else:
                each.written.set_result(own)
        if self._waiting:
            self._begin(loop)
        else:
            self._is_writing = False


class _Done(Protocol):
    def exception(self) -> BaseException | None: ...

    def result(self) -> "list[int | FlopodError]": ...
