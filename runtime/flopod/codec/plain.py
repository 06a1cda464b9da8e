"""A value as ordinary JSON data, for standard output: readable, without type tags, not for reading back."""

import base64
import math
from collections.abc import Mapping
from datetime import date, time, timedelta
from enum import Enum
from functools import singledispatch
from typing import Any

from .plans import plan_of


def plain(value: Any) -> Any:
    """Return JSON-able data: Decimal and UUID as text, times in ISO 8601, data classes as objects.

    Whatever JSON cannot say (NaN, a cycle, a function) becomes its `repr`.
    """
    return _plain(value, ())


def _plain(value: Any, above: tuple[int, ...]) -> Any:
    if value is None or type(value) in (str, bool, int):
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else repr(value)
    if id(value) in above or len(above) > 200:
        return "..."
    return _convert(value, (*above, id(value)))


@singledispatch
def _convert(value: Any, above: tuple[int, ...]) -> Any:
    if isinstance(value, type) or callable(value):
        return getattr(value, "__qualname__", repr(value))
    plan = plan_of(type(value))
    if plan.refusal or plan.tag != "object":
        return str(value)
    fields = {name: part for name, part in plan.state(value).items() if not name.startswith("_")}
    return {name: _plain(part, above) for name, part in fields.items()} if fields else str(value)


@_convert.register
def _(value: str, _above: tuple[int, ...]) -> Any:
    return str.__str__(value)


@_convert.register
def _(value: int, _above: tuple[int, ...]) -> Any:
    return int.__int__(value)


@_convert.register
def _(value: Enum, above: tuple[int, ...]) -> Any:
    return _plain(value.value, above)


@_convert.register(bytes)
@_convert.register(bytearray)
def _(value: bytes, _above: tuple[int, ...]) -> Any:
    return base64.b64encode(value).decode()


@_convert.register(date)
@_convert.register(time)
def _(value: date, _above: tuple[int, ...]) -> Any:
    return value.isoformat()


@_convert.register
def _(value: timedelta, _above: tuple[int, ...]) -> Any:
    import msgspec

    return msgspec.to_builtins(value)


@_convert.register
def _(value: Mapping, above: tuple[int, ...]) -> Any:  # type: ignore[type-arg]
    return {_key(key): _plain(part, above) for key, part in value.items()}


def _key(key: Any) -> str:
    return key if type(key) is str else str(_plain(key, ()))


@_convert.register
def _(value: BaseException, above: tuple[int, ...]) -> Any:
    return {"type": type(value).__qualname__, "message": str(value), "args": _plain(value.args, above)}


def _of_items(value: Any, above: tuple[int, ...]) -> Any:
    if hasattr(value, "_asdict"):
        return {name: _plain(part, above) for name, part in value._asdict().items()}
    return [_plain(part, above) for part in value]


def _register_collections() -> None:
    from collections import deque

    for kind in (list, tuple, set, frozenset, deque, range):
        _convert.register(kind, _of_items)


_register_collections()
