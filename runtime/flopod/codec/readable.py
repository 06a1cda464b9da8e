"""Recorded values for people: the codec's JSON without its type tags. Needs none of the types."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_Label = tuple[str, int]


def readable(document: Any) -> Any:
    """The value in `document` with each tagged object reduced to its content, wherever that stands."""
    return _read(document, dict(_shared(document)), ())


def _read(node: Any, shared: dict[_Label, Any], around: tuple[_Label, ...]) -> Any:
    if isinstance(node, list):
        return [_read(each, shared, around) for each in node]
    if not isinstance(node, dict):
        return node
    if "$" not in node:
        return {name: _read(value, shared, around) for name, value in node.items()}
    label = _label(node)
    if label is not None and label not in around:
        node, around = shared.get(label, node), (*around, label)
    for key in ("v", "state", "args", "name"):
        if key in node:
            return _read(node[key], shared, around)
    return f"<{node['$']}>"


def _shared(node: Any) -> Iterator[tuple[_Label, Any]]:
    """What is written once and referred to elsewhere, with its label."""
    if isinstance(node, list):
        for each in node:
            yield from _shared(each)
    elif isinstance(node, dict):
        label = _label(node) if "$" in node else None
        if label is not None and ("state" in node or node["$"] not in ("ref", "known")):
            yield label, node
        for each in node.values():
            yield from _shared(each)


def _label(node: dict[str, Any]) -> _Label | None:
    if node["$"] == "known":
        return "known", node["i"]
    return ("object", node["id"]) if "id" in node else None
