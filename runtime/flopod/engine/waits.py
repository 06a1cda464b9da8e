"""Where a run can wait, how to deliver to it, and the delivery itself, checked before it is kept."""

import difflib
import json
import os
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any, NamedTuple

import msgspec
from msgspec import Raw

from flopod.backends.base import Backend
from flopod.backends.choose import without_password
from flopod.backends.hidden import check_sealed
from flopod.codec import check_schema, encode, json_schema
from flopod.engine.inputs import parse_json
from flopod.engine.samples import sample
from flopod.errors import BadInput, FlopodError, UnknownEvent, UnknownPath, UnknownRun
from flopod.events import FINAL, OpenWait, RunResumed, RunStarted, RunSummary, WaitPoint
from flopod.manifest import COMPUTED, WaitEntry, WorkflowEntry

_YOUNGEST = 500
_CARRIED = ("FLOPOD_DATA_DIR", "FLOPOD_DATA_SCOPE", "FLOPOD_BACKEND")


class RunEnded(UnknownRun):
    """The run has ended, so that nothing waits in it any more."""

    def __init__(self, run_id: str, status: str) -> None:
        FlopodError.__init__(self, f"the run {run_id!r} is {status} and takes no more events")
        self.run_id = run_id
        self.status = status


class Delivered(NamedTuple):
    """An event in the inbox of a run, with its number there."""

    run_id: str
    path: str
    event: str
    number: int


def wait_points(entry: WorkflowEntry, import_module: Callable[[str], ModuleType]) -> list[WaitPoint]:
    """The places where the workflow can wait, with the JSON schema of what each takes."""
    return [
        WaitPoint(path=each.path, event=each.event, **_schema(payload_type(each, import_module)))
        for each in entry.waits
    ]


def payload_type(wait: WaitEntry, import_module: Callable[[str], ModuleType]) -> Any:
    """The type of a wait's payload; `Any` where there is none or it cannot be evaluated here."""
    if not wait.type:
        return Any
    try:
        return eval(wait.type, dict(vars(import_module(wait.module))))
    except Exception:
        return Any


def _schema(payload: Any) -> dict[str, Raw]:
    schema = None if payload is Any else json_schema(payload)
    return {} if schema is None else {"schema": Raw(msgspec.json.encode(schema))}


def deliver(backend: Backend, run_id: str, path: str, event: str, payload: str) -> Delivered:
    """Put the JSON text `payload` into the inbox of a run, durably.

    Raises UnknownRun, RunEnded, UnknownPath or UnknownEvent with near misses, BadInput if the text is
    not JSON or does not fit the schema of the wait, HiddenValue if the run is encrypted and no key is here.
    """
    point = check_wait(backend, run_id, path, event)
    data = parse_json(payload, "the payload")
    if point is not None and point.schema is not None:
        _check(json.loads(bytes(point.schema)), data, path)
    number = backend.deliver(run_id, path, event, Raw(encode(data)))
    return Delivered(run_id, path, event, number)


def check_wait(backend: Backend, run_id: str, path: str, event: str) -> WaitPoint | None:
    """Return the place where the run waits for `event`, or will; None for a hand-written program.

    Raises UnknownRun, RunEnded, UnknownPath or UnknownEvent with near misses, HiddenValue.
    """
    summary = summary_of(backend, run_id)
    if summary.status in FINAL:
        raise RunEnded(run_id, summary.status)
    started = first_event(backend, run_id)
    if started is not None:
        check_sealed(run_id, started.input)
    points = _waits_of(backend, summary, started)
    return _point(run_id, path, event, points, summary) if points is not None else None


def recorded_waits(backend: Backend, run_id: str) -> Sequence[WaitPoint] | None:
    """Where the builds of the run can wait, the last one's first; None for a hand-written program."""
    return _waits_of(backend, backend.summary(run_id), first_event(backend, run_id))


def _waits_of(
    backend: Backend, summary: RunSummary | None, started: RunStarted | None
) -> Sequence[WaitPoint] | None:
    if started is None or not started.build:
        return None
    if summary is None or summary.build == started.build:
        return started.waits
    resumed = [event for _, event in backend.scan(summary.run_id) if isinstance(event, RunResumed)]
    return [*(point for event in reversed(resumed) for point in event.waits), *started.waits]


def first_event(backend: Backend, run_id: str) -> RunStarted | None:
    """The event that started the run, None if there is no such run."""
    record = backend.first(run_id)
    event = None if record is None else record.event
    return event if isinstance(event, RunStarted) else None


def _point(run_id: str, path: str, event: str, points: Sequence[WaitPoint], summary: RunSummary) -> WaitPoint:
    here = [point for point in points if matches(point.path, path)]
    now = summary.waits.get(path)
    for point in here:
        if _takes(point, event, now):
            return point
    if here:
        known = {point.event for point in here if point.event != COMPUTED}
        raise UnknownEvent(run_id, path, event, sorted(known if now is None else {now.event}))
    candidates = [*summary.waits, *(point.path for point in points)]
    near = difflib.get_close_matches(path, candidates, 3, 0.4) or candidates[:3]
    raise UnknownPath(run_id, path, list(dict.fromkeys(near)))


def _takes(point: WaitPoint, event: str, now: OpenWait | None) -> bool:
    """Whether a wait can be for `event`; a computed name is known once the run waits there (`now`)."""
    if point.event != COMPUTED:
        return point.event == event
    return now is None or now.event == event


def matches(pattern: str, path: str) -> bool:
    """Whether `pattern` stands for `path`: `[*]` for one key, `/**/` for any depth of a recursion."""
    keys = re.escape(pattern).replace(re.escape("[*]"), r"\[[^\[\]/]*\]")
    return re.fullmatch(keys.replace(re.escape("/**/"), "/(?:.*/)?"), path) is not None


def _check(schema: Mapping[str, Any], data: Any, path: str) -> None:
    try:
        check_schema(dict(schema), data)
    except (FlopodError, ValueError) as error:
        place = getattr(error, "field", "")
        raise BadInput(f"the payload does not fit what {path!r} waits for: {error}", field=place) from None


def summary_of(backend: Backend, run_id: str) -> RunSummary:
    """The summary of a run. Raises UnknownRun with a near miss."""
    summary = backend.summary(run_id)
    if summary is None:
        raise unknown_run(backend, run_id)
    return summary


def unknown_run(backend: Backend, run_id: str) -> UnknownRun:
    """The error that there is no such run, with the nearest one of the youngest that there are."""
    youngest = [each.run_id for each in backend.summaries(limit=_YOUNGEST)]
    return UnknownRun(run_id, backend.describe(), difflib.get_close_matches(run_id, youngest, 1))


def deliver_commands(
    run_id: str, path: str, event: str, schema: Raw | None, backend: str | None, program: Sequence[str]
) -> list[str]:
    """The shell commands that deliver `event`: the installed one, and `program`, which runs the bundle.

    The payload in them is a sample that fits `schema`. `backend` is the value of `--backend`, if it was
    given; what the environment says about the place of the runs is repeated. No password
    is shown.
    """
    payload = json.dumps(sample(json.loads(bytes(schema)) if schema is not None else {}))
    chosen = ["--backend", without_password(backend)] if backend else []
    installed = ["flopod-run", "deliver", *chosen, run_id, path, event, payload]
    bundled = [*program, "--run-id", run_id, *chosen, "--deliver", path, event, payload]
    commands = [installed, bundled] if program else [installed]
    return [_environment() + shlex.join(command) for command in commands]


def resume_command(run_id: str, backend: str | None, program: Sequence[str]) -> str:
    """The shell command that goes on with a run."""
    chosen = ["--backend", without_password(backend)] if backend else []
    return _environment() + shlex.join([*program, "--run-id", run_id, *chosen])


def _environment() -> str:
    pairs = [(name, os.environ.get(name, "")) for name in _CARRIED]
    shown = [(name, value) for name, value in pairs if value and value == without_password(value)]
    return "".join(f"{name}={shlex.quote(value)} " for name, value in shown)
