"""The target of a method call, by the types its receiver may have, or by the method's name."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TYPE_CHECKING

from flopod_compiler.knowledge import METHODS
from flopod_compiler.knowledge.concurrency import asyncio_method, is_asyncio_type
from flopod_compiler.knowledge.methods import (
    CHANGED_ARGUMENTS,
    changes_receiver,
    is_data_type,
    is_pure_method,
)
from flopod_compiler.knowledge.refused import LOGGER_METHODS, LOGGER_QUERIES, REFUSED_TYPES
from flopod_compiler.knowledge.stdlib import is_pure_base
from flopod_compiler.model import CallKind, External, ModuleValue, ProjectClass, ProjectFunction, Unknown
from flopod_compiler.names import Scope
from flopod_compiler.parse import shortened
from flopod_compiler.purity.target import NOTHING, Target, merge, unresolved
from flopod_compiler.types import Type, Types
from flopod_compiler.types.model import AWAITABLE

if TYPE_CHECKING:
    from flopod_compiler.purity.targets import Targets


_MAPPINGS = frozenset({"typing.TypedDict", "typing_extensions.TypedDict"})
"""Bases of types whose values are plain dictionaries."""


class MethodTargets:
    """Finds the target of `receiver.method(...)` where the receiver is a value, not a module or class."""

    def __init__(self, targets: Targets) -> None:
        self.targets = targets
        self.names = targets.names
        self.types = targets.types
        self.hierarchy = targets.hierarchy

    def of_super(self, func: ast.Attribute, scope: Scope) -> Target:
        """The target of `super().method(...)`."""
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
        """The target of a method call."""
        bases = self.names.candidates(func.value, scope)
        base = bases[0]
        value = base if isinstance(base, ModuleValue) and len(bases) == 1 else None
        types = self.types.of(func.value, scope)
        if value is not None and (types is None or not self._is_read(value, types)):
            return self._object_method(value, func, types)
        if types is None:
            found = self._by_name(func, awaited=self._is_awaited(call, scope))
        else:
            ordered = sorted(_with_methods(types), key=lambda one: one.name)
            found = merge(func.attr, [self._method_of(one, func, call) for one in ordered])
        return replace(found, value=value) if value is not None else found

    def _is_awaited(self, call: ast.Call, scope: Scope) -> bool:
        parent = self.names.tree_holding(scope).parents.get(call)
        return isinstance(parent, ast.Await | ast.AsyncFor | ast.AsyncWith)

    def _is_read(self, value: ModuleValue, types: frozenset[Type]) -> bool:
        """Whether a module-level object is data, which may be read where it is used: it never changes, or
        it is plain data as a whole and can be recorded. All others keep their state, and a method is a leaf.
        """
        return self.targets.is_fixed(value) or all(
            self.types.classes.is_data(one.cls) if one.cls is not None else _is_value(one.name)
            for one in types
        )

    def _object_method(self, value: ModuleValue, func: ast.Attribute, types: Types) -> Target:
        """A method of an object that the module made: by its type where that is known, a leaf anyway."""
        callee = f"{value.module}:{value.name}.{func.attr}"
        reason = f"calls {callee.replace(':', '.')}"
        found = Target(CallKind.LEAF, func.attr, callee, value, None, reason=reason)
        if types is not None and len(types) == 1:
            target = self._method_of(next(iter(types)), func)
            if target.kind in (CallKind.OUTPUT, CallKind.WORKFLOW, CallKind.LEAF, CallKind.UNRESOLVED):
                found = target
            elif target.kind is None:
                found = replace(target, kind=CallKind.LEAF, reason=reason)
        return replace(found, value=value)

    def _method_of(self, receiver: Type, func: ast.Attribute, call: ast.Call | None = None) -> Target:
        """The method of a receiver of one known type."""
        name = func.attr
        if receiver.cls is not None:
            return self._project_method(receiver.cls, func)
        if receiver.name == AWAITABLE:
            reason = "the receiver is a coroutine; await it first"
            return unresolved(shortened(func), reason, Unknown(reason))
        return self._external_method(receiver.name, name, call)

    def _external_method(self, type_name: str, name: str, call: ast.Call | None = None) -> Target:
        qualified = f"{type_name}.{name}"
        symbol = External(qualified)
        refused = REFUSED_TYPES.get(type_name)
        if refused is not None:
            return Target(refused.kind, name, qualified, symbol, False, known=refused)
        known = asyncio_method(type_name, name, call)
        if known is not None:
            return Target(known.kind, name, qualified, symbol, known.is_async, known.mutates, known=known)
        if type_name.startswith("logging.Log"):
            if name in LOGGER_METHODS:
                return Target(CallKind.OUTPUT, name, qualified, symbol, False, reason="writes to a log")
            if name in LOGGER_QUERIES:
                return Target(CallKind.PURE, name, qualified, symbol, False)
        if is_pure_method(type_name, name):
            mutates = frozenset({"self"}) if changes_receiver(type_name, name) else NOTHING
            mutates |= CHANGED_ARGUMENTS.get(qualified, NOTHING)
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
            return Target(
                CallKind.LEAF, func.attr, callee, member, self.targets.is_async(member), reason=reason
            )
        if isinstance(member, ProjectClass):
            return self.targets.constructor(member)
        if isinstance(member, External):
            base, _, name = member.qualified.rpartition(".")
            return self._external_method("builtins.dict" if base in _MAPPINGS else base, name)
        reason = f"{cls.qualname} has no method `{func.attr}` that is known"
        return unresolved(shortened(func), reason, member or Unknown(reason))

    def _by_name(self, func: ast.Attribute, *, awaited: bool) -> Target:
        """The method of a receiver of unknown type, by the classes and tables that have one of its name.

        No method of plain data can be awaited.
        """
        name = func.attr
        found = self.hierarchy.implementations(name)
        targets = [self.targets.function(one, bound=not _is_static(one.node)) for one in found]
        if not targets:
            if name in METHODS and not awaited:
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


def _with_methods(types: frozenset[Type]) -> frozenset[Type]:
    """The types without coroutines, where tasks are among them: only these have the method."""
    if not any(is_asyncio_type(one.name) for one in types):
        return types
    return frozenset(one for one in types if one.name != AWAITABLE)


def is_super(expr: ast.expr) -> bool:
    """Whether an expression is `super()`."""
    return isinstance(expr, ast.Call) and isinstance(expr.func, ast.Name) and expr.func.id == "super"


def _is_static(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any(isinstance(one, ast.Name) and one.id == "staticmethod" for one in node.decorator_list)


def _is_value(type_name: str) -> bool:
    return is_data_type(type_name) or type_name.startswith("logging.Log")
