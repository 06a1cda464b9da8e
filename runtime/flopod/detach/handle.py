"""The handle of something detached: where it is, how it ended, and a way to wait for that.

The semantics are those of `footprintjs/detach`: a handle goes one way, from queued over running to done or
failed; what comes after its end is ignored.
"""

import asyncio
import os
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Literal, TypeAlias, TypeGuard, TypeVar

DetachStatus: TypeAlias = Literal["queued", "running", "done", "failed"]
H = TypeVar("H", bound="DetachHandle")

_lock = threading.Lock()


def _renew_lock() -> None:
    global _lock
    _lock = threading.Lock()  # another thread may have held it when this process was forked


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_lock)


class DetachHandle:
    """What `detach_and_join_later` gives; made by `create_handle`.

    It is not awaitable, so that nobody waits for it by accident: `await handle.wait()`.
    """

    __flopod_refusal__ = (
        "it belongs to who detached; keep it in a local variable, and pass on its id or what its wait() gives"
    )
    __slots__ = ("__weakref__", "_error", "_id", "_on_end", "_result", "_status", "_waiters")

    def __init__(self, *_: object) -> None:
        raise TypeError("a handle is made by flopod.detach.create_handle(id)")

    _id: str
    _status: DetachStatus
    _result: Any
    _error: BaseException | None
    _waiters: list[Future[None]]
    _on_end: "Callable[[DetachHandle], None] | None"

    @property
    def id(self) -> str:
        """The id: `<path>:detach:<n>` in a run, `__executor__:detach:<n>` outside."""
        return self._id

    @property
    def status(self) -> DetachStatus:
        """Where it is: queued, running, done or failed."""
        return self._status

    @property
    def result(self) -> Any:
        """What the child returned; None before that, and if it failed."""
        return self._result

    @property
    def error(self) -> BaseException | None:
        """What the child raised, if it failed."""
        return self._error

    async def wait(self) -> Any:
        """Wait for the end: the result, or the very error that the child raised, each time it is called.

        It may be called any number of times, from any event loop. Cancelling it leaves the child alone.
        """
        ended: Future[None] = Future()
        with _lock:
            if is_over(self):
                ended.set_result(None)
            else:
                self._waiters.append(ended)
        await asyncio.wrap_future(ended)
        if self._error is not None:
            raise self._error
        return self._result

    def _end(self, status: DetachStatus, result: Any, error: BaseException | None) -> None:
        with _lock:
            if is_over(self):
                return
            self._status, self._result, self._error = status, result, error
            waiters, self._waiters = self._waiters, []
            on_end, self._on_end = self._on_end, None
        for waiter in waiters:
            if waiter.set_running_or_notify_cancel():
                waiter.set_result(None)
        if on_end is not None:
            on_end(self)

    def __repr__(self) -> str:
        return f"<DetachHandle {self._id} {self._status}>"


def create_handle(id: str) -> DetachHandle:
    """Make a queued handle, for a driver of one's own; the functions `mark_...` move it on."""
    return queued(DetachHandle, id)


def queued(kind: type[H], id: str) -> H:
    """Make a queued handle of a kind."""
    handle = object.__new__(kind)
    handle._id = id
    handle._status = "queued"
    handle._result = handle._error = handle._on_end = None
    handle._waiters = []
    return handle


def mark_running(handle: DetachHandle) -> None:
    """Note that the child has begun; ignored once it has ended. Raises TypeError for what is no handle."""
    with _lock:
        if checked(handle)._status == "queued":
            handle._status = "running"


def mark_done(handle: DetachHandle, result: Any = None) -> None:
    """End with a result; ignored once it has ended. Raises TypeError for what is no handle."""
    checked(handle)._end("done", result, None)


def mark_failed(handle: DetachHandle, error: object) -> None:
    """End with an error, or what describes one; ignored once it has ended. Raises TypeError for no handle."""
    raised = error if isinstance(error, BaseException) else RuntimeError(str(error))
    checked(handle)._end("failed", None, raised)


def is_over(handle: DetachHandle) -> bool:
    """Whether a handle is done or failed."""
    return handle._status in ("done", "failed")


def when_over(handle: DetachHandle, call: Callable[[DetachHandle], None]) -> None:
    """Call back once when the handle has ended, at once if it has. The registry's; there is one call."""
    with _lock:
        if not is_over(handle):
            handle._on_end = call
            return
    call(handle)


def is_handle(candidate: object) -> TypeGuard[DetachHandle]:
    """Whether something was made by `create_handle`."""
    return issubclass(type(candidate), DetachHandle)  # `isinstance` believes a forged `__class__`


def checked(candidate: object) -> DetachHandle:
    """Return a handle. Raises TypeError for anything else."""
    if not is_handle(candidate):
        raise TypeError(
            f"{candidate!r} is no handle of a detach; make it with flopod.detach.create_handle(id)"
        )
    return candidate
