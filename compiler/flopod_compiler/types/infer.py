"""From expressions to the types their values may have, within one function and without flow."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from flopod_compiler.model import External, Local, ModuleValue, ProjectClass, ProjectFunction, Symbol
from flopod_compiler.names import Names, Scope
from flopod_compiler.types.annotations import Annotations
from flopod_compiler.types.classes import ClassTypes
from flopod_compiler.types.concurrency import awaited
from flopod_compiler.types.known import binary
from flopod_compiler.types.model import ITERATOR, Type, Types, element, item, of, union
from flopod_compiler.types.results import Results
from flopod_compiler.types.variables import Variables, is_none

_MAX_DEPTH = 40
_COMPREHENSIONS = {
    ast.ListComp: "builtins.list",
    ast.SetComp: "builtins.set",
    ast.GeneratorExp: ITERATOR,
}
_DISPLAYS = {ast.List: "builtins.list", ast.Set: "builtins.set"}


class Inference:
    """Infers types on demand; every expression stands in one scope, so its result is kept by node."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.annotations = Annotations(names)
        self.classes = ClassTypes(names, self.annotations)
        self._known: dict[ast.expr, Types] = {}
        self._variables = Variables(self)
        self._results = Results(self)
        self._depth = 0

    def of(self, expr: ast.expr, scope: Scope) -> Types:
        """The types an expression may have, None left out; unknown when any of them is."""
        if expr in self._known:
            return self._known[expr]
        if self._depth > _MAX_DEPTH:
            return None
        self._known[expr] = None
        self._depth += 1
        try:
            reader = _READERS.get(type(expr))
            found = reader(self, expr, scope) if reader is not None else None
        finally:
            self._depth -= 1
        self._known[expr] = found
        return found

    def variable(self, name: str, scope: Scope) -> Types:
        """The types of a name as seen from a scope: the union over its bindings."""
        return self._variables.of(name, scope)

    def symbol(self, symbol: Symbol) -> Types:
        """The types of what a symbol names, when it names a value."""
        if isinstance(symbol, ModuleValue):
            tree = self.names.module(symbol.module)
            if tree is None:
                return None
            for binding in tree.root.bindings.get(symbol.name, ()):
                if binding.annotation is not None:
                    return self.annotations.read(binding.annotation, tree.root)
            return self.of(symbol.value, tree.root) if symbol.value is not None else None
        return None

    def awaited(self, types: Types) -> Types:
        """What awaiting a value of these types gives."""
        return awaited(types)

    def result(self, function: ProjectFunction) -> Types:
        """What calling a project function gives, by its return annotation; a coroutine for `async def`."""
        return self._results.of_function(function)

    def instance(self, symbol: Symbol) -> Types:
        """The type of an instance of the class that a symbol names."""
        if isinstance(symbol, ProjectClass):
            return frozenset({Type(f"{symbol.module}:{symbol.qualname}", (), symbol)})
        return of(symbol.qualified) if isinstance(symbol, External) else None

    # --- expressions ------------------------------------------------------------------------------

    def _constant(self, expr: ast.Constant, _scope: Scope) -> Types:
        return of(f"builtins.{type(expr.value).__name__}")

    def _text(self, _expr: ast.expr, _scope: Scope) -> Types:
        return of("builtins.str")

    def _truth(self, _expr: ast.expr, _scope: Scope) -> Types:
        return of("builtins.bool")

    def _display(self, expr: ast.List | ast.Set, scope: Scope) -> Types:
        return of(_DISPLAYS[type(expr)], self._elements(expr.elts, scope))

    def _elements(self, items: list[ast.expr], scope: Scope) -> Types:
        if not items:
            return None
        return union(
            *(
                element(self.of(one.value, scope)) if isinstance(one, ast.Starred) else self.of(one, scope)
                for one in items
            )
        )

    def _tuple(self, expr: ast.Tuple, scope: Scope) -> Types:
        if any(isinstance(one, ast.Starred) for one in expr.elts):
            return of("builtins.tuple", self._elements(expr.elts, scope))
        return of("builtins.tuple", *(self.of(one, scope) for one in expr.elts))

    def _dict(self, expr: ast.Dict, scope: Scope) -> Types:
        if not expr.keys or any(key is None for key in expr.keys):
            return of("builtins.dict")
        keys = union(*(self.of(key, scope) for key in expr.keys if key is not None))
        return of("builtins.dict", keys, union(*(self.of(value, scope) for value in expr.values)))

    def _comprehension(self, expr: ast.ListComp | ast.SetComp | ast.GeneratorExp, _scope: Scope) -> Types:
        return of(_COMPREHENSIONS[type(expr)], self.of(expr.elt, self.names.scope(expr)))

    def _dict_comprehension(self, expr: ast.DictComp, _scope: Scope) -> Types:
        inner = self.names.scope(expr)
        return of("builtins.dict", self.of(expr.key, inner), self.of(expr.value, inner))

    def _boolean(self, expr: ast.BoolOp, scope: Scope) -> Types:
        kept = [
            value for value in expr.values if not (isinstance(value, ast.Constant) and value.value is None)
        ]
        return union(*(self.of(value, scope) for value in kept))

    def _choice(self, expr: ast.IfExp, scope: Scope) -> Types:
        parts = [part for part in (expr.body, expr.orelse) if not is_none(part)]
        return union(*(self.of(part, scope) for part in parts))

    def _binary(self, expr: ast.BinOp, scope: Scope) -> Types:
        left = self.of(expr.left, scope)
        if isinstance(expr.op, ast.Mod) and left == of("builtins.str"):
            return left
        return binary(expr.op, left, self.of(expr.right, scope))

    def _unary(self, expr: ast.UnaryOp, scope: Scope) -> Types:
        return of("builtins.bool") if isinstance(expr.op, ast.Not) else self.of(expr.operand, scope)

    def _named(self, expr: ast.NamedExpr, scope: Scope) -> Types:
        return self.of(expr.value, scope)

    def _await(self, expr: ast.Await, scope: Scope) -> Types:
        return self.awaited(self.of(expr.value, scope))

    def _name(self, expr: ast.Name, scope: Scope) -> Types:
        symbol = self.names.resolve(expr, scope)
        if isinstance(symbol, Local):
            return self.variable(expr.id, scope)
        return self.symbol(symbol)

    def _attribute(self, expr: ast.Attribute, scope: Scope) -> Types:
        symbol = self.names.resolve(expr, scope)
        if isinstance(symbol, ModuleValue):
            return self.symbol(symbol)
        base = self.names.resolve(expr.value, scope)
        if isinstance(base, ProjectClass):
            return self.classes.member_of_class(base, expr.attr)
        types = self.of(expr.value, scope)
        if types is None:
            return None
        return union(*(self.classes.attribute(one, expr.attr) for one in types))

    def _subscript(self, expr: ast.Subscript, scope: Scope) -> Types:
        types = self.of(expr.value, scope)
        if isinstance(expr.slice, ast.Slice):
            return types
        index = expr.slice.value if isinstance(expr.slice, ast.Constant) else None
        return item(types, index if isinstance(index, int) else None)

    def _call(self, expr: ast.Call, scope: Scope) -> Types:
        return self._results.of(expr, scope)


_Reader = Callable[[Inference, Any, Scope], Types]
_READERS: dict[type[ast.expr], _Reader] = {
    ast.Constant: Inference._constant,
    ast.JoinedStr: Inference._text,
    ast.Compare: Inference._truth,
    ast.List: Inference._display,
    ast.Set: Inference._display,
    ast.Tuple: Inference._tuple,
    ast.Dict: Inference._dict,
    ast.ListComp: Inference._comprehension,
    ast.SetComp: Inference._comprehension,
    ast.GeneratorExp: Inference._comprehension,
    ast.DictComp: Inference._dict_comprehension,
    ast.BoolOp: Inference._boolean,
    ast.IfExp: Inference._choice,
    ast.BinOp: Inference._binary,
    ast.UnaryOp: Inference._unary,
    ast.NamedExpr: Inference._named,
    ast.Await: Inference._await,
    ast.Name: Inference._name,
    ast.Attribute: Inference._attribute,
    ast.Subscript: Inference._subscript,
    ast.Call: Inference._call,
}
