"""From a call to what it reaches: a verdict by table, or the project functions that decide by their purity."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, replace

from flopod_compiler.knowledge import METHODS, external
from flopod_compiler.knowledge.author import ACTIVITY, ATTEMPT, canonical
from flopod_compiler.knowledge.known import Known
from flopod_compiler.knowledge.methods import changes_receiver, is_pure_method
from flopod_compiler.knowledge.refused import LOGGER_METHODS, LOGGER_QUERIES
from flopod_compiler.knowledge.stdlib import PURE_BASES
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
from flopod_compiler.names import How, Names, Scope, describe
from flopod_compiler.purity.hierarchy import Hierarchy
from flopod_compiler.purity.marks import Marks
from flopod_compiler.types import Inference, Type, Types
from flopod_compiler.types.model import AWAITABLE

_NOTHING: frozenset[int | str] = frozenset()


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """What one call reaches.

    `kind` None means: pure if every function in `runs` is. `bound` says that the receiver of the call is
    their first argument. `value` is the module-level object that a method is called on.
    """

    kind: CallKind | None
    name: str
    callee: str
    symbol: Symbol
    is_async: bool | None = False
    mutates: frozenset[int | str] = _NOTHING
    reason: str = ""
    runs: tuple[ProjectFunction, ...] = ()
    bound: bool = False
    constructs: bool = False
    known: Known | None = None
    value: ModuleValue | None = None
    parameter: str = ""


class Targets:
    """Finds the target of calls, for helpers and workflow bodies alike."""

    def __init__(self, names: Names, types: Inference, marks: Marks) -> None:
        self.names = names
        self.types = types
        self.marks = marks
        self.hierarchy = Hierarchy(names)
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
            return self._called_result(func, scope)
        if isinstance(func, ast.Lambda):
            return Target(CallKind.PURE, "<lambda>", "<lambda>", Unknown("a lambda"))
        if isinstance(func, ast.Attribute) and _is_super(func.value):
            return self._super(func, scope)
        if isinstance(func, ast.Subscript):
            found = self._dispatch(func, call, scope)
            if found is not None:
                return found
        symbols = self.names.candidates(func, scope)
        if len(symbols) > 1:
            return self._one_of(func, symbols, call, scope)
        return self._symbol(symbols[0], call, scope)

    def _symbol(self, symbol: Symbol, call: ast.Call, scope: Scope) -> Target:
        if isinstance(symbol, External):
            return self.external(symbol, call)
        if isinstance(symbol, ProjectFunction):
            return self.function(symbol, through=call.func)
        if isinstance(symbol, ProjectClass):
            return self.constructor(symbol)
        if isinstance(symbol, ModuleValue):
            return self._module_value(symbol)
        if isinstance(call.func, ast.Attribute):
            return self._method(call.func, call, scope)
        if isinstance(symbol, Local):
            return self._local(symbol, scope)
        reason = symbol.reason if isinstance(symbol, Unknown) else f"{describe(symbol)} is not a function"
        if isinstance(symbol, ProjectModule):
            reason = f"{symbol.name} is a module"
        return unresolved(_text(call.func), reason, symbol)

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
        is_async: bool | None = None if known.kind is CallKind.LEAF else False
        if known.kind in (CallKind.IDIOM, CallKind.PRIMITIVE):
            is_async = qualified not in ("time.sleep", ACTIVITY, "flopod.log")
        reason = f"calls {qualified.removeprefix('builtins.')}"
        return Target(known.kind, name, qualified, symbol, is_async, known.mutates, reason, known=known)

    def function(
        self, function: ProjectFunction, *, bound: bool = False, through: ast.expr | None = None
    ) -> Target:
        """The target of a call of a project function or method."""
        node = function.node
        callee = f"{function.module}:{function.qualname}"
        bound = bound or _is_classmethod(node)
        workflow = self.marks.roots.get(node)
        if workflow is not None:
            return Target(CallKind.WORKFLOW, workflow, callee, function, function.is_async)
        leaf = self.marks.activity_name(function)
        is_async = self.is_async(function)
        if leaf is not None:
            return Target(CallKind.LEAF, leaf, callee, function, is_async, reason=f"{node.name} is a leaf")
        if self.marks.listed(function, self.marks.config.pure):
            return Target(CallKind.PURE, node.name, callee, function, is_async)
        unbound = function.owner is not None and not bound and not isinstance(through, ast.Name)
        return Target(
            None, node.name, callee, function, is_async, runs=(function,), bound=bound and not unbound
        )

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
            if isinstance(base, Unknown) or (
                isinstance(base, External) and not _is_pure_base(base.qualified)
            ):
                why = base.reason if isinstance(base, Unknown) else f"inherits from {base.qualified}"
                return Target(CallKind.LEAF, name, callee, cls, False, reason=f"{name} {why}")
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
            return self.leaf_of(declared.function, declared.scope, declared.name)
        return Target(
            CallKind.LEAF, value.name, f"{value.module}:{value.name}", value, None,
            reason=f"calls {value.module}.{value.name}, an object made at import", value=value,
        )  # fmt: skip

    def leaf_of(self, expr: ast.expr, scope: Scope, name: str = "") -> Target:
        """The leaf that a function value makes, under a declared name or the function's own."""
        symbol = self.names.resolve(expr, scope)
        if isinstance(symbol, ModuleValue):
            declared = self.marks.declared(symbol)
            if declared is not None:
                return self.leaf_of(declared.function, declared.scope, name or declared.name)
        if isinstance(symbol, ProjectFunction):
            own = self.marks.activity_name(symbol) or symbol.node.name
            callee = f"{symbol.module}:{symbol.qualname}"
            return Target(CallKind.LEAF, name or own, callee, symbol, self.is_async(symbol))
        if isinstance(symbol, External):
            own = symbol.qualified.rpartition(".")[2]
            return Target(CallKind.LEAF, name or own, symbol.qualified, symbol, None)
        if isinstance(symbol, ProjectClass | ModuleValue):
            own = symbol.name if isinstance(symbol, ModuleValue) else symbol.qualname.rpartition(".")[2]
            return Target(CallKind.LEAF, name or own, f"{symbol.module}:{own}", symbol, None)
        if isinstance(expr, ast.Attribute):
            return Target(CallKind.LEAF, name or expr.attr, _text(expr), symbol, None)
        return unresolved(_text(expr), f"{describe(symbol)} is not a function that is known", symbol)

    def _local(self, symbol: Local, scope: Scope) -> Target:
        """A call of a local variable: a lambda, an object with `__call__`, else not known."""
        _, bindings = self.names.lookup(symbol.name, scope)
        if bindings and all(isinstance(binding.value, ast.Lambda) for binding in bindings):
            return Target(CallKind.PURE, symbol.name, symbol.name, symbol, False, frozenset({"*"}))
        callable_type = self._callable(self.types.variable(symbol.name, scope))
        if callable_type is not None:
            return replace(self.function(callable_type, bound=True), name=symbol.name)
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

    def _dispatch(self, func: ast.Subscript, call: ast.Call, scope: Scope) -> Target | None:
        """`handlers[kind](x)` over a display of functions that nothing changes."""
        base = self.names.resolve(func.value, scope)
        display, inner = func.value, scope
        if isinstance(base, ModuleValue) and base.value is not None and self.is_fixed(base):
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
        return replace(self._merge(_last(func.value), targets), name=_last(func.value))

    def _value_target(self, value: ast.expr, call: ast.Call, scope: Scope) -> Target:
        if isinstance(value, ast.Lambda):
            inner = self.names.scope(value)
            kinds = [self.of(one, inner).kind for one in inner.calls]
            if all(kind is CallKind.PURE for kind in kinds):
                return Target(
                    CallKind.PURE, "<lambda>", "<lambda>", Unknown("a lambda"), False, frozenset({"*"})
                )
            return unresolved("<lambda>", "it may be a lambda with effects", Unknown("a lambda"))
        symbols = self.names.candidates(value, scope)
        if len(symbols) == 1 and isinstance(symbols[0], External | ProjectFunction | ProjectClass):
            return self._symbol(
                symbols[0], ast.copy_location(ast.Call(value, call.args, call.keywords), call), scope
            )
        return unresolved(_text(value), f"`{_text(value)}` is not a function that is known", symbols[0])

    def _called_result(self, func: ast.Call, scope: Scope) -> Target:
        """`activity(fn, ...)(args)`, or a call of what another call returned."""
        declared = self.marks.declared_call(func, scope)
        if declared is not None:
            return self.leaf_of(declared.function, scope, declared.name)
        inner = self.of(func, scope)
        if inner.kind is CallKind.PURE and inner.callee.startswith(("operator.", "functools.partial")):
            return replace(inner, mutates=frozenset({"*"}))
        return unresolved(_text(func), "it is the result of another call", Unknown("the result of a call"))

    def _one_of(self, func: ast.expr, symbols: tuple[Symbol, ...], call: ast.Call, scope: Scope) -> Target:
        return self._merge(_last(func), [self._symbol(one, call, scope) for one in symbols])

    # --- methods ----------------------------------------------------------------------------------

    def _super(self, func: ast.Attribute, scope: Scope) -> Target:
        owner: Scope | None = scope
        while owner is not None and not isinstance(owner.node, ast.ClassDef):
            owner = owner.parent
        if owner is None or not isinstance(owner.node, ast.ClassDef):
            return unresolved(_text(func), "super() outside a class", Unknown("super()"))
        cls = self.names.class_of(owner.node, owner.parent)
        for base in self.names.mro(cls)[1:]:
            if isinstance(base, ProjectClass):
                member = self.names.own_member(base, func.attr)
                if isinstance(member, ProjectFunction):
                    return self.function(member, bound=True)
            elif isinstance(base, External) and not _is_pure_base(base.qualified):
                qualified = f"{base.qualified}.{func.attr}"
                return Target(CallKind.LEAF, func.attr, qualified, base, None, reason=f"calls {qualified}")
        return Target(
            CallKind.PURE, func.attr, f"super().{func.attr}", Unknown("a base"), False, frozenset({"self"})
        )

    def _method(self, func: ast.Attribute, call: ast.Call, scope: Scope) -> Target:
        bases = self.names.candidates(func.value, scope)
        base = bases[0]
        value = base if isinstance(base, ModuleValue) and len(bases) == 1 else None
        types = self.types.of(func.value, scope)
        if types is not None:
            found = self._merge(
                func.attr, [self._method_of(one, func, call) for one in sorted(types, key=_by_name)]
            )
        elif value is not None:
            found = self._object_method(value, func)
        else:
            found = self._by_name(func)
        return replace(found, value=value) if value is not None else found

    def _object_method(self, value: ModuleValue, func: ast.Attribute) -> Target:
        callee = f"{value.module}:{value.name}.{func.attr}"
        return Target(
            CallKind.LEAF, func.attr, callee, value, None, reason=f"calls {callee.replace(':', '.')}"
        )

    def _method_of(self, receiver: Type, func: ast.Attribute, call: ast.Call) -> Target:
        """The method of a receiver of one known type."""
        name = func.attr
        if receiver.cls is not None:
            return self._project_method(receiver.cls, func)
        if receiver.name == AWAITABLE:
            reason = "the receiver is a coroutine; await it first"
            return unresolved(_text(func), reason, Unknown(reason))
        return self._external_method(receiver.name, name)

    def _external_method(self, type_name: str, name: str) -> Target:
        qualified = f"{type_name}.{name}"
        symbol = External(qualified)
        if type_name.startswith("logging.Log"):
            if name in LOGGER_METHODS:
                return Target(CallKind.OUTPUT, name, qualified, symbol, False, reason="writes to a log")
            if name in LOGGER_QUERIES:
                return Target(CallKind.PURE, name, qualified, symbol, False)
        if is_pure_method(type_name, name):
            mutates = frozenset({"self"}) if changes_receiver(type_name, name) else _NOTHING
            return Target(CallKind.PURE, name, qualified, symbol, False, mutates)
        return Target(CallKind.LEAF, name, qualified, symbol, None, reason=f"calls {qualified}")

    def _project_method(self, cls: ProjectClass, func: ast.Attribute) -> Target:
        member = self.names.class_member(cls, func.attr)
        if isinstance(member, ProjectFunction):
            found = [member, *self.hierarchy.overrides(cls, func.attr)]
            if self.hierarchy.is_abstract(member):
                found = [*self.hierarchy.implementations(func.attr)]
            if found:
                return self._merge(
                    func.attr, [self.function(one, bound=not _is_static(one.node)) for one in found]
                )
            callee = f"{cls.module}:{cls.qualname}.{func.attr}"
            reason = f"calls {callee}, which nothing in the project implements"
            return Target(CallKind.LEAF, func.attr, callee, member, self.is_async(member), reason=reason)
        if isinstance(member, ProjectClass):
            return self.constructor(member)
        if isinstance(member, External):
            base, _, name = member.qualified.rpartition(".")
            return self._external_method(base, name)
        reason = f"{cls.qualname} has no method `{func.attr}` that is known"
        return unresolved(_text(func), reason, member or Unknown(reason))

    def _by_name(self, func: ast.Attribute) -> Target:
        """The method of a receiver of unknown type, by the classes and tables that have one of its name."""
        name = func.attr
        found = self.hierarchy.implementations(name)
        targets = [self.function(one, bound=not _is_static(one.node)) for one in found]
        if not targets:
            if name in METHODS:
                mutates = frozenset({"self"}) if changes_receiver("", name) else _NOTHING
                return Target(CallKind.PURE, name, f"*.{name}", Unknown("plain data"), False, mutates)
            reason = (
                f"the type of `{_text(func.value)}` is not known, and no class here has a method `{name}`"
            )
            return unresolved(_text(func), reason, Unknown(reason))
        merged = self._merge(name, targets)
        if name in METHODS and merged.kind is None and changes_receiver("", name):
            merged = replace(merged, mutates=merged.mutates | {"self"})
        return merged

    def _merge(self, name: str, targets: list[Target]) -> Target:
        """One target for a call that may reach several; unresolved when they are of different kinds."""
        first = targets[0]
        if len(targets) == 1:
            return first
        kinds = {CallKind.PURE if one.kind is None else one.kind for one in targets}
        mutates = frozenset[int | str]().union(*(one.mutates for one in targets))
        callee = " | ".join(dict.fromkeys(one.callee for one in targets))
        same_async = {one.is_async for one in targets}
        is_async = first.is_async if len(same_async) == 1 else None
        if len(kinds) > 1:
            several = ", ".join(dict.fromkeys(f"{one.callee} ({_kind(one)})" for one in targets))
            return unresolved(name, f"`{name}` may be {several}", Unknown(several))
        if CallKind.UNRESOLVED in kinds or (first.known is not None and first.known.refused):
            return first
        runs = tuple(dict.fromkeys(run for one in targets for run in one.runs))
        kind = None if any(one.kind is None for one in targets) else first.kind
        return replace(
            first, kind=kind, name=name, callee=callee, mutates=mutates, runs=runs, is_async=is_async,
            symbol=first.symbol if len({one.symbol for one in targets}) == 1 else Unknown(f"one of {callee}"),
            bound=any(one.bound for one in targets),
        )  # fmt: skip


def _never(_value: ModuleValue) -> bool:
    return False


def _displayed(expr: ast.expr) -> list[ast.expr]:
    """The values of a dict, list or tuple display."""
    if isinstance(expr, ast.Dict):
        return [] if any(key is None for key in expr.keys) else expr.values
    if isinstance(expr, ast.List | ast.Tuple):
        return [] if any(isinstance(one, ast.Starred) for one in expr.elts) else expr.elts
    return []


def unresolved(name: str, reason: str, symbol: Symbol) -> Target:
    """The target of a call that cannot be known."""
    return Target(CallKind.UNRESOLVED, name, name, symbol, None, reason=reason)


def is_attempt(target: Target) -> bool:
    """Whether a call is `attempt(fn, ...)`."""
    return target.kind is CallKind.PRIMITIVE and target.callee == ATTEMPT


def _is_pure_base(qualified: str) -> bool:
    if qualified in PURE_BASES:
        return True
    module, _, name = qualified.rpartition(".")
    return module == "builtins" and name.endswith(
        ("Error", "Exception", "Warning", "Group", "Interrupt", "Exit")
    )


def _is_super(expr: ast.expr) -> bool:
    return isinstance(expr, ast.Call) and isinstance(expr.func, ast.Name) and expr.func.id == "super"


def _is_classmethod(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any(isinstance(one, ast.Name) and one.id == "classmethod" for one in node.decorator_list)


def _is_static(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any(isinstance(one, ast.Name) and one.id == "staticmethod" for one in node.decorator_list)


def _yields(scope: Scope) -> bool:
    return any(isinstance(one, ast.Yield | ast.YieldFrom) for one in scope.others)


def _kind(target: Target) -> str:
    return "pure" if target.kind is None else target.kind.value


def _by_name(one: Type) -> str:
    return one.name


def _last(expr: ast.expr) -> str:
    return expr.attr if isinstance(expr, ast.Attribute) else getattr(expr, "id", _text(expr))


def _text(expr: ast.expr) -> str:
    text = " ".join(ast.unparse(expr).split())
    return text if len(text) <= 60 else text[:57] + "..."
