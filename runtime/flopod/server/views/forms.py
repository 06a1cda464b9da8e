"""Forms made from JSON schemas, and the JSON that a form says when it comes back filled in.

What a schema says that no field can show (a union, a mapping, an array of objects) is a field of JSON text.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, TypeAlias

from msgspec import Struct

from flopod.engine.inputs import parse_json
from flopod.engine.samples import sample
from flopod.errors import BadInput

Schema: TypeAlias = Mapping[str, Any]
Kind: TypeAlias = Literal[
    "text", "integer", "number", "boolean", "choice", "choices", "lines", "group", "json"
]
Submitted: TypeAlias = Mapping[str, Sequence[str]]

_DEEPEST = 6
_SCALARS: Mapping[str, Kind] = {
    "string": "text",
    "integer": "integer",
    "number": "number",
    "boolean": "boolean",
}
_INPUTS = {"date": "date", "email": "email", "uri": "url"}
_ABSENT = object()


class Field(Struct):
    """A field of a form, or a group of such.

    `name` is that of the form, `place` that in errors (`contact.age`). `options` are the JSON texts of what
    can be chosen, with their labels. `nullable` means that nothing filled in is null; `must` that a browser
    is to ask for something.
    """

    name: str
    place: str
    label: str
    kind: Kind
    required: bool = False
    nullable: bool = False
    must: bool = False
    hint: str = ""
    default: str = ""
    options: list[tuple[str, str]] = []
    fields: list["Field"] = []
    item: str = "string"
    attributes: dict[str, Any] = {}
    value: list[str] = []
    error: str = ""

    @property
    def shown(self) -> str:
        """What the field is filled with."""
        return self.value[0] if self.value else ""

    def all(self) -> "Iterator[Field]":
        """Yield the field and those in it."""
        yield self
        for field in self.fields:
            yield from field.all()


def form_of(schema: Schema | None, label: str = "payload") -> Field:
    """Return the form of a value that has this schema; None says nothing of the value."""
    root = schema or {}
    return _field(root, root, "payload", "", label, True, 0)


def read(form: Field, submitted: Submitted) -> Any:
    """Return the JSON value that a form says, and fill its fields in again with what was submitted.

    Raises BadInput whose `field` is the place of the field that cannot be read.
    """
    for field in form.all():
        field.value = list(submitted.get(field.name, ()))
    found = _read(form, submitted)
    return {} if found is _ABSENT and form.kind == "group" else (None if found is _ABSENT else found)


def blame(form: Field, error: BadInput) -> str:
    """Put an error at the field that it is about; returns what is to be said of the form as a whole."""
    place = error.field or ""
    fields = {field.place: field for field in form.all()}
    while place and place not in fields:
        place = place[: max(place.rfind("."), place.rfind("["), 0)]
    chosen = fields.get(place)
    if chosen is None or (chosen.kind == "group" and chosen is form):
        missing = next((f for f in form.fields if f"the field {f.label!r} is missing" in str(error)), None)
        if missing is None:
            return str(error)
        chosen = missing
    chosen.error = str(error).removeprefix(f"{chosen.place}: ")
    return ""


# -- from the schema -----------------------------------------------------------------------------


def _field(schema: Any, root: Schema, name: str, place: str, label: str, required: bool, depth: int) -> Field:
    schema = _resolved(schema, root)
    inner, nullable = _without_null(schema, root)
    field = Field(name, place, label, "json", required, nullable, required and not nullable)
    field.hint = str(inner.get("description") or schema.get("description") or "")
    if "default" in schema:
        field.default = json.dumps(schema["default"], ensure_ascii=False)
    _shape(field, inner, root, depth)
    _fill(field, schema.get("default", _ABSENT), inner, root)
    return field


def _resolved(schema: Any, root: Schema) -> Schema:
    """A schema behind its references; what stands beside a reference stays."""
    found: Schema = schema if isinstance(schema, Mapping) else {}
    for _ in range(_DEEPEST):
        reference = found.get("$ref")
        if not isinstance(reference, str):
            alone = found.get("allOf")
            if not (isinstance(alone, list) and len(alone) == 1):
                return found
            found = {**alone[0], **{key: part for key, part in found.items() if key != "allOf"}}
            continue
        target: Any = root
        for part in reference.removeprefix("#").strip("/").split("/"):
            target = target.get(part.replace("~1", "/").replace("~0", "~"), {}) if part else target
        found = {**target, **{key: part for key, part in found.items() if key != "$ref"}}
    return found


def _without_null(schema: Schema, root: Schema) -> tuple[Schema, bool]:
    """What a schema allows besides null, and whether it allows that."""
    arms = schema.get("anyOf") or schema.get("oneOf")
    if isinstance(arms, list):
        others = [arm for arm in arms if arm != {"type": "null"}]
        if len(others) == 1:
            return _resolved(others[0], root), len(arms) > 1
        return schema, len(others) < len(arms)
    kinds = schema.get("type")
    if isinstance(kinds, list) and "null" in kinds:
        others = [kind for kind in kinds if kind != "null"]
        return ({**schema, "type": others[0]} if len(others) == 1 else {**schema, "type": others}), True
    return schema, False


def _shape(field: Field, schema: Schema, root: Schema, depth: int) -> None:
    """Decide what kind of field it is."""
    choices = schema.get("enum", [schema["const"]] if "const" in schema else None)
    kind = schema.get("type")
    if choices:
        field.kind = "choice"
        field.options = [(json.dumps(each), _label(each)) for each in choices if each is not None]
        field.nullable = field.nullable or None in choices
    elif isinstance(kind, str) and kind in _SCALARS:
        field.kind = _SCALARS[kind]
        field.attributes = _attributes(schema, kind)
    elif kind == "array":
        _shape_array(field, schema, root)
    elif kind == "object" and schema.get("properties") and depth < _DEEPEST:
        field.kind = "group"
        wanted = schema.get("required", ())
        for name, part in schema["properties"].items():
            place = f"{field.place}.{name}" if field.place else name
            inner = f"{field.name}/{name.replace('~', '~0').replace('/', '~1')}"
            made = _field(part, root, inner, place, name, name in wanted, depth + 1)
            if field.nullable or not field.required:
                _loosen(made)
            field.fields.append(made)


def _loosen(field: Field) -> None:
    """Leave a field of a group empty that may be left out as a whole."""
    for each in field.all():
        each.value, each.must = [], False


def _shape_array(field: Field, schema: Schema, root: Schema) -> None:
    item = _resolved(schema.get("items"), root)
    if "prefixItems" in schema:
        return
    if item.get("enum"):
        field.kind = "choices"
        field.options = [(json.dumps(each), _label(each)) for each in item["enum"]]
    elif item.get("type") in ("string", "integer", "number"):
        field.kind, field.item = "lines", item["type"]


def _attributes(schema: Schema, kind: str) -> dict[str, Any]:
    """What a browser can check, too."""
    names = {"minimum": "min", "maximum": "max", "minLength": "minlength", "maxLength": "maxlength"}
    found: dict[str, Any] = {html: schema[name] for name, html in names.items() if name in schema}
    if kind == "number":
        found["step"] = "any"
    if kind == "string":
        found["type"] = _INPUTS.get(schema.get("format", ""), "text")
        if schema.get("format"):
            found["placeholder"] = sample({"type": "string", "format": schema["format"]})
    return found


def _label(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _fill(field: Field, default: Any, schema: Schema, root: Schema) -> None:
    """Fill a field in with its default; JSON text with a sample, so that one sees the form."""
    if field.kind == "json" and default is _ABSENT and field.required and schema:
        field.value = [json.dumps(sample({**schema, "$defs": root.get("$defs", {})}), indent=2)]
    elif default is _ABSENT or default is None or field.kind == "group":
        return
    elif field.kind in ("lines", "choices"):
        items = default if isinstance(default, list) else []
        lines = ["\n".join(map(_label, items))]
        field.value = lines if field.kind == "lines" else [json.dumps(each) for each in items]
    elif field.kind in ("choice", "json"):
        field.value = [json.dumps(default)]
    elif field.kind == "boolean":
        field.value = ["true" if default else "false"]
    else:
        field.value = [_label(default)]


# -- from what was submitted ---------------------------------------------------------------------


def _read(field: Field, submitted: Submitted) -> Any:
    if field.kind == "group":
        if (field.nullable or not field.required) and not _is_touched(field, submitted):
            return None if field.nullable else _ABSENT
        found = {each.label: _read(each, submitted) for each in field.fields}
        return {name: value for name, value in found.items() if value is not _ABSENT}
    texts = [text.replace("\r\n", "\n") for text in submitted.get(field.name, ())]
    text = texts[0] if texts else ""
    if field.kind == "choices":
        return [parse_json(each, field.place) for each in texts] if texts or field.required else _ABSENT
    if field.kind == "lines":
        items = [line for line in text.split("\n") if line.strip()]
        return [_scalar(field, field.item, line) for line in items] if items or field.required else _ABSENT
    if not text.strip() and not (field.kind == "text" and field.required and not field.nullable):
        return _nothing(field)
    return _single(field, text)


def _is_touched(group: Field, submitted: Submitted) -> bool:
    """Whether anything was filled in in a group that may be left out."""
    return any(text.strip() for each in group.all() for text in submitted.get(each.name, ()))


def _nothing(field: Field) -> Any:
    """What a field means that was left empty."""
    if field.nullable:
        return None
    if field.required and field.kind in ("boolean", "integer", "number", "choice"):
        raise BadInput("a value is needed here", field=field.place)
    return None if field.required else _ABSENT


def _single(field: Field, text: str) -> Any:
    if field.kind in ("choice", "json"):
        try:
            return parse_json(text, field.label)
        except BadInput as error:
            raise BadInput(str(error), field=field.place) from None
    if field.kind == "boolean":
        return text == "true"
    return text if field.kind == "text" else _scalar(field, field.kind, text)


def _scalar(field: Field, kind: str, text: str) -> Any:
    if kind == "string":
        return text.strip()
    try:
        return int(text) if kind == "integer" else _number(text)
    except ValueError:
        wanted = "a whole number" if kind == "integer" else "a number"
        raise BadInput(f"{text.strip()!r} is not {wanted}", field=field.place) from None


def _number(text: str) -> float | int:
    try:
        return int(text)
    except ValueError:
        number = float(text)
        if number != number or number in (float("inf"), float("-inf")):
            raise ValueError(text) from None
        return number
