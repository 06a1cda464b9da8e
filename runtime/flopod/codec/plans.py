"""How an object of a class is taken apart and put together: one plan a class.

A plan says what builtin content the object has (the items of a list subclass), which attributes it
keeps in slots and in `__dict__`, and how to make an empty one without running any code of the class.
"""

import enum
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from types import MemberDescriptorType
from typing import Any

from .declared import declared
from .migrations import migrations_of
from .names import is_standard, reference

CONTENT: dict[type, str] = {
    OrderedDict: "ordereddict",
    defaultdict: "defaultdict",
    Counter: "counter",
    dict: "dict",
    list: "list",
    deque: "deque",
    set: "set",
    frozenset: "frozenset",
    tuple: "tuple",
    bytearray: "bytearray",
}
"""Builtin containers and their tags; a subclass comes before its base."""

SCALAR_BASES: dict[type, str] = {
    int: "int",
    float: "float",
    str: "str",
    bytes: "bytes",
    complex: "complex",
    datetime: "datetime",
    date: "date",
    time: "time",
    timedelta: "timedelta",
}

_NAMED_BASES = {
    "decimal:Decimal": "decimal",
    "msgspec:Struct": "object",
    "types:SimpleNamespace": "object",
}
"""Further bases of compiled code, by name, since their modules may not be loaded."""

_PLAIN_STANDARD = {"types:SimpleNamespace", "argparse:Namespace"}
_TRICKS = (
    "__reduce__",
    "__reduce_ex__",
    "__getstate__",
    "__setstate__",
    "__getnewargs__",
    "__getnewargs_ex__",
)
_SKIPPED = {"__weakref__", "__dict__", "__orig_class__"}
_POINTER = 8


class Plan:
    """What the codec knows of one class. `refusal` is why its objects cannot be written, or empty."""

    __slots__ = (
        "as_plain",
        "base",
        "cls",
        "declared",
        "has_dict",
        "make",
        "migrations",
        "name",
        "refusal",
        "slots",
        "tag",
        "version",
    )

    def __init__(self, cls: type) -> None:
        self.cls = cls
        self.name = reference(cls) or ""
        self.as_plain: type | None = getattr(cls, "__flopod_as__", None)
        self.base, self.tag = _base_of(cls)
        self.slots = _slots_of(cls)
        self.declared = declared(cls)
        self.migrations = migrations_of(cls)
        self.version = 1 if self.migrations is None else self.migrations.version
        self.has_dict = cls.__dictoffset__ != 0
        self.make = _maker(cls, self.base)
        self.refusal = "" if self.as_plain else self._refuse()

    def _refuse(self) -> str:
        if own := getattr(self.cls, "__flopod_refusal__", ""):
            return str(own)
        if self.base is enum.Enum:
            return "" if self.name else _local(self.cls)
        if self.base is BaseException or hasattr(self.cls, "n_sequence_fields"):
            return ""
        return _foreign(self) or ("" if self.name else _local(self.cls)) or _tricks(self)

    def state(self, value: Any) -> dict[str, Any]:
        """Return the attributes of an object, those of its slots first."""
        found = {}
        for name, slot in self.slots.items():
            try:
                found[name] = slot.__get__(value)
            except AttributeError:
                continue
        if self.has_dict:
            found.update(value.__dict__)
            found.pop("__orig_class__", None)
        if found.get("_attrs_cached_hash") is not None:
            found["_attrs_cached_hash"] = None
        return found

    def set_state(self, value: Any, state: Mapping[str, Any]) -> None:
        """Give an object exactly these attributes, past any `__setattr__` of its class."""
        for name, slot in self.slots.items():
            if name in state:
                slot.__set__(value, state[name])
            elif self._has(value, slot):
                slot.__delete__(value)
        if self.has_dict:
            rest = {name: part for name, part in state.items() if name not in self.slots}
            value.__dict__.clear()
            value.__dict__.update(rest)

    def add_state(self, value: Any, state: Mapping[str, Any]) -> None:
        """Set some attributes of an object and leave the others."""
        for name, part in state.items():
            if name in self.slots:
                self.slots[name].__set__(value, part)
            else:
                value.__dict__[name] = part

    def _has(self, value: Any, slot: MemberDescriptorType) -> bool:
        try:
            slot.__get__(value)
        except AttributeError:
            return False
        return True


_plans: dict[type, Plan] = {}


def plan_of(cls: type) -> Plan:
    """Return the plan of a class, made once."""
    plan = _plans.get(cls)
    if plan is None:
        plan = Plan(cls)
        if plan.name:
            _plans[cls] = plan
    return plan


def _base_of(cls: type) -> tuple[type, str]:
    if issubclass(cls, enum.Enum):
        return enum.Enum, "enum"
    if issubclass(cls, BaseException):
        return BaseException, "exception"
    for base, tag in (CONTENT | SCALAR_BASES).items():
        if issubclass(cls, base):
            return base, tag
    for parent in cls.__mro__:
        named = _named(parent)
        if named in _NAMED_BASES:
            return parent, _NAMED_BASES[named]
    return object, "object"


def _named(cls: type) -> str:
    return f"{cls.__module__}:{cls.__qualname__}"


def _slots_of(cls: type) -> dict[str, MemberDescriptorType]:
    """The slots of the classes written in Python; a builtin's own fields are content, not state."""
    found: dict[str, MemberDescriptorType] = {}
    for owner in reversed(cls.__mro__):
        if "__slots__" in vars(owner) and not _is_builtin(owner):
            members = vars(owner).items()
            found |= {n: d for n, d in members if isinstance(d, MemberDescriptorType) and n not in _SKIPPED}
    return found


def _is_builtin(cls: type) -> bool:
    return cls in CONTENT or cls in SCALAR_BASES or cls.__module__ == "builtins"


def _maker(cls: type, base: type) -> Callable[[], Any]:
    if _named(base) == "msgspec:Struct":
        return _struct_maker(cls)
    bare: Any = base.__new__
    return lambda: bare(cls)


def _struct_maker(cls: type) -> Callable[[], Any]:
    """A Struct has no `__new__` without `__init__`: make one of a silent subclass and change its class."""
    bare: list[type] = []

    def make() -> Any:
        if not bare:
            quiet = {"__post_init__": lambda _self: None, "__module__": cls.__module__}
            bare.append(type(cls)("Bare", (cls,), quiet))
        made = bare[0](**dict.fromkeys(cls.__struct_fields__))  # type: ignore[attr-defined]
        vars(object)["__class__"].__set__(made, cls)
        return made

    return make


def _foreign(plan: Plan) -> str:
    """Say why an object of this class may hold state that Python cannot see."""
    cls = plan.cls
    if plan.base is object and is_standard(cls.__module__) and not _is_plain_standard(cls):
        return f"an object of the standard library's {_named(cls)} is not plain data"
    try:
        plan.make()
    except Exception:
        return "it is made by compiled code, which keeps state of its own"
    return "" if _size_explained(plan) else "it keeps state in compiled code"


def _is_plain_standard(cls: type) -> bool:
    return _named(cls) in _PLAIN_STANDARD or hasattr(cls, "__dataclass_fields__")


def _size_explained(plan: Plan) -> bool:
    cls, base = plan.cls, plan.base
    if cls.__itemsize__ or _named(base) == "msgspec:Struct" or _named(cls) in _PLAIN_STANDARD:
        return True
    headers = _POINTER * ((cls.__dictoffset__ > 0) + (cls.__weakrefoffset__ > 0))
    return cls.__basicsize__ <= base.__basicsize__ + _POINTER * len(plan.slots) + headers


def _tricks(plan: Plan) -> str:
    if plan.base is not object or _is_declared_data(plan.cls):
        return ""
    for owner in plan.cls.__mro__[:-1]:
        own = next((name for name in _TRICKS if name in vars(owner)), None)
        if own and owner.__module__ != "typing":
            return f"its class defines {own}, so its attributes are not all of it; make it a dataclass"
    return ""


def _is_declared_data(cls: type) -> bool:
    marks = ("__dataclass_fields__", "__attrs_attrs__", "__pydantic_fields__")
    return _named(cls) in _PLAIN_STANDARD or any(hasattr(cls, mark) for mark in marks)


def _local(cls: type) -> str:
    where = (
        "is defined inside a function" if "<locals>" in cls.__qualname__ else "cannot be found by its name"
    )
    return f"its class {_named(cls)} {where}; define it at module level"
