"""Writers of containers and of objects with attributes: what they hold becomes their node."""

import base64
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from .encode import ATOMS, TRACKED, Encoder, write_versions
from .exceptions import write_exception
from .plans import CONTENT, SCALAR_BASES, Plan, plan_of
from .scalars import Node


def write_list(enc: Encoder, value: list[Any], depth: int) -> Node:
    walk = enc.walk
    return [walk(item, depth) for item in list.__iter__(value)]


def write_tuple(enc: Encoder, value: tuple[Any, ...], depth: int) -> Node:
    return {"$": "tuple", "v": [enc.walk(item, depth) for item in tuple.__iter__(value)]}


def write_dict(enc: Encoder, value: dict[Any, Any], depth: int) -> Node:
    for key in dict.__iter__(value):
        if type(key) is not str or key.startswith("$") or (enc.escaping and not key.isascii()):
            return {"$": "dict", "v": _pairs(enc, dict.items(value), depth)}
    return write_state(enc, dict.items(value), depth)


def write_ordereddict(enc: Encoder, value: OrderedDict[Any, Any], depth: int) -> Node:
    return {"$": "ordereddict", "v": _pairs(enc, OrderedDict.items(value), depth)}


def write_defaultdict(enc: Encoder, value: defaultdict[Any, Any], depth: int) -> Node:
    factory = enc.walk(value.default_factory, depth)
    return {"$": "defaultdict", "factory": factory, "v": _pairs(enc, dict.items(value), depth)}


def write_counter(enc: Encoder, value: Counter[Any], depth: int) -> Node:
    return {"$": "counter", "v": _pairs(enc, dict.items(value), depth)}


def write_set(enc: Encoder, value: set[Any], depth: int) -> Node:
    return {"$": "set", "v": [enc.walk(item, depth) for item in enc.order_set(value)]}


def write_frozenset(enc: Encoder, value: frozenset[Any], depth: int) -> Node:
    return {"$": "frozenset", "v": [enc.walk(item, depth) for item in enc.order_set(value)]}


def write_deque(enc: Encoder, value: deque[Any], depth: int) -> Node:
    items = [enc.walk(item, depth) for item in deque.__iter__(value)]
    return {"$": "deque", "maxlen": value.maxlen, "v": items}


def write_bytearray(_enc: Encoder, value: bytearray, _depth: int) -> Node:
    return {"$": "bytearray", "v": base64.b64encode(value).decode()}


def write_partial(enc: Encoder, value: partial[Any], depth: int) -> Node:
    inside = (value.func, value.args, value.keywords)
    return {"$": "partial", "v": [enc.walk(part, depth) for part in inside]}


def writer_of(plan: Plan) -> Callable[[Encoder, Any, int], Node]:
    """Return the writer for objects of a class, from its plan."""
    if plan.as_plain is not None:
        return TRACKED[plan.as_plain]
    if plan.tag == "exception":
        return write_exception
    if hasattr(plan.cls, "n_sequence_fields"):
        return lambda enc, value, depth: _write_structseq(plan, enc, value, depth)
    if plan.base is tuple and hasattr(plan.cls, "_fields"):
        return lambda enc, value, depth: _write_named_tuple(plan, enc, value, depth)
    if plan.base in CONTENT:
        return lambda enc, value, depth: _write_derived(plan, TRACKED[plan.base], enc, value, depth)
    if plan.tag != "object":
        return lambda enc, value, depth: _write_scalar(plan, enc, value, depth)
    return lambda enc, value, depth: _write_object(plan, enc, value, depth)


def _write_object(plan: Plan, enc: Encoder, value: Any, depth: int) -> Node:
    state = plan.state(value)
    node = {"$": "object", "type": plan.name, "state": write_state(enc, state.items(), depth)}
    write_versions(plan, enc, node)
    if not plan.declared.keys() <= state.keys():
        node["unset"] = [name for name in plan.declared if name not in state]
    return node


def write_object(enc: Encoder, value: Any, depth: int) -> Node:
    """Return the node of an object of a class that is seen for the first time, and remember the class."""
    cls = type(value)
    plan = plan_of(cls)
    if plan.refusal:
        return enc.refuse(value, plan.refusal)
    writer = writer_of(plan)
    if plan.name:
        TRACKED[cls] = writer
    return writer(enc, value, depth)


def write_state(enc: Encoder, state: Iterable[tuple[str, Any]], depth: int) -> Node:
    """Return the JSON object of names and values."""
    walk = enc.walk
    plain = _NO_TEXT if enc.escaping else ATOMS
    return {name: part if type(part) in plain else walk(part, depth) for name, part in state}


_NO_TEXT = ATOMS - {str}


def _write_derived(
    plan: Plan, write: Callable[[Encoder, Any, int], Node], enc: Encoder, value: Any, depth: int
) -> Node:
    node = write(enc, value, depth)
    if isinstance(node, list) or "$" not in node:
        node = {"$": plan.tag, "v": node}
    return _named(plan, enc, value, node, depth)


def _write_named_tuple(plan: Plan, enc: Encoder, value: Any, depth: int) -> Node:
    """Its items with their names: a class whose fields stand in another order has the same ones."""
    items = [enc.walk(item, depth) for item in tuple.__iter__(value)]
    node: Node = {"$": "tuple", "names": list(plan.cls._fields), "v": items}  # type: ignore[attr-defined]
    write_versions(plan, enc, node)
    return _named(plan, enc, value, node, depth)


def _write_scalar(plan: Plan, enc: Encoder, value: Any, depth: int) -> Node:
    node = enc.walk(_exact(plan.base, value), depth)
    if not isinstance(node, dict):
        node = {"$": plan.tag, "v": node}
    return _named(plan, enc, value, node, depth)


def _named(plan: Plan, enc: Encoder, value: Any, node: Node, depth: int) -> Node:
    node = {"$": node.pop("$"), "type": plan.name, **node}
    state = plan.state(value)
    if state:
        node["state"] = write_state(enc, state.items(), depth)
    return node


def _exact(base: type, value: Any) -> Any:
    """Return the value as its builtin base, not asking the subclass."""
    if base is str:
        return str.__str__(value)
    if base is bytes:
        return b"".join((value,))
    if base in (int, float):
        return getattr(base, f"__{base.__name__}__")(value)
    if base is complex:
        return complex(value.real, value.imag)
    if base in SCALAR_BASES:
        exact = base(*(getattr(value, name) for name in TIME_FIELDS[base.__name__]))
        return exact.replace(fold=1) if getattr(value, "fold", 0) else exact
    return base(value)


_CLOCK = ("hour", "minute", "second", "microsecond", "tzinfo")
TIME_FIELDS = {
    "datetime": ("year", "month", "day", *_CLOCK),
    "date": ("year", "month", "day"),
    "time": _CLOCK,
    "timedelta": ("days", "seconds", "microseconds"),
}


def _write_structseq(plan: Plan, enc: Encoder, value: Any, depth: int) -> Node:
    _, (visible, hidden) = value.__reduce__()
    return {
        "$": "structseq",
        "type": plan.name,
        "v": [enc.walk(item, depth) for item in visible],
        "state": write_state(enc, hidden.items(), depth),
    }


def _pairs(enc: Encoder, items: Iterable[tuple[Any, Any]], depth: int) -> list[Node]:
    return [[enc.walk(key, depth), enc.walk(item, depth)] for key, item in items]


def install() -> None:
    """Tell the encoder of the types of this module."""
    TRACKED.update(_BUILTIN)


_BUILTIN: dict[type, Callable[[Encoder, Any, int], Node]] = {
    list: write_list,
    tuple: write_tuple,
    dict: write_dict,
    OrderedDict: write_ordereddict,
    defaultdict: write_defaultdict,
    Counter: write_counter,
    set: write_set,
    frozenset: write_frozenset,
    deque: write_deque,
    bytearray: write_bytearray,
    partial: write_partial,
    object: write_object,
}
