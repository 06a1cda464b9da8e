"""The fields that every object of a data class has, with their defaults: for objects older than a field."""

import sys
from collections.abc import Callable, Iterator
from typing import Any

Made = Callable[[], Any] | None
"""Makes the default value of a field; None where it has none."""


def declared(cls: type) -> dict[str, Made]:
    """Return the fields of a dataclass, attrs, pydantic or Struct class that only the object itself holds.

    A plain default that stays on the class is found there by objects without the field.
    """
    if hasattr(cls, "__dataclass_fields__"):
        found = _of_dataclass(cls)
    elif hasattr(cls, "__attrs_attrs__"):
        found = _of_attrs(cls)
    elif hasattr(cls, "__pydantic_fields__"):
        found = _of_pydantic(cls)
    elif hasattr(cls, "__struct_fields__"):
        found = _of_struct(cls)
    else:
        return {}
    return {name: made for name, made in found if not _stays(cls, name)}


def _stays(cls: type, name: str) -> bool:
    holder = next((vars(base)[name] for base in cls.__mro__ if name in vars(base)), _NOTHING)
    return holder is not _NOTHING and not hasattr(holder, "__set__")


_NOTHING = object()


def _of_dataclass(cls: Any) -> Iterator[tuple[str, Made]]:
    missing = sys.modules["dataclasses"].MISSING
    for field in cls.__dataclass_fields__.values():
        if field._field_type.name != "_FIELD":
            continue
        if field.default_factory is not missing:
            yield field.name, field.default_factory
        elif field.default is not missing:
            yield field.name, _constant(field.default)
        elif field.init:
            yield field.name, None


def _of_attrs(cls: Any) -> Iterator[tuple[str, Made]]:
    nothing = sys.modules["attr"].NOTHING
    for field in cls.__attrs_attrs__:
        factory = getattr(field.default, "factory", None)
        if factory is not None and not field.default.takes_self:
            yield field.name, factory
        elif field.default is not nothing and factory is None:
            yield field.name, _constant(field.default)
        elif field.init:
            yield field.name, None


def _of_pydantic(cls: Any) -> Iterator[tuple[str, Made]]:
    for name, field in cls.__pydantic_fields__.items():
        if field.default_factory is not None:
            yield name, field.default_factory
        else:
            yield name, None if field.is_required() else _constant(field.default)


def _of_struct(cls: Any) -> Iterator[tuple[str, Made]]:
    for field in sys.modules["msgspec"].structs.fields(cls):
        nothing = sys.modules["msgspec"].NODEFAULT
        if field.default_factory is not nothing:
            yield field.name, field.default_factory
        else:
            yield field.name, None if field.default is nothing else _constant(field.default)


def _constant(value: Any) -> Callable[[], Any]:
    return lambda: value
