"""Functions that take a scope, as values: which expressions of a workflow may hold one.

Generous, where `FunctionValues` is exact: a container holds what was ever put into it, and so does an
object that got a function as an attribute or through a method.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from flopod_compiler.children import children
from flopod_compiler.classify.nested import nested_targets
from flopod_compiler.classify.workspace import Workspace
from flopod_compiler.model import (
    CallInfo,
    CallKind,
    FunctionNode,
    ModuleValue,
    ProjectFunction,
    Symbol,
    WorkflowFunction,
)
from flopod_compiler.names import Scope
from flopod_compiler.purity.binding import bind_arguments
from flopod_compiler.purity.facts import arguments

_PLAIN = (CallKind.PURE, CallKind.WORKFLOW)
_SCALAR = frozenset(
    f"builtins.{name}"
    for name in ("len", "bool", "isinstance", "callable", "any", "all", "str", "repr", "int", "range")
)
_DISPLAYS = (ast.Tuple, ast.List, ast.Set, ast.Dict, ast.IfExp, ast.BoolOp, ast.BinOp)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


class Carriers:
    """The variables of one workflow that may hold a workflow or a durable function, directly or inside."""

    def __init__(self, work: Workspace, workflow: WorkflowFunction) -> None:
        self._work = work
        self._tree = work.names.tree(workflow.node)
        self._scopes = [*work.scopes(workflow)]
        self._held: dict[tuple[Scope, str], ProjectFunction] = {}
        self._returned: dict[FunctionNode, ProjectFunction] = {}
        self._filled: set[tuple[Scope, str]] = set()
        self._closely = True
        known = -1
        while known < self._size():
            known = self._size()
            self._grow()

    def of(self, expr: ast.expr) -> ProjectFunction | None:
        """A function with a scope that the value of an expression may be or hold."""
        found = self._roughly(expr)
        if found is None or not self._closely or not isinstance(expr, ast.Name | ast.Subscript):
            return found
        self._closely = False
        try:
            functions = self._work.purity.targets.values.functions
            is_data = functions.is_data(expr, self._scope(expr), self._opinion)
        finally:
            self._closely = True
        return None if is_data else found

    def _opinion(self, expr: ast.expr) -> bool | None:
        """Whether an expression holds nothing; what was put into the object of a variable is in it."""
        if self._roughly(expr) is None:
            return True
        owner = self._owner(expr)
        is_filled = isinstance(expr, ast.Name) and owner is not None and (owner, expr.id) in self._filled
        return False if is_filled else None

    def _owner(self, expr: ast.AST) -> Scope | None:
        """The scope that a variable belongs to."""
        return self._work.names.lookup(expr.id, self._scope(expr))[0] if isinstance(expr, ast.Name) else None

    def _roughly(self, expr: ast.expr) -> ProjectFunction | None:
        """The same, whichever part of a container the expression takes."""
        match expr:
            case ast.Name():
                return self._name(expr)
            case ast.Attribute():
                return self._symbol(self._work.names.resolve(expr, self._scope(expr))) or self.of(expr.value)
            case ast.Subscript() | ast.Starred() | ast.Await() | ast.NamedExpr():
                return self.of(expr.value)
            case ast.Lambda():
                return self._first(one for one in ast.walk(expr.body) if isinstance(one, ast.Name))
            case ast.Call():
                return self._result(expr)
        if isinstance(expr, _COMPREHENSIONS):
            return self._first([expr.key, expr.value] if isinstance(expr, ast.DictComp) else [expr.elt])
        if isinstance(expr, _DISPLAYS):
            return self._first(one for one in children(expr) if isinstance(one, ast.expr))
        return None

    def named(self, expr: ast.expr) -> tuple[Symbol, ...]:
        """The definitions that a name means by itself, without a look at what variables hold."""
        return tuple(self._work.names.candidates(expr, self._scope(expr)))

    def _first(self, parts: Iterable[ast.expr]) -> ProjectFunction | None:
        return next((found for one in parts if (found := self.of(one)) is not None), None)

    def _scope(self, node: ast.AST) -> Scope:
        return self._tree.inner.get(node, self._tree.root)

    def _name(self, expr: ast.Name) -> ProjectFunction | None:
        scope = self._scope(expr)
        for symbol in self._work.names.candidates(expr, scope):
            found = self._symbol(symbol)
            if found is not None:
                return found
        owner = self._owner(expr)
        return self._held.get((owner, expr.id)) if owner is not None else None

    def _symbol(self, symbol: Symbol) -> ProjectFunction | None:
        if isinstance(symbol, ProjectFunction):
            found = self._work.taken(symbol)
            return symbol if found is not None and found.durable else None
        if isinstance(symbol, ModuleValue) and symbol.value is not None:
            return self._in_module(symbol, symbol.value)
        return None

    def _in_module(self, symbol: ModuleValue, value: ast.expr) -> ProjectFunction | None:
        """A workflow that the display of a module-level table names."""
        tree = self._work.names.module(symbol.module)
        names = [one for one in ast.walk(value) if isinstance(one, ast.Name)] if tree is not None else []
        for name in names:
            found = self._work.names.resolve(name, tree.root) if tree is not None else None
            if isinstance(found, ProjectFunction) and self._symbol(found) is not None:
                return found
        return None

    def _result(self, call: ast.Call) -> ProjectFunction | None:
        """What a call gives on: of a plain one any of its arguments, of a nested function what it returns."""
        info = self._work.result.calls.get(call)
        nested = nested_targets(self._work, info)
        if nested:
            return next((self._returned[one.node] for one in nested if one.node in self._returned), None)
        if info is None or info.kind is not CallKind.PURE or info.callee in _SCALAR:
            return None
        receiver = [call.func.value] if isinstance(call.func, ast.Attribute) else []
        return self._first([*receiver, *arguments(call)])

    # --- how functions get into variables -------------------------------------------------------------

    def _size(self) -> int:
        return len(self._held) + len(self._returned) + len(self._filled)

    def _grow(self) -> None:
        for scope in self._scopes:
            for name, bindings in scope.bindings.items():
                values = [one.value for one in bindings if one.value is not None]
                self._hold(scope, name, values)
                self._share(scope, name, values)
            for call in scope.calls:
                self._called(call, self._work.result.calls.get(call))
            for store in scope.stores:
                self._put(store.value, _stored(store, self._tree.parents))
            if isinstance(scope.node, ast.FunctionDef | ast.AsyncFunctionDef):
                self._return(scope.node)

    def _hold(self, owner: Scope, name: str, values: Iterable[ast.expr]) -> None:
        if (owner, name) not in self._held:
            found = self._first(values)
            if found is not None:
                self._held[owner, name] = found

    def _fill(self, owner: Scope, name: str, found: ProjectFunction) -> None:
        """Note that a function was put into the object of a variable."""
        self._held.setdefault((owner, name), found)
        self._filled.add((owner, name))

    def _share(self, owner: Scope, name: str, sources: Iterable[ast.expr]) -> None:
        """What was put into the object of a variable is in all that the object may have come from."""
        if (owner, name) not in self._filled:
            return
        for source in sources:
            self._fill_all(source, self._held[owner, name])

    def _fill_all(self, expr: ast.expr, found: ProjectFunction) -> None:
        for one in _origins(expr):
            owner = self._owner(one)
            if owner is not None:
                self._fill(owner, one.id, found)

    def _put(self, target: ast.expr, values: list[ast.expr]) -> None:
        """Note that a value is put into an object, or into a part of it."""
        found = self._first(values)
        if found is not None:
            self._fill_all(target, found)

    def _called(self, call: ast.Call, info: CallInfo | None) -> None:
        for one in nested_targets(self._work, info) if info is not None and info.kind in _PLAIN else ():
            inner = self._work.names.scope(one.node)
            given = bind_arguments(_inner(call) if info is not None and info.maps else call, one.node, None)
            for name, values in given.items():
                self._hold(inner, name, values)
                self._share(inner, name, values)
        if info is None or info.kind is not CallKind.PURE or isinstance(info.target, ProjectFunction):
            return
        if isinstance(call.func, ast.Attribute):
            self._put(call.func.value, [*arguments(call)])

    def _return(self, node: FunctionNode) -> None:
        if node not in self._returned:
            found = self._first(one.value for one in _returns(node) if one.value is not None)
            if found is not None:
                self._returned[node] = found


def _inner(mapping: ast.Call) -> ast.Call:
    """The call that `map(f, xs)` makes of each item, with the iterables in the places of items."""
    return ast.Call(mapping.args[0], mapping.args[1:], [])


def _origins(expr: ast.expr) -> Iterator[ast.Name]:
    """The variables whose object, or a part of it, an expression may give."""
    match expr:
        case ast.Name():
            yield expr
        case ast.Attribute() | ast.Subscript() | ast.Await() | ast.NamedExpr() | ast.Starred():
            yield from _origins(expr.value)
        case ast.IfExp() | ast.BoolOp():
            branches = expr.values if isinstance(expr, ast.BoolOp) else [expr.body, expr.orelse]
            for one in branches:
                yield from _origins(one)
        case ast.Call():
            receiver = [expr.func.value] if isinstance(expr.func, ast.Attribute) else []
            for one in (*receiver, *arguments(expr)):
                yield from _origins(one)


def _stored(store: ast.expr, parents: dict[ast.AST, ast.AST]) -> list[ast.expr]:
    """What is assigned to an attribute or item."""
    node: ast.AST | None = store
    while node is not None and not isinstance(node, ast.stmt | ast.comprehension):
        node = parents.get(node)
    value = getattr(node, "value", None) or getattr(node, "iter", None)
    return [value] if isinstance(value, ast.expr) else []


def _returns(function: FunctionNode) -> Iterator[ast.Return]:
    """The `return` statements of a function, not those of functions in it."""
    stack: list[ast.AST] = [*function.body]
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Return):
            yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.expr):
            stack.extend(children(node))
