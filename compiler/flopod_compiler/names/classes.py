"""Classes of the project: their bases in order, and what their bodies and bases bind."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flopod_compiler.model import (
    External,
    FunctionNode,
    ModuleValue,
    ProjectClass,
    ProjectFunction,
    Symbol,
    Unknown,
)
from flopod_compiler.names.scopes import Binding, How
from flopod_compiler.parse import shortened

if TYPE_CHECKING:
    from flopod_compiler.names.resolve import Names

_BARE_BASES = frozenset({"builtins.object", "typing.Generic", "typing.Protocol", "abc.ABC"})


class Classes:
    """Looks up members through the bases; base orders are kept."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self._mro: dict[ProjectClass, tuple[ProjectClass | External | Unknown, ...]] = {}

    def member(self, cls: ProjectClass, name: str) -> Symbol | None:
        """A method or nested class that a class has or inherits; None when it has none by that name."""
        foreign: Symbol | None = None
        for base in self.mro(cls):
            if isinstance(base, ProjectClass):
                found = self.own_member(base, name)
                if found is not None:
                    return found
            elif foreign is None and not (isinstance(base, External) and base.qualified in _BARE_BASES):
                foreign = External(f"{base.qualified}.{name}") if isinstance(base, External) else base
        return foreign

    def own_member(self, cls: ProjectClass, name: str) -> Symbol | None:
        """What a class body itself binds to a name."""
        scope = self.names.class_scope(cls)
        bindings = scope.bindings.get(name)
        if not bindings:
            return None
        last = bindings[-1]
        if last.how is How.DEFINE and isinstance(last.node, ast.FunctionDef | ast.AsyncFunctionDef):
            return self.names.function(_getter(bindings) or last.node, scope)
        if last.how is How.CLASS and isinstance(last.node, ast.ClassDef):
            return self.names.class_of(last.node, scope)
        if last.how is How.ASSIGN and last.value is not None and not last.path:
            found = self.names.candidates(last.value, scope, 1)
            if len(found) == 1 and isinstance(found[0], ProjectFunction | ProjectClass | External):
                return found[0]
        return Unknown(f"`{name}` is an attribute of {cls.qualname}")

    def mro(self, cls: ProjectClass) -> tuple[ProjectClass | External | Unknown, ...]:
        """A class and its bases, nearest first, each once (the last place of a shared base counts)."""
        found = self._mro.get(cls)
        if found is None:
            self._mro[cls] = (cls,)
            order: list[ProjectClass | External | Unknown] = [cls]
            for base in self._bases(cls):
                line = self.mro(base) if isinstance(base, ProjectClass) else (base,)
                order = [one for one in order if one not in line] + list(line)
            found = self._mro[cls] = tuple(order)
        return found

    def _bases(self, cls: ProjectClass) -> list[ProjectClass | External | Unknown]:
        scope = self.names.class_scope(cls).parent
        assert scope is not None
        found: list[ProjectClass | External | Unknown] = []
        for expr in cls.node.bases:
            target = expr.value if isinstance(expr, ast.Subscript) else expr
            if isinstance(target, ast.Call):
                target = target.func
            symbol = self.names.resolve(target, scope)
            if isinstance(symbol, ProjectClass | External):
                found.append(symbol)
            elif isinstance(symbol, ModuleValue) and isinstance(symbol.value, ast.Call):
                found.append(self._factory(symbol))
            else:
                found.append(Unknown(f"the base `{shortened(expr)}` of {cls.qualname} is not known"))
        return found

    def _factory(self, value: ModuleValue) -> ProjectClass | External | Unknown:
        """The base that a class-making call stands for: `Base = namedtuple("Base", "a b")`."""
        assert isinstance(value.value, ast.Call)
        made = self.names.resolve(value.value.func, self.names.root(value.module))
        return made if isinstance(made, External) else Unknown(f"`{value.name}` is made by a call")


def _getter(bindings: list[Binding]) -> FunctionNode | None:
    """The getter among the definitions of a property with a setter or deleter."""
    for binding in bindings:
        for decorator in getattr(binding.node, "decorator_list", ()):
            if (
                isinstance(decorator, ast.Name)
                and decorator.id in ("property", "cached_property")
                and isinstance(binding.node, ast.FunctionDef)
            ):
                return binding.node
    return None
