"""The walk that turns a JSON structure into the value, with the sharing and the cycles that were written.

Objects are made empty first and filled in the order of writing, so that a reference always finds its
object and an element of a set is complete before it is hashed.
"""

from collections import deque
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import TYPE_CHECKING, Any

from flopod.errors import KEPT_ELSEWHERE, KeptElsewhere, SerializableError

from .conversion import Conversion
from .scalars import READERS, Node, Reader

if TYPE_CHECKING:
    from .known import Known

DEPTH = 42
"""Nesting beyond which objects are filled later, when the stack is short again."""

_SCALARS = frozenset((str, int, float, bool, type(None)))
Filler = Callable[["Decoder", Any, Node], None]
REBUILDERS: dict[str, Callable[["Decoder", Node], Any]] = {}
"""Makers of objects with identity, by tag."""


class Decoder:
    """Rebuilds one document."""

    def __init__(self, known: "Known | None" = None) -> None:
        self.known = known
        self.made: dict[int, Any] = {}
        self.defined: dict[int, Node] = {}
        self.filling: set[int] = set()
        self.restored: set[int] = set()
        self.later: deque[Callable[[], None]] = deque()
        self.inserts: list[Callable[[], None]] = []
        self.depth = 0
        self.hashing = 0
        self.unfinished = 0
        self.by_node: dict[int, tuple[Node, Any]] = {}
        self.versions: dict[str, int] = {}

    @cached_property
    def conversion(self) -> Conversion:
        """What leads older records to today; values that share a part share what it becomes."""
        return Conversion()

    def value(self, document: Node) -> Any:
        """Return the value of a whole document."""
        root = document
        if type(document) is dict and document.get("$") == "graph":
            root = document["v"]
            self.versions = document.get("versions", self.versions)
            self._index(document)
            for node in reversed(document["objects"]):
                self.build(node)
                self._drain()
        built = self.build(root)
        self._drain()
        for insert in self.inserts:
            insert()
        return built

    def _drain(self) -> None:
        while self.later:
            self.later.popleft()()

    def _index(self, document: Node) -> None:
        todo = [document]
        while todo:
            node = todo.pop()
            if type(node) is dict:
                if "$" in node and node["$"] != "ref" and "id" in node:
                    self.defined[node["id"]] = node
                todo.extend(node.values())
            elif type(node) is list:
                todo.extend(node)

    def build(self, node: Node) -> Any:
        """Return the value of one node."""
        kind = type(node)
        if kind in _SCALARS:
            return node
        if kind is list:
            return self._build_plain(node, _fill_list)
        tag = node.get("$")
        if tag is None:
            return self._build_plain(node, _fill_plain)
        reader = READERS.get(tag)
        if reader is not None and "type" not in node:
            return reader(self, node) if "id" not in node else self._build_once(reader, node)
        return self._build_tracked(tag, node)

    def _build_once(self, reader: Reader, node: Node) -> Any:
        """A scalar that other places refer to."""
        number = node["id"]
        if number not in self.made:
            self.made[number] = reader(self, node)
        return self.made[number]

    def _build_plain(self, node: Node, action: "Filler") -> Any:
        """A plain list or object of the JSON text becomes the value itself, its parts replaced."""
        if self.unfinished:
            if id(node) in self.by_node:
                return node
            self.by_node[id(node)] = (node, node)
        self.fill(node, action, node)
        return node

    def _build_tracked(self, tag: str, node: Node) -> Any:
        number = node.get("id")
        if number is not None and number in self.made:
            return self.made[number]
        if self.unfinished and id(node) in self.by_node:
            return self.by_node[id(node)][1]
        rebuild = REBUILDERS.get(tag)
        if rebuild is None and tag in KEPT_ELSEWHERE:
            raise KeptElsewhere(KEPT_ELSEWHERE[tag])
        if rebuild is None:
            raise SerializableError(f"the log holds the tag {tag!r}, which this version cannot read")
        return rebuild(self, node)

    def refer(self, number: int) -> Any:
        """Return the object of a number; one that is still being built is built from its node again."""
        if number in self.made:
            return self.made[number]
        if number not in self.defined:
            raise SerializableError(
                f"a value in the log refers to its object {number}, which it does not hold"
            )
        return self.build(self.defined[number])

    def immutable(self, node: Node, build: Callable[[], Any]) -> Any:
        """Build an object that needs its parts first; a part may lead back to it and build it before."""
        number = node.get("id")
        if number is None:
            return build()
        self.defined[number] = node
        self.unfinished += 1
        made = build()
        self.unfinished -= 1
        return self.made.setdefault(number, made)

    def keep(self, node: Node, made: Any) -> Any:
        """Register a new, empty object under its number."""
        if "id" in node:
            self.made[node["id"]] = made
        if self.unfinished:
            self.by_node[id(node)] = (node, made)
        return made

    def fill(self, target: Any, action: "Filler", node: Node) -> None:
        """Fill an object now, or later when the nesting is deep and nobody waits to hash it."""
        if self.depth > DEPTH and not self.hashing:
            self.later.append(lambda: self.fill(target, action, node))
            return
        self.depth += 1
        self.filling.add(id(target))
        action(self, target, node)
        self.filling.discard(id(target))
        self.depth -= 1

    def items(self, nodes: Iterable[Node]) -> list[Any]:
        """Return the values of a list of nodes."""
        return [part if type(part) in _SCALARS else self.build(part) for part in nodes]

    def hashed(self, nodes: list[Node]) -> list[Any]:
        """Return values that are about to be hashed, complete."""
        self.hashing += 1
        built = self.items(nodes)
        self.hashing -= 1
        return built

    def insert(self, keys: Iterable[Any], action: Callable[[], None]) -> None:
        """Insert into a hash container, but last of all when a key is an object still being filled."""
        if any(map(self._is_open, keys)):
            self.inserts.append(action)
        else:
            action()

    def _is_open(self, key: Any) -> bool:
        if isinstance(key, (tuple, frozenset)):
            return any(map(self._is_open, key))
        return id(key) in self.filling


def _fill_list(dec: Decoder, target: list[Any], node: list[Node]) -> None:
    for index, part in enumerate(node):
        if type(part) not in _SCALARS:
            target[index] = dec.build(part)


def _fill_plain(dec: Decoder, target: dict[str, Any], node: dict[str, Node]) -> None:
    for key, part in node.items():
        if type(part) not in _SCALARS:
            target[key] = dec.build(part)
