"""Which module-level variables are constants: pure expressions that nothing in the project changes later."""

from __future__ import annotations

import ast
from collections.abc import Callable

from flopod_compiler.knowledge.recordables import ENVIRONMENT, ENVIRONMENT_VALUES
from flopod_compiler.model import CallKind, External, ModuleValue, ProjectFunction
from flopod_compiler.names import How, Names, Scope
from flopod_compiler.purity.changes import Changes
from flopod_compiler.purity.targets import Targets

_IMPURE_NODES = (ast.Await, ast.Yield, ast.YieldFrom)
IsPure = Callable[[ProjectFunction], bool]
IsConstant = Callable[[ModuleValue], bool]


class Constants:
    """Decides for module-level variables; `is_constant` gives decisions that are made already."""

    def __init__(
        self, names: Names, targets: Targets, is_pure: IsPure, is_constant: IsConstant, changes: Changes
    ) -> None:
        self.names = names
        self.targets = targets
        self.is_pure = is_pure
        self.is_constant = is_constant
        self.changes = changes

    def decide(self, value: ModuleValue) -> bool:
        """Whether a variable has the same value in every process that imports the module."""
        return self.is_stable(value) and self.changed_at(value) is None

    def is_stable(self, value: ModuleValue) -> bool:
        """Whether the expression it is assigned is pure, whatever happens to it later."""
        if value.name in ("__name__", "__package__", "__doc__"):
            return True
        tree = self.names.module(value.module)
        if tree is None or tree.root.too_deep is not None:
            return False
        if value.value is not None:
            return self.is_pure_expression(value.value, tree.root)
        return self._is_declared_type(value, tree.root)

    def changed_at(self, value: ModuleValue) -> tuple[str, ast.AST] | None:
        """Where the project changes a variable or its object after its definition: module and node."""
        return self.changes.of(value)

    def is_pure_expression(self, expr: ast.expr, scope: Scope) -> bool:
        """Whether evaluating an expression gives an equal value each time, without effects."""
        for node in ast.walk(expr):
            if isinstance(node, _IMPURE_NODES):
                return False
            if isinstance(node, ast.Name | ast.Attribute) and not self._is_pure_name(node, scope):
                return False
            if isinstance(node, ast.Call) and not self._is_pure_call(node, scope):
                return False
        return True

    def _is_declared_type(self, value: ModuleValue, root: Scope) -> bool:
        bindings = root.bindings.get(value.name, [])
        return bool(bindings) and all(binding.how is How.TYPE for binding in bindings)

    def _is_pure_name(self, node: ast.Name | ast.Attribute, scope: Scope) -> bool:
        for symbol in self.names.candidates(node, self._scope_of(node, scope)):
            if isinstance(symbol, ModuleValue) and not self.is_constant(symbol):
                return False
            if isinstance(symbol, External) and (
                symbol.qualified in ENVIRONMENT_VALUES or symbol.qualified == ENVIRONMENT
            ):
                return False
        return True

    def _is_pure_call(self, node: ast.Call, scope: Scope) -> bool:
        target = self.targets.of(node, self._scope_of(node, scope))
        if target.kind is None:
            return all(self.is_pure(run) for run in target.runs)
        return target.kind is CallKind.PURE or target.callee == "flopod.activity"

    def _scope_of(self, node: ast.AST, scope: Scope) -> Scope:
        tree = self.names.module(scope.module.name)
        return tree.inner.get(node, scope) if tree is not None else scope
