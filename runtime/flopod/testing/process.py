"""A process in virtual time: an event loop that runs until a test wants to look."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn

from flopod.testing.clocks import LoopClock, virtual_time
from flopod.testing.errors import TestFailure
from flopod.testing.loop import VirtualLoop

FOREVER = float("inf")
_LIMIT = 50_000
_SETTLING = 20


class Process:
    """What runs is `main`; `installed` puts the code under test in its place while the loop runs.

    Time starts at `start` (seconds since the epoch) and has come `now` seconds further.
    """

    main: asyncio.Task[Any]

    def __init__(
        self, start: float, now: float, installed: Callable[[], AbstractContextManager[object]]
    ) -> None:
        self.loop = _Loop(self, now)
        self.clock = LoopClock(self.loop, start)
        self._busy = 0
        self.is_killed = False
        self._installed = installed
        self._failure: BaseException | None = None
        self._reached: Callable[[], bool] = lambda: False
        self._horizon = FOREVER
        self._turns = 0
        self._gate: asyncio.Future[None] | None = None

    def begin(self, main: Coroutine[Any, Any, Any]) -> None:
        """Make `main` what this process does, with the context of the caller."""
        self.main = self.loop.create_task(main, name="flopod.testing")
        self.main.add_done_callback(lambda _: self.loop.stop())

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Let time not jump while code that runs meanwhile waits for the operating system or a thread."""
        self._busy += 1
        try:
            yield
        finally:
            self._busy -= 1

    @property
    def now(self) -> datetime:
        """What time it is in it, in UTC."""
        return datetime.fromtimestamp(self.clock.start + self.loop.now, UTC)

    @property
    def elapsed(self) -> timedelta:
        """How much time has passed since the test began, in this process and in those before it."""
        return timedelta(seconds=self.loop.now)

    @property
    def is_busy(self) -> bool:
        return self._busy > 0

    @property
    def is_over(self) -> bool:
        return self.main.done()

    def drive(self, reached: Callable[[], bool] = lambda: False, horizon: float = FOREVER) -> None:
        """Run until `main` is done, `reached` holds at a moment of rest, or nothing is due before `horizon`.

        Raises what the harness or the engine has to say; an error of the workflow is its outcome.
        """
        self._reached, self._horizon, self._turns = reached, horizon, 0
        if self._gate is not None:
            self._gate.set_result(None)
            self._gate = None
        if not self.is_over and not reached():
            self._run()
        if self._failure is not None:
            raise self._failure
        if self.is_over and not self.main.cancelled() and (error := self.main.exception()) is not None:
            raise error

    def _run(self) -> None:
        with self._installed(), virtual_time(self.loop, self.clock.start), _no_other_loop():
            self.loop.run_forever()

    def idle(self) -> None:
        """Decide what happens when nothing is ready: time passes, or the test may look."""
        due = self.loop.next_due()
        self._turns += 1
        if (due is None or due > self._horizon) and self.may_end():
            return
        if self._reached() or due is None or due > self._horizon:
            if self._horizon < FOREVER and not self._reached():
                self.loop.now = max(self.loop.now, self._horizon)
            self.loop.stop()
        elif self._turns > _LIMIT and self._horizon == FOREVER:
            self.fail(
                TestFailure(
                    f"the run goes on and on: {_LIMIT} timers have gone off in {self.loop.now:.0f} seconds; "
                    "run.advance(...) lets as much time pass as the test needs"
                )
            )
        else:
            self.loop.fire()

    def may_end(self) -> bool:
        """Let `main` end that waits for what else goes on: nothing does by itself. Whether it was waiting."""
        return False

    async def pause(self) -> None:
        """Let the test look, right here; go on when it drives on."""
        self._gate = self.loop.create_future()
        self.loop.stop()
        await self._gate

    async def die(self) -> NoReturn:
        """Be killed, right here."""
        self.is_killed = True
        self.loop.stop()
        await self.loop.create_future()
        raise AssertionError("unreachable")

    def fail(self, error: BaseException) -> None:
        """Stop, and let the test fail with an error."""
        self._failure = self._failure or error
        self.loop.stop()

    def close(self) -> None:
        """Throw away what still runs."""
        if self.loop.is_closed():
            return
        self._reached, self._horizon = (lambda: False), self.loop.now
        for _ in range(_SETTLING):
            tasks = [task for task in asyncio.all_tasks(self.loop) if not task.done()]
            if not tasks:
                break
            for task in tasks:
                task.cancel()
            self._run()
        for task in asyncio.all_tasks(self.loop):
            task._log_destroy_pending = False  # type: ignore[attr-defined]
        with _no_other_loop():
            self.loop.close()


class _Loop(VirtualLoop):
    def __init__(self, process: Process, now: float) -> None:
        super().__init__(now)
        self._process = process
        self._jobs = 0

    def idle(self) -> None:
        self._process.idle()

    def is_busy_outside(self) -> bool:
        return self._process.is_busy and (self._jobs > 0 or self.watches_files)

    def run_in_executor(  # type: ignore[override]
        self, executor: Any, func: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        """Count what threads do for the loop, which waits for them in real time."""
        self._jobs += 1
        job = super().run_in_executor(executor, func, *args)
        job.add_done_callback(self._ended)
        return job

    def _ended(self, _: object) -> None:
        self._jobs -= 1


@contextmanager
def _no_other_loop() -> Iterator[None]:
    """Let a loop run in this thread although another one does, as in an asynchronous test."""
    outside = asyncio._get_running_loop()
    asyncio._set_running_loop(None)
    try:
        yield
    finally:
        asyncio._set_running_loop(outside)


@contextlib.contextmanager
def nothing() -> Iterator[None]:
    """Put nothing in place."""
    yield
