"""Migrates what a log holds without its type, TypedDicts and payloads, by the annotation of its place."""

import copy
import types
import typing
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from flopod.errors import MigrationError

from .migrations import Fields, migrations_of
from .typed import Versions, fields_in, hints_of, name_of, typed_fields, versions_in


def migrated(data: Any, annotation: Any, versions: Versions, *, plain: bool = False) -> Any:
    """Return data of a type as it is today, recorded when the classes in the type had these versions.

    Raises MigrationError.
    """
    if versions == versions_in(annotation, plain=plain):
        return data
    return Conversion(plain=plain).converted(data, annotation, versions)


def migrated_result(value: Any, fn: Callable[..., Any], versions: Versions) -> Any:
    """Return what a function returned when the TypedDicts in its annotation had these versions."""
    return migrated(value, hints_of(fn).get("return"), versions)


class Conversion:
    """One walk, or several over values that share parts: each part is converted once, into another object.

    `plain` data is that of a payload, in which objects do not say of which class they are.
    """

    def __init__(self, *, plain: bool = False) -> None:
        self._plain = plain
        self._done: dict[int, tuple[Any, Any]] = {}

    def converted(self, data: Any, annotation: Any, versions: Versions) -> Any:
        """Return data of a type as it is today."""
        if id(data) in self._done:
            return self._done[id(data)][1]
        if not self._names_any(annotation):
            return data
        if not isinstance(data, dict | list | tuple | deque):
            return self._closed(data, annotation)
        arm = self._arm(annotation, isinstance(data, dict))
        if arm is None:
            return data
        if isinstance(data, tuple):
            made: Any = tuple.__new__(type(data), self._items(data, arm, versions))
            return self._done.setdefault(id(data), (data, made))[1]
        made = copy.copy(data)
        made.clear()
        self._done[id(data)] = (data, made)
        if isinstance(data, dict):
            made.update(self._entries(data, arm, versions))
        else:
            made.extend(self._items(data, arm, versions))
        return made

    def fields(self, cls: type, fields: Fields, versions: Versions) -> Fields:
        """Return the recorded fields of an object, with the TypedDicts in them as they are today."""
        hints = typed_fields(cls)
        return {name: self.converted(part, hints.get(name), versions) for name, part in fields.items()}

    def _names_any(self, annotation: Any) -> bool:
        return bool(versions_in(annotation, plain=self._plain))

    def _closed(self, data: Any, annotation: Any) -> Any:
        """Return an object as it is, which has migrated itself, unless its type variables name something."""
        for arm in _arms(annotation):
            origin = typing.get_origin(arm)
            if isinstance(origin, type) and isinstance(data, origin) and self._names_any(arm):
                name = next(iter(versions_in(arm, plain=self._plain)))
                why = f"nothing tells where it is in a {origin.__qualname__}; name it in a field of its own"
                raise MigrationError(name, why)
        return data

    def _entries(self, data: dict[Any, Any], arm: Any, versions: Versions) -> dict[Any, Any]:
        if fields := fields_in(arm, plain=self._plain):
            return self._fields(data, arm, fields, versions)
        hint = typing.get_args(arm)[-1]
        return {key: self.converted(one, hint, versions) for key, one in data.items()}

    def _items(self, data: Any, arm: Any, versions: Versions) -> list[Any]:
        hints = [one for one in typing.get_args(arm) if one is not Ellipsis]
        if hasattr(arm, "_fields"):
            hints = [hints_of(arm).get(name) for name in arm._fields]
            if migrations_of(arm) is not None or len(hints) != len(data):
                raise MigrationError(name_of(arm), "a payload has its items without names; use a dataclass")
        if len(hints) != len(data):
            hints = hints[:1] * len(data)
        return [self.converted(one, hint, versions) for one, hint in zip(data, hints, strict=True)]

    def _arm(self, annotation: Any, is_mapping: bool) -> Any:
        """The part of a type that data is of, an object or an array. Raises MigrationError if several are."""
        arms = [arm for arm in _arms(annotation) if self._is_of(arm, is_mapping)]
        if len(arms) > 1 and any(map(self._names_any, arms)):
            name = next(iter(versions_in(annotation, plain=self._plain)))
            raise MigrationError(name, f"nothing tells which of {annotation} a recorded value is")
        return arms[0] if arms else None

    def _is_of(self, arm: Any, is_mapping: bool) -> bool:
        has_fields = bool(fields_in(arm, plain=self._plain))
        if hasattr(arm, "_fields"):
            return self._plain and not is_mapping and self._names_any(arm)
        return is_mapping == (has_fields or _is_mapping(arm)) and bool(typing.get_args(arm) or has_fields)

    def _fields(self, data: Fields, annotation: Any, hints: Mapping[str, Any], versions: Versions) -> Fields:
        known = migrations_of(annotation)
        if known is not None:
            name = name_of(annotation)
            data = known.apply(name, data, versions.get(name, 1))
        return {key: self.converted(one, hints.get(key), versions) for key, one in data.items()}


def _arms(annotation: Any) -> Iterator[Any]:
    """The types of a union, below aliases and Annotated."""
    annotation = getattr(annotation, "__value__", annotation)
    origin = typing.get_origin(annotation)
    if origin in (typing.Union, types.UnionType):
        for arm in typing.get_args(annotation):
            yield from _arms(arm)
    elif origin is typing.Annotated:
        yield from _arms(typing.get_args(annotation)[0])
    else:
        yield annotation


def _is_mapping(arm: Any) -> bool:
    origin = typing.get_origin(arm)
    return isinstance(origin, type) and issubclass(origin, Mapping)
