"""What there is to know about one run, from its log: for `runs show` and `runs events`."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import Raw

from flopod.backends.base import Backend
from flopod.backends.choose import choose
from flopod.engine.inspecting import Inspection, inspect, shown, shown_error
from flopod.engine.waits import deliver_commands, summary_of
from flopod.events import FINAL, Record, StepError, kind_of
from flopod_compiler.cli.listing import as_data, clock, colored_status

_POLL_SECONDS = 0.3
_WIDTH = 100
_NOT_IN_A_LINE = {"path", "at", "fingerprint", "traceback", "run_id", "build", "waits"}


def details(run_id: str, backend: str | None) -> dict[str, Any]:
    """The summary of a run with input, result, variables, and how to answer its waits."""
    with choose(backend, os.environ) as store:
        found = inspect(store, run_id)
    data, told = as_data(found.summary), found.told
    data["input"] = found.input
    data["result"] = told.result
    data["traceback"] = told.traceback
    data["variables"] = told.variables
    data["progress"] = found.progress
    data["work_errors"] = told.work_errors
    data["waits"] = [
        {"path": path, **wait, "deliver": _command(found, path, wait["event"], backend)}
        for path, wait in data["waits"].items()
    ]
    return data


def _command(found: Inspection, path: str, event: str, backend: str | None) -> str:
    run_id, schema = found.summary.run_id, found.schema(path, event)
    return deliver_commands(run_id, path, event, schema, backend, ())[0]


def described(found: dict[str, Any]) -> str:
    """The details as lines for a person."""
    lines = [
        ("run", found["run_id"]),
        ("status", colored_status(found["status"])),
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
    parts: list[str] = []
    for name in event.__struct_fields__:
        value = getattr(event, name)
        if name not in _NOT_IN_A_LINE and (isinstance(value, Raw) or value):
            told = shown_error(value) if isinstance(event, StepError) and name == "error" else shown(value)
            parts.append(f"{name}={_short(told)}")
    text = f"{record.seq:>5}  {clock(event.at)}  {kind_of(event):<18} {event.path}"
    return f"{text}  {' '.join(parts)}".rstrip()


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = text.replace("\n", "\\n")
    return text if len(text) <= _WIDTH else text[: _WIDTH - 1] + "…"
