"""From the events of a run to the values of its variables, lists and mappings."""

from collections.abc import Callable, Iterable
from typing import Any

from flopod import codec
from flopod.events import Event, IterationCompleted, ListChanged, MapChanged, VarChanged


def variables(events: Iterable[Event]) -> dict[str, Any]:
    """Return what each variable holds, by its path. A list or a mapping is there from its first change on."""
    found: dict[str, Any] = {}
    for event in events:
        if isinstance(event, VarChanged):
            found[event.path] = codec.decode(event.value)
        elif isinstance(event, ListChanged):
            _LIST[event.op](found.setdefault(event.path, []), *codec.decode(event.args))
        elif isinstance(event, MapChanged):
            _MAP[event.op](found.setdefault(event.path, {}), *codec.decode(event.args))
        elif isinstance(event, IterationCompleted) and event.snapshot is not None:
            found.update(zip(event.states, codec.decode(event.snapshot), strict=False))
    return {path: value for path, value in found.items() if value is not codec.UNBOUND}


def _assign(items: list[Any], values: list[Any]) -> None:
    items[:] = values


_LIST: dict[str, Callable[..., Any]] = {
    "append": list.append,
    "extend": list.extend,
    "insert": list.insert,
    "remove": list.remove,
    "pop": list.pop,
    "clear": list.clear,
    "reverse": list.reverse,
    "assign": _assign,
    "set": list.__setitem__,
    "delete": list.__delitem__,
}
_MAP: dict[str, Callable[..., Any]] = {
    "set": dict.__setitem__,
    "delete": dict.__delitem__,
    "clear": dict.clear,
    "update": dict.update,
}
