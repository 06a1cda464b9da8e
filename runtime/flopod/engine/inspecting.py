"""What there is to know about one run, read off its log once: for a terminal, a page or a program."""

import json
from typing import Any, NamedTuple

import msgspec
from msgspec import Raw

from flopod.backends.base import Backend
from flopod.codec.readable import readable
from flopod.engine.waits import first_event, matches, summary_of
from flopod.events import (
    ActivityProgress,
    Event,
    IterationCompleted,
    ListChanged,
    MapChanged,
    RunCompleted,
    RunFailed,
    RunResumed,
    RunStarted,
    RunSummary,
    StepError,
    VarChanged,
    WaitPoint,
)


class Told:
    """What the events of a log tell, one after the other: a long one is not in memory as a whole.

    `variables` have the last value of each; of a list or mapping its size, which is what events tell.
    `progress` is what each leaf has told last, `work_errors` are those of work beside the main line,
    `points` where the run can wait, those of its last build first.
    """

    def __init__(self) -> None:
        self.result: Any = None
        self.traceback = ""
        self.variables: dict[str, Any] = {}
        self.progress: dict[str, Raw] = {}
        self.work_errors: list[dict[str, str]] = []
        self.points: list[WaitPoint] = []
        self._counted: set[str] = set()

    def take(self, event: Event) -> None:
        """Take over what an event tells."""
        if isinstance(event, VarChanged):
            self.variables[event.path] = shown(event.value)
        elif isinstance(event, IterationCompleted) and event.snapshot is not None:
            kept = zip(event.states, shown(event.snapshot), strict=False)
            self.variables.update((path, value) for path, value in kept if path not in self._counted)
        elif isinstance(event, ListChanged | MapChanged):
            self._counted.add(event.path)
            self.variables[event.path] = f"{event.size} items"
        elif isinstance(event, ActivityProgress) and event.progress is not None:
            self.progress[event.path] = event.progress
        elif isinstance(event, StepError):
            failed = {"path": event.path, "name": event.id, "error": shown_error(event.error)}
            self.work_errors.append(failed)
        elif isinstance(event, RunStarted | RunResumed):
            self.points = [*event.waits, *self.points]
        elif isinstance(event, RunCompleted):
            self.result = shown(event.result)
        elif isinstance(event, RunFailed):
            self.traceback = event.traceback


class Inspection(NamedTuple):
    """A run: how it stands, how it began, and what its log tells."""

    summary: RunSummary
    started: RunStarted | None
    told: Told

    @property
    def input(self) -> Any:
        """The input of the run, as plain JSON data."""
        return None if self.started is None else shown(self.started.input)

    @property
    def progress(self) -> dict[str, Any]:
        """What the leaves under way have told last."""
        told = self.told.progress
        return {path: shown(told[path]) for path in self.summary.running if path in told}

    def schema(self, path: str, event: str) -> Raw | None:
        """Return the JSON schema of what a wait takes, as the log has it; None if anything fits."""
        here = [point for point in self.told.points if matches(point.path, path)]
        named = [point for point in here if point.event == event]
        return next((point.schema for point in (*named, *here)), None)


def inspect(backend: Backend, run_id: str) -> Inspection:
    """Read a run. Raises UnknownRun, DamagedLog."""
    summary, told = summary_of(backend, run_id), Told()
    for record in backend.scan(run_id):
        told.take(record.event)
    return Inspection(summary, first_event(backend, run_id), told)


def shown(value: Any) -> Any:
    """Return a recorded value as plain JSON data, for people."""
    if isinstance(value, Raw):
        return readable(json.loads(bytes(value)))
    return msgspec.to_builtins(value)


def shown_error(document: Raw) -> str:
    """Return an exception as the last line of a traceback has it, whatever its class is."""
    error = json.loads(bytes(document))
    _, _, name = str(error.get("type", "")).rpartition(":")
    message = ", ".join(map(str, readable(error.get("args", []))))
    return f"{name}: {message}" if message else name
