"""The target of a method call, by the types its receiver may have, or by the method's name."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TYPE_CHECKING

from flopod_compiler.knowledge import METHODS
from flopod_compiler.knowledge.methods import changes_receiver, is_pure_method
from flopod_compiler.knowledge.refused import LOGGER_METHODS, LOGGER_QUERIES
from flopod_compiler.knowledge.stdlib import is_pure_base
from flopod_compiler.model import CallKind, External, ModuleValue, ProjectClass, ProjectFunction, Unknown
from flopod_compiler.names import Scope
from flopod_compiler.purity.target import NOTHING, Target, merge, shortened, unresolved
from flopod_compiler.types import Type
from flopod_compiler.types.model import AWAITABLE

if TYPE_CHECKING:
    from flopod_compiler.purity.targets import Targets


class MethodTargets:
    """Finds the target of `receiver.method(...)` where the receiver is a value, not a module or class."""

    def __init__(self, targets: Targets) -> None:
        self.targets = targets
        self.names = targets.names
        self.types = targets.types
        self.hierarchy = targets.hierarchy

    def of_super(self, func: ast.Attribute, scope: Scope) -> Target:
        owner: Scope | None = scope
        while owner is not None and not isinstance(owner.node, ast.ClassDef):
            owner = owner.parent
        if owner is None or not isinstance(owner.node, ast.ClassDef):
            return unresolved(shortened(func), "super() outside a class", Unknown("super()"))
        cls = self.names.class_of(owner.node, owner.parent)
        for base in self.names.mro(cls)[1:]:
            if isinstance(base, ProjectClass):
                member = self.names.own_member(base, func.attr)
                if isinstance(member, ProjectFunction):
                    return self.targets.function(member, bound=True)
            elif isinstance(base, External) and not is_pure_base(base.qualified):
                qualified = f"{base.qualified}.{func.attr}"
                return Target(CallKind.LEAF, func.attr, qualified, base, None, reason=f"calls {qualified}")
        return Target(
            CallKind.PURE, func.attr, f"super().{func.attr}", Unknown("a base"), False, frozenset({"self"})
        )

    def of(self, func: ast.Attribute, call: ast.Call, scope: Scope) -> Target:
        bases = self.names.candidates(func.value, scope)
        base = bases[0]
        value = base if isinstance(base, ModuleValue) and len(bases) == 1 else None
        types = self.types.of(func.value, scope)
        if types is not None:
            found = merge(
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
            return unresolved(shortened(func), reason, Unknown(reason))
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
            mutates = frozenset({"self"}) if changes_receiver(type_name, name) else NOTHING
            return Target(CallKind.PURE, name, qualified, symbol, False, mutates)
        return Target(CallKind.LEAF, name, qualified, symbol, None, reason=f"calls {qualified}")

    def _project_method(self, cls: ProjectClass, func: ast.Attribute) -> Target:
        member = self.names.class_member(cls, func.attr)
        if isinstance(member, ProjectFunction):
            found = [member, *self.hierarchy.overrides(cls, func.attr)]
            if self.hierarchy.is_abstract(member):
                found = [*self.hierarchy.implementations(func.attr)]
            if found:
                return merge(
                    func.attr, [self.targets.function(one, bound=not _is_static(one.node)) for one in found]
                )
            callee = f"{cls.module}:{cls.qualname}.{func.attr}"
            reason = f"calls {callee}, which nothing in the project implements"
            return Target(CallKind.LEAF, func.attr, callee, member, self.is_async(member), reason=reason)
        if isinstance(member, ProjectClass):
            return self.targets.constructor(member)
        if isinstance(member, External):
            base, _, name = member.qualified.rpartition(".")
            return self._external_method(base, name)
        reason = f"{cls.qualname} has no method `{func.attr}` that is known"
        return unresolved(shortened(func), reason, member or Unknown(reason))

    def _by_name(self, func: ast.Attribute) -> Target:
        """The method of a receiver of unknown type, by the classes and tables that have one of its name."""
        name = func.attr
        found = self.hierarchy.implementations(name)
        targets = [self.targets.function(one, bound=not _is_static(one.node)) for one in found]
        if not targets:
            if name in METHODS:
                mutates = frozenset({"self"}) if changes_receiver("", name) else NOTHING
                return Target(CallKind.PURE, name, f"*.{name}", Unknown("plain data"), False, mutates)
            reason = (
                f"the type of `{shortened(func.value)}` is not known, and no class here has a method `{name}`"
            )
            return unresolved(shortened(func), reason, Unknown(reason))
        merged = merge(name, targets)
        if name in METHODS and merged.kind is None and changes_receiver("", name):
            merged = replace(merged, mutates=merged.mutates | {"self"})
        return merged


def is_super(expr: ast.expr) -> bool:
    """Whether an expression is `super()`."""
    return isinstance(expr, ast.Call) and isinstance(expr.func, ast.Name) and expr.func.id == "super"


def _is_static(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any(isinstance(one, ast.Name) and one.id == "staticmethod" for one in node.decorator_list)


def _by_name(one: Type) -> str:
    return one.name
