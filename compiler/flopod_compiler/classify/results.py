"""Whether what a plain function returns could be awaited, by its annotation or its `return` statements."""

from __future__ import annotations

import ast

from flopod_compiler.classify.workspace import Workspace
from flopod_compiler.knowledge import external
from flopod_compiler.knowledge.methods import is_data_type
from flopod_compiler.model import CallKind, External, Local, ProjectFunction
from flopod_compiler.names import How, Scope
from flopod_compiler.types.model import Types

_DATA = (
    *(ast.Await, ast.Constant, ast.JoinedStr, ast.Compare, ast.BinOp, ast.UnaryOp, ast.Lambda),
    *(ast.List, ast.Tuple, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp, ast.GeneratorExp),
)
_PLAIN = frozenset({CallKind.PURE, CallKind.RECORDABLE, CallKind.OUTPUT})
_HANDING_ON = frozenset({"builtins.next", "builtins.getattr", "builtins.max", "builtins.min"})


class Results:
    """What functions give, read from their bodies; each is asked once."""

    def __init__(self, work: Workspace) -> None:
        self._work = work
        self._known: dict[ProjectFunction, bool] = {}

    def is_data(self, function: ProjectFunction) -> bool:
        """Whether calling a function certainly gives nothing that can be awaited."""
        if function not in self._known:
            self._known[function] = True
            self._known[function] = self._is_data(function)
        return self._known[function]

    def _is_data(self, function: ProjectFunction) -> bool:
        if self._work.purity.targets.is_async(function) is not False:
            return False
        declared = self._work.types.result(function)
        if declared is not None:
            return self._are_data(declared)
        scope = self._work.names.scope(function.node)
        returned = [one.value for one in scope.others if isinstance(one, ast.Return)]
        return all(one is None or self._expression(one, scope) for one in returned)

    def _are_data(self, types: Types) -> bool:
        return types is not None and all(
            (is_data_type(one.name) and not one.name.endswith(("Awaitable", "Coroutine")))
            if one.cls is None
            else not isinstance(self._work.names.class_member(one.cls, "__await__"), ProjectFunction)
            for one in types
        )

    def _expression(self, expr: ast.expr, scope: Scope) -> bool:
        if isinstance(expr, _DATA) or self._are_data(self._work.types.of(expr, scope)):
            return True
        match expr:
            case ast.IfExp():
                return self._expression(expr.body, scope) and self._expression(expr.orelse, scope)
            case ast.BoolOp():
                return all(self._expression(one, scope) for one in expr.values)
            case ast.NamedExpr() | ast.Attribute() | ast.Subscript():
                return self._expression(expr.value, scope)
            case ast.Name():
                return self._name(expr, scope)
            case ast.Call():
                return self._call(expr, scope)
        return False

    def _name(self, expr: ast.Name, scope: Scope) -> bool:
        """A variable that only holds data; what a leaf is given is data, for it is recorded."""
        if not isinstance(self._work.names.resolve(expr, scope), Local):
            return False
        owner, bindings = self._work.names.lookup(expr.id, scope)
        if owner is not scope:
            return False
        return all(
            (one.how is How.PARAMETER and expr.id not in ("self", "cls"))
            or (
                one.how is How.ASSIGN
                and one.value is not None
                and not _mentions(one.value, expr.id)
                and self._expression(one.value, one.scope)
            )
            for one in bindings
        )

    def _call(self, expr: ast.Call, scope: Scope) -> bool:
        return all(
            self.is_data(one)
            if isinstance(one, ProjectFunction)
            else isinstance(one, External) and self._is_plain(one.qualified, expr)
            for one in self._work.names.candidates(expr.func, scope)
        )

    @staticmethod
    def _is_plain(qualified: str, call: ast.Call) -> bool:
        known = external(qualified, call)
        return known.kind in _PLAIN and not known.is_async and qualified not in _HANDING_ON


def _mentions(value: ast.expr, name: str) -> bool:
    return any(isinstance(one, ast.Name) and one.id == name for one in ast.walk(value))
