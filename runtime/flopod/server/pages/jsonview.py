"""Recorded values as HTML: JSON with colours, whose objects and arrays fold. Everything in it is escaped."""

import json
from collections.abc import Iterator
from typing import Any

from markupsafe import Markup, escape
from msgspec import Raw

from flopod.server.views.values import LARGEST, value_of

_ONE_LINE = 72
_DEEPEST = 40
_OPEN_DEPTH = 3
_FEW = 30
_CLASSES = {str: "str", bool: "key", type(None): "key", int: "num", float: "num"}


def json_html(raw: Raw | None, link: str = "") -> Markup:
    """Return a recorded value as HTML; of a large one the beginning, with a `link` to all of it."""
    if raw is None:
        return Markup('<span class="muted">nothing</span>')
    data = bytes(raw)
    if len(data) <= LARGEST:
        return data_html(value_of(raw))
    begin = data[:LARGEST].decode("utf-8", "replace")
    more = Markup('<p class="muted">{} of {:,} bytes are shown. {}</p>').format(
        f"{LARGEST:,}", len(data), Markup('<a href="{}">All of it</a>').format(link) if link else ""
    )
    return Markup('<pre class="json large">{}</pre>').format(begin) + more


def data_html(value: Any) -> Markup:
    """Return JSON data as HTML."""
    return Markup('<div class="json">{}</div>').format(Markup("").join(_node(value, 0)))


def _node(value: Any, depth: int) -> Iterator[Markup]:
    if not isinstance(value, dict | list) or not value:
        yield _scalar(value)
        return
    text = json.dumps(value, ensure_ascii=False)
    if len(text) <= _ONE_LINE or depth > _DEEPEST:
        yield from _inline(value) if depth <= _DEEPEST else [escape(text)]
        return
    is_open = Markup(" open") if depth < _OPEN_DEPTH and len(value) <= _FEW else Markup("")
    is_object = isinstance(value, dict)
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    amount = f"{len(value):,} {'fields' if is_object else 'items'}"
    yield Markup('<details{}><summary><span class="muted">{}</span></summary><ul>').format(is_open, amount)
    for key, part in pairs:
        yield Markup('<li><span class="{}">{}</span>: ').format("prop" if is_object else "muted", str(key))
        yield from _node(part, depth + 1)
        yield Markup("</li>")
    yield Markup("</ul></details>")


def _inline(value: Any) -> Iterator[Markup]:
    if isinstance(value, dict):
        yield Markup("{")
        for place, (key, part) in enumerate(value.items()):
            yield Markup('{}<span class="prop">{}</span>: ').format(", " if place else "", key)
            yield from _inline(part)
        yield Markup("}")
    elif isinstance(value, list):
        yield Markup("[")
        for place, part in enumerate(value):
            yield Markup(", ") if place else Markup("")
            yield from _inline(part)
        yield Markup("]")
    else:
        yield _scalar(value)


def _scalar(value: Any) -> Markup:
    if isinstance(value, str) and "\n" in value:
        return Markup('<pre class="str">{}</pre>').format(value)
    text = json.dumps(value, ensure_ascii=False)
    return Markup('<span class="{}">{}</span>').format(_CLASSES.get(type(value), "muted"), text)
