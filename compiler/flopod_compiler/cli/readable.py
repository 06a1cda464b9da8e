"""Recorded values for people: the codec's JSON without its type tags. Needs none of the types."""

from __future__ import annotations

from typing import Any


def readable(document: Any) -> Any:
    """The value in `document` with each tagged object reduced to its content."""
    if isinstance(document, list):
        return [readable(each) for each in document]
    if not isinstance(document, dict):
        return document
    if "$" not in document:
        return {name: readable(value) for name, value in document.items()}
    for key in ("v", "state", "args", "name"):
        if key in document:
            return readable(document[key])
    return f"<{document['$']}>"
