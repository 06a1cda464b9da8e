"""JSON Schema of payload types, and a check of data against one that does not need the type.

The check knows the part of JSON Schema that msgspec and pydantic write.
"""

import math
import operator
import re
from collections.abc import Callable, Sized
from typing import Any, get_origin

import msgspec

from flopod.errors import BadInput

from .convert import UNTYPED

Schema = dict[str, Any]


def json_schema(annotation: Any) -> Schema | None:
    """Return the JSON Schema of a payload type, or None when nothing is known of it."""
    if any(annotation is untyped for untyped in UNTYPED):
        return None
    try:
        if hasattr(annotation, "__pydantic_fields__"):
            schema: Schema = annotation.model_json_schema()
            return schema
        return msgspec.json.schema(annotation, schema_hook=_hook)
    except (TypeError, NotImplementedError, ValueError):
        return None


def _hook(annotation: Any) -> Schema:
    kind = get_origin(annotation) or annotation
    texts = ("Fraction", "Path", "PosixPath", "PurePath", "PurePosixPath", "ZoneInfo", "Pattern")
    name = getattr(kind, "__name__", "")
    if name in texts or name.startswith(("IPv4", "IPv6")):
        return {"type": "string"}
    raise NotImplementedError(annotation)


def check_schema(schema: Schema, data: Any, *, label: str = "") -> None:
    """Check JSON data against a schema.

    Raises BadInput that names the place of the first field that is wrong, and what belongs there.
    """
    try:
        _Checker(schema).check(schema, data, label)
    except _Wrong as wrong:
        raise BadInput(wrong.reason, field=wrong.place) from None


class _Wrong(Exception):
    """One mismatch: what, and where."""

    def __init__(self, reason: str, place: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.place = place


class _Checker:
    def __init__(self, root: Schema) -> None:
        self.root = root

    def check(self, schema: Schema | bool, data: Any, place: str) -> None:
        if schema is True:
            return
        if schema is False:
            raise _Wrong("nothing is allowed here", place)
        if "$ref" in schema:
            self.check(self._resolve(schema["$ref"]), data, place)
        for keyword, rule in schema.items():
            verify = _RULES.get(keyword)
            if verify is not None:
                verify(self, rule, schema, data, place)

    def _resolve(self, reference: str) -> Schema:
        found: Any = self.root
        for part in reference.removeprefix("#").strip("/").split("/"):
            found = found[part.replace("~1", "/").replace("~0", "~")] if part else found
        resolved: Schema = found
        return resolved

    def type(self, wanted: Any, _schema: Schema, data: Any, place: str) -> None:
        names = [wanted] if isinstance(wanted, str) else wanted
        if not any(_TYPES[name](data) for name in names):
            raise _Wrong(f"expected {' or '.join(names)}, got {_describe(data)}", place)

    def enum(self, allowed: list[Any], _schema: Schema, data: Any, place: str) -> None:
        if not any(_equal(data, one) for one in allowed):
            choices = ", ".join(_show(one) for one in allowed)
            raise _Wrong(f"expected one of {choices}, got {_show(data)}", place)

    def const(self, wanted: Any, _schema: Schema, data: Any, place: str) -> None:
        if not _equal(data, wanted):
            raise _Wrong(f"expected {_show(wanted)}, got {_show(data)}", place)

    def properties(self, fields: dict[str, Schema], _schema: Schema, data: Any, place: str) -> None:
        if isinstance(data, dict):
            for name, schema in fields.items():
                if name in data:
                    self.check(schema, data[name], _join(place, name))

    def required(self, names: list[str], _schema: Schema, data: Any, place: str) -> None:
        for name in names if isinstance(data, dict) else ():
            if name not in data:
                raise _Wrong(f"the field {name!r} is missing", place)

    def additional(self, rule: Schema | bool, schema: Schema, data: Any, place: str) -> None:
        if isinstance(data, dict):
            known = schema.get("properties", {})
            for name in data.keys() - known.keys():
                if rule is False:
                    raise _Wrong(f"there is no field {name!r}; there is: {', '.join(known)}", place)
                self.check(rule, data[name], _join(place, name))

    def items(self, rule: Schema | bool, schema: Schema, data: Any, place: str) -> None:
        first = len(schema.get("prefixItems", ()))
        for index, item in enumerate(data[first:] if isinstance(data, list) else (), first):
            self.check(rule, item, f"{place}[{index}]")

    def prefix_items(self, rules: list[Schema], _schema: Schema, data: Any, place: str) -> None:
        if isinstance(data, list):
            for index, (rule, item) in enumerate(zip(rules, data, strict=False)):
                self.check(rule, item, f"{place}[{index}]")

    def any_of(self, arms: list[Schema], _schema: Schema, data: Any, place: str) -> None:
        failures = []
        for arm in arms:
            try:
                self.check(arm, data, place)
                return
            except _Wrong as error:
                failures.append(error)
        deepest = max(failures, key=lambda error: len(error.place))
        if deepest.place != place:
            raise deepest
        raise _Wrong("; or ".join(dict.fromkeys(error.reason for error in failures)), place)

    def all_of(self, arms: list[Schema], _schema: Schema, data: Any, place: str) -> None:
        for arm in arms:
            self.check(arm, data, place)

    def pattern(self, rule: str, _schema: Schema, data: Any, place: str) -> None:
        if isinstance(data, str) and not re.search(rule, data):
            raise _Wrong(f"{data!r} does not match {rule!r}", place)


_RULES: dict[str, Callable[[_Checker, Any, Schema, Any, str], None]] = {
    "type": _Checker.type,
    "enum": _Checker.enum,
    "const": _Checker.const,
    "required": _Checker.required,
    "properties": _Checker.properties,
    "additionalProperties": _Checker.additional,
    "items": _Checker.items,
    "prefixItems": _Checker.prefix_items,
    "anyOf": _Checker.any_of,
    "oneOf": _Checker.any_of,
    "allOf": _Checker.all_of,
    "pattern": _Checker.pattern,
}


def _bound(text: str, holds: Callable[[Any, Any], bool], size: Callable[[Any], Any]) -> Any:
    def verify(_checker: _Checker, limit: Any, _schema: Schema, data: Any, place: str) -> None:
        measured = size(data)
        if measured is not None and not holds(measured, limit):
            raise _Wrong(f"expected {text} {limit}, got {measured}", place)

    return verify


def _number(data: Any) -> Any:
    return data if isinstance(data, (int, float)) and not isinstance(data, bool) else None


def _length_of(kind: type[Sized]) -> Callable[[Any], int | None]:
    return lambda data: len(data) if isinstance(data, kind) else None


_RULES |= {
    "minimum": _bound("at least", operator.ge, _number),
    "maximum": _bound("at most", operator.le, _number),
    "exclusiveMinimum": _bound("more than", operator.gt, _number),
    "exclusiveMaximum": _bound("less than", operator.lt, _number),
    "multipleOf": _bound("a multiple of", lambda n, unit: math.remainder(n, unit) == 0, _number),
    "minLength": _bound("a length of at least", operator.ge, _length_of(str)),
    "maxLength": _bound("a length of at most", operator.le, _length_of(str)),
    "minItems": _bound("a number of items of at least", operator.ge, _length_of(list)),
    "maxItems": _bound("a number of items of at most", operator.le, _length_of(list)),
    "minProperties": _bound("a number of fields of at least", operator.ge, _length_of(dict)),
    "maxProperties": _bound("a number of fields of at most", operator.le, _length_of(dict)),
}

_TYPES: dict[str, Callable[[Any], bool]] = {
    "null": lambda data: data is None,
    "boolean": lambda data: isinstance(data, bool),
    "integer": lambda data: _number(data) is not None and data == math.floor(data),
    "number": lambda data: _number(data) is not None,
    "string": lambda data: isinstance(data, str),
    "array": lambda data: isinstance(data, list),
    "object": lambda data: isinstance(data, dict),
}


def _equal(one: Any, other: Any) -> bool:
    return isinstance(one, bool) is isinstance(other, bool) and bool(one == other)


def _join(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name


def _describe(data: Any) -> str:
    return next(name for name, fits in _TYPES.items() if fits(data))


def _show(data: Any) -> str:
    return msgspec.json.encode(data).decode()
