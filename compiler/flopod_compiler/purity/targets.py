"""From a call to what it reaches: a verdict by table, or project functions whose purity decides."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import replace

from flopod_compiler.knowledge import external
from flopod_compiler.knowledge.author import AT_ONCE, ATTEMPT, canonical
from flopod_compiler.knowledge.stdlib import is_pure_base
from flopod_compiler.model import (
    CallKind,
    External,
    Local,
    ModuleValue,
    ProjectClass,
    ProjectFunction,
    ProjectModule,
    Symbol,
    Unknown,
)
from flopod_compiler.names import Names, Scope, describe
from flopod_compiler.parse import shortened
from flopod_compiler.purity.dispatch import ValueTargets
from flopod_compiler.purity.hierarchy import Hierarchy
from flopod_compiler.purity.marks import Declared, Marks
from flopod_compiler.purity.methods import MethodTargets, is_super
from flopod_compiler.purity.target import Target, last_name, merge, unresolved
from flopod_compiler.types import Inference
from flopod_compiler.types.model import AWAITABLE

_GETTERS = frozenset({"operator.attrgetter", "operator.itemgetter"})


class Targets:
    """Finds the target of calls, for helpers and workflow bodies alike."""

    def __init__(self, names: Names, types: Inference, marks: Marks) -> None:
        self.names = names
        self.types = types
        self.marks = marks
        self.hierarchy = Hierarchy(names)
        self.methods = MethodTargets(self)
        self.values = ValueTargets(self)
        self.is_fixed: Callable[[ModuleValue], bool] = _never
        self._found: dict[ast.Call, Target] = {}

    def of(self, call: ast.Call, scope: Scope) -> Target:
        """What a call that stands in `scope` reaches."""
        found = self._found.get(call)
        if found is None:
            found = self._found[call] = self._find(call, scope)
        return found

    def _find(self, call: ast.Call, scope: Scope) -> Target:
        func = call.func
        if isinstance(func, ast.Call):
            return self._called_result(func, call, scope)
        if isinstance(func, ast.Lambda):
            return Target(CallKind.PURE, "<lambda>", "<lambda>", Unknown("a lambda"))
        if isinstance(func, ast.Attribute) and is_super(func.value):
            return self.methods.of_super(func, scope)
        if isinstance(func, ast.Subscript):
            found = self.values.of(func, call, scope)
            if found is not None:
                return found
        symbols = self.names.candidates(func, scope)
        if len(symbols) == 1:
            return self.symbol(symbols[0], call, scope)
        return self._one_of(func, symbols, call, scope)

    def symbol(self, symbol: Symbol, call: ast.Call, scope: Scope) -> Target:
        """What a call of what a symbol names reaches."""
        if isinstance(symbol, External):
            return self.external(symbol, call)
        if isinstance(symbol, ProjectFunction):
            return self.function(symbol)
        if isinstance(symbol, ProjectClass):
            return self.constructor(symbol)
        if isinstance(symbol, ModuleValue):
            return self._module_value(symbol)
        if isinstance(call.func, ast.Attribute) and not self._is_of_module(call.func, scope):
            return self.methods.of(call.func, call, scope)
        if isinstance(symbol, Local):
            return self.values.local(symbol, call, scope)
        reason = symbol.reason if isinstance(symbol, Unknown) else f"{describe(symbol)} is not a function"
        if isinstance(symbol, ProjectModule):
            reason = f"{symbol.name} is a module"
        return unresolved(shortened(call.func), reason, symbol)

    def _is_of_module(self, func: ast.Attribute, scope: Scope) -> bool:
        return isinstance(self.names.resolve(func.value, scope), ProjectModule)

    # --- the kinds of symbols -----------------------------------------------------------------

    def external(self, symbol: External, call: ast.Call) -> Target:
        """The target of a call of something outside the project."""
        qualified = canonical(symbol.qualified)
        name = qualified.rpartition(".")[2]
        if self.marks.listed(symbol, self.marks.config.pure):
            return Target(CallKind.PURE, name, qualified, symbol, None)
        if self.marks.listed(symbol, self.marks.config.leaves):
            return Target(CallKind.LEAF, name, qualified, symbol, None)
        known = external(qualified, call)
        is_async: bool | None = None if known.kind is CallKind.LEAF else known.is_async
        if known.kind is CallKind.PRIMITIVE:
            is_async = qualified not in AT_ONCE
        reason = f"calls {qualified.removeprefix('builtins.')}"
        return Target(known.kind, name, qualified, symbol, is_async, known.mutates, reason, known=known)

    def function(self, function: ProjectFunction, *, bound: bool = False) -> Target:
        """The target of a call of a project function or method."""
        node = function.node
        callee = f"{function.module}:{function.qualname}"
        bound = bound or _is_classmethod(node)
        workflow = self.names.program.workflow(function)
        if workflow is not None:
            return Target(CallKind.WORKFLOW, workflow, callee, function, function.is_async)
        leaf = self.marks.activity_name(function)
        is_async = self.is_async(function)
        if leaf is not None:
            reason = f"{node.name} is a leaf"
            undo = self._undo_of(function)
            return Target(
                CallKind.LEAF, leaf, callee, function, is_async, reason=reason, bound=bound, undo=undo
            )
        if self.marks.listed(function, self.marks.config.pure):
            return Target(CallKind.PURE, node.name, callee, function, is_async)
        return Target(None, node.name, callee, function, is_async, runs=(function,), bound=bound)

    def is_async(self, function: ProjectFunction) -> bool | None:
        """Whether calling a function gives an awaitable; None when a decorator leaves it open."""
        if self.marks.wrapper(function):
            return None
        if function.is_async:
            return not _yields(self.names.scope(function.node))
        returned = self.types.result(function)
        return returned is not None and any(one.name == AWAITABLE for one in returned)

    def constructor(self, cls: ProjectClass) -> Target:
        """The target of making an instance of a project class."""
        callee = f"{cls.module}:{cls.qualname}"
        name = cls.qualname.rpartition(".")[2]
        for base in self.names.mro(cls):
            if isinstance(base, Unknown) or (isinstance(base, External) and not is_pure_base(base.qualified)):
                why = f": {base.reason}" if isinstance(base, Unknown) else f" inherits from {base.qualified}"
                return Target(CallKind.LEAF, name, callee, cls, False, reason=f"{name}{why}")
        factory = self._effectful_factory(cls)
        if factory:
            return Target(CallKind.LEAF, name, callee, cls, False, reason=f"{name}'s default calls {factory}")
        runs = self.hierarchy.constructors(cls)
        return Target(None, name, callee, cls, False, runs=runs, bound=True, constructs=True)

    def _effectful_factory(self, cls: ProjectClass) -> str:
        """The `default_factory` of a field that is not pure by the tables."""
        for base in self.names.mro(cls):
            if not isinstance(base, ProjectClass):
                continue
            scope = self.names.class_scope(base)
            for call in scope.calls:
                for keyword in call.keywords:
                    if keyword.arg in ("default_factory", "factory"):
                        reason = self._factory_reason(keyword.value, scope)
                        if reason:
                            return reason
        return ""

    def _factory_reason(self, expr: ast.expr, scope: Scope) -> str:
        call = ast.copy_location(ast.Call(expr, [], []), expr)
        if isinstance(expr, ast.Lambda):
            inner = self.names.scope(expr)
            kinds = [(self.of(one, inner)) for one in inner.calls]
        else:
            kinds = [self._find(call, scope)]
        for target in kinds:
            if target.kind not in (None, CallKind.PURE):
                return target.callee
        return ""

    def _module_value(self, value: ModuleValue) -> Target:
        """A call of what a module-level variable holds: a declared leaf, or any callable object."""
        declared = self.marks.declared(value)
        if declared is not None:
            return self._declared(declared, declared.scope)
        return Target(
            CallKind.LEAF, value.name, f"{value.module}:{value.name}", value, None,
            reason=f"calls {value.module}.{value.name}, an object made at import", value=value,
        )  # fmt: skip

    def _declared(self, declared: Declared, scope: Scope, name: str = "") -> Target:
        """The leaf that `activity(fn, ...)` makes; what is said again counts."""
        found = self.leaf_of(declared.function, scope, name or declared.name)
        return found if declared.undo is None else replace(found, undo=self._callee(declared.undo, scope))

    def _undo_of(self, function: ProjectFunction) -> str:
        """The qualified name of what undoes a leaf, by its decorator; "" for nothing."""
        undo, scope = self.marks.undo(function), self.names.scope(function.node).parent
        return "" if undo is None or scope is None else self._callee(undo, scope)

    def _callee(self, function: ast.expr, scope: Scope) -> str:
        return self.leaf_of(function, scope).callee

    def leaf_of(self, expr: ast.expr, scope: Scope, name: str = "") -> Target:
        """The leaf that a function value makes, under a declared name or the function's own."""
        symbol = self.names.resolve(expr, scope)
        if isinstance(symbol, ModuleValue):
            declared = self.marks.declared(symbol)
            if declared is not None:
                return self._declared(declared, declared.scope, name)
        if isinstance(symbol, ProjectFunction):
            own = self.marks.activity_name(symbol) or symbol.node.name
            callee = f"{symbol.module}:{symbol.qualname}"
            undo = self._undo_of(symbol)
            return Target(CallKind.LEAF, name or own, callee, symbol, self.is_async(symbol), undo=undo)
        if isinstance(symbol, External):
            own = symbol.qualified.rpartition(".")[2]
            return Target(CallKind.LEAF, name or own, symbol.qualified, symbol, None)
        if isinstance(symbol, ProjectClass | ModuleValue):
            own = symbol.name if isinstance(symbol, ModuleValue) else symbol.qualname.rpartition(".")[2]
            return Target(CallKind.LEAF, name or own, f"{symbol.module}:{own}", symbol, None)
        if isinstance(symbol, Local):
            found = self.values.of(expr, ast.copy_location(ast.Call(expr, [], []), expr), scope)
            if found is not None and found.kind in (None, CallKind.LEAF):
                return replace(found, kind=CallKind.LEAF, name=name or found.name, runs=())
        if isinstance(expr, ast.Attribute):
            return Target(CallKind.LEAF, name or expr.attr, shortened(expr), symbol, None)
        return unresolved(shortened(expr), f"{describe(symbol)} is not a function that is known", symbol)

    def _called_result(self, func: ast.Call, call: ast.Call, scope: Scope) -> Target:
        """`activity(fn, ...)(args)`, or a call of what another call returned."""
        declared = self.marks.declared_call(func, scope)
        if declared is not None:
            return self._declared(declared, scope)
        found = self.values.of(func, call, scope)
        if found is not None:
            return found
        made_by = self.names.resolve(func.func, scope)
        if isinstance(made_by, External) and made_by.qualified in _GETTERS:
            return replace(self.of(func, scope), mutates=frozenset({"*"}))
        return unresolved(
            shortened(func), "it is the result of another call", Unknown("the result of a call")
        )

    def _one_of(self, func: ast.expr, symbols: tuple[Symbol, ...], call: ast.Call, scope: Scope) -> Target:
        return merge(last_name(func), [self.symbol(one, call, scope) for one in symbols])


def _never(_value: ModuleValue) -> bool:
    return False


def is_attempt(target: Target) -> bool:
    """Whether a call is `attempt(fn, ...)`."""
    return target.kind is CallKind.PRIMITIVE and target.callee == ATTEMPT


def _is_classmethod(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any(isinstance(one, ast.Name) and one.id == "classmethod" for one in node.decorator_list)


def _yields(scope: Scope) -> bool:
    return any(isinstance(one, ast.Yield | ast.YieldFrom) for one in scope.others)
