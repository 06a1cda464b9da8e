"""A payload as JSON: the plain form of a value, refused where that could only hint at what the value is."""

import json
import math
from collections import deque
from collections.abc import Mapping
from datetime import date, time, timedelta
from enum import Enum
from typing import Any

from flopod.codec import plain
from flopod.codec.plans import plan_of
from flopod.errors import UsageError

_LEAVES = (str, int, bytes, bytearray, range, date, time, timedelta, Enum)
_DEPTH = 200


class NoPayload(UsageError, TypeError):
    """A value that JSON cannot say."""


def as_json(value: Any) -> bytes:
    """Return a value as JSON. Raises NoPayload."""
    _check(value, "input", ())
    return json.dumps(plain(value), allow_nan=False).encode()


def _check(value: Any, place: str, above: tuple[int, ...]) -> None:
    if value is None or isinstance(value, _LEAVES):
        return
    if isinstance(value, float):
        if not math.isfinite(value):
            raise _refused(place, f"is {value!r}, which JSON has no number for")
        return
    if id(value) in above:
        raise _refused(place, "contains itself")
    if len(above) >= _DEPTH:
        raise _refused(place, f"is nested more than {_DEPTH} deep")
    for name, part in _parts(value, place):
        _check(part, f"{place}{name}", (*above, id(value)))


def _parts(value: Any, place: str) -> list[tuple[str, Any]]:
    if isinstance(value, Mapping):
        return [(f"[{key!r}]", part) for key, part in value.items()]
    if isinstance(value, (list, tuple, set, frozenset, deque)):
        return [(f"[{i}]", part) for i, part in enumerate(value)]
    if isinstance(value, BaseException):
        return [(f".args[{i}]", part) for i, part in enumerate(value.args)]
    if isinstance(value, type) or callable(value):
        raise _refused(place, f"is {value!r}, which is code")
    plan = plan_of(type(value))
    if plan.refusal:
        raise _refused(place, f"is {value!r}: {plan.refusal}")
    if plan.tag != "object":
        return []
    return [(f".{name}", part) for name, part in plan.state(value).items() if not name.startswith("_")]


def _refused(place: str, why: str) -> NoPayload:
    return NoPayload(f"a beacon posts JSON, but {place} {why}; detach plain data, or give serialize=")
