"""Rebuilders of objects with identity, and fillers that restore such an object in place."""

import base64
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from flopod.errors import MigrationError, SerializableError

from . import exceptions
from .decode import REBUILDERS, Decoder, Filler
from .migrations import Fields, Migrations, typed
from .names import find
from .objects import TIME_FIELDS
from .plans import CONTENT, Plan, plan_of
from .scalars import READERS, Node
from .typed import field_versions

_MAPPINGS = frozenset(("dict", "ordereddict", "defaultdict", "counter"))
_SPOKEN = {
    "object": "a class with fields",
    "tuple": "a tuple",
    "enum": "an enum",
    "exception": "an exception",
}
_ATOMS = frozenset((str, int, float, bool, type(None)))


def _plan(node: Node) -> Plan:
    cls = find(node["type"])
    if not isinstance(cls, type):
        raise SerializableError(f"{node['type']!r} is in the log as a class, but it is not one any more")
    plan = plan_of(cls)
    if _shape(plan.tag) != _shape(node["$"]):
        kinds = f"{_SPOKEN.get(node['$'], node['$'])}, and is {_SPOKEN.get(plan.tag, plan.tag)} now"
        raise SerializableError(f"{node['type']} is in the log as {kinds}")
    return plan


def _shape(tag: str) -> str:
    return "dict" if tag in _MAPPINGS else tag


def fill_list(dec: Decoder, target: list[Any], node: Node) -> None:
    list.__setitem__(target, slice(None), dec.items(node["v"]))


def fill_bytearray(_dec: Decoder, target: bytearray, node: Node) -> None:
    bytearray.__setitem__(target, slice(None), base64.b64decode(node["v"]))


def fill_deque(dec: Decoder, target: deque[Any], node: Node) -> None:
    items = dec.items(node["v"])
    deque.clear(target)
    deque.extend(target, items)


def fill_set(dec: Decoder, target: set[Any], node: Node) -> None:
    items = dec.hashed(node["v"])

    def insert() -> None:
        set.clear(target)
        set.update(target, items)

    dec.insert(items, insert)


def fill_dict(dec: Decoder, target: dict[Any, Any], node: Node) -> None:
    kind: Any = OrderedDict if isinstance(target, OrderedDict) else dict
    entries = _entries(dec, node["v"])
    if "factory" in node:
        vars(defaultdict)["default_factory"].__set__(target, dec.build(node["factory"]))

    def insert() -> None:
        kind.clear(target)
        for key, item in entries:
            kind.__setitem__(target, key, item)

    dec.insert([key for key, _ in entries], insert)


def _entries(dec: Decoder, nodes: Node) -> list[tuple[Any, Any]]:
    if isinstance(nodes, dict):
        return [(key, dec.build(part)) for key, part in nodes.items()]
    return [(dec.hashed([key])[0], dec.build(part)) for key, part in nodes]


def fill_object(dec: Decoder, target: Any, node: Node) -> None:
    """Set the attributes, plain ones first: a hash may need them while the others are being built."""
    plan, state = plan_of(type(target)), node.get("state", {})
    if plan.tag == "object" and _is_older(plan, node):
        _fill_migrated(dec, plan, target, node)
        return
    plain = {name: part for name, part in state.items() if type(part) in _ATOMS}
    plan.set_state(target, plain)
    if len(plain) < len(state):
        plan.set_state(target, dict(zip(state, dec.items(state.values()), strict=True)))
    if not plan.declared.keys() <= state.keys():
        _add_newer_fields(plan, target, {*state, *node.get("unset", ())})


def _fill_migrated(dec: Decoder, plan: Plan, target: Any, node: Node) -> None:
    """Set the attributes that the recorded ones become."""
    recorded = node.get("state", {})
    state = _fields_of_today(dec, plan, node, recorded, list(recorded.values()))
    left = [name for name in state if name in recorded and not _has_place(plan, name)]
    if left:
        why = f"they leave the field {left[0]!r}, which the class does not have; rename or remove it"
        raise MigrationError(plan.name, why)
    plan.set_state(target, state)
    if not plan.declared.keys() <= state.keys():
        _add_newer_fields(plan, target, {*state, *node.get("unset", ())})


def _is_older(plan: Plan, node: Node) -> bool:
    """Whether an object was recorded under another version of its class, or of a TypedDict in its fields."""
    if node.get("version", 1) != plan.version:
        return True
    return bool(typed or "typed" in node) and node.get("typed", {}) != field_versions(plan.cls)


def _fields_of_today(dec: Decoder, plan: Plan, node: Node, names: Iterable[str], parts: list[Node]) -> Fields:
    """What the recorded fields become; migrations see values that are complete, and inside of today.

    A TypedDict that a step gives to a field of another name is converted there.
    """
    then = node.get("typed", {})
    recorded = dict(zip(names, dec.hashed(parts), strict=True))
    inside = dec.conversion.fields(plan.cls, recorded, then)
    found = (plan.migrations or Migrations({})).apply(plan.name, inside, node.get("version", 1))
    passed = {id(part) for part in inside.values()}
    moved = {name: part for name, part in found.items() if name not in inside and id(part) in passed}
    return {**found, **dec.conversion.fields(plan.cls, moved, then)}


def _has_place(plan: Plan, name: str) -> bool:
    """Whether a class has such an attribute; one that declares no fields may have any."""
    if not plan.declared:
        return plan.has_dict or name in plan.slots
    return name in plan.declared or name in plan.slots or hasattr(plan.cls, name) or name.startswith("_")


def _add_newer_fields(plan: Plan, target: Any, had: set[str]) -> None:
    """Give an object the fields that its class got after it was written."""
    for name in [name for name in plan.declared if name not in had]:
        made = plan.declared[name]
        if made is None:
            raise SerializableError(
                f"{plan.name} has a field {name!r}, and the one in the log is older; give the field a default"
                ", or say in @migrations(...) how the fields of then become those of now"
            )
        plan.add_state(target, {name: made()})


def fill_exception(dec: Decoder, target: BaseException, node: Node) -> None:
    state = node.get("state", {})
    state = dict(zip(state, dec.items(state.values()), strict=True))
    exceptions.restore(target, dec.items(node.get("args", ())), state)
    target.__cause__ = dec.build(node.get("cause"))
    target.__context__ = dec.build(node.get("context"))
    target.__suppress_context__ = node.get("suppress", False)


CONTENT_FILLERS: dict[str, Filler] = {
    "list": fill_list,
    "bytearray": fill_bytearray,
    "deque": fill_deque,
    "set": fill_set,
    "dict": fill_dict,
    "ordereddict": fill_dict,
    "defaultdict": fill_dict,
    "counter": fill_dict,
}
FILLERS: dict[str, Filler] = CONTENT_FILLERS | {"object": fill_object, "exception": fill_exception}

_KINDS: dict[str, Callable[[], Any]] = {
    "list": list,
    "bytearray": bytearray,
    "set": set,
    "dict": dict,
    "ordereddict": OrderedDict,
    "defaultdict": defaultdict,
    "counter": Counter,
}


def fill_content(dec: Decoder, target: Any, node: Node) -> None:
    """Fill a container, and the attributes of one whose class is a subclass."""
    CONTENT_FILLERS[node["$"]](dec, target, node)
    if "type" in node:
        fill_object(dec, target, node)


def _rebuild_content(dec: Decoder, node: Node) -> Any:
    made = _plan(node).make() if "type" in node else _KINDS[node["$"]]()
    return _filled(dec, node, made, fill_content)


def _rebuild_deque(dec: Decoder, node: Node) -> Any:
    made: deque[Any] = _plan(node).make() if "type" in node else deque()
    deque.__init__(made, (), node["maxlen"])
    return _filled(dec, node, made, fill_content)


def _rebuild_object(dec: Decoder, node: Node) -> Any:
    return _filled(dec, node, _plan(node).make(), fill_object)


def _filled(dec: Decoder, node: Node, made: Any, fill: Filler) -> Any:
    dec.keep(node, made)
    dec.fill(made, fill, node)
    return made


def _rebuild_tuple(dec: Decoder, node: Node) -> Any:
    if "type" not in node:
        return dec.immutable(node, lambda: tuple(dec.items(node["v"])))
    cls = _plan(node).cls
    if "names" in node and hasattr(cls, "_fields"):
        return _with_state(dec, node, lambda: tuple.__new__(cls, _by_name(cls, dec, node)))
    return _with_state(dec, node, lambda: tuple.__new__(cls, dec.items(node["v"])))


def _by_name(cls: Any, dec: Decoder, node: Node) -> list[Any]:
    """The items of a NamedTuple as its class has them today: in its order, new ones by their defaults."""
    plan = plan_of(cls)
    if _is_older(plan, node):
        items = _fields_of_today(dec, plan, node, node["names"], node["v"])
    else:
        items = dict(zip(node["names"], dec.items(node["v"]), strict=True))
    gone = [name for name in items if name not in cls._fields]
    if gone:
        raise SerializableError(f"{cls.__qualname__} has no field {gone[0]!r} any more, which the log has")
    found = cls._field_defaults | items
    missing = [name for name in cls._fields if name not in found]
    if missing:
        raise SerializableError(
            f"{cls.__qualname__} has a new field {missing[0]!r}, which the log has not; give it a default"
        )
    return [found[name] for name in cls._fields]


def _rebuild_frozenset(dec: Decoder, node: Node) -> Any:
    cls = _plan(node).cls if "type" in node else frozenset
    return _with_state(dec, node, lambda: frozenset.__new__(cls, dec.hashed(node["v"])))


def _rebuild_scalar(dec: Decoder, node: Node) -> Any:
    """Rebuild an object whose class derives from a scalar type."""
    plan = _plan(node)
    exact = READERS[node["$"]](dec, node)
    return _with_state(dec, node, lambda: _derive(plan, exact))


def _derive(plan: Plan, exact: Any) -> Any:
    fields = TIME_FIELDS.get(plan.tag)
    if fields is None:
        return plan.base.__new__(plan.cls, exact)
    extra = {"fold": exact.fold} if hasattr(exact, "fold") else {}
    return plan.base.__new__(plan.cls, *(getattr(exact, name) for name in fields), **extra)


def _with_state(dec: Decoder, node: Node, build: Callable[[], Any]) -> Any:
    made = dec.immutable(node, build)
    if "state" in node:
        _filled(dec, node, made, fill_object)
    return made


def _rebuild_partial(dec: Decoder, node: Node) -> Any:
    def build() -> Any:
        func, args, keywords = dec.items(node["v"])
        return partial(func, *args, **keywords)

    return dec.immutable(node, build)


def _rebuild_structseq(dec: Decoder, node: Node) -> Any:
    cls = find(node["type"])
    hidden = node["state"]
    visible = dec.items(node["v"])
    return dec.immutable(
        node, lambda: cls(visible, dict(zip(hidden, dec.items(hidden.values()), strict=True)))
    )


def _rebuild_exception(dec: Decoder, node: Node) -> Any:
    cls = _plan(node).cls
    if "members" in node:
        made = dec.immutable(node, lambda: exceptions.make(cls, node["message"], dec.items(node["members"])))
    else:
        made = exceptions.make(cls, "", [])
    return _filled(dec, node, made, fill_exception)


def _rebuild_enum(dec: Decoder, node: Node) -> Any:
    plan = _plan(node)
    cls: Any = plan.cls
    kind, wanted = ("name", node["name"]) if "name" in node else ("value", dec.build(node["v"]))
    if node.get("version", 1) != plan.version:
        steps = plan.migrations or Migrations({})
        found = steps.apply(plan.name, {kind: wanted}, node.get("version", 1))
        if found.keys() != {kind}:
            raise MigrationError(plan.name, f"the steps of an enum return {{{kind!r}: ...}}, not {found!r}")
        wanted = found[kind]
    try:
        return cls[wanted] if kind == "name" else cls(wanted)
    except (KeyError, ValueError):
        raise SerializableError(f"{node['type']} has no member {wanted!r}, which is in the log") from None


def _rebuild_known(dec: Decoder, node: Node) -> Any:
    if dec.known is None:
        raise SerializableError("the value refers to objects of a table that was not given (known=...)")
    if dec.known.versions != dec.versions:
        raise _renumbered(dec.known.versions, dec.versions)
    if node["i"] >= len(dec.known):
        raise SerializableError(
            f"the log refers to the object {node['i']} of a table that has only {len(dec.known)} now"
        )
    target = dec.known[node["i"]]
    if "state" in node and id(target) not in dec.restored:
        dec.restored.add(id(target))
        _restore(dec, target, node["state"])
    return target


def _renumbered(now: dict[str, int], then: dict[str, int]) -> MigrationError:
    """The error that a reference by number may lead to another object, now that some are migrated."""
    name = next(name for name in (*now, *then) if now.get(name) != then.get(name))
    return MigrationError(
        name, f"a recorded value refers to its objects as they were in version {then.get(name, 1)}"
    )


def _restore(dec: Decoder, target: Any, state: Node) -> None:
    node = state if isinstance(state, dict) and "$" in state else {"$": _plain_tag(state), "v": state}
    restore = getattr(type(target), "__flopod_restore__", None)
    _check_kind(target, node)
    if restore is not None:
        restore(target, dec.build(state))
    elif node["$"] in CONTENT_FILLERS:
        dec.fill(target, fill_content, node)
    elif node["$"] in FILLERS:
        dec.fill(target, FILLERS[node["$"]], node)
    else:
        dec.items(_inside(node))


def _check_kind(target: Any, node: Node) -> None:
    plan = plan_of(type(target))
    tag = CONTENT[plan.as_plain] if plan.as_plain is not None else plan.tag
    if node["$"] in FILLERS and tag != node["$"]:
        raise SerializableError(
            f"the log holds the state of a {node['$']} where the run now has a {type(target).__qualname__}"
        )


def _plain_tag(state: Node) -> str:
    return "list" if isinstance(state, list) else "dict"


def _inside(node: Node) -> list[Node]:
    """The nodes within an immutable object of the table: it stays, what it holds is restored."""
    return [*node.get("v", ()), *node.get("state", {}).values()]


def _reference(_dec: Decoder, node: Node) -> Any:
    return find(node["ref"])


def install() -> None:
    """Tell the decoder of the tags of this module."""
    REBUILDERS.update(dict.fromkeys(READERS, _rebuild_scalar))
    REBUILDERS.update(dict.fromkeys(_KINDS, _rebuild_content))
    REBUILDERS.update(dict.fromkeys(("class", "function", "global"), _reference))
    REBUILDERS.update(_OTHERS)


_OTHERS: dict[str, Callable[[Decoder, Node], Any]] = {
    "ref": lambda dec, node: dec.refer(node["id"]),
    "deque": _rebuild_deque,
    "tuple": _rebuild_tuple,
    "frozenset": _rebuild_frozenset,
    "object": _rebuild_object,
    "exception": _rebuild_exception,
    "enum": _rebuild_enum,
    "partial": _rebuild_partial,
    "structseq": _rebuild_structseq,
    "known": _rebuild_known,
}
