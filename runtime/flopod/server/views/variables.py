"""The variables of a run over time, from the changes that its log tells of."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from msgspec import Raw

from flopod.events import IterationCompleted, ListChanged, MapChanged, Record, VarChanged
from flopod.log.rewind import effective
from flopod.server.views.values import short, value_of

_SHOWN = 20
_POINTS = 200


class Change(NamedTuple):
    """A new value of a variable, or what was done to a list or mapping."""

    seq: int
    at: int
    text: str


class Variable(NamedTuple):
    """A variable with its last changes, the last one first; `earlier` says how many are not shown.

    `form` is var, list or map; `points` are the last values of one that holds numbers.
    """

    path: str
    form: str
    last: str
    size: int | None
    changes: list[Change]
    earlier: int
    points: list[float]


class _Seen:
    """What is known of one variable: its changes, undecoded."""

    __slots__ = ("changes", "form", "size")

    def __init__(self) -> None:
        self.form = "var"
        self.size: int | None = None
        self.changes: list[tuple[int, int, str, Raw, int]] = []


def variables(records: Sequence[Record]) -> list[Variable]:
    """Return all variables in the order in which they came to be; `last` may be known of snapshots only."""
    seen: dict[str, _Seen] = {}
    for seq, event in effective(records):
        if isinstance(event, VarChanged):
            seen.setdefault(event.path, _Seen()).changes.append((seq, event.at, "", event.value, 0))
        elif isinstance(event, ListChanged | MapChanged):
            one = seen.setdefault(event.path, _Seen())
            one.form = "list" if isinstance(event, ListChanged) else "map"
            one.size = event.size
            one.changes.append((seq, event.at, event.op, event.args, 0))
        elif isinstance(event, IterationCompleted) and event.snapshot is not None:
            for place, path in enumerate(event.states):
                one = seen.setdefault(path, _Seen())
                one.changes.append((seq, event.at, "=", event.snapshot, place))
    return [_variable(path, one) for path, one in seen.items()]


def _variable(path: str, seen: _Seen) -> Variable:
    shown = [
        Change(seq, at, _text(op, raw, place)) for seq, at, op, raw, place in seen.changes[-_SHOWN:][::-1]
    ]
    shown = [
        change for n, change in enumerate(shown) if n + 1 == len(shown) or change.text != shown[n + 1].text
    ]
    return Variable(
        path,
        seen.form,
        shown[0].text if shown else "",
        seen.size,
        shown,
        max(0, len(seen.changes) - _SHOWN),
        _points(seen),
    )


def _text(op: str, raw: Raw, place: int) -> str:
    value = value_of(raw)
    if op == "":
        return short(value, 300)
    if op == "=":
        return short(value[place], 300) if isinstance(value, list) and place < len(value) else ""
    arguments = ", ".join(short(each, 120) for each in value) if isinstance(value, list) else short(value)
    return f"{op}({arguments})"


def _points(seen: _Seen) -> list[float]:
    """The last values, if all of them are numbers."""
    if seen.form != "var":
        return []
    found: list[float] = []
    for _, _, op, raw, place in seen.changes[-_POINTS:]:
        value: Any = value_of(raw)
        if op == "=":
            value = value[place] if isinstance(value, list) and place < len(value) else None
        if isinstance(value, bool) or not isinstance(value, int | float):
            return []
        found.append(float(value))
    return found if len(set(found)) > 2 else []
