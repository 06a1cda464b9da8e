"""Work beside a main line, on asyncio: that of a run as a whole, that of each function as a pool.

The plain run and the durable one share it, so that their tasks begin and end in the same order.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any, NamedTuple, TypeAlias, TypeVar

from msgspec import Struct

T = TypeVar("T")
Ended: TypeAlias = "Callable[[asyncio.Task[None]], object]"
Ring: TypeAlias = Callable[[Callable[[], None]], Callable[[], object]]
"""Starts a timer that calls back once; what it gives stops it."""


class Drained(Struct, frozen=True):
    """How many of the tasks that were waited for ended well, how many failed, and how many go on.

    A task that was cancelled is neither.
    """

    done: int
    failed: int
    pending: int


class Job(NamedTuple):
    """One task of a pool: what it does, and whom it tells that it has failed."""

    call: Callable[[], Awaitable[object]]
    failed: Callable[[Exception], object]


class Tasks:
    """Tasks that are under way, and who waits for them to end."""

    def __init__(self) -> None:
        self.running: dict[asyncio.Task[None], None] = {}
        self._waiting: list[asyncio.Future[None]] = []

    def add(self, task: "asyncio.Task[None]") -> None:
        """Take a task that has begun."""
        self.running[task] = None
        task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        del self.running[task]
        if not self.running:
            self.release()

    def release(self) -> None:
        """Wake who waits."""
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(None)

    async def change(self) -> None:
        """Wait until the last of them has ended, or somebody releases who waits."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        await future

    async def settled(self) -> None:
        """Wait until there is none, those that begin meanwhile included."""
        while self.running:
            await self.change()


class Background:
    """All the work of one run. It is over when its main line has ended and this is drained."""

    def __init__(self) -> None:
        self.tasks = Tasks()

    async def finish(self, body: Callable[[], Awaitable[T]]) -> T:
        """Run a main line, then wait for the work that was queued, that of other work included.

        Its error is raised when the work has ended. If it is cancelled, so is the work.
        """
        try:
            value = await body()
        except asyncio.CancelledError:
            await self.cancel()
            raise
        except Exception:
            with contextlib.suppress(asyncio.CancelledError):
                await self.drain()
            raise
        await self.drain()
        return value

    async def drain(self) -> None:
        """Wait until nothing is left. If this is cancelled, so is the work."""
        try:
            await self.tasks.settled()
        except asyncio.CancelledError:
            await self.cancel()
            raise

    async def cancel(self) -> None:
        """Cancel all work, and wait until it has ended."""
        told: set[asyncio.Task[None]] = set()
        while self.tasks.running:
            for task in [task for task in self.tasks.running if task not in told]:
                told.add(task)
                task.cancel()
            await self.tasks.change()


class Tally:
    """What has become of the tasks of a pool since it was drained last: how many, and the first failure.

    First is what was queued first.
    """

    def __init__(self) -> None:
        self.done = 0
        self.failed = 0
        self.error: Exception | None = None
        self._order = -1

    def fail(self, order: int, error: Exception) -> None:
        """Count the failure of a task."""
        self.failed += 1
        if self.error is None or order < self._order:
            self.error, self._order = error, order


class Pool:
    """The work that one function has queued."""

    def __init__(self, background: Background) -> None:
        self.background = background
        self.tally = Tally()
        self._tasks = Tasks()
        self._pending = 0
        self._queued = 0

    def queue(self, jobs: Iterable[Job], concurrency: int = 1) -> None:
        """Begin jobs in their order, `concurrency` of them at once; nobody waits for them here."""
        batch = _Batch(self, deque(enumerate(jobs, self._queued)))
        count = len(batch.left)
        self._queued += count
        self._pending += count
        for _ in range(min(concurrency, count)):
            self.begin(batch.run(), batch.ended)

    def begin(self, work: Coroutine[Any, Any, None], ended: Ended) -> "asyncio.Task[None]":
        """Begin a task of the run; `ended` is told of its end first."""
        task = asyncio.get_running_loop().create_task(work)
        task.add_done_callback(ended)
        self._tasks.add(task)
        self.background.tasks.add(task)
        return task

    async def wait(self, fail_on_error: bool, ring: Ring | None) -> Drained:
        """Wait until nothing of it is left, or a timer rings; begin to count anew if nothing is left."""
        if self._tasks.running:
            await self._settle(ring)
        tally = self.tally
        drained = Drained(tally.done, tally.failed, self._pending)
        if not self._tasks.running:
            self.tally = Tally()
            if fail_on_error and tally.error is not None:
                raise tally.error
        return drained

    async def _settle(self, ring: Ring | None) -> None:
        late: list[bool] = []

        def rang() -> None:
            late.append(True)
            self._tasks.release()

        stop = None if ring is None else ring(rang)
        try:
            while self._tasks.running and not late:
                await self._tasks.change()
        finally:
            if stop is not None:
                stop()

    async def do(self, order: int, job: Job) -> None:
        """Do one job, and count how it ended."""
        try:
            await job.call()
        except asyncio.CancelledError:
            if _is_told_to_end():
                raise
        except Exception as error:
            self.tally.fail(order, error)
            job.failed(error)
        else:
            self.tally.done += 1
        finally:
            self._pending -= 1

    def drop(self, count: int) -> None:
        """Take note of jobs that were cancelled before they began."""
        self._pending -= count


class _Batch:
    """Jobs that were queued together, done by as many tasks as may go on at once."""

    def __init__(self, pool: Pool, left: deque[tuple[int, Job]]) -> None:
        self.left = left
        self._pool = pool

    async def run(self) -> None:
        """Do what is left, one after the other."""
        while self.left:
            await self._pool.do(*self.left.popleft())

    def ended(self, _: "asyncio.Task[None]") -> None:
        """If a task of these was cancelled, so are the jobs that none has begun."""
        self._pool.drop(len(self.left))
        self.left.clear()


def _is_told_to_end() -> bool:
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0
