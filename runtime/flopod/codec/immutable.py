"""Which values cannot change, so that they need no copy and have no identity worth keeping."""

import re
from datetime import date, datetime, time, timedelta, timezone
from enum import Enum
from types import EllipsisType, NotImplementedType
from typing import Any

from .scalars import NAMED_WRITERS
from .unbound import Unbound

_TIMES = (date, datetime, time, timedelta, timezone)
_OTHERS = (range, re.Pattern, EllipsisType, NotImplementedType, Unbound)
_known: dict[type, bool] = dict.fromkeys(
    (str, int, bool, float, type(None), bytes, complex, *_TIMES, *_OTHERS), True
)
_LONG = 1000


def is_immutable(value: Any) -> bool:
    """Tell cheaply whether a value cannot change: a scalar, or a tuple or frozenset of such.

    False may mean "too long to look into". A NaN is not equal to itself, so that its identity is worth
    keeping: a mapping finds it by that.
    """
    return _look(value, 8)


def _look(value: Any, levels: int) -> bool:
    cls = type(value)
    known = _known.get(cls)
    if known is not None:
        return known and (cls is not float or value == value)
    if cls is tuple or cls is frozenset:
        return levels > 0 and len(value) <= _LONG and all(_look(item, levels - 1) for item in value)
    return _learn(cls)


def _learn(cls: type) -> bool:
    scalar = f"{cls.__module__}:{cls.__qualname__}" in NAMED_WRITERS
    _known[cls] = scalar or (issubclass(cls, Enum) and "<locals>" not in cls.__qualname__)
    return _known[cls]
