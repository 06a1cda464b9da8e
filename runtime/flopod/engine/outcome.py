"""What a drive of a run reports: how it ended, what it waits for, how far it is."""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from msgspec import Struct


class OpenWait(Struct, frozen=True):
    """A wait that is open: where, for which event, until when (ms since the epoch, None = for ever)."""

    path: str
    event: str
    due: int | None = None


class OpenSleep(Struct, frozen=True):
    """A timer that runs, and when it goes off (ms since the epoch)."""

    path: str
    due: int


class PendingRetry(Struct, frozen=True):
    """A leaf that failed and is tried again at `next_try` (ms since the epoch)."""

    path: str
    attempt: int
    next_try: int


class Progress(Struct, frozen=True):
    """How far a run is, for a live line; made after each commit that somebody listens to."""

    done: int = 0
    running: Sequence[str] = ()
    retrying: Sequence[PendingRetry] = ()
    waiting: Sequence[OpenWait] = ()
    sleeping: Sequence[OpenSleep] = ()
    replayed: int = 0


OnProgress: TypeAlias = Callable[[Progress], None]


class RunOutcome(Struct, frozen=True):
    """How a run stands when the engine lets go of it.

    `status` is `completed`, `failed`, `cancelled`, `paused` or `waiting` (only when asked to leave while
    waiting). `value` is the result of a completed run; `error` the exception and `traceback` its text for
    a failed one; `reason` says why a run is paused or was cancelled.
    """

    status: str
    value: Any = None
    error: BaseException | None = None
    traceback: str = ""
    reason: str = ""
    waiting: Sequence[OpenWait] = ()
    sleeping: Sequence[OpenSleep] = ()
