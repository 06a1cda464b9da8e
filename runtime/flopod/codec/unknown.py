"""Names in JSON data that no field took up: decoding passes over them, an input may not."""

import difflib
from collections import deque
from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Any

from flopod.errors import BadInput


def refuse_unknown(data: Any, value: Any, place: str) -> None:
    """Compare `data` with the `value` that it was decoded to.

    Raises BadInput for the first name that is in no field, with its place and near misses. Models of
    pydantic are passed over: they say themselves what is to become of other names.
    """
    if value is data or hasattr(type(value), "__pydantic_fields__"):
        return
    if isinstance(data, dict) and isinstance(value, Mapping):
        _of_mapping(data, value, place)
    elif isinstance(data, dict):
        _of_object(data, value, place)
    elif isinstance(data, list) and isinstance(value, Set):
        _of_set(data, value, place)
    elif isinstance(data, list):
        _of_items(data, _items(value), place)


def _of_object(data: dict[str, Any], value: Any, place: str) -> None:
    attributes = _attributes(type(value))
    tag = getattr(getattr(type(value), "__struct_config__", None), "tag_field", None)
    for name, part in data.items():
        if name in attributes:
            refuse_unknown(part, getattr(value, attributes[name], part), _join(place, name))
        elif attributes and name != tag:
            raise _unknown(name, attributes, place)


def _of_mapping(data: dict[str, Any], value: Mapping[Any, Any], place: str) -> None:
    # The keys of a dict may have been decoded, too; a TypedDict keeps its texts and leaves some out.
    if len(data) == len(value):
        for (name, part), made in zip(data.items(), value.values(), strict=True):
            refuse_unknown(part, value.get(name, made), f"{place}[{name!r}]")
        return
    for name in data:
        if name not in value:
            raise _unknown(name, value, place, whole=False)


def _of_set(data: list[Any], value: Set[Any], place: str) -> None:
    """A set forgets which element came from where: each datum has to fit one."""
    for index, part in enumerate(data):
        wrong = [_wrong(part, element, f"{place}[{index}]") for element in value]
        if wrong and all(wrong):
            raise wrong[0]  # type: ignore[misc]


def _wrong(data: Any, value: Any, place: str) -> BadInput | None:
    try:
        refuse_unknown(data, value, place)
    except BadInput as error:
        return error
    return None


def _of_items(data: list[Any], items: Sequence[Any], place: str) -> None:
    for index, (part, made) in enumerate(zip(data, items, strict=False)):
        refuse_unknown(part, made, f"{place}[{index}]")
    if items and len(data) > len(items):
        raise BadInput(f"there are {len(data)} items, and {len(items)} are taken", field=place)


def _items(value: Any) -> Sequence[Any]:
    """What an array became: the items of a collection, or the fields of a Struct written as an array."""
    if isinstance(value, (list, tuple, deque)):
        return list(value)
    if getattr(getattr(type(value), "__struct_config__", None), "array_like", False):
        return [getattr(value, name) for name in type(value).__struct_fields__]
    return []


def _attributes(cls: type) -> dict[str, str]:
    """The names that objects of a class have in JSON, each with the attribute that it becomes."""
    if hasattr(cls, "__struct_fields__"):
        return dict(zip(cls.__struct_encode_fields__, cls.__struct_fields__, strict=True))  # type: ignore[attr-defined]
    if hasattr(cls, "__attrs_attrs__"):
        return _same(each.name for each in cls.__attrs_attrs__)
    return _same(getattr(cls, "__dataclass_fields__", ()))


def _same(names: Iterable[str]) -> dict[str, str]:
    return {name: name for name in names}


def _unknown(name: str, known: Iterable[str], place: str, *, whole: bool = True) -> BadInput:
    """The error for a name that is not among the `known`, which are the `whole` of the fields or some."""
    names = list(known)
    near = difflib.get_close_matches(name, names, 1)
    there_is = f"; there is: {', '.join(names)}" if whole else ""
    hint = f"; did you mean {near[0]!r}?" if near else there_is
    return BadInput(f"there is no field {name!r}{hint}", field=place)


def _join(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name
