"""Says in the terminal that runs begin and end; called in the process that runs them."""

from __future__ import annotations

from flopod.engine.hooks import RunInfo
from flopod.events import Event, RunCancelled, RunCompleted, RunDiverged, RunFailed, RunPaused, RunStarted
from flopod.server.views.values import error_line
from flopod.server.views.words import duration
from flopod_compiler.dev.saying import BAD, BEGUN, ENDED, GOOD, WARNING, Terminal


class Course:
    """Tells the course of runs; knows how long one took if it began in this process."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._began: dict[str, int] = {}

    def __call__(self, run: RunInfo, event: Event) -> None:
        """Say what a record means for its run, if it is one of those that matter."""
        match event:
            case RunStarted():
                self._began[run.run_id] = event.at
                self._terminal.say(BEGUN, f"{run.workflow} started", strong=run.run_id)
            case RunCompleted():
                self._terminal.say(GOOD, f"completed{self._after(run, event)}", strong=run.run_id)
            case RunFailed(error=error):
                text = f"failed{self._after(run, event)}: {error_line(error)}"
                self._terminal.say(BAD, text, strong=run.run_id)
            case RunCancelled():
                self._terminal.say(ENDED, f"cancelled{self._after(run, event)}", strong=run.run_id)
            case RunPaused(reason=reason):
                self._terminal.say(ENDED, f"paused{f': {reason}' if reason else ''}", strong=run.run_id)
            case RunDiverged(reason=reason):
                self._terminal.say(WARNING, f"diverged: {reason}", strong=run.run_id)
            case _:
                pass

    def _after(self, run: RunInfo, event: Event) -> str:
        began = self._began.pop(run.run_id, None)
        return "" if began is None else f" after {duration(event.at - began)}"
