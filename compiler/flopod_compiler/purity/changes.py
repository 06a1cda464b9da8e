"""Where a project changes its module-level variables: by `global`, attributes, items and methods, also those
of its own classes that change the object they are called on.

Only modules that may change what has the name are read, and each of them once.
"""

from __future__ import annotations

import ast
from collections.abc import Callable

from flopod_compiler.knowledge.methods import MUTATORS, changes_receiver
from flopod_compiler.model import ModuleValue
from flopod_compiler.names import How, Names, Scope
from flopod_compiler.purity.instances import Instances
from flopod_compiler.types import Inference

Place = tuple[str, ast.AST]
Places = dict[tuple[str, str], Place]


class Changes:
    """Finds the first place that changes a variable after its definition; `changed_in` reads one module."""

    def __init__(self, names: Names, changed_in: Callable[[str], Places]) -> None:
        self.names = names
        self._changed_in = changed_in

    def of(self, value: ModuleValue) -> Place | None:
        """The first place that changes a module-level variable or what it holds; None when nothing does."""
        own = self._rebound(value)
        if own is not None:
            return own
        for name in self.names.program.changing(value.name):
            place = self._changed_in(name).get((value.module, value.name))
            if place is not None:
                return place
        return None

    def _rebound(self, value: ModuleValue) -> Place | None:
        tree = self.names.module(value.module)
        bindings = tree.root.bindings.get(value.name, []) if tree is not None else []
        for binding in bindings:
            if binding.how is How.DELETE or (binding.how is How.AUGMENT and len(bindings) > 1):
                return (value.module, binding.node)
        return None


class ModuleChanges:
    """Reads a module: which variables, of whatever module, it changes, and the first place of each."""

    def __init__(self, names: Names, types: Inference) -> None:
        self.names = names
        self.types = types
        self._instances = Instances(names)
        self._places: Places = {}

    def of(self, name: str) -> Places:
        """The places in the module of that name, by the variables' modules and names."""
        tree = self.names.module(name)
        assert tree is not None
        scopes = list(tree.scopes)
        for node in list(tree.functions):
            scopes.extend(self.names.tree(node).scopes)
        for scope in dict.fromkeys(scopes):
            self._read_scope(name, scope)
        return self._places

    def _read_scope(self, name: str, scope: Scope) -> None:
        for bound in scope.globals:
            for binding in scope.bindings.get(bound, ())[:1]:
                self._places.setdefault((name, bound), (name, binding.node))
        for store in scope.stores:
            self._change(name, store.value, scope, store)
            if isinstance(store, ast.Attribute):
                self._rebind(name, store, scope)
        for call in scope.calls:
            func = call.func
            if isinstance(func, ast.Attribute) and self._may_change(func, scope):
                self._change(name, func.value, scope, call)

    def _may_change(self, func: ast.Attribute, scope: Scope) -> bool:
        types = self.types.of(func.value, scope)
        if types is None:
            return func.attr in MUTATORS
        return any(
            self._instances.is_changed_by(one.cls, func.attr)
            if one.cls is not None
            else func.attr in MUTATORS and changes_receiver(one.name, func.attr)
            for one in types
        )

    def _change(self, name: str, expr: ast.expr, scope: Scope, node: ast.AST) -> None:
        """Count a change of what `expr` leads to, if it starts at a module-level variable."""
        while isinstance(expr, ast.Attribute | ast.Subscript):
            if self._note(name, expr, scope, node):
                return
            expr = expr.value
        self._note(name, expr, scope, node)

    def _rebind(self, name: str, store: ast.Attribute, scope: Scope) -> None:
        """`settings.LIMIT = 3` from another module."""
        load = ast.copy_location(ast.Attribute(store.value, store.attr, ast.Load()), store)
        self._note(name, load, scope, store)

    def _note(self, name: str, expr: ast.expr, scope: Scope, node: ast.AST) -> bool:
        if not isinstance(expr, ast.Name | ast.Attribute):
            return False
        for symbol in self.names.candidates(expr, scope):
            if isinstance(symbol, ModuleValue):
                self._places.setdefault((symbol.module, symbol.name), (name, node))
                return True
        return False
