"""Migrations of what a log holds without its type: of a TypedDict, and of payloads, by the annotation."""

import types
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import is_dataclass
from functools import lru_cache
from typing import Any, is_typeddict

from flopod.errors import MigrationError

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
    return {_name(kind): known.version for kind, known in found if known.version > 1}


def migrated(data: Any, annotation: Any, versions: Versions, *, plain: bool = False) -> Any:
    """Return data of a type as it is today, recorded when the classes in the type had these versions.

    Raises MigrationError.
    """
    if versions == versions_in(annotation, plain=plain):
        return data
    return _convert(data, annotation, versions, plain)


def migrated_result(value: Any, fn: Callable[..., Any], versions: Versions) -> Any:
    """Return what a function returned when the TypedDicts in its annotation had these versions."""
    return migrated(value, hints_of(fn).get("return"), versions)


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
    if known is not None and (plain or is_typeddict(annotation)):
        yield annotation, known
    aliased = [annotation.__value__] if hasattr(annotation, "__value__") else []
    for part in (*aliased, *typing.get_args(annotation), *_fields(annotation, plain).values()):
        yield from _migrated(part, plain, seen)


def _fields(annotation: Any, plain: bool) -> Mapping[str, Any]:
    """The types of the fields of a class; of one whose objects say themselves what they are, none."""
    if is_typeddict(annotation) or (plain and _has_fields(annotation)):
        return {name: _bare(hint) for name, hint in hints_of(annotation).items()}
    return {}


def _has_fields(annotation: Any) -> bool:
    return isinstance(annotation, type) and (
        is_dataclass(annotation)
        or any(hasattr(annotation, mark) for mark in ("__struct_fields__", "__attrs_attrs__"))
    )


def _bare(hint: Any) -> Any:
    """The type below Required, NotRequired, ReadOnly."""
    origin = typing.get_origin(hint)
    return typing.get_args(hint)[0] if origin in (typing.Required, typing.NotRequired) else hint


def _convert(data: Any, annotation: Any, versions: Versions, plain: bool) -> Any:
    if not versions_in(annotation, plain=plain) or not isinstance(data, dict | list | tuple):
        return data
    arm = _arm(annotation, isinstance(data, dict), plain)
    if arm is None:
        return data
    args = [one for one in typing.get_args(arm) if one is not Ellipsis]
    if not isinstance(data, dict):
        return _convert_items(data, args, versions, plain)
    if fields := _fields(arm, plain):
        return _convert_fields(data, arm, fields, versions, plain)
    return {key: _convert(one, args[-1], versions, plain) for key, one in data.items()}


def _convert_items(
    data: "list[Any] | tuple[Any, ...]", hints: list[Any], versions: Versions, plain: bool
) -> Any:
    if len(hints) != len(data):
        hints = hints[:1] * len(data)
    made = [_convert(one, hint, versions, plain) for one, hint in zip(data, hints, strict=True)]
    return made if type(data) is list else tuple(made) if type(data) is tuple else data


def _arm(annotation: Any, is_mapping: bool, plain: bool) -> Any:
    """The part of a type that data is of: an object, else an array. Raises MigrationError if several are."""
    arms = [
        arm
        for arm in _arms(annotation)
        if is_mapping == (bool(_fields(arm, plain)) or _is_mapping(arm))
        and (typing.get_args(arm) or _fields(arm, plain))
    ]
    if len(arms) > 1 and any(versions_in(arm, plain=plain) for arm in arms):
        name = next(iter(versions_in(annotation, plain=plain)))
        raise MigrationError(name, f"nothing tells which of {annotation} a recorded value is")
    return arms[0] if arms else None


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


def _convert_fields(
    data: dict[Any, Any], annotation: Any, fields: Mapping[str, Any], versions: Versions, plain: bool
) -> dict[Any, Any]:
    known = migrations_of(annotation)
    name = _name(annotation)
    if known is not None:
        data = known.apply(name, data, versions.get(name, 1))
    return {key: _convert(one, fields.get(key), versions, plain) for key, one in data.items()}


def _name(kind: Any) -> str:
    return f"{kind.__module__}:{kind.__qualname__}"
