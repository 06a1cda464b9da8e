"""The types that inference knows: a qualified name, element types, and the class if it is the project's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from flopod_compiler.model import ProjectClass


@dataclass(frozen=True, slots=True)
class Type:
    """One possible type of a value.

    `name` is `builtins.list`, `decimal.Decimal`, `shop.models:Order`. `args` are the element types:
    one of a list (several when each position is known), two of a dict (key, value), each of a tuple.
    """

    name: str
    args: tuple[Types, ...] = ()
    cls: ProjectClass | None = None


Types: TypeAlias = "frozenset[Type] | None"
"""The set of possible types, without None; `None` when nothing is known."""

AWAITABLE = "awaitable"
ITERATOR = "iterator"

_IMMUTABLE = frozenset(
    {
        *(
            f"builtins.{name}"
            for name in ("str", "int", "float", "bool", "bytes", "complex", "range", "NoneType")
        ),
        *(f"datetime.{name}" for name in ("date", "datetime", "time", "timedelta", "timezone")),
        "decimal.Decimal",
        "fractions.Fraction",
        "uuid.UUID",
        "zoneinfo.ZoneInfo",
        "pathlib.Path",
        "pathlib.PurePath",
        "pathlib.PurePosixPath",
        "pathlib.PosixPath",
        "ipaddress.IPv4Address",
        "ipaddress.IPv6Address",
    }
)


def of(name: str, *args: Types) -> frozenset[Type]:
    """The set of one type."""
    return frozenset({Type(name, args)})


def union(*parts: Types) -> Types:
    """Any of the parts; unknown when one is."""
    found: set[Type] = set()
    for part in parts:
        if part is None:
            return None
        found |= part
    return frozenset(found) or None


def element(types: Types) -> Types:
    """What iterating over a value gives."""
    if types is None:
        return None
    return union(*(_element(one) for one in types))


def item(types: Types, index: int | None) -> Types:
    """What subscripting gives; `index` is the literal position, if it is one."""
    if types is None:
        return None
    return union(*(_item(one, index) for one in types))


def _element(one: Type) -> Types:
    if one.name in ("builtins.str", "builtins.bytes", "builtins.range"):
        return of("builtins.str") if one.name == "builtins.str" else of("builtins.int")
    if one.name in _BY_POSITION:
        return union(*one.args) if one.args else None
    return one.args[0] if one.args else None


def _item(one: Type, index: int | None) -> Types:
    if one.name == "builtins.str":
        return of("builtins.str")
    if one.name in _BY_POSITION:
        if index is not None and -len(one.args) <= index < len(one.args):
            return one.args[index]
        return union(*one.args) if one.args else None
    if one.name in MAPPINGS:
        return one.args[1] if len(one.args) > 1 else None
    return one.args[0] if one.args and one.name != ITERATOR else None


_BY_POSITION = frozenset({"builtins.tuple", "builtins.list"})
MAPPINGS = frozenset(
    {
        "builtins.dict",
        "collections.OrderedDict",
        "collections.defaultdict",
        "collections.abc.Mapping",
        "collections.abc.MutableMapping",
        "types.MappingProxyType",
    }
)


def is_immutable_name(name: str) -> bool:
    """Whether values of the named type outside the project can never change."""
    return name in _IMMUTABLE
