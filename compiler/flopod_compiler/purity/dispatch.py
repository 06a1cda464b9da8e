"""The target of a call of a local variable or of an item: lambdas, callable objects, tables of functions."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TYPE_CHECKING

from flopod_compiler.model import (
    CallKind,
    External,
    Local,
    ModuleValue,
    ProjectClass,
    ProjectFunction,
    Unknown,
)
from flopod_compiler.names import How, Scope
from flopod_compiler.parse import shortened
from flopod_compiler.purity.target import Target, last_name, merge, unresolved
from flopod_compiler.types import Types

if TYPE_CHECKING:
    from flopod_compiler.purity.targets import Targets


class ValueTargets:
    """Finds what a call reaches whose function is a value."""

    def __init__(self, targets: Targets) -> None:
        self.targets = targets
        self.names = targets.names
        self.types = targets.types

    def local(self, symbol: Local, scope: Scope) -> Target:
        """A call of a local variable: a lambda, an object with `__call__`, else not known."""
        _, bindings = self.names.lookup(symbol.name, scope)
        if bindings and all(isinstance(binding.value, ast.Lambda) for binding in bindings):
            return Target(CallKind.PURE, symbol.name, symbol.name, symbol, False, frozenset({"*"}))
        callable_type = self._callable(self.types.variable(symbol.name, scope))
        if callable_type is not None:
            return replace(self.targets.function(callable_type, bound=True), name=symbol.name)
        is_parameter = any(binding.how is How.PARAMETER for binding in bindings)
        what = "a parameter" if is_parameter else "a variable"
        reason = f"`{symbol.name}` is {what} whose value is not known here"
        return replace(unresolved(symbol.name, reason, symbol), parameter=symbol.name)

    def _callable(self, types: Types) -> ProjectFunction | None:
        """The `__call__` of a value of one project class."""
        if types is None or len(types) != 1:
            return None
        (one,) = types
        member = self.names.class_member(one.cls, "__call__") if one.cls is not None else None
        return member if isinstance(member, ProjectFunction) else None

    def dispatch(self, func: ast.Subscript, call: ast.Call, scope: Scope) -> Target | None:
        """`handlers[kind](x)` over a display of functions that nothing changes."""
        base = self.names.resolve(func.value, scope)
        display, inner = func.value, scope
        if isinstance(base, ModuleValue) and base.value is not None and self.targets.is_fixed(base):
            tree = self.names.module(base.module)
            assert tree is not None
            display, inner = base.value, tree.root
        elif isinstance(base, Local):
            _, bindings = self.names.lookup(base.name, scope)
            if len(bindings) != 1 or bindings[0].how is not How.ASSIGN or bindings[0].value is None:
                return None
            display, inner = bindings[0].value, bindings[0].scope
        values = _displayed(display)
        if not values:
            return None
        targets = [self._value_target(value, call, inner) for value in values]
        return replace(merge(last_name(func.value), targets), name=last_name(func.value))

    def _value_target(self, value: ast.expr, call: ast.Call, scope: Scope) -> Target:
        if isinstance(value, ast.Lambda):
            inner = self.names.scope(value)
            kinds = [self.targets.of(one, inner).kind for one in inner.calls]
            if all(kind is CallKind.PURE for kind in kinds):
                return Target(
                    CallKind.PURE, "<lambda>", "<lambda>", Unknown("a lambda"), False, frozenset({"*"})
                )
            return unresolved("<lambda>", "it may be a lambda with effects", Unknown("a lambda"))
        symbols = self.names.candidates(value, scope)
        if len(symbols) == 1 and isinstance(symbols[0], External | ProjectFunction | ProjectClass):
            return self.targets.symbol(
                symbols[0], ast.copy_location(ast.Call(value, call.args, call.keywords), call), scope
            )
        return unresolved(
            shortened(value), f"`{shortened(value)}` is not a function that is known", symbols[0]
        )


def _displayed(expr: ast.expr) -> list[ast.expr]:
    """The values of a dict, list or tuple display."""
    if isinstance(expr, ast.Dict):
        return [] if any(key is None for key in expr.keys) else expr.values
    if isinstance(expr, ast.List | ast.Tuple):
        return [] if any(isinstance(one, ast.Starred) for one in expr.elts) else expr.elts
    return []
