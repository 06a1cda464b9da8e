"""Names of one workflow function: from its `ast`, who binds each name and whose variable each occurrence is.

The rules are Python's own (nested functions, comprehensions, walrus, match captures, class bodies),
kept per occurrence because `symtable` only speaks of whole scopes.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from flopod_compiler.analyse.index import Index
from flopod_compiler.children import children

ScopeNode = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef | ast.expr
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
EAGER = (ast.ListComp, ast.SetComp, ast.DictComp)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_CONSUMERS = {
    *("all", "any", "dict", "frozenset", "gather", "join", "list", "max", "min", "next", "set"),
    *("sort", "sorted", "sum", "tuple", "update", "extend"),
}


@dataclass(eq=False, slots=True)
class Binding:
    """One place that binds a name. `plain` is False where the place cannot target an attribute."""

    name: str
    node: ast.AST
    statement: ast.AST
    plain: bool


@dataclass(eq=False, slots=True)
class Scope:
    """A function, lambda, class or comprehension and the names that are its own."""

    node: ScopeNode
    parent: Scope | None
    bindings: dict[str, list[Binding]] = field(default_factory=dict)
    parameters: dict[str, ast.arg] = field(default_factory=dict)
    outer: set[str] = field(default_factory=set)
    module_level: set[str] = field(default_factory=set)
    uses: dict[str, list[ast.Name]] = field(default_factory=dict)
    children: list[Scope] = field(default_factory=list)

    @property
    def is_function(self) -> bool:
        return isinstance(self.node, FUNCTIONS)

    def binds(self, name: str) -> bool:
        return name in self.parameters or (
            name in self.bindings and name not in self.outer | self.module_level
        )

    def owner(self, name: str) -> Scope | None:
        """The enclosing scope whose variable `name` is here; None for a global or builtin."""
        if name in self.module_level:
            return None
        scope: Scope | None = self
        while scope is not None:
            visible = scope is self or not isinstance(scope.node, ast.ClassDef)
            if visible and scope.binds(name):
                return scope
            scope = scope.parent
        return None

    def walk(self) -> Iterator[Scope]:
        yield self
        for child in self.children:
            yield from child.walk()


@dataclass(eq=False, slots=True)
class Names:
    """The scopes below one workflow function; `of` gives the owner of each name occurrence."""

    root: Scope
    scopes: dict[ast.AST, Scope]
    of: dict[ast.Name, Scope | None]
    identifiers: set[str]

    immediate: set[ast.AST]
    index: Index

    def captured(self, scope: Scope) -> set[str]:
        """The names of `scope` that a function which may outlive the statement reads or writes.

        A comprehension, and a lambda or generator handed to a call that consumes it at once, only
        reads while its statement runs.
        """
        found = set()
        for inner in scope.walk():
            if inner is not scope and self._outlives(inner, scope):
                mentioned = set(inner.uses) | inner.outer
                found |= {name for name in mentioned if inner.owner(name) is scope}
        return found

    def _outlives(self, inner: Scope, outer: Scope) -> bool:
        scope: Scope | None = inner
        while scope is not None and scope is not outer:
            if not isinstance(scope.node, EAGER) and scope.node not in self.immediate:
                return True
            scope = scope.parent
        return False

    def writers(self, scope: Scope, name: str) -> list[Binding]:
        """Every binding of a variable, those through `nonlocal` and comprehension walrus included."""
        found = list(scope.bindings.get(name, ()))
        for inner in scope.walk():
            if inner is not scope and name in inner.outer and inner.owner(name) is scope:
                found += inner.bindings.get(name, ())
        return found


def analyse_names(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Names:
    """Resolve every name below `function`, itself the outermost scope."""
    collector = _Collector()
    root = collector.function(function, None)
    names = Names(root, collector.scopes, {}, collector.identifiers, collector.immediate, Index(function))
    for scope in root.walk():
        for name, occurrences in scope.uses.items():
            owner = scope.owner(name)
            names.of.update((occurrence, owner) for occurrence in occurrences)
    return names


class _Collector:
    def __init__(self) -> None:
        self.scopes: dict[ast.AST, Scope] = {}
        self.identifiers: set[str] = set()
        self.immediate: set[ast.AST] = set()
        self.scope: Scope = None  # type: ignore[assignment]
        self.statement: ast.AST = None  # type: ignore[assignment]

    def function(
        self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, parent: Scope | None
    ) -> Scope:
        scope = self._open(node, parent)
        arguments = node.args
        every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        every += [one for one in (arguments.vararg, arguments.kwarg) if one is not None]
        scope.parameters.update((one.arg, one) for one in every)
        self.identifiers.update(scope.parameters)
        self._inside(scope, node.body if isinstance(node.body, list) else [node.body])
        return scope

    def _open(self, node: ScopeNode, parent: Scope | None) -> Scope:
        scope = Scope(node, parent)
        self.scopes[node] = scope
        if parent is not None:
            parent.children.append(scope)
        return scope

    def _inside(self, scope: Scope, nodes: list[ast.AST] | list[ast.stmt] | list[ast.expr]) -> None:
        before, self.scope = self.scope, scope
        for node in nodes:
            self._visit(node)
        self.scope = before

    def _bind(self, name: str, node: ast.AST, plain: bool, scope: Scope | None = None) -> None:
        target = scope or self.scope
        self.identifiers.add(name)
        target.bindings.setdefault(name, []).append(Binding(name, node, self.statement, plain))

    def _visit(self, node: ast.AST) -> None:
        if isinstance(node, ast.stmt):
            self.statement = node
        handler = _HANDLERS.get(node.__class__)
        if handler is not None:
            handler(self, node)
        else:
            self._generic(node)

    def _generic(self, node: ast.AST) -> None:
        statement = self.statement
        for child in children(node):
            self._visit(child)
            self.statement = statement

    def _visit_Name(self, node: ast.Name) -> None:
        self.identifiers.add(node.id)
        self.scope.uses.setdefault(node.id, []).append(node)
        if not isinstance(node.ctx, ast.Load):
            self._bind(node.id, node, plain=True)

    def _visit_Call(self, node: ast.Call) -> None:
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name in _CONSUMERS:
            values = [*node.args, *(keyword.value for keyword in node.keywords)]
            self.immediate.update(one.value if isinstance(one, ast.Starred) else one for one in values)
        self._generic(node)

    def _visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self._visit(node.value)
        scope = self.scope
        while isinstance(scope.node, COMPREHENSIONS) and scope.parent is not None:
            scope = scope.parent
        scope.uses.setdefault(node.target.id, []).append(node.target)
        self._bind(node.target.id, node.target, plain=False, scope=scope)
        if scope is not self.scope:
            self.scope.outer.add(node.target.id)

    def _visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self._bind(node.name, node, plain=False)
        outside: list[ast.AST] = [*node.decorator_list, *node.args.defaults]
        outside += [one for one in node.args.kw_defaults if one is not None]
        for child in outside:
            self._visit(child)
        self.function(node, self.scope)

    _visit_AsyncFunctionDef = _visit_FunctionDef

    def _visit_Lambda(self, node: ast.Lambda) -> None:
        for child in [*node.args.defaults, *(one for one in node.args.kw_defaults if one is not None)]:
            self._visit(child)
        self.function(node, self.scope)

    def _visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._bind(node.name, node, plain=False)
        for child in [*node.decorator_list, *node.bases, *node.keywords]:
            self._visit(child)
        self._inside(self._open(node, self.scope), node.body)

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp) -> None:
        first = node.generators[0]
        self._visit(first.iter)
        scope = self._open(node, self.scope)
        inner: list[ast.AST] = [first.target, *first.ifs]
        for generator in node.generators[1:]:
            inner += [generator.target, generator.iter, *generator.ifs]
        inner += [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        self._inside(scope, inner)

    _visit_ListComp = _visit_SetComp = _visit_DictComp = _comprehension
    _visit_GeneratorExp = _comprehension

    def _visit_Global(self, node: ast.Global) -> None:
        self.scope.module_level.update(node.names)

    def _visit_Nonlocal(self, node: ast.Nonlocal) -> None:
        self.scope.outer.update(node.names)

    def _visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        if node.name:
            self._bind(node.name, node, plain=False)
        self._generic(node)

    def _visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self._bind(alias.asname or alias.name.split(".")[0], node, plain=False)

    def _visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        for alias in node.names:
            self._bind(alias.asname or alias.name, node, plain=False)

    def _visit_MatchAs(self, node: ast.MatchAs) -> None:
        if node.name:
            self._bind(node.name, node, plain=False)
        self._generic(node)

    def _visit_MatchStar(self, node: ast.MatchStar) -> None:
        if node.name:
            self._bind(node.name, node, plain=False)

    def _visit_MatchMapping(self, node: ast.MatchMapping) -> None:
        if node.rest:
            self._bind(node.rest, node, plain=False)
        self._generic(node)


_HANDLERS: dict[type[ast.AST], Callable[[_Collector, Any], None]] = {
    getattr(ast, name.removeprefix("_visit_")): handler
    for name, handler in vars(_Collector).items()
    if name.startswith("_visit_")
}
