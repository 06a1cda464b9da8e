"""Runs leaves: coroutines on the event loop, plain functions on its thread or on one of their own."""

import asyncio
import contextvars
import sys
import threading
from collections.abc import Awaitable, Callable
from inspect import isawaitable
from typing import Any

from flopod.current import ActivityContext, Pulse, Watch, current_context
from flopod.engine.pulses import Pulses
from flopod.errors import ActivityTimeout, HeartbeatTimeout
from flopod.workflow.arguments import CallCopy, Raised, Returned
from flopod.workflow.commands import StartLeaf

_PATIENCE = 30.0


class Leaves:
    """The leaves of one run that are in flight. `report(path, outcome)` is called on the event loop.

    `pulses` takes the progress that they tell; `inline` says that one of them holds up the caller of `run`.

    A cancelled leaf may still clean up. As in Python, what the run calls next begins when it is through;
    a leaf that does not let itself be cancelled holds up the others for a while only.

    With `hide_loop` a plain function that runs on the loop's thread does not see that loop: the run is
    one of a plain workflow, whose leaves may start an event loop of their own.
    """

    def __init__(
        self,
        run_id: str,
        report: Callable[[str, Returned | Raised], None],
        pulses: Pulses,
        hide_loop: bool = False,
    ) -> None:
        self.inline = False
        self._run_id = run_id
        self._tell = report
        self._pulses = pulses
        self._hide_loop = hide_loop
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._threads: dict[str, object] = {}
        self._unwinding: set[asyncio.Task[None]] = set()

    @property
    def idle(self) -> bool:
        return not self._tasks and not self._threads

    async def unwound(self) -> None:
        """Let the leaves that are cancelled by now clean up."""
        if self._unwinding:
            await asyncio.wait(set(self._unwinding), timeout=_PATIENCE)

    def start(self, command: StartLeaf) -> None:
        """Start a leaf beside others."""
        if self._unwinding:
            self._tasks[command.path] = asyncio.create_task(self._start_later(command), name=command.path)
        else:
            self._start(command)

    async def _start_later(self, command: StartLeaf) -> None:
        await self.unwound()
        if self._tasks.get(command.path) is asyncio.current_task():
            del self._tasks[command.path]
            self._start(command)

    def _start(self, command: StartLeaf) -> None:
        if command.sync:
            self._start_thread(command)
        else:
            self._start_task(command, self._called(command))

    async def run(self, command: StartLeaf) -> None:
        """Run a leaf right here, as the only one, and report it."""
        token = current_context.set(self._context(command, self._pulses.begin(command)))
        self.inline = True
        try:
            outcome = await self._run_inline(command)
        finally:
            self.inline = False
            current_context.reset(token)
        self._report(command.path, outcome)

    def cancel(self, path: str) -> None:
        """Cancel a leaf; a function in a thread goes on, and nobody hears of it."""
        self._threads.pop(path, None)
        self._pulses.end(path, again=False)
        task = self._tasks.pop(path, None)
        if task is not None:
            task.cancel()
            self._unwinding.add(task)
            task.add_done_callback(self._unwinding.discard)

    def close(self) -> None:
        """Cancel what is in flight."""
        for path in [*self._tasks, *self._threads]:
            self.cancel(path)
        self._pulses.close()

    def _report(self, path: str, outcome: Returned | Raised) -> None:
        self._pulses.end(path, again=isinstance(outcome, Raised))
        self._tell(path, outcome)

    def _context(self, command: StartLeaf, pulse: Pulse) -> ActivityContext:
        key = f"{self._run_id}/{command.path}"
        return ActivityContext(self._run_id, command.path, command.attempt, key, pulse)

    async def _run_inline(self, command: StartLeaf) -> Returned | Raised:
        call, own = command.call, asyncio.current_task()
        try:
            if command.sync:
                value = self._call_inline(command)
                if isawaitable(value):
                    return call.returned(await value)
                return command.returned(value)
            return call.returned(await command.fn(*call.args, **call.kwargs))
        except BaseException as error:
            return _raised(call, error, own)

    def _call_inline(self, command: StartLeaf) -> Any:
        call = command.call
        if not self._hide_loop:
            return command.fn(*call.args, **call.kwargs)
        loop = asyncio.get_running_loop()
        asyncio._set_running_loop(None)
        try:
            return command.fn(*call.args, **call.kwargs)
        finally:
            asyncio._set_running_loop(loop)

    def _called(self, command: StartLeaf) -> Callable[[], Awaitable[Any]]:
        call = command.call
        return lambda: command.fn(*call.args, **call.kwargs)

    def _start_task(self, command: StartLeaf, begin: Callable[[], Awaitable[Any]]) -> None:
        self._tasks[command.path] = asyncio.create_task(self._run_task(command, begin), name=command.path)

    async def _run_task(self, command: StartLeaf, begin: Callable[[], Awaitable[Any]]) -> None:
        pulse = self._pulses.begin(command)
        current_context.set(self._context(command, pulse))
        outcome = await self._outcome(command, begin, pulse)
        if self._tasks.get(command.path) is asyncio.current_task():
            del self._tasks[command.path]
            self._report(command.path, outcome)
        else:
            _tell_unheard(command.path, outcome)

    async def _outcome(
        self, command: StartLeaf, begin: Callable[[], Awaitable[Any]], pulse: Pulse
    ) -> Returned | Raised:
        call, limit, own = command.call, asyncio.timeout(command.timeout), asyncio.current_task()
        watch = Watch(pulse, command.heartbeat, lambda: limit.reschedule(0))
        try:
            async with limit:
                value = await begin()
            return call.returned(value)
        except TimeoutError as error:
            return call.raised(_timeout(command, error, pulse.missed) if limit.expired() else error)
        except BaseException as error:
            return _raised(call, error, own)
        finally:
            watch.stop()

    def _start_thread(self, command: StartLeaf) -> None:
        loop, mark = asyncio.get_running_loop(), object()
        self._threads[command.path] = mark
        pulse = self._pulses.begin(command)
        context = contextvars.copy_context()
        context.run(current_context.set, self._context(command, pulse))

        def done(value: Any, error: BaseException | None) -> None:
            if self._threads.get(command.path) is mark:
                del self._threads[command.path]
                watch.stop()
                self._thread_done(command, value, error)

        def work() -> None:
            value, error = _call(context, command)
            try:
                loop.call_soon_threadsafe(done, value, error)
            except RuntimeError:
                return  # the loop is closed: the run was left

        if command.timeout is not None:
            loop.call_later(command.timeout, done, None, _timeout(command, None))
        watch = Watch(pulse, command.heartbeat, lambda: done(None, _timeout(command, None, missed=True)))
        threading.Thread(target=work, name=f"flopod {command.path}", daemon=True).start()

    def _thread_done(self, command: StartLeaf, value: Any, error: BaseException | None) -> None:
        if error is not None:
            self._report(command.path, command.call.raised(error))
        elif isawaitable(value):
            self._start_task(command, lambda: value)
        else:
            self._report(command.path, command.returned(value))


def _call(context: contextvars.Context, command: StartLeaf) -> tuple[Any, BaseException | None]:
    try:
        return context.run(command.fn, *command.call.args, **command.call.kwargs), None
    except BaseException as error:
        return None, error


def _tell_unheard(path: str, outcome: Returned | Raised) -> None:
    """A cancelled leaf should end with CancelledError: the run went on as if it had."""
    did = f"raised {outcome.exception!r}" if isinstance(outcome, Raised) else "returned a value"
    sys.stderr.write(
        f"flopod: {path}: it was cancelled, but {did}, which the run does not see; re-raise CancelledError\n"
    )


def _timeout(command: StartLeaf, cause: BaseException | None, missed: bool = False) -> ActivityTimeout:
    error = (
        HeartbeatTimeout(command.path, command.heartbeat or 0)
        if missed
        else ActivityTimeout(command.path, command.timeout or 0)
    )
    error.__cause__ = cause
    error.__suppress_context__ = True
    return error


def _raised(call: CallCopy, error: BaseException, own: "asyncio.Task[Any] | None") -> Raised:
    """Return the outcome of a leaf that raised; what is meant for those who wait for it goes on its way.

    `own` is the task that the leaf was called in.
    """
    if isinstance(error, KeyboardInterrupt) or (isinstance(error, GeneratorExit) and _is_collected(own)):
        raise error
    if isinstance(error, asyncio.CancelledError) and own is not None and own.cancelling() > 0:
        raise error
    return call.raised(error)


def _is_collected(own: "asyncio.Task[Any] | None") -> bool:
    """Whether a task is not being run, but closed."""
    try:
        return asyncio.current_task() is not own
    except RuntimeError:
        return True
