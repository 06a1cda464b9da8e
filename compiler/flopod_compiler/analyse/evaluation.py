"""Which objects the expressions of a workflow may evaluate to, as far as the heap knows by now."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator

from flopod_compiler.analyse.heap import NOTHING, Heap, Object, Objects, contents, reach
from flopod_compiler.analyse.scopes import FUNCTIONS, Names, Scope
from flopod_compiler.children import children
from flopod_compiler.knowledge.author import PARALLEL, RACE
from flopod_compiler.knowledge.beside import SIDE, value_of
from flopod_compiler.model import CallInfo, CallKind, Classified, ProjectClass, ProjectFunction

_COPIES = {
    "list",
    "tuple",
    "set",
    "frozenset",
    "sorted",
    "reversed",
    "iter",
    "dict",
    "copy",
    "deque",
    "filter",
}
_PAIRS = {"enumerate", "zip", "items", "zip_longest", "pairwise", "product"}
_ELEMENTS = {"max", "min", "next", "get", "pop", "popleft", "popitem", "setdefault", "choice", "__getitem__"}
SPREADING = {"extend", "update", "extendleft", "intersection_update", "difference_update"}
_NOTHING = {
    "append",
    "appendleft",
    "insert",
    "add",
    "remove",
    "discard",
    "clear",
    "sort",
    "reverse",
    *SPREADING,
}
_FRESH_RESULT = {"deepcopy", "range", "len", "str", "sum", "keys", "heappush", "insort", *_NOTHING}
_FRESH = {CallKind.LEAF, CallKind.RECORDABLE, CallKind.PRIMITIVE}
_STANDARD = frozenset({"*", *sys.stdlib_module_names})


class Evaluation:
    """Evaluates expressions to objects; what they make is put on the heap.

    `iterators` and `generators` are the objects that iterating over them changes, `code` the functions.
    """

    def __init__(self, classified: Classified, names: Names, heap: Heap) -> None:
        self.iterators: set[Object] = set()
        self.code: set[Object] = set()
        self.generators: set[Object] = set()
        self.functions = {
            (scope.parent, scope.node.name): scope
            for scope in names.root.walk()
            if isinstance(scope.node, FUNCTIONS) and scope.parent is not None
        }
        self._classified = classified
        self._names = names
        self._heap = heap

    def of(self, node: ast.AST | None) -> Objects:
        """The objects an expression may evaluate to; none for what is immutable."""
        if node is None or isinstance(node, ast.Constant) or node in self._classified.immutable:
            return NOTHING
        match node:
            case ast.Name():
                owner = self._names.of.get(node)
                return self._heap.value((owner, node.id)) if owner is not None else NOTHING
            case ast.Attribute() | ast.Subscript():
                return contents(self.of(node.value))
            case ast.Await() | ast.Starred() | ast.NamedExpr():
                return self.of(node.value)
            case ast.Call():
                return self._call(node)
            case ast.IfExp():
                return self.of(node.body) | self.of(node.orelse)
            case ast.BoolOp():
                return frozenset().union(*map(self.of, node.values))
            case ast.BinOp(op=ast.Add() | ast.BitOr() | ast.Mult()):
                return self._combined(node)
            case ast.Lambda():
                return frozenset({self.function(node, self._free(node))})
            case ast.Compare() | ast.JoinedStr() | ast.UnaryOp() | ast.BinOp():
                return NOTHING
        made = self._heap.made(node, self._elements(node))
        if isinstance(node, ast.GeneratorExp):
            self.generators.add(made)
        return frozenset({made})

    def _elements(self, node: ast.AST) -> Objects:
        """What a display, comprehension or any other expression puts into the object it makes."""
        if isinstance(node, ast.DictComp):
            parts: list[ast.AST] = [node.key, node.value]
        elif isinstance(node, ast.ListComp | ast.SetComp | ast.GeneratorExp):
            parts = [node.elt]
        else:
            parts = [child for child in children(node) if isinstance(child, ast.expr)]
        spread = (contents(self.of(one)) for one in parts if isinstance(one, ast.Starred))
        return frozenset().union(
            *spread, *(self.of(one) for one in parts if not isinstance(one, ast.Starred))
        )

    def function(self, node: ast.AST, holds: Objects) -> Object:
        """A function, which is no state: a call may change what it holds, but not the function."""
        made = self._heap.made(node, holds)
        self.code.add(made)
        return made

    def _combined(self, node: ast.BinOp) -> Objects:
        operands = self.of(node.left) | self.of(node.right)
        return frozenset({self._heap.made(node, contents(operands))}) if operands else NOTHING

    def _free(self, function: ast.AST) -> Objects:
        """A function holds what its free names refer to."""
        scope = self._names.scopes[function]
        inside = set(scope.walk())
        owners = {(inner.owner(name), name) for inner in inside for name in inner.uses}
        free = (one for one in owners if one[0] is not None and one[0] not in inside)
        return frozenset().union(*map(self._heap.value, free))

    # -- calls

    def arguments(self, node: ast.Call) -> Objects:
        """The objects that a call is given, by position, by name and by stars."""
        info = self._classified.calls.get(node)
        if info is not None and info.maps:
            return contents(frozenset().union(*map(self.of, node.args[1:])))
        values = [*node.args, *(keyword.value for keyword in node.keywords)]
        plain = (self.of(one) for one in values if not isinstance(one, ast.Starred))
        spread = (contents(self.of(one)) for one in values if isinstance(one, ast.Starred))
        return frozenset().union(*plain, *spread)

    def receiver(self, node: ast.Call) -> Objects:
        """The objects whose method is called."""
        return self.of(node.func.value) if isinstance(node.func, ast.Attribute) else NOTHING

    def _generator(self, node: ast.Call, inner: Scope) -> Objects:
        """What calling a generator function makes: an object that goes on with the arguments it was given."""
        own = _own_nodes(inner.node)
        if not any(isinstance(one, ast.Yield | ast.YieldFrom) for one in own):
            return NOTHING
        made = self._heap.opaque(node)
        self._heap.hold(reach([made]), reach(self.arguments(node) | self._free(inner.node)))
        return frozenset({made})

    def closure(self, node: ast.Call) -> Objects:
        """What the functions close over that a call may reach by a value, not by their own name."""
        info = self._classified.calls.get(node)
        if self.local(node) is not None or info is None or info.kind in _FRESH:
            return NOTHING
        called = contents(self.of(node.func)) if not isinstance(node.func, ast.Attribute) else NOTHING
        defined = [one.node for one in info.targets if isinstance(one, ProjectFunction)]
        inner = (self._free(one) for one in defined if one in self._names.scopes)
        return frozenset(called).union(*inner)

    def _call(self, node: ast.Call) -> Objects:
        """What a call evaluates to; iterators are noted, since iterating over one changes it."""
        found = self._result(node)
        if node in self._classified.iterators:
            (self.generators if self.is_of_project(node) else self.iterators).update(found)
        return found

    def is_of_project(self, call: ast.Call) -> bool:
        """Whether a function of the project, or one that is not known, is called."""
        info = self._classified.calls.get(call)
        return info is None or ":" in info.callee

    def _result(self, node: ast.Call) -> Objects:
        info = self._classified.calls.get(node)
        inner = self.local(node)
        if inner is not None:
            return self._heap.value((inner, "return")) | self._generator(node, inner)
        if info is not None and info.callee in SIDE:
            return self.of(value_of(info.callee, node))
        if info is not None and info.kind in _FRESH and info.callee not in (PARALLEL, RACE):
            return frozenset({self._heap.opaque(node)})
        sources = self.arguments(node) | self.receiver(node) | self.closure(node)
        if info is not None and info.kind is CallKind.PURE:
            known = self._known(node, info, sources)
            if known is not None:
                return known
        everything = frozenset(reach(sources))
        made = self._heap.opaque(node)
        self._heap.hold(reach([made]) - self.code, everything)
        return everything | {made}

    def _known(self, node: ast.Call, info: CallInfo, sources: Objects) -> Objects | None:
        """Standard operations whose result is a new container of the same elements, or one of them."""
        name = info.name
        is_standard = ":" not in info.callee and info.callee.partition(".")[0] in _STANDARD
        if isinstance(info.target, ProjectClass) or (is_standard and name[:1].isupper()):
            made = self._heap.opaque(node)
            self._heap.hold([made], sources)
            return frozenset({made})
        if not is_standard:
            return None
        if name in _COPIES:
            return frozenset({self._heap.made(node, contents(sources))})
        if name in _PAIRS:
            pair = self._heap.made((node, "pair"), contents(sources))
            return frozenset({self._heap.made(node, [pair])})
        if name in _ELEMENTS:
            return contents(sources) | self.arguments(node)
        return frozenset({self._heap.made(node)}) if name in _FRESH_RESULT else None

    def local(self, node: ast.Call) -> Scope | None:
        """The nested function that is called by its name."""
        return self.called(node.func)

    def called(self, function: ast.expr) -> Scope | None:
        """The nested function that a name means."""
        if not isinstance(function, ast.Name):
            return None
        owner = self._names.of.get(function)
        return self.functions.get((owner, function.id)) if owner is not None else None

    def block(self, node: ast.Call) -> Scope | None:
        """The nested function that a call lets run as a side chain."""
        info = self._classified.calls.get(node)
        if info is None or not info.scoped or not isinstance(info.target, ProjectFunction):
            return None
        return self._names.scopes.get(info.target.node)


def _own_nodes(function: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a function without those of the functions inside it."""
    stack = children(function)
    while stack:
        node = stack.pop()
        yield node
        if not isinstance(node, (*FUNCTIONS, ast.Lambda, ast.ClassDef)):
            stack.extend(children(node))
