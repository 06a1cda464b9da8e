"""Steps the coroutines of a run in the order in which asyncio would: futures, arms and a ready queue.

Nothing here knows asyncio, a clock or a log. An arm is what a task is in asyncio; callbacks take the same
number of hops, so that concurrent code sees the same interleaving as its plain form.
"""

from asyncio import CancelledError
from collections import deque
from collections.abc import Callable, Coroutine, Generator, Sequence
from functools import partial
from typing import Any, Final

from flopod.workflow.raising import untraced

_PENDING: Final = 0
_DONE: Final = 1
_CANCELLED: Final = 2


class Future:
    """A result to come. Awaiting one hands it to the scheduler.

    What is awaited deliberately has no `throw` method: an exception thrown into an arm then reaches the
    innermost frame of the body as it is.
    """

    __slots__ = ("_callbacks", "_error", "_result", "_state", "scheduler")

    def __init__(self, scheduler: "Scheduler") -> None:
        self.scheduler = scheduler
        self._callbacks: list[Callable[[Future], None]] = []
        self._state = _PENDING
        self._result: Any = None
        self._error: BaseException | None = None

    def done(self) -> bool:
        return self._state != _PENDING

    def cancelled(self) -> bool:
        return self._state == _CANCELLED

    def exception(self) -> BaseException | None:
        """Return the error of a finished future, a CancelledError for a cancelled one."""
        if self._state == _CANCELLED and self._error is None:
            self._error = CancelledError()
        return self._error

    def result(self) -> Any:
        """Return the result of a finished future, or raise its error."""
        error = self.exception()
        if error is not None:
            raise error
        return self._result

    def set_result(self, result: Any) -> None:
        self._result = result
        self._finish(_DONE)

    def set_exception(self, error: BaseException) -> None:
        self._error = error
        self._finish(_DONE)

    def cancel(self) -> bool:
        if self._state != _PENDING:
            return False
        self._finish(_CANCELLED)
        return True

    def add_done_callback(self, callback: "Callable[[Future], None]") -> None:
        if self._state != _PENDING:
            self.scheduler.call_soon(callback, self)
        else:
            self._callbacks.append(callback)

    def _finish(self, state: int) -> None:
        self._state = state
        callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            self.scheduler.call_soon(callback, self)

    def __await__(self) -> Generator[Any, Any, Any]:
        return _Wait(self)  # type: ignore[return-value] # not a generator: it must have no `throw`


class _Wait:
    """One await of a future, which several arms may await."""

    __slots__ = ("_future", "_yielded")

    def __init__(self, future: Future) -> None:
        self._future = future
        self._yielded = False

    def __iter__(self) -> "_Wait":
        return self

    def __next__(self) -> Future:
        future = self._future
        if not future.done():
            if self._yielded:
                raise RuntimeError("an arm was stepped before what it awaits was there")
            self._yielded = True
            return future
        raise StopIteration(future.result())


class Arm(Future):
    """A coroutine that the scheduler steps, and the future of its result."""

    __slots__ = ("_must_cancel", "coro", "parent", "waiting")

    def __init__(self, scheduler: "Scheduler", coro: Coroutine[Any, Any, Any]) -> None:
        super().__init__(scheduler)
        self.coro = coro
        self.parent = scheduler.current
        self.waiting: Future | None = None
        self._must_cancel = False
        scheduler.alive[self] = None
        scheduler.call_soon(self._begin, self)

    def cancel(self) -> bool:
        """Ask the arm to end: CancelledError is raised where it waits."""
        if self.done():
            return False
        if self.waiting is not None and self.waiting.cancel():
            return True
        self._must_cancel = True
        return True

    def _begin(self, _: Future) -> None:
        self._step(None)

    def _wakeup(self, future: Future) -> None:
        error = future.exception()
        if isinstance(error, StopIteration):
            untraced(partial(self._step, None))  # it cannot be thrown in: the operation raises it
        else:
            self._step(error)

    def _step(self, error: BaseException | None) -> None:
        if self._must_cancel:
            self._must_cancel = False
            if not isinstance(error, CancelledError):
                error = CancelledError()
        self.waiting = None
        scheduler = self.scheduler
        scheduler.current = self
        scheduler.steps += 1
        try:
            yielded = self.coro.send(None) if error is None else self.coro.throw(error)
        except StopIteration as stop:
            self._ended(stop.value)
        except CancelledError:
            self._leave()
            super().cancel()
        except BaseException as raised:
            self._leave()
            self.set_exception(raised)
            if not isinstance(raised, Exception) and scheduler.on_exit is not None:
                scheduler.on_exit(self)
        else:
            self._block(yielded)
        finally:
            scheduler.current = None

    def _ended(self, value: Any) -> None:
        self._leave()
        if self._must_cancel:
            self._must_cancel = False
            super().cancel()
        else:
            self.set_result(value)

    def _leave(self) -> None:
        self.scheduler.alive.pop(self, None)

    def _block(self, yielded: object) -> None:
        if isinstance(yielded, Future) and yielded.scheduler is self.scheduler:
            self.waiting = yielded
            yielded.add_done_callback(self._wakeup)
            if self._must_cancel and yielded.cancel():
                self._must_cancel = False
        elif yielded is None:
            self.scheduler.call_soon(self._begin, self)
        else:
            wrong = RuntimeError(
                f"the workflow awaited {yielded!r}, which is not a durable operation; await it in an activity"
            )
            self.scheduler.call_soon(lambda _: self._step(wrong), self)


class Gathering(Future):
    """The future of `parallel`: asyncio.gather's rules for results, errors and cancelling."""

    __slots__ = ("_cancel_requested", "_finished", "_return_exceptions", "children")

    def __init__(self, scheduler: "Scheduler", children: Sequence[Future], return_exceptions: bool) -> None:
        super().__init__(scheduler)
        self.children = children
        self._return_exceptions = return_exceptions
        self._cancel_requested = False
        self._finished = 0
        for child in dict.fromkeys(children):
            child.add_done_callback(self._child_done)
        if not children:
            self.set_result([])

    def cancel(self) -> bool:
        if self.done():
            return False
        cancelled = [child.cancel() for child in self.children]
        self._cancel_requested = self._cancel_requested or any(cancelled)
        return any(cancelled)

    def _child_done(self, child: Future) -> None:
        self._finished += 1
        if self.done():
            return
        error = child.exception()
        if error is not None and not self._return_exceptions:
            self.set_exception(error)
        elif self._finished == len(set(self.children)):
            self._all_done()

    def _all_done(self) -> None:
        if self._cancel_requested:
            self.set_exception(CancelledError())
        else:
            self.set_result([_outcome(child) for child in self.children])


def _outcome(child: Future) -> Any:
    if child.cancelled():
        return CancelledError("")  # asyncio.gather makes a new one, with this text
    error = child.exception()
    return child.result() if error is None else error


class Scheduler:
    """The ready queue of one run.

    `current` is the arm that is being stepped, `alive` the unfinished arms in order of creation. While
    `floor` is set, nothing is stepped: a synchronous call of one arm is under way. `on_exit` is told of
    an arm that ended with SystemExit or KeyboardInterrupt, which end the whole program in Python.
    """

    __slots__ = ("_batch", "_ready", "alive", "current", "floor", "on_exit", "steps")

    def __init__(self) -> None:
        self._ready: deque[tuple[Callable[[Future], None], Future]] = deque()
        self._batch = 0
        self.alive: dict[Arm, None] = {}
        self.current: Arm | None = None
        self.floor: Future | None = None
        self.on_exit: Callable[[Arm], None] | None = None
        self.steps = 0

    def call_soon(self, callback: Callable[[Future], None], future: Future) -> None:
        if future is self.floor:
            self.floor = None
            self._batch += 1
            self._ready.appendleft((callback, future))
        else:
            self._ready.append((callback, future))

    def run(self, stop: Callable[[], bool]) -> None:
        """Step until every arm is blocked, the floor is taken, or a round has ended and `stop()` is true.

        A round is what was ready when it began, as in asyncio's loop, which ends after a whole round.
        """
        ready = self._ready
        while ready and self.floor is None:
            if self._batch == 0:
                if stop():
                    return
                self._batch = len(ready)
            self._batch -= 1
            callback, future = ready.popleft()
            callback(future)

    def joined_only(self) -> bool:
        """Whether the current arm is alone: every other unfinished arm waits for it to end."""
        arm = self.current
        if arm is None:
            return False
        waiting = 1
        while arm.parent is not None and _joins(arm.parent, arm):
            arm = arm.parent
            waiting += 1
        return waiting == len(self.alive)


def _joins(parent: Arm, child: Arm) -> bool:
    waiting = parent.waiting
    return waiting is child or (isinstance(waiting, Gathering) and child in waiting.children)
