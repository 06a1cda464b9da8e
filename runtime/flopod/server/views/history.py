"""The log of a run, page by page."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
from msgspec import Raw

from flopod.events import Event, Record, StepError, kind_of
from flopod.events.spans import last_compacted, size
from flopod.server.views.values import error_line, short, short_raw

PAGE = 50
_LEFT_OUT = {
    "path",
    "at",
    "fingerprint",
    "traceback",
    "run_id",
    "build",
    "build_name",
    "waits",
    "generation",
    "generations",
    "schema",
    "entry",
    "item",
    "states",
    "versions",
    "hash_seed",
}


class Entry(NamedTuple):
    """An event in one line; `gap` says how many events before it are compacted away."""

    seq: int
    at: int
    kind: str
    path: str
    text: str
    gap: int = 0


class History(NamedTuple):
    """A page of a log. `before` and `after` are places of the pages around it, None where there is none."""

    entries: list[Entry]
    total: int
    dropped: int
    kinds: list[tuple[str, int]]
    kind: str
    after: int | None
    before: int | None


def history(
    records: Sequence[Record], after: int | None = None, kind: str = "", limit: int = PAGE
) -> History:
    """Return the events after the number `after`, the last ones without it, of a kind if one is given."""
    compacted = last_compacted(records)
    kinds = Counter(kind_of(event) for _, event in records)
    chosen = [place for place, record in enumerate(records) if not kind or kind_of(record.event) == kind]
    if after is None:
        begin = max(0, len(chosen) - limit)
    else:
        begin = bisect_right(chosen, after, key=lambda place: records[place].seq)
    page = chosen[begin : begin + limit]
    entries = [entry_of(records[place], _gap(records, place) if not kind else 0) for place in page]
    return History(
        entries,
        len(records),
        size(compacted.dropped) if compacted is not None else 0,
        sorted(kinds.items()),
        kind,
        records[page[-1]].seq if begin + limit < len(chosen) else None,
        _before(records, chosen, begin, limit),
    )


def _before(records: Sequence[Record], chosen: Sequence[int], begin: int, limit: int) -> int | None:
    if begin <= 0:
        return None
    return records[chosen[begin - limit - 1]].seq if begin > limit else 0


def _gap(records: Sequence[Record], place: int) -> int:
    return records[place].seq - (records[place - 1].seq if place else 0) - 1


def entry_of(record: Record, gap: int = 0) -> Entry:
    """Return an event in one line."""
    seq, event = record
    return Entry(seq, event.at, kind_of(event), event.path, _text(event), gap)


def _text(event: Event) -> str:
    shown: list[str] = []
    for name in event.__struct_fields__:
        value = getattr(event, name)
        if name in _LEFT_OUT or not (isinstance(value, Raw) or value):
            continue
        shown.append(f"{name}={_shown(event, name, value)}")
    return short(" ".join(shown), 400)


def _shown(event: Event, name: str, value: Any) -> str:
    if isinstance(value, Raw):
        return error_line(value) if name == "error" or isinstance(event, StepError) else short_raw(value)
    return short(msgspec.to_builtins(value))
