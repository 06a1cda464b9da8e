"""Copies of runs: forks of one, files that hold one, and the end of those that nobody needs."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from flopod import codec
from flopod.backends.base import Backend, now_ms
from flopod.engine.waits import unknown_run
from flopod.errors import BadInput, Conflict, DamagedRecord, UnknownPath
from flopod.events import (
    Event,
    EventReceived,
    Record,
    RunCancelled,
    RunCompleted,
    RunFailed,
    RunStarted,
    decode_line,
    encode_line,
)
from flopod.log.rewind import effective
from flopod.runid import check_run_id

_FORMAT = 1
_FEW = 3


class _Header(msgspec.Struct, forbid_unknown_fields=True):
    """The first line of an exported run."""

    flopod_export: int
    run_id: str
    records: int


def fork(
    backend: Backend, run_id: str, new_run_id: str, at: str | None = None, input: Raw | None = None
) -> str:
    """Begin a new run with the past of another up to the operation at the path `at`, or with all of it.

    That operation, and all that was recorded after it began, is done anew. With `input` the new run has
    another one: what it then asks for otherwise than recorded stops it as diverged. Returns the new run id.
    Raises UnknownRun, UnknownPath, Conflict if the new run id is taken.
    """
    records = effective(backend.load(run_id))
    if not records:
        raise unknown_run(backend, run_id)
    if backend.first(check_run_id(new_run_id)) is not None:
        raise Conflict(new_run_id, "taken", "give the fork a run id of its own")
    events = [_own(event, new_run_id, run_id, input) for event in _until(records, run_id, at)]
    backend.append(new_run_id, 0, events)
    backend.announce(new_run_id)
    return new_run_id


def _until(records: Iterable[Record], run_id: str, at: str | None) -> Iterator[Event]:
    seen: list[str] = []
    for record in records:
        event = record.event
        if event.path == at and at is not None:
            return
        if event.path and event.path not in seen:
            seen.append(event.path)
        if at is None and isinstance(event, RunCompleted | RunFailed | RunCancelled):
            return
        yield event
    if at is not None:
        raise UnknownPath(run_id, at, seen[-_FEW:])


def _own(event: Event, run_id: str, source: str, input: Raw | None) -> Event:
    if isinstance(event, RunStarted):
        chosen = event.input if input is None else input
        return replace(event, run_id=run_id, input=chosen, forked_from=source, at=now_ms())
    # The numbers in the inbox of the source mean nothing in that of the fork.
    return replace(event, inbox=0) if isinstance(event, EventReceived) else event


def exported(backend: Backend, run_id: str) -> Iterator[bytes]:
    """Yield the lines of a file that holds a run: a header, then its records. Raises UnknownRun."""
    records = backend.load(run_id)
    if not records:
        raise unknown_run(backend, run_id)
    yield msgspec.json.encode(_Header(_FORMAT, run_id, len(records)))
    for seq, event in records:
        yield encode_line(seq, event)


def imported(backend: Backend, lines: Iterable[bytes], run_id: str | None = None) -> str:
    """Put a run that was exported into a store, under another id if one is given; return its id.

    Raises BadInput if the file is not whole, Conflict if the id is taken.
    """
    source = iter(lines)
    header = _read_header(next(source, b""))
    events = [_event(number, line) for number, line in enumerate(source, 1) if line.strip()]
    if len(events) != header.records:
        raise BadInput(f"the file has {len(events)} of the {header.records} records that it should have")
    chosen = check_run_id(run_id or header.run_id)
    if backend.first(chosen) is not None:
        raise Conflict(chosen, "taken", "import it under another run id")
    first = events[0]
    if isinstance(first, RunStarted):
        events[0] = replace(first, run_id=chosen)
    backend.append(chosen, 0, events)
    backend.announce(chosen)
    return chosen


def _read_header(line: bytes) -> _Header:
    try:
        header = msgspec.json.decode(line, type=_Header)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"this is no file that `flopod runs export` wrote: {error}") from None
    if header.flopod_export != _FORMAT:
        raise BadInput(f"the file has the format {header.flopod_export}, this flopod reads {_FORMAT}")
    return header


def _event(number: int, line: bytes) -> Event:
    try:
        record = decode_line(line.rstrip(b"\n"))
    except DamagedRecord as error:
        raise BadInput(f"record {number} of the file is damaged: {error}") from None
    if record.seq != number:
        raise BadInput(f"record {number} of the file has the number {record.seq}: lines are missing")
    return record.event


def document(text: str | None) -> Raw | None:
    """Return an input given as JSON text, as a log holds it. Raises BadInput."""
    if text is None:
        return None
    try:
        value: Any = json.loads(text)
    except ValueError as error:
        raise BadInput(f"the input is not JSON: {error}", field="input") from None
    if not isinstance(value, list | dict):
        raise BadInput("the input is neither an array (positional) nor an object (by name)", field="input")
    return Raw(codec.encode(value))
