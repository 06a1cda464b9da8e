"""How a run ends: its result is fixed when the body is over, then the tasks left behind unwind."""

from asyncio import CancelledError, Task
from collections.abc import Coroutine
from typing import Any

from msgspec import Raw
from msgspec.structs import replace

from flopod import codec
from flopod.errors import SerializableError
from flopod.events import RunCancelled, RunCompleted, RunFailed
from flopod.workflow.scheduler import Arm, Scheduler
from flopod.workflow.tracebacks import author_traceback


class Ending:
    """The result of a run. `cancelled` is the reason of a cancel that was delivered."""

    def __init__(self, scheduler: Scheduler) -> None:
        self.result: RunCompleted | RunFailed | None = None
        self.value: Any = None
        self.error: BaseException | None = None
        self.cancelled: str | None = None
        self.main: Arm | None = None
        self._scheduler = scheduler
        self._unwinding = False
        scheduler.on_exit = self.finish

    def follow(self, body: Coroutine[Any, Any, Any]) -> None:
        """Make `body` the main task, whose result is that of the run."""
        self.main = self._scheduler.create_task(body)
        self.main.add_done_callback(self._main_ended)

    def finish(self, error: BaseException | None, value: Any = None) -> None:
        """Fix the result, unless there is one."""
        if self.result is None:
            try:
                self.result = self._failed(error) if error is not None else self._completed(value)
            except SerializableError as wrong:
                self.result = self._failed(wrong)

    def cancel(self, reason: str) -> None:
        """Raise CancelledError where the body waits."""
        self.cancelled = reason
        if self.main is not None:
            self.main.cancel()

    def forget(self) -> None:
        """Let go of what has ended: an error knows the frames that it came through, and they know this."""
        self.main = self.error = None

    @property
    def was_cancelled(self) -> bool:
        return self.cancelled is not None and isinstance(self.error, CancelledError)

    @property
    def is_over(self) -> bool:
        return self.result is not None and not self._scheduler.alive

    def event(self, at: int) -> RunCompleted | RunFailed | RunCancelled | None:
        """Return the terminal event, if the run is over."""
        if self.result is None or not self.is_over:
            return None
        if self.was_cancelled:
            return RunCancelled(at=at, reason=self.cancelled or "")
        return replace(self.result, at=at)

    def stops_the_round(self) -> bool:
        """Whether the body has ended and what else is alive is still to be cancelled."""
        return self.result is not None and not self._unwinding

    def cancel_rest(self) -> bool:
        """Cancel the tasks left behind, once, in the order of their creation, as asyncio.run does."""
        if self.result is None or self._unwinding or self._scheduler.floor is not None:
            return False
        self._unwinding = True
        for arm in list(self._scheduler.alive):
            arm.cancel()
        return True

    def _completed(self, value: Any) -> RunCompleted:
        document = Raw(codec.encode(value, label="result"))
        self.value = codec.decode(document)
        return RunCompleted(result=document, versions=codec.typed_versions())

    def _failed(self, error: BaseException) -> RunFailed:
        self.error = error
        return RunFailed(error=Raw(codec.encode(error)), traceback=author_traceback(error))

    def _main_ended(self, main: "Task[Any]") -> None:
        error = CancelledError() if main.cancelled() else main.exception()
        self.finish(error, None if error is not None else main.result())
