"""A value that fits a JSON schema, as a starting point for a person who writes a payload."""

from collections.abc import Mapping
from typing import Any

_TEXTS = {
    "date-time": "2030-01-31T12:00:00Z",
    "date": "2030-01-31",
    "time": "12:00:00Z",
    "duration": "PT1H",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "decimal": "1.00",
    "byte": "",
}
_PLAIN = {"boolean": True, "integer": 1, "number": 1.0, "null": None, "string": "text"}
_DEPTH = 8


def sample(
    schema: Mapping[str, Any] | bool, definitions: Mapping[str, Any] | None = None, depth: int = 0
) -> Any:
    """A value for `schema`, required fields only; `{}` where the schema says nothing."""
    if isinstance(schema, bool):
        return {}
    if definitions is None:
        return sample(schema, schema.get("$defs") or {}, depth)
    if "$ref" in schema and depth < _DEPTH:
        return sample(definitions.get(schema["$ref"].rpartition("/")[2], {}), definitions, depth + 1)
    for key in ("const", "default"):
        if key in schema:
            return schema[key]
    if schema.get("enum"):
        return schema["enum"][0]
    for key in ("anyOf", "oneOf", "allOf"):
        if schema.get(key):
            return sample(schema[key][0], definitions, depth + 1)
    return _by_type(schema, definitions, depth)


def _by_type(schema: Mapping[str, Any], definitions: Mapping[str, Any], depth: int) -> Any:
    kinds = schema.get("type", "object")
    kind = kinds[0] if isinstance(kinds, list) else kinds
    if kind == "object":
        fields = schema.get("properties", {})
        wanted = [name for name in schema.get("required", ()) if name in fields]
        return {name: sample(fields[name], definitions, depth + 1) for name in wanted}
    if kind == "array":
        return _items(schema, definitions, depth)
    if kind == "string":
        return _text(schema)
    if kind in ("integer", "number"):
        return _number(schema, _PLAIN[kind])
    return _PLAIN.get(kind)


def _items(schema: Mapping[str, Any], definitions: Mapping[str, Any], depth: int) -> list[Any]:
    fixed = [sample(each, definitions, depth + 1) for each in schema.get("prefixItems", ())]
    missing = schema.get("minItems", 0) - len(fixed)
    items = schema.get("items")
    if missing > 0 and isinstance(items, Mapping):
        fixed += [sample(items, definitions, depth + 1)] * missing
    return fixed


def _text(schema: Mapping[str, Any]) -> str:
    text = _TEXTS.get(schema.get("format", ""), "text")
    return text.ljust(schema.get("minLength", 0), "x")[: schema.get("maxLength")]


def _number(schema: Mapping[str, Any], plain: Any) -> Any:
    low = schema.get("minimum", schema.get("exclusiveMinimum", plain - 1) + 1)
    high = schema.get("maximum", schema.get("exclusiveMaximum", plain + 1) - 1)
    return type(plain)(min(max(plain, low), high))
