"""Copies of runs: forks of one, files that hold one, and the end of those that nobody needs."""

import difflib
from collections.abc import Iterable, Iterator, Sequence

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from flopod import codec
from flopod.backends.base import Backend, now_ms
from flopod.backends.reading import read_records
from flopod.engine import control
from flopod.engine.waits import unknown_run
from flopod.errors import BadInput, Conflict, DamagedLog, UnknownPath
from flopod.events import (
    Compacted,
    Event,
    EventReceived,
    Record,
    RunCancelled,
    RunCompleted,
    RunFailed,
    RunStarted,
    WaitCompleted,
    encode_line,
)
from flopod.events.spans import last_compacted
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
    Raises UnknownRun, UnknownPath, Conflict if the new run id is taken or that past is compacted away.
    """
    records = list(effective(backend.load(run_id)))
    if not records:
        raise unknown_run(backend, run_id)
    if backend.first(check_run_id(new_run_id)) is not None:
        raise Conflict(new_run_id, "taken", "give the fork a run id of its own")
    events = _copied(_until(records, run_id, at))
    events[0] = _forked(events[0], new_run_id, run_id, input)
    backend.append(new_run_id, 0, events)
    control.tell_engines(backend, new_run_id)
    return new_run_id


def _until(records: list[Record], run_id: str, at: str | None) -> list[Record]:
    """The records before the operation at a path, or before the end."""
    if at is None:
        ends = (RunCompleted, RunFailed, RunCancelled)
        return [record for record in records if not isinstance(record.event, ends)]
    cut = next((index for index, record in enumerate(records) if at and record.event.path == at), None)
    if cut is None:
        paths = list(dict.fromkeys(record.event.path for record in records if record.event.path))
        near = difflib.get_close_matches(at, paths, _FEW, 0.4) or paths[-_FEW:]
        raise UnknownPath(run_id, at, near, what="has done nothing at")
    compacted = last_compacted(records[cut:])
    if compacted is not None and compacted.dropped and compacted.dropped[0][0] < records[cut].seq:
        raise Conflict(run_id, "compacted", f"what it recorded before {at!r} is not all there any more")
    return records[:cut]


def _copied(records: Sequence[Record]) -> list[Event]:
    """The events as the beginning of another log: without gaps, and without what its inbox had."""
    numbers = {record.seq: place for place, record in enumerate(records, 1)}
    found: list[Event] = []
    for _, event in records:
        if isinstance(event, EventReceived):
            event = replace(event, inbox=0)
        elif isinstance(event, WaitCompleted) and event.event_seq is not None:
            event = replace(event, event_seq=numbers.get(event.event_seq))
        elif isinstance(event, Compacted):
            event = replace(event, dropped=[], inbox=0)
        found.append(event)
    return found


def _forked(event: Event, run_id: str, source: str, input: Raw | None) -> Event:
    if not isinstance(event, RunStarted):
        return event
    chosen = event.input if input is None else input
    return replace(
        event,
        run_id=run_id,
        input=chosen,
        forked_from=source,
        parent=None,
        detached=False,
        at=now_ms(),
        versions=event.versions if input is None else codec.typed_versions(),
    )


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
    try:
        records = read_records("the file", (line for line in source if line.strip()))
    except DamagedLog as error:
        raise BadInput(f"the file is not whole: {error}") from None
    if len(records) != header.records:
        raise BadInput(f"the file has {len(records)} of the {header.records} records that it should have")
    chosen = check_run_id(header.run_id if run_id is None else run_id)
    if backend.first(chosen) is not None:
        raise Conflict(chosen, "taken", "import it under another run id")
    events = _copied(records)
    if isinstance(events[0], RunStarted):
        events[0] = replace(events[0], run_id=chosen)
    backend.append(chosen, 0, events)
    control.tell_engines(backend, chosen)
    return chosen


def _read_header(line: bytes) -> _Header:
    try:
        header = msgspec.json.decode(line, type=_Header)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"this is no file that `flopod runs export` wrote: {error}") from None
    if header.flopod_export != _FORMAT:
        raise BadInput(f"the file has the format {header.flopod_export}, this flopod reads {_FORMAT}")
    return header
