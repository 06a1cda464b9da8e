"""Migrations of recorded values: from the fields that an object was recorded with to those of its class now.

They stand beside the class and are applied when a log is read; the log itself stays as it is.
"""

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, TypeAlias, TypeVar, is_typeddict

from flopod.errors import MigrationError

Fields: TypeAlias = dict[str, Any]
Migration: TypeAlias = Callable[[Fields], Fields]

_Class = TypeVar("_Class", bound=type)
_MARK = "__flopod_migrations__"


class Migrations:
    """What leads from each version of a class to the next; the versions count from 1, without a gap."""

    def __init__(self, steps: Mapping[int, Migration]) -> None:
        _check_steps(steps)
        self._steps = dict(steps)
        self.version = len(steps) + 1

    def apply(self, name: str, fields: Fields, version: int) -> Fields:
        """Return the fields of today of an object of the class `name`, recorded in a version.

        Raises MigrationError, also for a version that this class does not know.
        """
        if not 1 <= version <= self.version:
            why = f"the log has its version {version}, and this program knows 1 to {self.version}"
            raise MigrationError(name, f"{why}; resume the run with the program that wrote it")
        for source in range(version, self.version):
            fields = _stepped(name, self._steps[source], dict(fields), source)
        return fields


def migrations(steps: Mapping[int, Migration]) -> Callable[[_Class], _Class]:
    """Say how the objects of a class that a log holds become those of today.

    `steps[n]` leads from version `n` to the next; what was recorded before there was any is version 1. Each
    takes the fields by name and returns them: one of `rename`, `remove`, `transform`, `compose`, or a
    function. For classes with fields, a TypedDict where an annotation names it, and an Enum, of which there
    is the `name` of the member (of a Flag, the `value`). Raises MigrationError.
    """
    known = Migrations(steps)

    def declare(cls: _Class) -> _Class:
        _check_class(cls)
        setattr(cls, _MARK, known)
        if is_typeddict(cls):
            typed[f"{cls.__module__}:{cls.__qualname__}"] = known
        else:
            _objects.append(cls)
        return cls

    return declare


def rename(names: Mapping[str, str], *, missing_ok: bool = False) -> Migration:
    """Give fields other names, each old one with its new one."""

    def apply(fields: Fields) -> Fields:
        _require(fields, names, missing_ok)
        found = {names.get(name, name): value for name, value in fields.items()}
        if len(found) < len(fields):
            taken = [new for old, new in names.items() if old in fields and new in fields]
            raise ValueError(f"there is a field {taken[0] if taken else names!r} already")
        return found

    return apply


def remove(*names: str, missing_ok: bool = False) -> Migration:
    """Leave fields out."""

    def apply(fields: Fields) -> Fields:
        _require(fields, names, missing_ok)
        return {name: value for name, value in fields.items() if name not in names}

    return apply


def transform(
    changes: Mapping[str, Callable[[Any], Any] | Mapping[Any, Any]], *, missing_ok: bool = False
) -> Migration:
    """Give fields what a function makes of their values, or what a mapping has for them."""

    def apply(fields: Fields) -> Fields:
        _require(fields, changes, missing_ok)
        return {name: changed(name, value) for name, value in fields.items()}

    def changed(name: str, value: Any) -> Any:
        change = changes.get(name)
        if isinstance(change, Mapping):
            return change.get(value, value)
        return value if change is None else change(value)

    return apply


def compose(*steps: Migration) -> Migration:
    """Do one after the other, as one step."""

    def apply(fields: Fields) -> Fields:
        for step in steps:
            fields = step(fields)
        return fields

    return apply


def migrations_of(cls: type) -> Migrations | None:
    """Return what is declared for a class, or for the one that it derives from."""
    return getattr(cls, _MARK, None)


def any_declared(kind: str) -> bool:
    """Whether there is a class with migrations: one of `objects`, or a TypedDict (`typed`)."""
    return bool(typed if kind == "typed" else _objects)


typed: dict[str, Migrations] = {}
"""The TypedDicts with migrations, by name."""

_objects: list[type] = []


def _check_steps(steps: Mapping[int, Migration]) -> None:
    wanted = set(range(1, len(steps) + 1))
    if set(steps) != wanted:
        gap = min(wanted - set(steps))
        raise MigrationError(
            "", f"there are steps from {', '.join(map(str, sorted(steps)))}, and none from version {gap}"
        )
    wrong = next((step for step in steps.values() if not callable(step)), None)
    if wrong is not None:
        raise MigrationError("", f"{wrong!r} is no step; use rename, remove, transform or compose")


def _check_class(cls: type) -> None:
    name = getattr(cls, "__qualname__", repr(cls))
    if not isinstance(cls, type):
        raise MigrationError(name, "migrations are for classes")
    if is_typeddict(cls) or issubclass(cls, Enum) or hasattr(cls, "_fields"):
        return
    if issubclass(cls, _WITHOUT_FIELDS):
        raise MigrationError(name, "only what has its own fields can be migrated; make it a dataclass")


def _stepped(name: str, step: Migration, fields: Fields, source: int) -> Fields:
    try:
        found = step(fields)
    except Exception as error:
        said = error.args[0] if isinstance(error, _Missing) else f"{type(error).__name__}: {error}"
        why = f"the step from version {source} to {source + 1} fails: {said}"
        raise MigrationError(name, why) from error
    if not isinstance(found, dict):
        why = f"the step from version {source} to {source + 1} returns a {type(found).__name__}"
        raise MigrationError(name, f"{why}, not the fields by name")
    return found


class _Missing(Exception):
    """A field that a step is about is not in what is recorded."""


def _require(fields: Fields, names: "Mapping[str, Any] | tuple[str, ...]", missing_ok: bool) -> None:
    missing = [name for name in names if name not in fields]
    if missing and not missing_ok:
        has = ", ".join(fields) or "none"
        raise _Missing(f"there is no field {missing[0]!r} (there is: {has}); missing_ok=True passes it over")


_WITHOUT_FIELDS = (BaseException, dict, list, tuple, set, frozenset, str, bytes, int, float, complex)
