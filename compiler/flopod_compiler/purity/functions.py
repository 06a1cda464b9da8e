"""Which functions an expression may evaluate to: read backwards through variables, displays and loops.

Every answer is complete or None. A container counts only while all its uses are in sight: where it is
handed to code that might put something else into it, nothing is known of what it holds.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from flopod_compiler.model import External, Local, ModuleValue, ProjectClass, ProjectFunction, Symbol
from flopod_compiler.names import Scope
from flopod_compiler.purity.callee import Callee, Part, Path, Values, either
from flopod_compiler.purity.returned import ReturnedValues
from flopod_compiler.purity.stored import StoredValues

if TYPE_CHECKING:
    from flopod_compiler.purity.targets import Targets

_LONGEST = 5
_CONTAINERS = (ast.Tuple, ast.List, ast.Set, ast.Dict)
Opinion: TypeAlias = "Callable[[ast.expr], bool | None]"


class FunctionValues:
    """Answers for the functions of a project, helpers and workflows alike."""

    def __init__(self, targets: Targets) -> None:
        self._targets = targets
        self._names = targets.names
        self._returned = ReturnedValues(self, targets.names)
        self._stored = StoredValues(self, targets.names)
        self._fixed = 0
        self._opinion: Opinion | None = None

    def of(self, expr: ast.expr, scope: Scope) -> list[Callee]:
        """Every function that an expression may be; empty when that is not known."""
        found = self.at(expr, scope, ())
        distinct = {(id(one.symbol), id(one.expr)): one for one in found or ()}
        return list(distinct.values())

    def is_data(self, expr: ast.expr, scope: Scope, opinion: Opinion) -> bool:
        """Whether an expression is known to be no function and to hold none: a key, a counter.

        `opinion` says of an expression in the way whether it is harmless; None means to look closer.
        """
        self._opinion = opinion
        try:
            return self.at(expr, scope, ()) == []
        finally:
            self._opinion = None

    # --- expressions ------------------------------------------------------------------------------

    def at(self, expr: ast.expr, scope: Scope, path: Path) -> Values:
        """The functions at a path inside the value of an expression."""
        is_harmless = self._opinion(expr) if self._opinion is not None and not path else None
        if is_harmless is not None:
            return [] if is_harmless else None
        return self._found(expr, scope, path)

    def _found(self, expr: ast.expr, scope: Scope, path: Path) -> Values:
        if len(path) > _LONGEST or (not path and isinstance(expr, _CONTAINERS)):
            return None
        match expr:
            case ast.Name():
                return self._name(expr, scope, path)
            case ast.Attribute():
                return self.attribute(expr, scope, path)
            case ast.Lambda():
                return [Callee(scope, expr=expr)] if not path else None
            case ast.Constant():
                return [] if not path else None
            case ast.IfExp():
                return either([self.at(expr.body, scope, path), self.at(expr.orelse, scope, path)])
            case ast.BoolOp():
                return either(self.at(one, scope, path) for one in expr.values)
            case ast.NamedExpr():
                return self.at(expr.value, scope, path)
            case ast.Tuple():
                return self._display(expr.elts, scope, path)
            case ast.List() | ast.Set():
                return self._display(expr.elts, scope, path if self._fixed else (Part.EACH, *path[1:]))
            case ast.Dict():
                return self._dict(expr, scope, path)
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() if path:
                return self.at(expr.elt, self._names.scope(expr), path[1:])
            case ast.DictComp() if path:
                part = expr.key if path[0] is Part.EACH else expr.value
                return self.at(part, self._names.scope(expr), path[1:])
            case ast.Subscript():
                return self._subscript(expr, scope, path)
            case ast.BinOp(op=ast.Add()) if path:
                rest = (Part.EACH, *path[1:])
                return either([self.at(expr.left, scope, rest), self.at(expr.right, scope, rest)])
            case ast.Call():
                return self._returned.of(expr, scope, path)
        return None

    def _display(self, elements: list[ast.expr], scope: Scope, path: Path) -> Values:
        place, rest = path[0], path[1:]
        starred = any(isinstance(one, ast.Starred) for one in elements)
        if isinstance(place, int) and not starred:
            return self.inner(elements[place], scope, rest) if place < len(elements) else []
        return either(self._element(one, scope, rest) for one in elements)

    def _element(self, expr: ast.expr, scope: Scope, rest: Path) -> Values:
        if isinstance(expr, ast.Starred):
            return self.at(expr.value, scope, (Part.EACH, *rest))
        return self.inner(expr, scope, rest)

    def inner(self, expr: ast.expr, scope: Scope, rest: Path) -> Values:
        """An element of a display; one that may itself be changed is only followed where nothing is."""
        if rest and isinstance(expr, ast.List | ast.Dict | ast.Set) and not self._fixed:
            return None
        return self.at(expr, scope, rest)

    def _dict(self, expr: ast.Dict, scope: Scope, path: Path) -> Values:
        rest = path[1:]
        if path[0] is Part.EACH:
            return either(self.inner(one, scope, rest) for one in expr.keys if one is not None)
        pairs = [one for one in zip(expr.keys, expr.values, strict=True) if _may_be(one[0], path[0])]
        return either(
            self.inner(value, scope, rest) if key is not None else self.at(value, scope, path)
            for key, value in pairs
        )

    def _subscript(self, expr: ast.Subscript, scope: Scope, path: Path) -> Values:
        if isinstance(expr.slice, ast.Slice):
            return self.at(expr.value, scope, (Part.EACH, *path[1:])) if path else None
        return self.at(expr.value, scope, (_place(expr.slice), *path))

    # --- names --------------------------------------------------------------------------------------

    def _name(self, expr: ast.Name, scope: Scope, path: Path) -> Values:
        symbols = self._names.candidates(expr, scope)
        if any(isinstance(one, Local) for one in symbols):
            return self._stored.of(expr.id, scope, path)
        return either([self.symbol(one, scope, path) for one in symbols])

    def symbol(self, symbol: Symbol, scope: Scope, path: Path) -> Values:
        """The functions at a path inside what a symbol names."""
        if isinstance(symbol, ModuleValue):
            return self._module_value(symbol, scope, path)
        if not path and isinstance(symbol, External | ProjectFunction | ProjectClass):
            return [Callee(scope, symbol)]
        return None

    def _module_value(self, value: ModuleValue, scope: Scope, path: Path) -> Values:
        if not path:
            return [Callee(scope, value)]
        tree = self._names.module(value.module)
        if value.value is None or tree is None or not self._targets.is_fixed(value):
            return None
        self._fixed += 1
        try:
            return self.at(value.value, tree.root, path)
        finally:
            self._fixed -= 1

    def attribute(self, expr: ast.Attribute, scope: Scope, path: Path) -> Values:
        """The functions at a path inside the value of an attribute."""
        symbol = self._names.resolve(expr, scope)
        if isinstance(symbol, External | ProjectFunction | ProjectClass | ModuleValue):
            return self.symbol(symbol, scope, path)
        return [Callee(scope, expr=expr)] if not path and self._is_method(expr, scope) else None

    def _is_method(self, expr: ast.Attribute, scope: Scope) -> bool:
        """Whether an attribute is a method of its value's class, by the types that the value may have."""
        types = self._targets.types.of(expr.value, scope)
        return bool(types) and all(
            one.cls is not None
            and isinstance(self._names.class_member(one.cls, expr.attr), ProjectFunction)
            and self._targets.types.classes.property_of(one.cls, expr.attr) is None
            for one in types or ()
        )


def _place(key: ast.expr) -> int | str | Part:
    value = key.value if isinstance(key, ast.Constant) else None
    if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool) and value >= 0):
        return value
    return Part.ITEM


def _may_be(key: ast.expr | None, place: int | str | Part) -> bool:
    """Whether an entry of a dict display may be the one at a place; the spread of another may always."""
    return not (isinstance(place, str) and isinstance(key, ast.Constant) and key.value != place)
