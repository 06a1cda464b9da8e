"""One function while its state is decided: its durable loops, and who binds and mentions its names."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from functools import cached_property

from flopod_compiler.analyse.index import Index
from flopod_compiler.analyse.liveness import LOOPS, Liveness, Loop
from flopod_compiler.analyse.scopes import Binding, Names, Scope
from flopod_compiler.model import Classified, FunctionNode

Block = FunctionNode | Loop


class Frame:
    """A function, the scope of its names, and its durable loops, outermost first."""

    def __init__(
        self, classified: Classified, function: FunctionNode, names: Names, durable: set[ast.AST]
    ) -> None:
        self.classified = classified
        self.function = function
        self.names = names
        self.index = names.index
        self.scope = names.scopes[function]
        self.loops = _durable_loops(function, durable, names.index)
        self._durable = durable
        self._bound: dict[Loop, frozenset[str]] = {}
        self._writers: dict[str, list[Binding]] = {}

    @cached_property
    def liveness(self) -> Liveness:
        return Liveness(self.names, self.scope, self.classified.passing)

    # -- loops

    def around(self, loop: Loop) -> list[Loop]:
        """The other durable loops that a loop stands in."""
        return [one for one in self.loops if one is not loop and self.index.within(loop, one)]

    def repeating(self, nodes: Iterable[ast.AST]) -> list[Loop]:
        """The durable loops in whose bodies all these nodes stand, outermost first."""
        every = list(nodes)
        return [loop for loop in self.loops if all(self._in_body(one, loop) for one in every)]

    def is_in_plain_loop(self, statement: ast.stmt) -> bool:
        """Whether a loop without durable work repeats the statement."""
        return any(
            isinstance(one, LOOPS) and one not in self._durable and self.index.within(statement, one)
            for one in self.index.below(self.function)
        )

    def _in_body(self, node: ast.AST, loop: Loop) -> bool:
        return any(self.index.within(node, part) for part in loop.body)

    # -- names

    def enclosing(self) -> Iterator[Scope]:
        """The scopes around the function's own, innermost first."""
        scope = self.scope.parent
        while scope is not None:
            yield scope
            scope = scope.parent

    def writers(self, name: str) -> list[Binding]:
        """Every binding of a variable of the function."""
        found = self._writers.get(name)
        if found is None:
            found = self._writers[name] = self.names.writers(self.scope, name)
        return found

    def mentions(self, name: str) -> set[ast.AST]:
        """Every occurrence of a variable of the function."""
        return {
            one
            for scope in self.scope.walk()
            for one in scope.uses.get(name, ())
            if self.names.of.get(one) is self.scope
        }

    def bound_in(self, loop: Loop) -> frozenset[str]:
        """The variables that an iteration may bind, itself or by a nested function."""
        found = self._bound.get(loop)
        if found is None:
            names = {*self.scope.bindings, *self.scope.parameters}
            found = self._bound[loop] = frozenset(one for one in names if self._is_bound_in(one, loop))
        return found

    def carried(self, loop: Loop) -> frozenset[str]:
        """The variables that an iteration may bind and somebody wants after it."""
        return self.bound_in(loop) & self.liveness.live_out(loop)

    def _is_bound_in(self, name: str, loop: Loop) -> bool:
        own = self.scope.bindings.get(name, ())
        return any(self.index.within(one.node, loop) or one not in own for one in self.writers(name))

    def is_rebound_within(self, owner: Scope, name: str) -> bool:
        """Whether a function nested in a scope assigns a variable of it."""
        own = owner.bindings.get(name, ())
        return any(writer not in own for writer in self.names.writers(owner, name))


def _durable_loops(function: FunctionNode, durable: set[ast.AST], index: Index) -> list[Loop]:
    """Those of a nested function or of a class body are not among them."""
    found: list[Loop] = []
    for node in index.below(function):
        if isinstance(node, LOOPS) and node in durable:
            holder = index.parents[node]
            while holder is not function and not isinstance(holder, ast.ClassDef):
                holder = index.parents[holder]
            if holder is function:
                found.append(node)
    return found
