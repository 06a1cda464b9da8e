"""The progress that the leaves of one run tell: collected from any thread, saved about once a second."""

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable
from functools import partial

from msgspec import Raw

from flopod.current import Pulse
from flopod.workflow.commands import StartLeaf

_PAUSE = 1.0


class Pulses:
    """`report(path, attempt, progress)` takes over what is new, `save()` writes it down; both on the loop."""

    def __init__(self, report: Callable[[str, int, Raw], None], save: Callable[[], None]) -> None:
        self._report = report
        self._save = save
        self._told: dict[str, tuple[int, Raw]] = {}
        self._lock = threading.Lock()
        self._open: dict[str, Pulse] = {}
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._saved = time.monotonic() - _PAUSE
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, command: StartLeaf) -> Pulse:
        """Return the pulse of an attempt that starts now."""
        told = partial(self._tell, command.path, command.attempt)
        pulse = self._open[command.path] = Pulse(command.path, command.progress, told)
        return pulse

    def end(self, path: str, *, again: bool) -> None:
        """An attempt is over; what it told last counts if there may be another one."""
        pulse = self._open.pop(path, None)
        if pulse is not None:
            pulse.over = True
        if self._told:
            self._drop(path, again)

    def close(self) -> None:
        """The run is let go: what a thread still tells is not heard."""
        self._report, self._save = _unheard, _unsaved

    def _drop(self, path: str, again: bool) -> None:
        with self._lock:
            told = self._told.pop(path, None)
        if again and told is not None:
            self._report(path, *told)

    def _tell(self, path: str, attempt: int, progress: Raw) -> None:
        with self._lock:
            new = not self._told
            self._told[path] = attempt, progress
        if threading.get_ident() == self._thread:
            self._plan()
        elif new:
            with contextlib.suppress(RuntimeError):  # the loop is closed: the run was left
                self._loop.call_soon_threadsafe(self._plan)

    def _plan(self) -> None:
        wait = self._saved + _PAUSE - time.monotonic()
        if wait <= 0:
            self._save_now()
        elif self._timer is None:
            self._timer = self._loop.call_later(wait, self._save_now)

    def _save_now(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        with self._lock:
            told, self._told = self._told, {}
        if told:
            self._saved = time.monotonic()
            for path, (attempt, progress) in told.items():
                self._report(path, attempt, progress)
            self._save()


def _unheard(_path: str, _attempt: int, _progress: Raw) -> None:
    pass


def _unsaved() -> None:
    pass
