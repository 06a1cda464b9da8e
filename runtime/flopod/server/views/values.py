"""Recorded values as a page shows them: without the codec's tags, and short where there is little room."""

import json
from typing import Any

from msgspec import Raw

from flopod.codec.readable import readable

_WIDTH = 100
LARGEST = 64 * 1024
"""How many bytes of a recorded value a page shows."""


def value_of(raw: Raw | None) -> Any:
    """Return a recorded value as JSON data without tags, None for none."""
    return None if raw is None else readable(json.loads(bytes(raw)))


def short(value: Any, width: int = _WIDTH) -> str:
    """Return JSON data, or a text, in one line of at most `width` characters."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = " ".join(text.split())
    return text if len(text) <= width else text[: width - 1] + "…"


def short_raw(raw: Raw | None, width: int = _WIDTH) -> str:
    """Return a recorded value in one line; a very large one is not read for that."""
    if raw is None:
        return ""
    data = bytes(raw)
    if len(data) > LARGEST:
        return f"{len(data):,} bytes"
    return short(json.dumps(value_of(raw), ensure_ascii=False), width)


def error_line(raw: Raw | None) -> str:
    """Return a recorded exception as the last line of a traceback has it, whatever its class is."""
    error = None if raw is None else json.loads(bytes(raw))
    if not isinstance(error, dict):
        return short(error) if error is not None else ""
    _, _, name = str(error.get("type", "")).rpartition(":")
    message = ", ".join(map(str, readable(error.get("args", []))))
    return f"{name}: {message}" if message else name
