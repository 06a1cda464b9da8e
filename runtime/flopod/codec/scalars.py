"""Values without identity that JSON lacks: one writer and one reader a type, by tag.

A writer turns a value into a tagged node, a reader turns the node back. Types of modules that are not
loaded anyway (decimal, uuid, ...) are known by name, so that this module imports none of them.
"""

import base64
import importlib
import math
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, timezone
from types import EllipsisType, NotImplementedType
from typing import Any, Protocol, TypeVar

from .errors import Refused
from .unbound import UNBOUND, Unbound

JSON_INT = 2**53
"""Integers up to this size are JSON numbers; readers that use doubles keep them exact."""

Node = Any
_Timed = TypeVar("_Timed", datetime, time)


class Writing(Protocol):
    """What a scalar's writer needs of the encoder."""

    def walk(self, value: Any, depth: int) -> Node: ...

    def write_reference(self, value: Any, tag: str) -> Node: ...

    def write_identity(self, value: Any) -> Node: ...

    def write_nan(self, value: float) -> Node: ...


class Reading(Protocol):
    """What a scalar's reader needs of the decoder."""

    def build(self, node: Node) -> Any: ...


Writer = Callable[[Writing, Any], Node]
Reader = Callable[[Reading, dict[str, Any]], Any]


def tagged(tag: str, v: Any) -> Node:
    """Return the node of a value that its tag and one JSON value describe."""
    return {"$": tag, "v": v}


def write_int(_enc: Writing, value: int) -> Node:
    return value if -JSON_INT <= value <= JSON_INT else tagged("int", hex(value))


def write_float(enc: Writing, value: float) -> Node:
    if math.isfinite(value):
        return value
    return enc.write_nan(value) if math.isnan(value) else tagged("float", repr(value))


def write_bytes(_enc: Writing, value: bytes) -> Node:
    return tagged("bytes", base64.b64encode(value).decode())


def write_complex(_enc: Writing, value: complex) -> Node:
    return tagged("complex", [repr(value.real), repr(value.imag)])


def write_range(enc: Writing, value: range) -> Node:
    return tagged("range", [enc.walk(part, 0) for part in (value.start, value.stop, value.step)])


def write_slice(enc: Writing, value: slice) -> Node:
    return tagged("slice", [enc.walk(part, 0) for part in (value.start, value.stop, value.step)])


def write_datetime(enc: Writing, value: datetime) -> Node:
    return _with_zone(enc, "datetime", value, datetime.isoformat(value.replace(tzinfo=None)))


def write_time(enc: Writing, value: time) -> Node:
    return _with_zone(enc, "time", value, time.isoformat(value.replace(tzinfo=None)))


def write_date(_enc: Writing, value: date) -> Node:
    return tagged("date", date.isoformat(value))


def write_timedelta(_enc: Writing, value: timedelta) -> Node:
    return tagged("timedelta", [value.days, value.seconds, value.microseconds])


def write_timezone(_enc: Writing, value: timezone) -> Node:
    offset, *name = value.__getinitargs__()  # type: ignore[attr-defined]
    node = write_timedelta(_enc, offset)
    return {"$": "timezone", "v": node["v"], "name": name[0]} if name else tagged("timezone", node["v"])


def write_zoneinfo(_enc: Writing, value: Any) -> Node:
    if value.key is None:
        raise Refused(value, "a ZoneInfo made from a file has no key; make it with ZoneInfo(key)")
    return tagged("zoneinfo", value.key)


def write_pattern(enc: Writing, value: re.Pattern[Any]) -> Node:
    return {"$": "pattern", "v": enc.walk(value.pattern, 0), "flags": value.flags}


def write_path(enc: Writing, value: Any) -> Node:
    text = enc.walk(str(value), 0)
    flavour = type(value).__name__
    concrete = not flavour.startswith("Pure")
    return tagged("path", text) if concrete else {"$": "path", "v": text, "flavour": flavour}


def write_ip(_enc: Writing, value: Any) -> Node:
    return {"$": "ip", "v": str(value), "flavour": type(value).__name__}


def _with_zone(enc: Writing, tag: str, value: datetime | time, text: str) -> Node:
    zone = value.tzinfo
    node: dict[str, Any] = {"$": tag, "v": text + "+00:00" if zone is UTC else text}
    if value.fold:
        node["fold"] = 1
    if zone is not None and zone is not UTC:
        node["tz"] = enc.walk(zone, 0)
    return node


def _read_text(_dec: Reading, node: dict[str, Any]) -> str:
    text: str = node["v"]
    return _ESCAPED.sub(_unescape, text) if node.get("escaped") else text


def escape(text: str) -> Node:
    """Return the node of a text that UTF-8 may not hold: lone surrogates as `\\udc80`, `\\` doubled."""
    if text.isascii() or not _SURROGATE.search(text):
        return text
    body = _SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", text.replace("\\", "\\\\"))
    return {"$": "str", "v": body, "escaped": True}


_SURROGATE = re.compile("[\ud800-\udfff]")
_ESCAPED = re.compile(r"\\(\\|u[0-9a-f]{4})")


def _unescape(found: re.Match[str]) -> str:
    body = found[1]
    return "\\" if body == "\\" else chr(int(body[1:], 16))


def _read_datetime(dec: Reading, node: dict[str, Any]) -> datetime:
    return _zoned(dec, node, datetime.fromisoformat(node["v"]))


def _read_time(dec: Reading, node: dict[str, Any]) -> time:
    return _zoned(dec, node, time.fromisoformat(node["v"]))


def _zoned(dec: Reading, node: dict[str, Any], value: _Timed) -> _Timed:
    if "tz" in node:
        value = value.replace(tzinfo=dec.build(node["tz"]))
    return value.replace(fold=1) if "fold" in node else value


def _read_timezone(_dec: Reading, node: dict[str, Any]) -> timezone:
    offset = timedelta(*node["v"])
    if "name" in node:
        return timezone(offset, node["name"])
    return timezone(offset)


def _read_path(dec: Reading, node: dict[str, Any]) -> Any:
    return getattr(importlib.import_module("pathlib"), node.get("flavour", "Path"))(dec.build(node["v"]))


def _read_parts(kind: Callable[..., Any]) -> Reader:
    return lambda dec, node: kind(*[dec.build(part) for part in node["v"]])


def _read_one(module: str, name: str) -> Reader:
    return lambda _dec, node: getattr(importlib.import_module(module), name)(node["v"])


def _constant(value: Any) -> Reader:
    return lambda _dec, _node: value


def _marker(tag: str) -> Writer:
    return lambda _enc, _value: {"$": tag}


def _text_of(tag: str) -> Writer:
    return lambda _enc, value: tagged(tag, str(value))


WRITERS: dict[type, Writer] = {
    int: write_int,
    float: write_float,
    bytes: write_bytes,
    complex: write_complex,
    range: write_range,
    slice: write_slice,
    datetime: write_datetime,
    date: write_date,
    time: write_time,
    timedelta: write_timedelta,
    timezone: write_timezone,
    EllipsisType: _marker("ellipsis"),
    NotImplementedType: _marker("notimplemented"),
    Unbound: _marker("unbound"),
    re.Pattern: write_pattern,
}

_PATHS = ("PosixPath", "WindowsPath", "PurePosixPath", "PureWindowsPath")
_IPS = ("IPv4Address", "IPv4Network", "IPv4Interface", "IPv6Address", "IPv6Network", "IPv6Interface")

NAMED_WRITERS: dict[str, Writer] = {
    "decimal:Decimal": _text_of("decimal"),
    "fractions:Fraction": _text_of("fraction"),
    "uuid:UUID": _text_of("uuid"),
    "zoneinfo:ZoneInfo": write_zoneinfo,
    **{f"{module}:{name}": write_path for module in ("pathlib", "pathlib._local") for name in _PATHS},
    **{f"ipaddress:{name}": write_ip for name in _IPS},
}
"""Writers of standard types whose modules may not be loaded, by `module:qualname`."""

READERS: dict[str, Reader] = {
    "int": lambda _dec, node: int(node["v"], 16) if isinstance(node["v"], str) else node["v"],
    "float": lambda _dec, node: float(node["v"]),
    "str": _read_text,
    "bytes": lambda _dec, node: base64.b64decode(node["v"]),
    "complex": lambda _dec, node: complex(*map(float, node["v"])),
    "range": _read_parts(range),
    "slice": _read_parts(slice),
    "datetime": _read_datetime,
    "date": lambda _dec, node: date.fromisoformat(node["v"]),
    "time": _read_time,
    "timedelta": lambda _dec, node: timedelta(*node["v"]),
    "timezone": _read_timezone,
    "zoneinfo": _read_one("zoneinfo", "ZoneInfo"),
    "decimal": _read_one("decimal", "Decimal"),
    "fraction": _read_one("fractions", "Fraction"),
    "uuid": _read_one("uuid", "UUID"),
    "path": _read_path,
    "ip": lambda _dec, node: getattr(importlib.import_module("ipaddress"), node["flavour"])(node["v"]),
    "pattern": lambda dec, node: re.compile(dec.build(node["v"]), node["flags"]),
    "ellipsis": _constant(...),
    "notimplemented": _constant(NotImplemented),
    "unbound": _constant(UNBOUND),
}
