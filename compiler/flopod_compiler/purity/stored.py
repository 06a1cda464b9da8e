"""Which functions a variable may hold: by its bindings, and by what its uses put into a container."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING

from flopod_compiler.names import Binding, How, Names, Scope
from flopod_compiler.purity.binding import bind_arguments, default_of
from flopod_compiler.purity.callee import Part, Path, Values, either
from flopod_compiler.purity.uses import Use, added, is_reading

if TYPE_CHECKING:
    from flopod_compiler.purity.functions import FunctionValues


class StoredValues:
    """Reads variables; `values` reads the expressions that are bound to them."""

    def __init__(self, values: FunctionValues, names: Names) -> None:
        self._values = values
        self._names = names
        self._active: set[tuple[Scope, str, Path]] = set()

    def of(self, name: str, scope: Scope, path: Path) -> Values:
        """The functions at a path inside the value of a variable, as seen from a scope."""
        owner, bindings = self._names.lookup(name, scope)
        if owner is None or owner.parent is None or not bindings:
            return None
        key = (owner, name, path)
        if key in self._active:
            return []
        self._active.add(key)
        try:
            bound = (self._binding(name, owner, one, path) for one in bindings)
            used = (self._use(one, path) for one in self._uses(name, owner) if path)
            return either(chain(bound, used))
        finally:
            self._active.discard(key)

    def _binding(self, name: str, owner: Scope, binding: Binding, path: Path) -> Values:
        if binding.how in (How.DELETE, How.DECLARE):
            return []
        if binding.how is How.PARAMETER:
            return self._parameter(name, owner, path)
        if binding.how is How.AUGMENT and binding.value is not None and path:
            return self._values.at(binding.value, binding.scope, (Part.EACH, *path[1:]))
        if binding.how in (How.ASSIGN, How.UNPACK) and binding.value is not None:
            return self._unpacked(binding, (), path)
        if binding.how is How.FOR and binding.value is not None:
            return self._unpacked(binding, (Part.EACH,), path)
        symbols = self._names.meaning(name, owner, binding)
        return either([self._values.symbol(one, owner, path) for one in symbols]) if symbols else None

    def _unpacked(self, binding: Binding, before: Path, path: Path) -> Values:
        """Follow the path of an unpacking; what a starred target takes has elements of unknown places."""
        assert binding.value is not None
        node = binding.node
        if isinstance(node, ast.AsyncFor) or (isinstance(node, ast.comprehension) and node.is_async):
            return None
        places: Path = binding.path
        if -1 in places:
            if places.index(-1) != len(places) - 1 or not path:
                return None
            places, path = places[:-2], (Part.EACH, *path[1:])
        return self._values.at(binding.value, binding.scope, (*before, *places, *path))

    # --- parameters of inner functions ----------------------------------------------------------------

    def _parameter(self, name: str, owner: Scope, path: Path) -> Values:
        """What the calls of a function nested in another give to one of its parameters."""
        node, outside = owner.node, owner.parent
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or outside is None:
            return None
        if isinstance(outside.node, ast.Module | ast.ClassDef) or node.decorator_list:
            return None
        if any(rest is not None and rest.arg == name for rest in (node.args.vararg, node.args.kwarg)):
            return None
        default = default_of(node, name)
        found = [self._values.at(default, outside, path)] if default is not None else []
        for use in self._uses(node.name, outside):
            if (
                not isinstance(use.parent, ast.Call)
                or use.parent.func is not use.node
                or _spreads(use.parent)
            ):
                return None
            given = bind_arguments(use.parent, node, None).get(name, [])
            found += [self._values.at(one, use.scope, path) for one in given]
        return either(found) if found else None

    # --- what happens to a container ------------------------------------------------------------------

    def _uses(self, name: str, owner: Scope) -> Iterator[Use]:
        """Every place that reads a variable, inner functions included."""
        parents = self._names.tree_holding(owner).parents
        stack = [owner]
        while stack:
            scope = stack.pop()
            stack.extend(scope.children)
            for load in scope.loads:
                if load.id == name and self._names.lookup(name, scope)[0] is owner:
                    yield Use(load, scope, parents)

    def _use(self, use: Use, path: Path) -> Values:
        """What one use of a container puts into it; None when it might be anything."""
        if is_reading(use, self._names):
            return []
        more = added(use)
        if more is None:
            return None
        rest = path[1:]
        found = [self._values.inner(one, use.scope, rest) for one in more.elements]
        return either(found + [self._values.at(one, use.scope, (Part.EACH, *rest)) for one in more.spread])


def _spreads(call: ast.Call) -> bool:
    return any(isinstance(one, ast.Starred) for one in call.args) or any(
        one.arg is None for one in call.keywords
    )
