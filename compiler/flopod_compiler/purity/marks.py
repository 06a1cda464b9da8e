"""What decorators and declarations say of a function: workflow, leaf with a name, wrapped by whom."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from flopod_compiler.knowledge.author import ACTIVITY, WORKFLOW, canonical
from flopod_compiler.model import (
    Config,
    External,
    FunctionNode,
    ModuleValue,
    ProjectFunction,
    Symbol,
)
from flopod_compiler.names import Names, Scope

TRANSPARENT = frozenset({
    "builtins.staticmethod", "builtins.classmethod", "builtins.property", "functools.cached_property",
    "functools.lru_cache", "functools.cache", "functools.wraps", "functools.singledispatch",
    "functools.singledispatchmethod", "functools.total_ordering",
    "contextlib.contextmanager", "contextlib.asynccontextmanager",
    "abc.abstractmethod", "typing.overload", "typing.override", "typing.final", "typing_extensions.override",
    "typing_extensions.deprecated", "warnings.deprecated", "typing.no_type_check", "types.coroutine",
    "pydantic.field_validator", "pydantic.model_validator", "pydantic.validator", "pydantic.computed_field",
    "pydantic.field_serializer", "pydantic.model_serializer", "enum.member", "enum.nonmember",
    "enum.property",
})  # fmt: skip
"""Decorators that leave a function as pure as it was."""


@dataclass(eq=False, slots=True)
class Declared:
    """A leaf that is declared by `activity`: the function behind it, the name of its id, what undoes it."""

    name: str
    function: ast.expr
    scope: Scope
    undo: ast.expr | None = None


@dataclass(eq=False, slots=True)
class Marks:
    """Reads the marks of functions; `nested` holds the functions inside workflows."""

    names: Names
    config: Config
    nested: set[FunctionNode] = field(default_factory=set)
    _activities: dict[FunctionNode, str | None] = field(default_factory=dict)

    def decorators(self, node: FunctionNode | ast.ClassDef, scope: Scope) -> list[tuple[ast.expr, Symbol]]:
        """Each decorator with what it means; of a call, what is called."""
        found: list[tuple[ast.expr, Symbol]] = []
        for decorator in node.decorator_list:
            target = decorator.func if isinstance(decorator, ast.Call) else decorator
            found.append((decorator, self.names.resolve(target, scope)))
        return found

    def workflow_mark(self, node: FunctionNode, scope: Scope) -> ast.expr | None:
        """The `@workflow` of a function, if it has one."""
        for decorator, symbol in self.decorators(node, scope):
            if isinstance(symbol, External) and canonical(symbol.qualified) == WORKFLOW:
                return decorator
        return None

    def activity_name(self, function: ProjectFunction) -> str | None:
        """The id of a function that is declared a leaf, by decorator or configuration; None otherwise."""
        node = function.node
        if node not in self._activities:
            self._activities[node] = self._activity_name(function)
        return self._activities[node]

    def _activity_name(self, function: ProjectFunction) -> str | None:
        scope = self.names.scope(function.node).parent
        assert scope is not None
        for decorator, symbol in self.decorators(function.node, scope):
            if isinstance(symbol, External) and canonical(symbol.qualified) == ACTIVITY:
                return declared_name(decorator) or function.node.name
        return function.node.name if self.listed(function, self.config.leaves) else None

    def undo(self, function: ProjectFunction) -> ast.expr | None:
        """The `compensate=` of a function that is declared a leaf."""
        scope = self.names.scope(function.node).parent
        assert scope is not None
        for decorator, symbol in self.decorators(function.node, scope):
            if isinstance(symbol, External) and canonical(symbol.qualified) == ACTIVITY:
                return declared_undo(decorator)
        return None

    def listed(self, symbol: Symbol, entries: tuple[str, ...]) -> bool:
        """Whether a list of the configuration names a symbol, as `module:name`, dotted, or `module.*`."""
        if not entries:
            return False
        if isinstance(symbol, External):
            dotted = symbol.qualified
        elif isinstance(symbol, ProjectFunction):
            dotted = f"{symbol.module}.{symbol.qualname}"
        else:
            return False
        plain = [entry.replace(":", ".") for entry in entries]
        return any(e == dotted or (e.endswith(".*") and dotted.startswith(e[:-1])) for e in plain)

    def declared(self, value: ModuleValue) -> Declared | None:
        """The leaf that a module-level `name = activity(fn, ...)` declares."""
        tree = self.names.module(value.module)
        if tree is None or not isinstance(value.value, ast.Call):
            return None
        return self.declared_call(value.value, tree.root)

    def declared_call(self, call: ast.Call, scope: Scope) -> Declared | None:
        """The leaf that a call `activity(fn, ...)` declares."""
        symbol = self.names.resolve(call.func, scope)
        if not isinstance(symbol, External) or canonical(symbol.qualified) != ACTIVITY or not call.args:
            return None
        return Declared(declared_name(call) or "", call.args[0], scope, declared_undo(call))

    def wrapper(self, function: ProjectFunction) -> tuple[Symbol, ...]:
        """The decorators of a function that may change what it does."""
        scope = self.names.scope(function.node).parent
        assert scope is not None
        return tuple(
            symbol
            for decorator, symbol in self.decorators(function.node, scope)
            if not (isinstance(symbol, External) and _is_transparent(symbol.qualified))
            and not _is_accessor(decorator, function.node.name)
        )


def declared_name(decorator: ast.expr) -> str | None:
    """The literal `name=` of a decorator or declaration."""
    if isinstance(decorator, ast.Call):
        for keyword in decorator.keywords:
            if keyword.arg == "name" and isinstance(keyword.value, ast.Constant):
                return keyword.value.value if isinstance(keyword.value.value, str) else None
    return None


def declared_undo(decorator: ast.expr) -> ast.expr | None:
    """The `compensate=` of a decorator or declaration."""
    keywords = decorator.keywords if isinstance(decorator, ast.Call) else []
    return next((keyword.value for keyword in keywords if keyword.arg == "compensate"), None)


def _is_accessor(decorator: ast.expr, name: str) -> bool:
    """`@total.setter` above another `total`: a part of the property."""
    return (
        isinstance(decorator, ast.Attribute)
        and decorator.attr in ("setter", "getter", "deleter")
        and isinstance(decorator.value, ast.Name)
        and decorator.value.id == name
    )


def _is_transparent(qualified: str) -> bool:
    return (
        qualified in TRANSPARENT
        or canonical(qualified) in (ACTIVITY, WORKFLOW)
        or qualified.endswith((".setter", ".getter", ".deleter", ".register"))
    )
