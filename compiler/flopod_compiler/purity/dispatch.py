"""The target of a call whose function is a value: a variable, an item of a table, a partial, a lambda."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TYPE_CHECKING

from flopod_compiler.model import CallKind, Local, ProjectFunction, Symbol, Unknown
from flopod_compiler.names import How, Scope
from flopod_compiler.parse import shortened
from flopod_compiler.purity.callee import Callee
from flopod_compiler.purity.functions import FunctionValues
from flopod_compiler.purity.target import Target, last_name, merge, unresolved
from flopod_compiler.types import Types

if TYPE_CHECKING:
    from flopod_compiler.purity.targets import Targets

_ANYTHING: frozenset[int | str] = frozenset({"*"})


class ValueTargets:
    """Finds what a call reaches whose function is a value."""

    def __init__(self, targets: Targets) -> None:
        self.targets = targets
        self.names = targets.names
        self.types = targets.types
        self.functions = FunctionValues(targets)

    def local(self, symbol: Local, call: ast.Call, scope: Scope) -> Target:
        """A call of a local variable: an object with `__call__`, functions that are known, else not known."""
        callable_type = self._callable(self.types.variable(symbol.name, scope))
        found: Target | None
        if callable_type is not None:
            found = self.targets.function(callable_type, bound=True)
            return replace(found, name=symbol.name, receiver=call.func)
        found = self.of(call.func, call, scope)
        if found is not None:
            return found
        _, bindings = self.names.lookup(symbol.name, scope)
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

    def of(self, func: ast.expr, call: ast.Call, scope: Scope) -> Target | None:
        """A call of an expression whose functions are all known; None when they are not.

        One function gives its own name to the call; of several, the place where they are kept.
        """
        values = self.functions.of(func, scope)
        targets = [self._target(one, call) for one in values]
        if not targets:
            return None
        if len(targets) == 1 and not isinstance(func, ast.Subscript):
            return targets[0]
        return replace(merge(_called(func), targets), name=_called(func))

    def _target(self, value: Callee, call: ast.Call) -> Target:
        if value.symbol is not None:
            return self._defined(value.symbol, call, value.scope)
        match value.expr:
            case ast.Lambda() as function:
                return self._lambda(function, value.scope)
            case ast.Call() as made:
                return self._partial(made, call, value.scope)
            case ast.Attribute() as method:
                found = self.targets.methods.of(method, _called_as(method, call), value.scope)
                return replace(found, receiver=method.value)
        raise AssertionError("a value of functions is a definition or one of three expressions")

    def _defined(self, symbol: Symbol, call: ast.Call, scope: Scope) -> Target:
        found = self.targets.symbol(symbol, call, scope)
        if found.known is not None and found.known.refused:
            return unresolved(found.name, f"it may be {found.callee}", symbol)
        return found

    def _lambda(self, function: ast.Lambda, scope: Scope) -> Target:
        """A lambda of a function is checked where it stands; one of a module has to be pure by the tables."""
        inner = self.names.scope(function)
        if isinstance(scope.node, ast.Module | ast.ClassDef) and any(
            self.targets.of(one, inner).kind is not CallKind.PURE for one in inner.calls
        ):
            return unresolved("<lambda>", "it may be a lambda with effects", Unknown("a lambda"))
        return Target(CallKind.PURE, "<lambda>", "<lambda>", Unknown("a lambda"), False, _ANYTHING)

    def _partial(self, made: ast.Call, call: ast.Call, scope: Scope) -> Target:
        """`partial(f, ...)`: what `f` is, given more arguments than are written at the call."""
        whole = ast.Call(made.args[0], [*made.args[1:], *call.args], [*made.keywords, *call.keywords])
        ast.copy_location(whole, call)
        values = self.functions.of(made.args[0], scope)
        targets = [self._target(one, whole) for one in values]
        if not targets:
            reason = f"`{shortened(made.args[0])}` is not a function that is known"
            return unresolved(shortened(made), reason, Unknown(reason))
        found = merge(last_name(made.args[0]), targets)
        return replace(found, whole=whole) if found.whole is None else found


def _called_as(func: ast.expr, call: ast.Call) -> ast.Call:
    return ast.copy_location(ast.Call(func, call.args, call.keywords), call)


def _called(func: ast.expr) -> str:
    """The name of a call of one of several functions: that of the variable or table they come from."""
    if isinstance(func, ast.Subscript):
        return last_name(func.value)
    if isinstance(func, ast.Call):
        inner = func.args[0] if func.args and not isinstance(func.func, ast.Attribute) else func.func
        return _called(inner.value if isinstance(inner, ast.Attribute) else inner)
    return last_name(func)
