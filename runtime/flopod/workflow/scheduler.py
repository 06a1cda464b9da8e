"""Steps the tasks of a run: an asyncio event loop without I/O, whose time and timers come from the log.

The body runs as `asyncio.Task`s on it, so that `gather`, `TaskGroup`, `timeout`, `wait`, locks and queues
are asyncio's own, interleaving included. What waits for the world is an operation's future.
"""

import asyncio
from asyncio import events, tasks
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context
from functools import partial
from inspect import iscoroutine
from typing import Any, NoReturn, Protocol, runtime_checkable

from flopod.workflow.raising import untraced

_CLOSINGS = 100


@runtime_checkable
class Alarm(Protocol):
    """Seconds or a time that know how to become a durable timer."""

    def ring(self, callback: Callable[[], None]) -> Callable[[], object]:
        """Call back when it is due; the result stops it."""
        ...


class Outcome(asyncio.Future[Any]):
    """The future of what a body waits for. A StopIteration, which no future can hold, is kept in `stop`."""

    stop: StopIteration | None = None
    on_cancel: Callable[[], None] | None = None

    def cancel(self, msg: Any = None) -> bool:
        if not super().cancel(msg):
            return False
        if self.on_cancel is not None:
            self.on_cancel()
        return True


class Arm(asyncio.Task[Any]):
    """A task of the run. Its name and its hash are its number, so that sets of tasks iterate alike."""

    def __init__(
        self,
        scheduler: "Scheduler",
        coro: Coroutine[Any, Any, Any],
        name: str | None,
        context: Context | None,
    ) -> None:
        self.number = scheduler.created
        self.parent = scheduler.current
        super().__init__(coro, loop=scheduler, name=name or f"Task-{self.number}", context=context)
        scheduler.alive[self] = None
        self.add_done_callback(scheduler.left)

    def __hash__(self) -> int:
        return self.number

    @property
    def waiting(self) -> "asyncio.Future[Any] | None":
        """What the task is waiting for."""
        return self._fut_waiter  # type: ignore[attr-defined,no-any-return]


class _Timer(asyncio.TimerHandle):
    """The handle of a durable timer: cancelling it stops the timer."""

    stop: Callable[[], object]

    def cancel(self) -> None:
        if not self.cancelled():
            self.stop()
        super().cancel()


class _InPlace:
    """Takes the place of the loop that runs this thread, and of its task: Python steps one at a time."""

    __slots__ = ("_outside", "_scheduler", "_task")

    def __init__(self, scheduler: "Scheduler") -> None:
        self._scheduler = scheduler

    def __enter__(self) -> None:
        outside = self._outside = events._get_running_loop()
        task = self._task = None if outside is None else asyncio.current_task(outside)
        if outside is not None and task is not None:
            tasks._leave_task(outside, task)
        events._set_running_loop(self._scheduler)

    def __exit__(self, *_: object) -> None:
        outside, task = self._outside, self._task
        events._set_running_loop(outside)
        if outside is not None and task is not None:
            tasks._enter_task(outside, task)


class Scheduler(asyncio.AbstractEventLoop):
    """The event loop of one run.

    `current` is the task that is being stepped, `alive` the unfinished ones in order of creation. While
    `floor` is set, nothing is stepped: a synchronous call of one task is under way. `on_exit` is told of
    the SystemExit or KeyboardInterrupt of a task, which end the whole program in Python. `now` is the
    time of the last outcome that the body got (ms since the epoch), live and on replay; before the first
    it is that of the start of the run.
    """

    def __init__(self) -> None:
        self._ready: deque[asyncio.Handle] = deque()
        self._next_round: list[asyncio.TimerHandle] = []
        self._batch = 0
        self.created = 0
        self.alive: dict[Arm, None] = {}
        self.floor: Outcome | None = None
        self.on_exit: Callable[[BaseException], None] | None = None
        self.now = 0

    # -- stepping --------------------------------------------------------------------------------

    @property
    def current(self) -> Arm | None:
        """The task that is being stepped."""
        return asyncio.current_task(self)  # type: ignore[return-value]

    @property
    def is_ready(self) -> bool:
        """Whether there is a task to step."""
        return self.floor is None and bool(self._ready or self._next_round)

    @property
    def is_idle(self) -> bool:
        """Whether no other task would be stepped before the current one, if that went on at once."""
        return not self._ready and not self._next_round

    def run(self, stop: Callable[[], bool]) -> None:
        """Step until every task is blocked, the floor is taken, or a round has ended and `stop()` is true.

        A round is what was ready when it began, as in asyncio's own loop, which ends after a whole round.
        """
        if self.is_ready:
            with _InPlace(self):
                self._run(stop)

    def release(self, outcome: Outcome) -> None:
        """Let other tasks go on although the call that `outcome` belongs to is not over."""
        if self.floor is outcome:
            self.floor = None

    def discard(self) -> bool:
        """Free the memory of all tasks, in a run that is fenced; returns whether that was possible.

        Python closes a coroutine by GeneratorExit, so a `finally` of the body is passed through. Of a
        fenced run nothing comes out: what it awaits there never begins, and is closed in its turn.
        """
        with _InPlace(self):
            for _ in range(_CLOSINGS):
                if not self.alive:
                    break
                for arm in list(self.alive):
                    if _is_closed(arm.get_coro()):
                        del self.alive[arm]
                        arm._log_destroy_pending = False  # type: ignore[attr-defined]
        self.forget()
        return not self.alive

    def forget(self) -> None:
        """Step nothing of what is ready."""
        self._ready.clear()
        self._next_round.clear()

    def _run(self, stop: Callable[[], bool]) -> None:
        ready = self._ready
        while self.floor is None and (ready or self._next_round):
            if self._batch == 0:
                if stop():
                    return
                ready.extend(self._next_round)
                self._next_round.clear()
                self._batch = len(ready)
            self._batch -= 1
            handle = ready.popleft()
            if not handle.cancelled():
                self._step(handle)

    def _step(self, handle: asyncio.Handle) -> None:
        try:
            handle._run()
        except (SystemExit, KeyboardInterrupt) as error:
            self._batch = 0
            if self.on_exit is None:
                raise
            self.on_exit(error)

    def left(self, arm: "asyncio.Task[Any]") -> None:
        """Take note of the end of a task."""
        self.alive.pop(arm, None)  # type: ignore[call-overload]

    def joined_only(self) -> bool:
        """Whether the current task is alone: every other unfinished one waits for it to end."""
        arm = self.current
        if arm is None:
            return False
        waiting = 1
        while arm.parent is not None and _joins(arm.parent, arm):
            arm = arm.parent
            waiting += 1
        return waiting == len(self.alive)

    # -- asyncio's interface ---------------------------------------------------------------------

    def call_soon(  # type: ignore[override]
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        future = args[0] if args else None
        if isinstance(future, Outcome) and future.stop is not None:
            callback, args = untraced, (partial(callback, *args),)
        handle = asyncio.Handle(callback, args, self, context)
        if future is not None and future is self.floor:
            self.floor = None
            self._batch += 1
            self._ready.appendleft(handle)
        else:
            self._ready.append(handle)
        return handle

    def call_later(  # type: ignore[override]
        self, delay: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        timer = _Timer(self.time() + delay, callback, args, self, context)
        return self._arm_timer(timer, delay)

    def call_at(  # type: ignore[override]
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        return self._arm_timer(_Timer(when, callback, args, self, context), when)

    def _arm_timer(self, timer: _Timer, time: float) -> asyncio.TimerHandle:
        if isinstance(time, Alarm):
            timer.stop = time.ring(timer._run)
            return timer
        if time <= 0:
            timer.stop = _nothing
            self._next_round.append(timer)
            return timer
        raise RuntimeError(
            "a timer of a workflow needs an id, which the compiler gives to the delay of asyncio.timeout, "
            "wait_for, wait and as_completed; for others use asyncio.sleep"
        )

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Nothing to do: `_Timer` has stopped its timer."""

    def time(self) -> float:
        """The time of the last outcome, in seconds: the same on replay."""
        return self.now / 1000

    def create_future(self) -> "asyncio.Future[Any]":
        return asyncio.Future(loop=self)

    def create_task(
        self, coro: Any, *, name: str | None = None, context: Context | None = None, **_: Any
    ) -> Arm:
        self.created += 1
        return Arm(self, coro if iscoroutine(coro) else _await(coro), name, context)

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return True

    def is_closed(self) -> bool:
        return False

    def run_in_executor(self, *_: Any) -> NoReturn:  # type: ignore[override]
        raise RuntimeError("a workflow's event loop runs no threads: do this in an activity")

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Log what no task can take: the error of a callback, or one that nobody asked for."""
        asyncio.BaseEventLoop.default_exception_handler(self, context)  # type: ignore[arg-type]

    _current_handle = None


def _is_closed(coro: Any) -> bool:
    try:
        coro.close()
    except RuntimeError:
        return False  # it awaits something in a `finally`
    except BaseException:
        return True  # an error of the body's own, of which nobody hears
    return True


def _nothing() -> None:
    pass


async def _await(awaitable: Any) -> Any:
    return await awaitable


def _joins(parent: Arm, child: Arm) -> bool:
    waiting = parent.waiting
    return waiting is child or child in getattr(waiting, "_children", ())
