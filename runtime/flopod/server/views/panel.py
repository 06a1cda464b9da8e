"""What the side panel shows of an operation: its attempts, and what it was given and gave."""

from collections.abc import Sequence
from typing import NamedTuple

from flopod.server.views.course import Course, Operation
from flopod.server.views.places import Places

_SHOWN = 40


class Instance(NamedTuple):
    """One time that an operation was done; `is_chosen` if it is the one that is shown."""

    path: str
    state: str
    is_chosen: bool


class Panel(NamedTuple):
    """An operation. `instances` are the times it was done, as far as they fit; `total` counts all."""

    path: str
    pattern: str
    kind: str
    callee: str
    file: str
    line: int
    operation: Operation | None
    instances: Sequence[Instance]
    total: int
    can_fork: bool


def panel(path: str, course: Course, places: Places) -> Panel:
    """Return what is known of a path, or of the last time that a pattern was done."""
    pattern = places.pattern(path)
    entry = places.of(path)
    done = [one for one in course.operations.values() if places.pattern(one.path) == pattern]
    exact = course.operations.get(path)
    chosen = exact or next((one for one in reversed(done) if one.is_open), done[-1] if done else None)
    kind = chosen.kind if chosen is not None else "" if entry is None else entry.kind
    return Panel(
        path if chosen is None else chosen.path,
        pattern,
        kind,
        (chosen.callee if chosen is not None else "") or ("" if entry is None else entry.callee),
        "" if entry is None else entry.file,
        0 if entry is None else entry.line,
        chosen,
        _around(done, chosen),
        len(done),
        chosen is not None and ":" not in chosen.path,
    )


def _around(done: Sequence[Operation], chosen: Operation | None) -> list[Instance]:
    """The instances about the chosen one."""
    place = next((n for n, one in enumerate(done) if one is chosen), 0)
    begin = max(0, min(place - _SHOWN // 2, len(done) - _SHOWN))
    return [Instance(one.path, one.state, one is chosen) for one in done[begin : begin + _SHOWN]]
