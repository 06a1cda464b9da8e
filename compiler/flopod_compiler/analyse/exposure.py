"""Whether code could see that a collection is a recording subclass of `list` or `dict`, not the builtin.

`type(x)`, a serializer that dispatches on exact types and every function we do not know can. A
collection stays the plain builtin unless each of its uses is one that treats a subclass alike.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable

from flopod_compiler.analyse.scopes import Names, Scope
from flopod_compiler.model import CallKind, Classified, FunctionNode

_ALIKE = frozenset(
    f"builtins.{name}"
    for name in (
        *("all", "any", "dict", "enumerate", "frozenset", "isinstance", "iter", "len", "list", "max"),
        *("min", "next", "print", "repr", "reversed", "set", "sorted", "str", "sum", "tuple", "zip"),
    )
)
_DISPLAYS = (ast.Tuple, ast.List, ast.Dict, ast.Set)
_TESTED = (ast.If, ast.While, ast.IfExp, ast.Assert)


class Exposure:
    """Judges the uses of the names of one function."""

    def __init__(self, classified: Classified, function: FunctionNode, names: Names, scope: Scope) -> None:
        self._classified = classified
        self._names = names
        self._scope = scope
        self._parents = names.index.parents
        self._gives_to_nobody = _is_only_started(classified, function)

    def is_exposed(self, name: str) -> bool:
        """Whether some use of the local `name` could tell a subclass of the builtin from the builtin."""
        return not all(self._is_alike(use) for use in self._uses(name))

    def _uses(self, name: str) -> Iterable[ast.Name]:
        for scope in self._scope.walk():
            for use in scope.uses.get(name, ()):
                if self._names.of.get(use) is self._scope and isinstance(use.ctx, ast.Load):
                    yield use

    def _is_alike(self, use: ast.Name) -> bool:
        parent = self._parents[use]
        match parent:
            case ast.Subscript(value=value):
                return value is use
            case ast.Attribute():
                called = self._parents[parent]
                return isinstance(called, ast.Call) and called.func is parent
            case ast.For(iter=source) | ast.comprehension(iter=source):
                return source is use
            case ast.Compare(ops=ops):
                return not any(isinstance(one, (ast.Is, ast.IsNot)) for one in ops)
            case ast.Starred() | ast.FormattedValue() | ast.BinOp() | ast.UnaryOp() | ast.Expr():
                return True
            case ast.Call():
                return self._is_known(parent, use)
        if isinstance(parent, _TESTED):
            return parent.test is use
        return self._gives_to_nobody and self._is_returned(use)

    def _is_known(self, call: ast.Call, use: ast.Name) -> bool:
        info = self._classified.calls.get(call)
        if info is None or use not in call.args:
            return False
        return info.kind in {CallKind.PURE, CallKind.OUTPUT} and info.callee in _ALIKE

    def _is_returned(self, use: ast.AST) -> bool:
        parent = self._parents[use]
        while isinstance(parent, _DISPLAYS):
            parent = self._parents[parent]
        return isinstance(parent, ast.Return)


def _is_only_started(classified: Classified, function: FunctionNode) -> bool:
    """Whether no other code gets what the function returns: it is written to the log, as plain data."""
    known = classified.functions.get(function)
    if known is None or known.parent is not None:
        return False
    return function not in classified.called
