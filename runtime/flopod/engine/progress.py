"""How a run is going: a live line on a terminal, plain lines elsewhere."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from flopod.engine.console import Console
from flopod.engine.outcome import OpenSleep, OpenWait, PendingRetry, Progress

_TICK_SECONDS = 0.1

Describe = Callable[[OpenWait], Sequence[str]]
DescribeOf = Callable[[str, OpenWait], Sequence[str]]


class ProgressReport:
    """Turns the engine's `Progress` into lines; `describe` gives the commands that answer a wait.

    `describe_of` gives those that answer a wait of a child, by its run id.
    """

    def __init__(self, console: Console, describe: Describe, describe_of: DescribeOf = lambda *_: ()) -> None:
        self._console = console
        self._describe = describe
        self._describe_of = describe_of
        self._waits_of: set[tuple[str, str, str]] = set()
        self._began = time.monotonic()
        self._waits: set[tuple[str, str]] = set()
        self._retries: set[tuple[str, int]] = set()
        self._running: frozenset[str] = frozenset()
        self._sleeps: set[str] = set()
        self._latest = Progress()

    def __call__(self, progress: Progress) -> None:
        """Report what is new in `progress`."""
        for retry in progress.retrying:
            self._retry(retry)
        for wait in progress.waiting:
            self.wait(wait)
        self._waits &= {(wait.path, wait.event) for wait in progress.waiting}
        self._steps(progress)
        self._latest = progress

    @contextlib.contextmanager
    def ticking(self) -> Iterator[None]:
        """Keep the live line up to date while the block runs, in a thread of its own."""
        if not self._console.live:
            yield
            return
        stopped = threading.Event()
        ticker = threading.Thread(target=self._tick, args=(stopped,), name="flopod progress", daemon=True)
        ticker.start()
        try:
            yield
        finally:
            stopped.set()
            ticker.join()
            self._console.clear()

    def _tick(self, stopped: threading.Event) -> None:
        while not stopped.wait(_TICK_SECONDS):
            self._console.status(self.line(self._latest))

    def line(self, progress: Progress) -> str:
        """The live line: what is done, running, retried, waited for, and for how long."""
        parts = [f"{progress.done} done"]
        if progress.running:
            parts.append(f"{len(progress.running)} running: {_some(progress.running)}")
        if progress.retrying:
            parts.append("retrying " + _some([each.path for each in progress.retrying]))
        if progress.waiting:
            parts.append("waiting for " + _some([_wait_text(each) for each in progress.waiting]))
        elif progress.sleeping and not progress.running:
            first = min(progress.sleeping, key=lambda each: each.due)
            parts.append(f"{first.path} until {_clock(first.due)}")
        return f"[{_duration(time.monotonic() - self._began)}] " + " | ".join(parts)

    def _retry(self, retry: PendingRetry) -> None:
        if (retry.path, retry.attempt) not in self._retries:
            self._retries.add((retry.path, retry.attempt))
            self._console.say(
                f"{retry.path}: attempt {retry.attempt} failed, next at {_clock(retry.next_try)}"
            )

    def wait(self, wait: OpenWait) -> None:
        """Say what the run waits for and how to deliver it, once for each wait."""
        if (wait.path, wait.event) in self._waits:
            return
        self._waits.add((wait.path, wait.event))
        self._say(f"waiting for {_wait_text(wait)}", wait, self._describe(wait))

    def wait_of(self, run_id: str, wait: OpenWait) -> None:
        """Say what a child waits for and how to deliver it, once for each wait."""
        if (run_id, wait.path, wait.event) not in self._waits_of:
            self._waits_of.add((run_id, wait.path, wait.event))
            self._say(f"{run_id} is waiting for {_wait_text(wait)}", wait, self._describe_of(run_id, wait))

    def _say(self, what: str, wait: OpenWait, commands: Sequence[str]) -> None:
        until = f" until {_clock(wait.due)}" if wait.due is not None else ""
        self._console.say(f"{what}{until}; deliver it with:")
        for index, command in enumerate(commands):
            self._console.say(("  or: " if index else "  ") + command)

    def _steps(self, progress: Progress) -> None:
        running = frozenset(progress.running)
        for path in sorted(running - self._running):
            self._console.detail(f"{path}: started")
        for path in sorted(self._running - running):
            self._console.detail(f"{path}: ended")
        self._running = running
        for sleep in progress.sleeping:
            if sleep.path not in self._sleeps:
                self._sleeps.add(sleep.path)
                self._console.detail(_sleep_text(sleep))

    def sleep(self, sleep: OpenSleep) -> None:
        """Say until when a timer runs."""
        self._console.say(_sleep_text(sleep))


def _sleep_text(sleep: OpenSleep) -> str:
    return f"{sleep.path}: sleeping until {_clock(sleep.due)}"


def _wait_text(wait: OpenWait) -> str:
    name = wait.path.rpartition("/")[2]
    return repr(wait.event) if name == wait.event == wait.path else f"{wait.event!r} at {wait.path!r}"


def _some(paths: Sequence[str]) -> str:
    more = len(paths) - 2
    return ", ".join(paths[:2]) + (f" and {more} more" if more > 0 else "")


def _clock(due: int) -> str:
    """A time of today as hours, another day's with its date, in the zone of the machine."""
    when = datetime.fromtimestamp(due / 1000)
    today = when.date() == datetime.now().date()
    return when.strftime("%H:%M:%S" if today else "%Y-%m-%d %H:%M:%S")


def _duration(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
