"""The walk that turns a value into a JSON structure, shared references and cycles kept."""

from collections import deque
from collections.abc import Callable
from enum import Enum, Flag
from math import nan
from types import BuiltinFunctionType, BuiltinMethodType, FunctionType, MethodType
from typing import TYPE_CHECKING, Any

import msgspec

from .errors import Refused
from .migrations import typed
from .names import global_reference, reference
from .ordering import rebuilding_order
from .plans import Plan, plan_of
from .scalars import JSON_INT, NAMED_WRITERS, WRITERS, Node, Writing, escape, tagged
from .typed import field_versions

if TYPE_CHECKING:
    from .known import Known

DEPTH = 40
"""Nesting beyond which an object is written apart, so that no text is nested deeply."""

ATOMS = frozenset((str, bool, type(None)))
_QUICK = frozenset((*ATOMS, int))
_SMALL = frozenset((*ATOMS, int, float, bytes, complex))

TRACKED: dict[type, Callable[["Encoder", Any, int], Node]] = {}
"""Writers of objects with identity, by type; classes join at their first object, `object` does the rest."""

dumps = msgspec.json.Encoder().encode


def quick(value: Any) -> bytes | None:
    """Return the JSON text of a text, a boolean, None, an integer or a list of some, in no time.

    None for any other value, and for one that JSON has no way to write: an encoder finds out.
    """
    kind = type(value)
    if kind is list:
        if not _QUICK.issuperset(map(type, value)):
            return None
        for item in value:
            if type(item) is int and not -JSON_INT <= item <= JSON_INT:
                return None
    elif kind not in _QUICK or (kind is int and not -JSON_INT <= value <= JSON_INT):
        return None
    try:
        return dumps(value)
    except UnicodeEncodeError:
        return None


class Encoder:
    """One walk over one value. Subclasses change what becomes of sets and of foreign objects."""

    def __init__(self, known: "Known | None" = None, *, state: bool = False, foreign: bool = False) -> None:
        self.known = known
        self.with_state = state
        self.foreign = foreign
        self.escaping = False
        self.on_trial = False
        self.shared: set[int] = set()
        self.versions: dict[str, int] = {}
        self._begin()

    def _begin(self) -> None:
        self.memo: dict[int, Any] = {}
        self.numbers: dict[int, int] = {}
        self.apart: deque[Any] = deque()
        self._refers = False

    def document(self, value: Any) -> Node:
        """Return the JSON structure of a value. A second walk is made only when something is shared."""
        node = self._walk_all(value)
        if self.shared:
            self._begin()
            node = self._walk_all(value)
        return node

    def text(self, value: Any) -> bytes:
        """Return the JSON text of a value."""
        try:
            return dumps(self.document(value))
        except UnicodeEncodeError:
            self.escaping = True
            self._begin()
        try:
            return dumps(self.document(value))
        except UnicodeEncodeError as error:
            raise Refused(value, f"a name in it cannot be written as text: {error}") from None

    def _walk_all(self, value: Any) -> Node:
        root = self.walk(value, 0)
        objects = []
        while self.apart:
            objects.append(self._write_apart(self.apart.popleft()))
        versions = self.known.versions if self.known is not None and self._refers else {}
        if versions:
            return {"$": "graph", "v": root, "objects": objects, "versions": versions}
        return {"$": "graph", "v": root, "objects": objects} if objects else root

    def walk(self, value: Any, depth: int) -> Node:
        """Return the node of one value."""
        cls = type(value)
        if cls in ATOMS:
            return escape(value) if self.escaping and cls is str else value
        writer = WRITERS.get(cls)
        if writer is not None:
            return writer(self, value)
        if cls is tuple and _SMALL.issuperset(map(type, value)):
            return TRACKED[tuple](self, value, depth)
        if cls not in TRACKED:
            return self._walk_unseen(value, cls, depth)
        return self._walk_tracked(value, depth)

    def _walk_unseen(self, value: Any, cls: type, depth: int) -> Node:
        named = NAMED_WRITERS.get(f"{cls.__module__}:{cls.__qualname__}")
        if named is not None:
            WRITERS[cls] = named
            return named(self, value)
        if isinstance(value, type):
            return self.write_reference(value, "class")
        if isinstance(value, Enum):
            return write_enum(self, value)
        return self._walk_tracked(value, depth)

    def _walk_tracked(self, value: Any, depth: int) -> Node:
        key = id(value)
        again = key in self.memo
        self.memo[key] = value
        if self.known is not None and (index := self.known.index(value)) is not None:
            self._refers = True
            return self._walk_known(value, index, depth, again)
        if again:
            self.shared.add(key)
            return {"$": "ref", "id": self._number(key)}
        if depth > DEPTH:
            self.shared.add(key)
            self.apart.append(value)
            return {"$": "ref", "id": self._number(key)}
        return self._define(value, depth)

    def _define(self, value: Any, depth: int) -> Node:
        if id(value) not in self.shared:
            return self.write(value, depth)
        number = self._number(id(value))
        return _with_id(self.write(value, depth), number)

    def write(self, value: Any, depth: int) -> Node:
        return (TRACKED.get(type(value)) or TRACKED[object])(self, value, depth + 1)

    def _number(self, key: int) -> int:
        return self.numbers.setdefault(key, len(self.numbers) + 1)

    def _walk_known(self, value: Any, index: int, depth: int, again: bool) -> Node:
        if again or not self.with_state or (self.foreign and is_foreign(value)):
            return {"$": "known", "i": index}
        if depth > DEPTH:
            self.apart.append(value)
            return {"$": "known", "i": index}
        return {"$": "known", "i": index, "state": self.write(value, depth)}

    def _write_apart(self, value: Any) -> Node:
        index = self.known.index(value) if self.known is not None else None
        if index is not None:
            return {"$": "known", "i": index, "state": self.write(value, 0)}
        return self._define(value, 0)

    def attempt(self, value: Any, depth: int) -> Node:
        """Return the node of a value, or raise Refused as if it had not been tried."""
        walked, waiting = len(self.memo), len(self.apart)
        try:
            node = self.walk(value, depth)
            if len(self.apart) > waiting and not self.on_trial:
                self._try_apart(value)
            return node
        except Refused:
            self.forget(walked, waiting)
            raise

    def _try_apart(self, value: Any) -> None:
        """Raise Refused now if a part that is to be written apart, later, would be refused then."""
        trial = type(self)(self.known, state=self.with_state, foreign=self.foreign)
        trial.on_trial = trial.escaping = True
        trial.document(value)

    def forget(self, walked: int, waiting: int) -> None:
        """Go back to when so many objects had been walked and were waiting."""
        while len(self.memo) > walked:
            self.memo.popitem()
        while len(self.apart) > waiting:
            self.apart.pop()

    def write_reference(self, value: Any, tag: str) -> Node:
        """Return the node of a class or a module-level function."""
        name = reference(value)
        if name is None and self.known is not None and self.foreign:
            index = self.known.index(value)
            if index is not None:
                return {"$": "known", "i": index}
        if name is None:
            return self.refuse(value, "it cannot be found by its name; define it at module level")
        return {"$": tag, "ref": name}

    def write_identity(self, value: Any) -> Node:
        """Return the node of an object that is nothing but its identity: its number in the table."""
        index = None if self.known is None else self.known.index(value)
        if index is not None:
            return {"$": "known", "i": index}
        return self.refuse(value, "nothing but its address tells it apart; give it a name at module level")

    def write_nan(self, value: float) -> Node:
        """Return the node of a float that is not equal to itself: only its identity finds it again."""
        index = None if self.known is None else self.known.index(value)
        if index is not None:
            return {"$": "known", "i": index}
        if self.with_state and value is nan:
            return {"$": "global", "ref": "math:nan"}
        key = id(value)
        if key in self.memo:
            self.shared.add(key)
            return {"$": "ref", "id": self._number(key)}
        self.memo[key] = value
        node = tagged("float", repr(value))
        return _with_id(node, self._number(key)) if key in self.shared else node

    def refuse(self, value: Any, reason: str) -> Node:
        """Deal with a value that is not plain data: here, by giving up."""
        raise Refused(value, reason)

    def order_set(self, value: Any) -> list[Any]:
        """Return the elements of a set in the order they are written in."""
        items = [*type(value).__iter__(value)]
        if self.known is None or not self.with_state:
            return items
        order = rebuilding_order(items)
        if order is None:
            raise Refused(value, "it would iterate in another order once it is rebuilt")
        return order


def write_function(enc: Writing, value: Any) -> Node:
    return enc.write_reference(value, "function")


def write_sentinel(enc: Writing, value: Any) -> Node:
    """A bare `object()` is its identity: a global name, or its place in the table."""
    name = global_reference(value)
    if name is not None:
        return {"$": "global", "ref": name}
    return enc.write_identity(value)


def write_enum(enc: Encoder, value: Enum) -> Node:
    plan = plan_of(type(value))
    if plan.refusal:
        return enc.refuse(value, plan.refusal)
    node: Node = {"$": "enum", "type": plan.name}
    if isinstance(value, Flag):
        node["v"] = enc.walk(value.value, 0)
    else:
        node["name"] = value.name
    write_versions(plan, enc, node)
    return node


def write_versions(plan: Plan, enc: Encoder, node: Node) -> None:
    """Note in the node of an object what it takes to migrate it some day."""
    if plan.version > 1:
        node["version"] = enc.versions[plan.name] = plan.version
    if typed and (within := field_versions(plan.cls)):
        node["typed"] = dict(within)
        enc.versions |= within


def is_foreign(value: Any) -> bool:
    """Tell whether an object is not plain data in itself, whatever it holds."""
    cls = type(value)
    if cls in TRACKED or cls in WRITERS:
        return cls in _CALLABLES and reference(value) is None
    return bool(plan_of(cls).refusal) and reference(value) is None


def _with_id(node: Node, number: int) -> Node:
    if isinstance(node, list):
        return {"$": "list", "id": number, "v": node}
    if "$" not in node:
        return {"$": "dict", "id": number, "v": node}
    return {"$": node.pop("$"), "id": number, **node}


_CALLABLES = (FunctionType, BuiltinFunctionType, BuiltinMethodType, MethodType)
WRITERS.update(dict.fromkeys(_CALLABLES, write_function))
WRITERS[object] = write_sentinel
