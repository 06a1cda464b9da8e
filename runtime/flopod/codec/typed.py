"""Which classes with migrations annotations name: what a log holds without its type has that of its place."""

import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import is_dataclass
from enum import Enum
from functools import lru_cache
from typing import Any, is_typeddict

from .migrations import any_declared, migrations_of, typed

Versions = Mapping[str, int]


def result_versions(fn: Callable[..., Any]) -> dict[str, int]:
    """Return the versions of the TypedDicts that a function returns, by its annotation."""
    return _of_hints(fn, lambda name: name == "return")


def argument_versions(fn: Callable[..., Any]) -> dict[str, int]:
    """Return the versions of the TypedDicts that a function takes, by its annotations."""
    return _of_hints(fn, lambda name: name != "return")


def _of_hints(fn: Callable[..., Any], wanted: Callable[[str], bool]) -> dict[str, int]:
    if not any_declared("typed"):
        return {}
    found: dict[str, int] = {}
    for name, hint in hints_of(fn).items():
        if wanted(name):
            found |= versions_in(hint)
    return found


def typed_versions() -> dict[str, int]:
    """Return the versions of all TypedDicts of the program that have migrations."""
    return {name: known.version for name, known in typed.items()}


def versions_in(annotation: Any, *, plain: bool = False) -> dict[str, int]:
    """Return the versions of the TypedDicts that a type names; if it is for `plain` data, of all classes."""
    kinds = any_declared("typed") or (plain and any_declared("objects"))
    found = _migrated(annotation, plain, set()) if kinds else iter(())
    return {name_of(kind): known.version for kind, known in found if known.version > 1}


@lru_cache(1024)
def typed_fields(cls: type) -> Mapping[str, Any]:
    """Return the types of those fields of a class in which TypedDicts with migrations are."""
    found = {name: _bare(hint) for name, hint in hints_of(cls).items()}
    return {name: hint for name, hint in found.items() if versions_in(hint)}


@lru_cache(1024)
def field_versions(cls: type) -> Mapping[str, int]:
    """Return the versions of the TypedDicts that the fields of a class name."""
    found: dict[str, int] = {}
    for hint in typed_fields(cls).values():
        found |= versions_in(hint)
    return found


def hints_of(fn: Callable[..., Any]) -> Mapping[str, Any]:
    """Return the annotations of a function, none if they cannot be evaluated."""
    try:
        return _hints(fn)
    except TypeError:
        return {}


@lru_cache(1024)
def _hints(fn: Any) -> Mapping[str, Any]:
    try:
        return typing.get_type_hints(fn, include_extras=True)
    except Exception:
        return {}


def _migrated(annotation: Any, plain: bool, seen: set[int]) -> Iterator[tuple[Any, Any]]:
    """The classes with migrations that a type is made of."""
    if id(annotation) in seen:
        return
    seen.add(id(annotation))
    known = migrations_of(annotation) if isinstance(annotation, type) else None
    if known is not None and (is_typeddict(annotation) or (plain and not _is_enum(annotation))):
        yield annotation, known
    aliased = [annotation.__value__] if hasattr(annotation, "__value__") else []
    for part in (*aliased, *typing.get_args(annotation), *fields_in(annotation, plain=plain).values()):
        yield from _migrated(part, plain, seen)


def fields_in(annotation: Any, *, plain: bool) -> Mapping[str, Any]:
    """The types of the fields of a class; of one whose objects say themselves what they are, none."""
    if is_typeddict(annotation) or (plain and _has_fields(annotation)):
        return {name: _bare(hint) for name, hint in hints_of(annotation).items()}
    return {}


def _is_enum(kind: Any) -> bool:
    return issubclass(kind, Enum)


def _has_fields(annotation: Any) -> bool:
    return isinstance(annotation, type) and (
        is_dataclass(annotation) or any(hasattr(annotation, mark) for mark in _MARKS)
    )


_MARKS = ("__struct_fields__", "__attrs_attrs__", "__pydantic_fields__", "_fields")


def _bare(hint: Any) -> Any:
    """The type below Required, NotRequired, ReadOnly."""
    origin = typing.get_origin(hint)
    return typing.get_args(hint)[0] if origin in (typing.Required, typing.NotRequired) else hint


def name_of(kind: Any) -> str:
    """The name of a class as a log has it."""
    return f"{kind.__module__}:{kind.__qualname__}"
