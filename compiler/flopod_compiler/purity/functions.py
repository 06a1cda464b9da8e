"""Which functions an expression may evaluate to: read backwards through variables, displays and loops.

Every answer is complete or None. A container counts only while all its uses are in sight: where it is
handed to code that might put something else into it, nothing is known of what it holds.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, TypeAlias

from flopod_compiler.model import External, Local, ModuleValue, ProjectClass, ProjectFunction, Symbol
from flopod_compiler.names import Binding, How, Scope
from flopod_compiler.purity.binding import bind_arguments, default_of
from flopod_compiler.purity.uses import Use, added, is_reading

if TYPE_CHECKING:
    from flopod_compiler.purity.targets import Targets


class Part(Enum):
    """A part of a container whose place is not known: one of its elements, or the value at some key."""

    EACH = "each"
    ITEM = "item"


Path: TypeAlias = "tuple[int | str | Part, ...]"
_LONGEST = 5
_CONTAINERS = (ast.Tuple, ast.List, ast.Set, ast.Dict)
_COPIES = frozenset(f"builtins.{name}" for name in ("list", "tuple", "reversed", "sorted", "iter", "set"))
_ITEM_METHODS = frozenset({"get", "pop", "popleft", "setdefault"})


@dataclass(frozen=True, slots=True, eq=False)
class Callee:
    """One function that a value may be: a definition by its symbol, or an expression that makes it.

    The expression is a lambda, a method of a value, or a call of `functools.partial`.
    """

    scope: Scope
    symbol: Symbol | None = None
    expr: ast.expr | None = None


Values: TypeAlias = "list[Callee] | None"
Opinion: TypeAlias = "Callable[[ast.expr], bool | None]"


class FunctionValues:
    """Answers for the functions of a project, helpers and workflows alike."""

    def __init__(self, targets: Targets) -> None:
        self._targets = targets
        self._names = targets.names
        self._active: set[tuple[Scope, str, Path]] = set()
        self._calling: set[ast.AST] = set()
        self._fixed = 0
        self._opinion: Opinion | None = None

    def of(self, expr: ast.expr, scope: Scope) -> list[Callee]:
        """Every function that an expression may be; empty when that is not known."""
        found = self._at(expr, scope, ())
        distinct = {(id(one.symbol), id(one.expr)): one for one in found or ()}
        return list(distinct.values())

    def is_data(self, expr: ast.expr, scope: Scope, opinion: Opinion) -> bool:
        """Whether an expression is known to be no function and to hold none: a key, a counter.

        `opinion` says of an expression in the way whether it is harmless; None means to look closer.
        """
        self._opinion = opinion
        try:
            return self._at(expr, scope, ()) == []
        finally:
            self._opinion = None

    # --- expressions ------------------------------------------------------------------------------

    def _at(self, expr: ast.expr, scope: Scope, path: Path) -> Values:
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
                return self._attribute(expr, scope, path)
            case ast.Lambda():
                return [Callee(scope, expr=expr)] if not path else None
            case ast.Constant():
                return [] if not path else None
            case ast.IfExp():
                return _union([self._at(expr.body, scope, path), self._at(expr.orelse, scope, path)])
            case ast.BoolOp():
                return _union([self._at(one, scope, path) for one in expr.values])
            case ast.NamedExpr():
                return self._at(expr.value, scope, path)
            case ast.Tuple():
                return self._display(expr.elts, scope, path)
            case ast.List() | ast.Set():
                return self._display(expr.elts, scope, path if self._fixed else (Part.EACH, *path[1:]))
            case ast.Dict():
                return self._dict(expr, scope, path)
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() if path:
                return self._at(expr.elt, self._names.scope(expr), path[1:])
            case ast.DictComp() if path:
                part = expr.key if path[0] is Part.EACH else expr.value
                return self._at(part, self._names.scope(expr), path[1:])
            case ast.Subscript():
                return self._subscript(expr, scope, path)
            case ast.BinOp(op=ast.Add()) if path:
                rest = (Part.EACH, *path[1:])
                return _union([self._at(expr.left, scope, rest), self._at(expr.right, scope, rest)])
            case ast.Call():
                return self._call(expr, scope, path)
        return None

    def _display(self, elements: list[ast.expr], scope: Scope, path: Path) -> Values:
        place, rest = path[0], path[1:]
        starred = any(isinstance(one, ast.Starred) for one in elements)
        if isinstance(place, int) and not starred:
            return self._inner(elements[place], scope, rest) if place < len(elements) else []
        return _union([self._element(one, scope, rest) for one in elements])

    def _element(self, expr: ast.expr, scope: Scope, rest: Path) -> Values:
        if isinstance(expr, ast.Starred):
            return self._at(expr.value, scope, (Part.EACH, *rest))
        return self._inner(expr, scope, rest)

    def _inner(self, expr: ast.expr, scope: Scope, rest: Path) -> Values:
        """An element of a display; one that may itself be changed is only followed where nothing is."""
        if rest and isinstance(expr, ast.List | ast.Dict | ast.Set) and not self._fixed:
            return None
        return self._at(expr, scope, rest)

    def _dict(self, expr: ast.Dict, scope: Scope, path: Path) -> Values:
        rest = path[1:]
        if path[0] is Part.EACH:
            return _union([self._inner(one, scope, rest) for one in expr.keys if one is not None])
        pairs = [one for one in zip(expr.keys, expr.values, strict=True) if _may_be(one[0], path[0])]
        return _union([
            self._inner(value, scope, rest) if key is not None else self._at(value, scope, path)
            for key, value in pairs
        ])  # fmt: skip

    def _subscript(self, expr: ast.Subscript, scope: Scope, path: Path) -> Values:
        if isinstance(expr.slice, ast.Slice):
            return self._at(expr.value, scope, (Part.EACH, *path[1:])) if path else None
        return self._at(expr.value, scope, (_place(expr.slice), *path))

    # --- calls --------------------------------------------------------------------------------------

    def _call(self, expr: ast.Call, scope: Scope, path: Path) -> Values:
        symbol = self._names.resolve(expr.func, scope)
        if isinstance(symbol, External):
            return self._external(symbol.qualified, expr, scope, path)
        if isinstance(symbol, ProjectFunction):
            return self._returned(symbol, path)
        if isinstance(expr.func, ast.Attribute):
            return self._method(expr.func, expr, scope, path)
        return None

    def _external(self, qualified: str, expr: ast.Call, scope: Scope, path: Path) -> Values:
        if not path:
            return self._made(qualified, expr, scope)
        if any(isinstance(one, ast.Starred) for one in expr.args):
            return None
        rest = path[1:]
        if qualified in _COPIES and len(expr.args) == 1:
            return self._at(expr.args[0], scope, (Part.EACH, *rest))
        if qualified in _COPIES and not expr.args:
            return []
        if qualified == "builtins.enumerate" and rest:
            return self._at(expr.args[0], scope, (Part.EACH, *rest[1:])) if rest[0] == 1 else []
        if qualified == "builtins.zip" and rest and isinstance(rest[0], int) and rest[0] < len(expr.args):
            return self._at(expr.args[rest[0]], scope, (Part.EACH, *rest[1:]))
        if qualified == "builtins.dict" and not expr.args and path[0] is not Part.EACH:
            return _union([self._inner(one.value, scope, rest) for one in expr.keywords if one.arg])
        return None

    def _made(self, qualified: str, expr: ast.Call, scope: Scope) -> Values:
        """Calls that give a function: `partial(f, ...)`, `getattr(value, "name")`, `next(functions)`."""
        if qualified == "functools.partial" and expr.args:
            return [Callee(scope, expr=expr)]
        if qualified == "builtins.getattr" and len(expr.args) == 2:
            name = expr.args[1]
            if isinstance(name, ast.Constant) and isinstance(name.value, str) and name.value.isidentifier():
                chain = ast.Attribute(expr.args[0], name.value, ast.Load())
                return self._attribute(ast.copy_location(chain, expr), scope, ())
        if qualified == "builtins.next" and expr.args:
            found = [self._at(expr.args[0], scope, (Part.EACH,))]
            return _union(found + [self._at(one, scope, ()) for one in expr.args[1:2]])
        return None

    def _returned(self, function: ProjectFunction, path: Path) -> Values:
        """The functions that a plain function returns, or puts into the tuple that it returns."""
        if function.is_async or function.node.decorator_list or function.node in self._calling:
            return None
        scope = self._names.scope(function.node)
        found = [one.value for one in scope.others if isinstance(one, ast.Return)]
        if not found or any(isinstance(one, ast.Yield | ast.YieldFrom) for one in scope.others):
            return None
        self._calling.add(function.node)
        try:
            return _union([self._at(one, scope, path) for one in found if one is not None])
        finally:
            self._calling.discard(function.node)

    def _method(self, func: ast.Attribute, expr: ast.Call, scope: Scope, path: Path) -> Values:
        """What the methods of containers give."""
        name, base = func.attr, func.value
        if name in _ITEM_METHODS:
            item = self._at(base, scope, (Part.ITEM, *path))
            return _union([item, *(self._at(one, scope, path) for one in expr.args[1:2])])
        if not path:
            return None
        rest = path[1:]
        if name == "values":
            return self._at(base, scope, (Part.ITEM, *rest))
        if name == "items" and rest:
            return self._at(base, scope, (Part.EACH if rest[0] == 0 else Part.ITEM, *rest[1:]))
        if name == "popitem":
            return self._at(base, scope, (Part.EACH if path[0] == 0 else Part.ITEM, *rest))
        if name in ("copy", "keys"):
            return self._at(base, scope, path)
        return None

    # --- names --------------------------------------------------------------------------------------

    def _name(self, expr: ast.Name, scope: Scope, path: Path) -> Values:
        symbols = self._names.candidates(expr, scope)
        if any(isinstance(one, Local) for one in symbols):
            return self._variable(expr.id, scope, path)
        return _union([self._symbol(one, scope, path) for one in symbols])

    def _symbol(self, symbol: Symbol, scope: Scope, path: Path) -> Values:
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
            return self._at(value.value, tree.root, path)
        finally:
            self._fixed -= 1

    def _attribute(self, expr: ast.Attribute, scope: Scope, path: Path) -> Values:
        symbol = self._names.resolve(expr, scope)
        if isinstance(symbol, External | ProjectFunction | ProjectClass | ModuleValue):
            return self._symbol(symbol, scope, path)
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

    def _variable(self, name: str, scope: Scope, path: Path) -> Values:
        owner, bindings = self._names.lookup(name, scope)
        if owner is None or owner.parent is None or not bindings:
            return None
        key = (owner, name, path)
        if key in self._active:
            return []
        self._active.add(key)
        try:
            found = [self._binding(name, owner, one, path) for one in bindings]
            if path:
                found += [self._use(one, path) for one in self._uses(name, owner)]
            return _union(found)
        finally:
            self._active.discard(key)

    def _binding(self, name: str, owner: Scope, binding: Binding, path: Path) -> Values:
        if binding.how in (How.DELETE, How.DECLARE):
            return []
        if binding.how is How.PARAMETER:
            return self._parameter(name, owner, path)
        if binding.how is How.AUGMENT and binding.value is not None and path:
            return self._at(binding.value, binding.scope, (Part.EACH, *path[1:]))
        if binding.how in (How.ASSIGN, How.UNPACK) and binding.value is not None:
            return self._unpacked(binding, (), path)
        if binding.how is How.FOR and binding.value is not None:
            return self._unpacked(binding, (Part.EACH,), path)
        symbols = self._names.meaning(name, owner, binding)
        return _union([self._symbol(one, owner, path) for one in symbols]) if symbols else None

    def _unpacked(self, binding: Binding, before: Path, path: Path) -> Values:
        """Follow the path of an unpacking; what a starred target takes has elements of unknown places."""
        assert binding.value is not None
        node = binding.node
        if isinstance(node, ast.AsyncFor) or (isinstance(node, ast.comprehension) and node.is_async):
            return None
        places: Path = binding.path
        if -1 in places:
            if places.index(-1) != len(places) - 1 or not path:
                return None
            places, path = places[:-2], (Part.EACH, *path[1:])
        return self._at(binding.value, binding.scope, (*before, *places, *path))

    # --- parameters of inner functions ----------------------------------------------------------------

    def _parameter(self, name: str, owner: Scope, path: Path) -> Values:
        """What the calls of a function nested in another give to one of its parameters."""
        node, outside = owner.node, owner.parent
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or outside is None:
            return None
        if isinstance(outside.node, ast.Module | ast.ClassDef) or node.decorator_list:
            return None
        if any(rest is not None and rest.arg == name for rest in (node.args.vararg, node.args.kwarg)):
            return None
        default = default_of(node, name)
        found = [self._at(default, outside, path)] if default is not None else []
        for use in self._uses(node.name, outside):
            if (
                not isinstance(use.parent, ast.Call)
                or use.parent.func is not use.node
                or _spreads(use.parent)
            ):
                return None
            given = bind_arguments(use.parent, node, None).get(name, [])
            found += [self._at(one, use.scope, path) for one in given]
        return _union(found) if found else None

    # --- what happens to a container ------------------------------------------------------------------

    def _uses(self, name: str, owner: Scope) -> Iterator[Use]:
        """Every place that reads a variable, inner functions included."""
        parents = self._names.tree_holding(owner).parents
        stack = [owner]
        while stack:
            scope = stack.pop()
            stack.extend(scope.children)
            for load in scope.loads:
                if load.id == name and self._names.lookup(name, scope)[0] is owner:
                    yield Use(load, scope, parents)

    def _use(self, use: Use, path: Path) -> Values:
        """What one use of a container puts into it; None when it might be anything."""
        if is_reading(use, self._names):
            return []
        more = added(use)
        if more is None:
            return None
        rest = path[1:]
        found = [self._inner(one, use.scope, rest) for one in more.elements]
        return _union(found + [self._at(one, use.scope, (Part.EACH, *rest)) for one in more.spread])


def _union(values: Iterable[Values]) -> Values:
    found: list[Callee] = []
    for one in values:
        if one is None:
            return None
        found += one
    return found


def _place(key: ast.expr) -> int | str | Part:
    value = key.value if isinstance(key, ast.Constant) else None
    if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool) and value >= 0):
        return value
    return Part.ITEM


def _may_be(key: ast.expr | None, place: int | str | Part) -> bool:
    """Whether an entry of a dict display may be the one at a place; the spread of another may always."""
    return not (isinstance(place, str) and isinstance(key, ast.Constant) and key.value != place)


def _spreads(call: ast.Call) -> bool:
    return any(isinstance(one, ast.Starred) for one in call.args) or any(
        one.arg is None for one in call.keywords
    )
