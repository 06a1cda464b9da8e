"""How the events of a run get into the store: one append each, or one for all runs that wait meanwhile."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, Protocol

from flopod.backends.base import Backend, Batch
from flopod.errors import FlopodError
from flopod.events import Event


class Commits(Protocol):
    """Appends durably."""

    async def append(self, run_id: str, expected_seq: int, events: Sequence[Event]) -> None:
        """Return when the events are safe. Raises Fenced or StorageError; then none of them counts."""


class Direct:
    """Appends at once, on the thread of the caller: the shortest way for a run that is alone."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    async def append(self, run_id: str, expected_seq: int, events: Sequence[Event]) -> None:
        self._backend.append(run_id, expected_seq, events)


class _Waiting(NamedTuple):
    batch: Batch
    written: "asyncio.Future[None]"


class Grouped:
    """Appends of many runs in one commit: what arrives while one is under way goes into the next.

    The store works in a thread, so that bodies and leaves go on meanwhile. While `alone()` holds there is
    nobody to share a commit with, and it is made in place.
    """

    def __init__(self, backend: Backend, alone: Callable[[], bool] = lambda: False) -> None:
        self._backend = backend
        self._alone = alone
        self._thread = ThreadPoolExecutor(1, "flopod commits")
        self._waiting: list[_Waiting] = []
        self._is_writing = False

    async def append(self, run_id: str, expected_seq: int, events: Sequence[Event]) -> None:
        if not self._is_writing and self._alone():
            self._backend.append(run_id, expected_seq, events)
            return
        loop = asyncio.get_running_loop()
        waiting = _Waiting(Batch(run_id, expected_seq, events), loop.create_future())
        self._waiting.append(waiting)
        if not self._is_writing:
            self._is_writing = True
            loop.call_soon(self._begin, loop)
        await waiting.written

    async def close(self) -> None:
        """Let the commit under way end."""
        while self._is_writing:
            await asyncio.sleep(0.001)
        self._thread.shutdown()

    def _begin(self, loop: asyncio.AbstractEventLoop) -> None:
        group, self._waiting = self._waiting, []
        writing = self._thread.submit(self._backend.append_many, [each.batch for each in group])
        writing.add_done_callback(lambda done: loop.call_soon_threadsafe(self._end, loop, group, done))

    def _end(self, loop: asyncio.AbstractEventLoop, group: list[_Waiting], done: "_Done") -> None:
        error = done.exception()
        results = [error] * len(group) if error is not None else done.result()
        for each, result in zip(group, results, strict=True):
            if each.written.done():
                continue
            if isinstance(result, BaseException):
                each.written.set_exception(result)
            else:
                each.written.set_result(None)
        if self._waiting:
            self._begin(loop)
        else:
            self._is_writing = False


class _Done(Protocol):
    def exception(self) -> BaseException | None: ...

    def result(self) -> "list[int | FlopodError]": ...
