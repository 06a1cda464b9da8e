"""Which objects running code may change in place."""

from __future__ import annotations

import ast

from flopod_compiler.analyse.evaluation import Evaluation
from flopod_compiler.analyse.heap import NOTHING, Object, Objects, reach
from flopod_compiler.analyse.scopes import Names, Scope
from flopod_compiler.knowledge.beside import BESIDE, bound_to, callbacks, value_of
from flopod_compiler.model import CallInfo, CallKind, Classified

_SHALLOW = ("builtins.", "collections.", "heapq.", "bisect.")
_CHANGING = (
    *(ast.Attribute, ast.Subscript, ast.AugAssign, ast.For, ast.AsyncFor, ast.comprehension, ast.Call),
)


class Mutation:
    """Says what code changes, with the objects of its expressions as `values` found them."""

    def __init__(self, classified: Classified, names: Names, values: Evaluation) -> None:
        self._classified = classified
        self._names = names
        self._values = values

    def below(self, node: ast.AST) -> set[Object]:
        """The objects that running `node`, or what is below it, may change in place."""
        return self._all_below(node, frozenset())

    def _all_below(self, node: ast.AST, active: frozenset[Scope]) -> set[Object]:
        changes = self._classified.changes
        below = self._names.index.below(node)
        changing = (one for one in below if isinstance(one, _CHANGING) or one in changes)
        return set().union(*(self._mutations(one, active) for one in changing))

    def _mutations(self, node: ast.AST, active: frozenset[Scope]) -> set[Object]:
        implicit = self._classified.changes.get(node, ())
        return self._written(node, active).union(*(reach(self._values.of(one)) for one in implicit))

    def _written(self, node: ast.AST, active: frozenset[Scope]) -> set[Object]:
        match node:
            case ast.Attribute() | ast.Subscript() if not isinstance(node.ctx, ast.Load):
                return self._at(node.value)
            case ast.AugAssign(target=ast.Name() as target):
                return set(self._values.of(target))
            case ast.For() | ast.AsyncFor() | ast.comprehension():
                return self._advanced(node.iter)
            case ast.Call():
                return self._call_mutations(node, active)
        return set()

    def _at(self, node: ast.expr) -> set[Object]:
        """The objects of an expression that is changed; where none is known, all that its root reaches."""
        objects = set(self._values.of(node))
        while not objects and isinstance(node, ast.Attribute | ast.Subscript | ast.Call):
            node = node.func if isinstance(node, ast.Call) else node.value
            objects = reach(self._values.of(node))
        return objects

    def _advanced(self, iterable: ast.expr) -> set[Object]:
        """What iterating changes: an iterator itself, and all that a generator of the project holds.

        An iterator that is made in the header is nobody else's; what it iterates over may be another one.
        """
        if isinstance(iterable, ast.Call) and not self._values.is_of_project(iterable):
            return set().union(*map(self._advanced, iterable.args))
        objects = self._values.of(iterable)
        return set(objects & self._values.iterators) | reach(objects & self._values.generators)

    def _call_mutations(self, node: ast.Call, active: frozenset[Scope]) -> set[Object]:
        info, inner = self._classified.calls.get(node), self._values.local(node)
        if inner is not None:
            return self._by_nested(inner, active)
        if info is None:
            return set()
        if info.callee in BESIDE:
            return self._beside(node, info, active)
        if info.kind is CallKind.WORKFLOW:
            return reach(self._values.arguments(node) | self._values.closure(node)) - self._values.code
        if info.kind is CallKind.PURE and info.name == "next":
            return set(self._values.arguments(node)).union(*map(self._advanced, node.args[:1]))
        return set().union(*(self._changed_argument(node, info, where) for where in info.mutates))

    def _by_nested(self, inner: Scope, active: frozenset[Scope]) -> set[Object]:
        return set() if inner in active else self._all_below(inner.node, active | {inner})

    def _beside(self, node: ast.Call, info: CallInfo, active: frozenset[Scope]) -> set[Object]:
        """What a side chain changes, and what the callbacks of a call do in the main line."""
        block, value = self._values.block(node), value_of(info.callee, node)
        found = self._by_nested(block, active) if block is not None else set()
        if (info.scoped and block is None) or any(isinstance(one, int) for one in info.mutates):
            found |= reach(self._values.of(value))
        for name, function in callbacks(node):
            if name in info.mutates:
                inner = self._values.called(function)
                found |= reach(self._values.of(function)) if inner is None else self._by_nested(inner, active)
        for bound in bound_to(node, info.mutates):
            found |= self._at(bound)
        return found - self._values.code

    def _changed_argument(self, node: ast.Call, info: CallInfo, where: int | str) -> set[Object]:
        if where == "*":
            given = self._values.arguments(node) | self._values.receiver(node)
            return reach(given | self._values.closure(node)) - self._values.code
        if where == "self":
            objects: set[Object] | Objects = (
                self._at(node.func.value) if isinstance(node.func, ast.Attribute) else set()
            )
        elif isinstance(where, int):
            objects = self._values.of(node.args[where]) if where < len(node.args) else NOTHING
        else:
            objects = frozenset().union(
                *(self._values.of(one.value) for one in node.keywords if one.arg == where)
            )
        return set(objects) if info.callee.startswith(_SHALLOW) else reach(objects)
