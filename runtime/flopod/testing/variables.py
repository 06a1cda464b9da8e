"""From the events of a run to the values of its variables, lists and mappings."""

import contextlib
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from flopod import codec
from flopod.errors import SerializableError
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
            found.update(_captured(event))
    return {path: value for path, value in found.items() if value is not codec.UNBOUND}


def _captured(event: IterationCompleted) -> dict[str, Any]:
    """What the snapshot of an iteration holds of variables; one that refers to others stays as it was."""
    assert event.snapshot is not None
    values = {}
    for path, node in zip(event.states, msgspec.json.decode(event.snapshot), strict=False):
        with contextlib.suppress(_Unknown, SerializableError):
            values[path] = codec.decode(msgspec.json.encode(_by_itself(node)))
    return values


class _Unknown(Exception):
    """An object that is described elsewhere."""


def _by_itself(node: Any) -> Any:
    """A document without references to the objects that were there when the loop began."""
    if isinstance(node, list):
        return [_by_itself(each) for each in node]
    if not isinstance(node, dict):
        return node
    if node.get("$") == "known":
        if not isinstance(node.get("state"), list) and "$" not in node.get("state", ()):
            raise _Unknown
        return _by_itself(node["state"])
    return {name: _by_itself(each) for name, each in node.items()}


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
