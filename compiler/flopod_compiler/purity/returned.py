"""Which functions a call may give: a function of the project returns one, a container has one."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flopod_compiler.model import External, ProjectFunction
from flopod_compiler.names import Names, Scope
from flopod_compiler.purity.callee import Callee, Part, Path, Values, either

if TYPE_CHECKING:
    from flopod_compiler.purity.functions import FunctionValues

_COPIES = frozenset(f"builtins.{name}" for name in ("list", "tuple", "reversed", "sorted", "iter", "set"))
_ITEM_METHODS = frozenset({"get", "pop", "popleft", "setdefault"})


class ReturnedValues:
    """Reads calls; `values` reads the expressions in them."""

    def __init__(self, values: FunctionValues, names: Names) -> None:
        self._values = values
        self._names = names
        self._calling: set[ast.AST] = set()

    def of(self, expr: ast.Call, scope: Scope, path: Path) -> Values:
        """The functions at a path inside what a call gives."""
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
            return self._values.at(expr.args[0], scope, (Part.EACH, *rest))
        if qualified in _COPIES and not expr.args:
            return []
        if qualified == "builtins.enumerate" and rest:
            return self._values.at(expr.args[0], scope, (Part.EACH, *rest[1:])) if rest[0] == 1 else []
        if qualified == "builtins.zip" and rest and isinstance(rest[0], int) and rest[0] < len(expr.args):
            return self._values.at(expr.args[rest[0]], scope, (Part.EACH, *rest[1:]))
        if qualified == "builtins.dict" and not expr.args and path[0] is not Part.EACH:
            return either([self._values.inner(one.value, scope, rest) for one in expr.keywords if one.arg])
        return None

    def _made(self, qualified: str, expr: ast.Call, scope: Scope) -> Values:
        """Calls that give a function: `partial(f, ...)`, `getattr(value, "name")`, `next(functions)`."""
        if qualified == "functools.partial" and expr.args:
            return [Callee(scope, expr=expr)]
        if qualified == "builtins.getattr" and len(expr.args) == 2:
            name = expr.args[1]
            if isinstance(name, ast.Constant) and isinstance(name.value, str) and name.value.isidentifier():
                chain = ast.Attribute(expr.args[0], name.value, ast.Load())
                return self._values.attribute(ast.copy_location(chain, expr), scope, ())
        if qualified == "builtins.next" and expr.args:
            found = [self._values.at(expr.args[0], scope, (Part.EACH,))]
            return either(found + [self._values.at(one, scope, ()) for one in expr.args[1:2]])
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
            return either(self._values.at(one, scope, path) for one in found if one is not None)
        finally:
            self._calling.discard(function.node)

    def _method(self, func: ast.Attribute, expr: ast.Call, scope: Scope, path: Path) -> Values:
        """What the methods of containers give."""
        name, base = func.attr, func.value
        if name in _ITEM_METHODS:
            item = self._values.at(base, scope, (Part.ITEM, *path))
            return either([item, *(self._values.at(one, scope, path) for one in expr.args[1:2])])
        if not path:
            return None
        rest = path[1:]
        if name == "values":
            return self._values.at(base, scope, (Part.ITEM, *rest))
        if name == "items" and rest:
            return self._values.at(base, scope, (Part.EACH if rest[0] == 0 else Part.ITEM, *rest[1:]))
        if name == "popitem":
            return self._values.at(base, scope, (Part.EACH if path[0] == 0 else Part.ITEM, *rest))
        if name in ("copy", "keys"):
            return self._values.at(base, scope, path)
        return None
