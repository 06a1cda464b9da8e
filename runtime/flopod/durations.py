"""Durations and points in time as authors write them, to seconds and to milliseconds."""

import math
import re
import time
from datetime import date, datetime, timedelta

from flopod.errors import UsageError

Duration = str | int | float | timedelta
"""`"30s"`, `"5m"`, `"1h30m"`, `"2d"`, `"500ms"`, `"1w"`, a number of seconds, or a timedelta."""

Moment = datetime | int | float | str
"""A datetime (local time without a zone), seconds since the epoch, or an ISO 8601 text."""

_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|w)\s*")
_FORMS = 'write it like "30s", "5m", "1h30m", "2d" or "500ms", as a number of seconds, or as a timedelta'


class BadDuration(UsageError, ValueError):
    """A duration or a point in time that cannot be understood."""


def seconds(value: Duration) -> float:
    """Return a duration in seconds; less than nothing counts as nothing.

    Raises BadDuration for anything that is not a finite duration.
    """
    if isinstance(value, timedelta):
        return max(0.0, value.total_seconds())
    if isinstance(value, str):
        return _parse(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise BadDuration(f"{value!r} is not a duration; {_FORMS}")
    return max(0.0, float(value))


def _parse(text: str) -> float:
    total, position = 0.0, 0
    stripped = text.strip()
    while position < len(stripped):
        part = _PART.match(stripped, position)
        if part is None:
            break
        total += float(part[1]) * _UNITS[part[2]]
        position = part.end()
    if not stripped or position < len(stripped):
        raise BadDuration(f"{text!r} is not a duration; {_FORMS}")
    return total


def due(when: Moment, now_ms: int) -> int:
    """Return a point in time in milliseconds since the epoch; one that has passed is `now_ms`.

    Raises BadDuration for anything that names no point in time.
    """
    return max(now_ms, math.ceil(_epoch(when) * 1000))


def _epoch(when: Moment) -> float:
    if isinstance(when, datetime):
        return when.timestamp()
    if isinstance(when, str):
        try:
            return datetime.fromisoformat(when).timestamp()
        except ValueError:
            raise BadDuration(
                f"{when!r} is not a point in time; write it like 2026-01-31T09:00:00Z"
            ) from None
    if isinstance(when, (bool, date)) or not isinstance(when, (int, float)) or not math.isfinite(when):
        raise BadDuration(
            f"{when!r} is not a point in time; give a datetime, seconds since the epoch, or an ISO 8601 text"
        )
    return float(when)


def now_ms() -> int:
    """Return the time of the wall clock in milliseconds since the epoch."""
    return int(time.time() * 1000)
