"""What there is to know about one run, from its log: for `runs show` and `runs events`."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from msgspec import Raw

from flopod.backends.base import Backend
from flopod.backends.choose import choose
from flopod.engine.waits import deliver_commands, first_event, matches, summary_of
from flopod.events import (
    FINAL,
    ActivityProgress,
    Event,
    IterationCompleted,
    ListChanged,
    MapChanged,
    Record,
    RunCompleted,
    RunFailed,
    StepError,
    VarChanged,
    WaitPoint,
    kind_of,
)
from flopod_compiler.cli.listing import as_data, clock
from flopod.codec.readable import readable

_POLL_SECONDS = 0.3
_WIDTH = 100
_NOT_IN_A_LINE = {"path", "at", "fingerprint", "traceback", "run_id", "build", "waits"}


def details(run_id: str, backend: str | None) -> dict[str, Any]:
    """The summary of a run with input, result, variables, and how to answer its waits."""
    with choose(backend, os.environ) as store:
        data = as_data(summary_of(store, run_id))
        started = first_event(store, run_id)
        told = Told()
        for record in store.scan(run_id):
            told.take(record.event)
    points = started.waits if started is not None else []
    data["input"] = _value(started.input) if started is not None else None
    data["result"] = told.result
    data["traceback"] = told.traceback
    data["variables"] = told.variables
    data["progress"] = {
        path: _value(told.progress[path]) for path in data["running"] if path in told.progress
    }
    data["work_errors"] = told.work_errors
    data["waits"] = [
        {"path": path, **wait, "deliver": _command(run_id, path, wait["event"], points, backend)}
        for path, wait in data["waits"].items()
    ]
    return data


class Told:
    """What the events of a log tell, one after the other: a long one is not in memory as a whole.

    `variables` have the last value of each; of a list or mapping its size, which is what events tell.
    `progress` is what each leaf has told last, `work_errors` are those of work beside the main line.
    """

    def __init__(self) -> None:
        self.result: Any = None
        self.traceback = ""
        self.variables: dict[str, Any] = {}
        self.progress: dict[str, Raw] = {}
        self.work_errors: list[dict[str, str]] = []
        self._counted: set[str] = set()

    def take(self, event: Event) -> None:
        """Take over what an event tells."""
        if isinstance(event, VarChanged):
            self.variables[event.path] = _value(event.value)
        elif isinstance(event, IterationCompleted) and event.snapshot is not None:
            kept = zip(event.states, _value(event.snapshot), strict=False)
            self.variables.update((path, value) for path, value in kept if path not in self._counted)
        elif isinstance(event, ListChanged | MapChanged):
            self._counted.add(event.path)
            self.variables[event.path] = f"{event.size} items"
        elif isinstance(event, ActivityProgress) and event.progress is not None:
            self.progress[event.path] = event.progress
        elif isinstance(event, StepError):
            failed = {"path": event.path, "name": event.id, "error": _error(event.error)}
            self.work_errors.append(failed)
        elif isinstance(event, RunCompleted):
            self.result = _value(event.result)
        elif isinstance(event, RunFailed):
            self.traceback = event.traceback


def _command(run_id: str, path: str, event: str, points: Sequence[WaitPoint], backend: str | None) -> str:
    schema = next((each.schema for each in points if matches(each.path, path)), None)
    return deliver_commands(run_id, path, event, schema, backend, ())[0]


def described(found: dict[str, Any]) -> str:
    """The details as lines for a person."""
    lines = [
        ("run", found["run_id"]),
        ("status", found["status"]),
        ("workflow", found["workflow"]),
        ("build", f"{found['build'][:12]} {found['build_name']}".strip()),
        ("started", clock(found["started_at"])),
        ("ended", clock(found["ended_at"])),
        ("steps", _steps(found)),
        ("input", _short(found["input"])),
        ("result", _short(found["result"]) if found["status"] == "completed" else ""),
        *(("variable", f"{path} = {_short(value)}") for path, value in found["variables"].items()),
        *(("progress", f"{path}: {_short(value)}") for path, value in found["progress"].items()),
        *(("work", f"{one['name']!r} at {one['path']!r}: {one['error']}") for one in found["work_errors"]),
        *(("waits", f"{wait['event']!r} at {wait['path']!r}{_until(wait)}") for wait in found["waits"]),
        *(("sleeps", f"{path} until {clock(due)}") for path, due in found["sleeps"].items()),
        *(("retries", f"{path} at {clock(due)}") for path, due in found["retrying"].items()),
        ("error", (found["traceback"] or found["error"]).strip().replace("\n", "\n" + " " * 10)),
    ]
    return "\n".join(f"{label:<9} {text}" for label, text in lines if text)


def _steps(found: dict[str, Any]) -> str:
    parts = [f"{found['activities_done']} done"]
    crashes = "crash" if found["crashes"] == 1 else "crashes"
    for name, word in (("retries", "tried again"), ("crashes", crashes), ("running", "running")):
        amount = found[name] if isinstance(found[name], int) else len(found[name])
        parts += [f"{amount} {word}"] if amount else []
    return ", ".join(parts)


def _until(wait: dict[str, Any]) -> str:
    return f" until {clock(wait['due'])}" if wait.get("due") else ""


def event_lines(run_id: str, backend: str | None, follow: bool, as_json: bool) -> Iterator[str]:
    """The events of a run as lines; with `follow` also those to come, until it has ended."""
    with choose(backend, os.environ) as store:
        summary = summary_of(store, run_id)
        seen = 0
        while True:
            for record in store.scan(run_id, seen):
                seen = record.seq
                yield _json_line(record) if as_json else _text_line(record)
            if not follow or summary.status in FINAL:
                return
            summary = _grown(store, run_id, seen)


def _grown(store: Backend, run_id: str, seen: int) -> Any:
    """The summary of a run as soon as there is something to read."""
    while True:
        summary = summary_of(store, run_id)
        if summary.seq > seen or summary.status in FINAL:
            return summary
        time.sleep(_POLL_SECONDS)


def _json_line(record: Record) -> str:
    body = {"seq": record.seq, **json.loads(msgspec.json.encode(record.event))}
    return json.dumps(body, ensure_ascii=False)


def _text_line(record: Record) -> str:
    event = record.event
    shown = []
    for name in event.__struct_fields__:
        value = getattr(event, name)
        if name not in _NOT_IN_A_LINE and (isinstance(value, Raw) or value):
            told = _error(value) if isinstance(event, StepError) and name == "error" else _value(value)
            shown.append(f"{name}={_short(told)}")
    text = f"{record.seq:>5}  {clock(event.at)}  {kind_of(event):<18} {event.path}"
    return f"{text}  {' '.join(shown)}".rstrip()


def _value(value: Any) -> Any:
    if isinstance(value, Raw):
        return readable(json.loads(bytes(value)))
    return msgspec.to_builtins(value)


def _error(document: Raw) -> str:
    """An exception as the last line of a traceback has it, whatever its class is."""
    error = json.loads(bytes(document))
    _, _, name = str(error.get("type", "")).rpartition(":")
    message = ", ".join(map(str, readable(error.get("args", []))))
    return f"{name}: {message}" if message else name


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = text.replace("\n", "\\n")
    return text if len(text) <= _WIDTH else text[: _WIDTH - 1] + "…"
