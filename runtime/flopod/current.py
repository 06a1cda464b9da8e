"""What a leaf may know of its own call while it runs, and how it tells that it is alive."""

import asyncio
import time
import uuid
from collections.abc import Callable
from contextvars import ContextVar
from functools import cache
from typing import Any

from msgspec import Raw, Struct, field

from flopod.errors import Cancelled, OutsideActivity

_NOTHING: Any = object()


class Pulse:
    """The signs of life of one attempt; `told` gets the document of what it says to have done.

    `last` is when it beat last (seconds, monotonic); a beat is one of the attempt around it, too. Once it is
    `over`, because it took too long or is not wanted any more, a beat raises Cancelled, which ends a function
    that nobody can stop from outside.
    """

    def __init__(
        self,
        path: str,
        progress: Raw | None = None,
        told: Callable[[Raw], None] | None = None,
        around: "Pulse | None" = None,
    ) -> None:
        self.path = path
        self.progress = progress
        self.calls = 0
        self.last = time.monotonic()
        self.over = False
        self.missed = False
        self._told = told
        self._around = around

    def beat(self, progress: Any = _NOTHING) -> None:
        """Note a sign of life, from any thread. Raises Cancelled, or SerializableError for no data."""
        if self.over:
            raise Cancelled(f"{self.path}: this attempt is over, nobody waits for its result any more")
        if self._around is not None:
            self._around.beat()
        self.last = time.monotonic()
        if progress is not _NOTHING:
            self.progress = _document(self.path, progress)
            if self._told is not None:
                self._told(self.progress)

    def next(self) -> "Pulse":
        """Return the pulse of the attempt after this one, which finds its progress."""
        return Pulse(self.path, self.progress, self._told, self._around)

    def left(self, seconds: float) -> float:
        """Return how many of `seconds` without a beat are left."""
        return self.last + seconds - time.monotonic()


class Watch:
    """Calls `missed` on the event loop once a pulse has not beaten for `seconds`, until it is stopped."""

    def __init__(self, pulse: Pulse, seconds: float | None, missed: Callable[[], object]) -> None:
        self._pulse = pulse
        self._seconds = seconds
        self._missed = missed
        self._timer: asyncio.TimerHandle | None = None
        if seconds is not None:
            self._timer = asyncio.get_running_loop().call_later(seconds, self._look, seconds)

    def stop(self) -> None:
        """Watch no longer."""
        if self._timer is not None:
            self._timer.cancel()

    def _look(self, seconds: float) -> None:
        left = self._pulse.left(seconds)
        if left > 0:
            self._timer = asyncio.get_running_loop().call_later(left, self._look, seconds)
        else:
            self._pulse.missed = True
            self._missed()


class ActivityContext(Struct, frozen=True):
    """What a leaf may know of its call.

    `path` is its place in the run, `attempt` counts from 1. `idempotency_key` is the run and the path: the
    same for every attempt and after every resume, and no other call's. Uncompiled, a run is the process, and
    calls are counted.
    """

    run_id: str
    path: str
    attempt: int
    idempotency_key: str
    pulse: Pulse = field(default_factory=lambda: Pulse("activity"))

    @property
    def progress(self) -> Any:
        """What `heartbeat` was told last, by this attempt or by one before; None if nothing yet."""
        from flopod import codec

        document = self.pulse.progress
        return None if document is None else codec.decode(document)


current_context: ContextVar[ActivityContext | None] = ContextVar("flopod.current_context", default=None)


_outermost = Pulse("main")


def inner_context(name: str) -> ActivityContext:
    """Return the context of a call in process: of a plain run, or of what a leaf calls itself."""
    outer = current_context.get()
    pulse = _outermost if outer is None else outer.pulse
    pulse.calls += 1
    run_id = f"plain-{_process()}" if outer is None else outer.run_id
    path = f"{name}#{pulse.calls}" if outer is None else f"{outer.path}/{name}#{pulse.calls}"
    own = Pulse(path, around=None if outer is None else pulse)
    return ActivityContext(run_id, path, 1, f"{run_id}/{path}", own)


@cache
def _process() -> str:
    return uuid.uuid4().hex


def current_activity() -> ActivityContext:
    """Return what the leaf that is running may know of its call.

    It works in coroutines and in plain functions, on whichever thread the leaf runs. Raises OutsideActivity
    elsewhere, as in a thread that the leaf starts itself.
    """
    context = current_context.get()
    if context is None:
        raise OutsideActivity("current_activity")
    return context


def heartbeat(progress: Any = _NOTHING) -> None:
    """Tell that the leaf that is running is alive and, with an argument, how far it has come.

    A leaf with `activity(heartbeat="30s")` that does not do so for that long has failed with
    HeartbeatTimeout. Progress is any value that a leaf may return. It is written about once a second, and
    the next attempt, after an error or a crash, finds the last one in `current_activity().progress`.
    Raises Cancelled in an attempt that is over.
    """
    context = current_context.get()
    if context is None:
        raise OutsideActivity("heartbeat")
    context.pulse.beat(progress)


def _document(path: str, progress: Any) -> Raw:
    from flopod import codec

    return Raw(codec.encode(progress, label=f"{path}: progress"))
