"""What calls give: instances, the results of functions, and those of primitives and asyncio."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flopod_compiler.knowledge.author import (
    ACTIVITY,
    ATTEMPT,
    JOINED,
    START,
    TAP,
    WAIT_FOR,
    canonical,
)
from flopod_compiler.knowledge.beside import SIDE, function_of, value_of
from flopod_compiler.knowledge.concurrency import CHILD, DETACHED, is_asyncio_type
from flopod_compiler.model import External, ProjectClass, ProjectFunction, Symbol
from flopod_compiler.names import Scope
from flopod_compiler.types.concurrency import FUTURE, asyncio_method_result, asyncio_result, awaited
from flopod_compiler.types.known import constructed, method_result, returned
from flopod_compiler.types.model import AWAITABLE, Type, Types, element, of, union

if TYPE_CHECKING:
    from flopod_compiler.types.infer import Inference


class Results:
    """The types of the values that calls give; `types` reads their arguments."""

    def __init__(self, types: Inference) -> None:
        self._types = types
        self._names = types.names
        self._annotations = types.annotations

    def of(self, expr: ast.Call, scope: Scope) -> Types:
        """What a call that stands in a scope gives."""
        found = self._names.candidates(expr.func, scope)
        if all(isinstance(one, ProjectClass | ProjectFunction | External) for one in found):
            return union(*(self._called(one, expr, scope) for one in found))
        if isinstance(expr.func, ast.Attribute):
            return self._method(expr.func, expr, scope)
        if isinstance(expr.func, ast.Call) and expr.func.args:
            declared = self._names.resolve(expr.func.func, scope)
            if isinstance(declared, External) and canonical(declared.qualified) == ACTIVITY:
                symbol = self._names.resolve(expr.func.args[0], scope)
                return self.of_function(symbol) if isinstance(symbol, ProjectFunction) else None
        return None

    def _called(self, symbol: Symbol, expr: ast.Call, scope: Scope) -> Types:
        if isinstance(symbol, ProjectClass):
            return self._types.instance(symbol)
        if isinstance(symbol, ProjectFunction):
            return self.of_function(symbol)
        assert isinstance(symbol, External)
        primitive = self._primitive(canonical(symbol.qualified), expr, scope)
        if primitive is not None:
            return primitive
        arguments = [self._types.of(arg, scope) for arg in expr.args if not isinstance(arg, ast.Starred)]
        return constructed(symbol.qualified, arguments) or returned(symbol.qualified, arguments)

    def _primitive(self, qualified: str, expr: ast.Call, scope: Scope) -> Types:
        """The results of primitives and asyncio calls, which follow from their arguments."""
        if qualified == WAIT_FOR:
            payload = [*expr.args[1:2], *(k.value for k in expr.keywords if k.arg == "type")]
            return of(AWAITABLE, self._annotations.read(payload[0], scope)) if payload else None
        if qualified == ATTEMPT and expr.args:
            return of(AWAITABLE, self._tried(expr.args[0], scope))
        if qualified == START and expr.args:
            return of(CHILD, self._tried(expr.args[0], scope))
        if qualified == JOINED:
            child = function_of(qualified, expr)
            return of(DETACHED, self._tried(child, scope) if child is not None else None)
        if qualified in SIDE:
            value = value_of(qualified, expr)
            passed = self._types.of(value, scope) if value is not None else None
            return of(AWAITABLE, passed) if qualified == TAP else passed
        if qualified == "asyncio.gather":
            return of(FUTURE, self._gathered(expr, scope))
        return asyncio_result(qualified, expr, lambda one: self._types.of(one, scope))

    def _tried(self, function: ast.expr, scope: Scope) -> Types:
        symbol = self._names.resolve(function, scope)
        if not isinstance(symbol, ProjectFunction):
            return None
        found = self.of_function(symbol)
        return awaited(found) if symbol.is_async else found

    def _gathered(self, expr: ast.Call, scope: Scope) -> Types:
        if any(keyword.arg == "return_exceptions" for keyword in expr.keywords):
            return of("builtins.list")
        starred = [arg.value for arg in expr.args if isinstance(arg, ast.Starred)]
        if starred:
            items = element(self._types.of(starred[0], scope)) if len(expr.args) == 1 else None
            return of("builtins.list", awaited(items))
        return of("builtins.list", *(awaited(self._types.of(arg, scope)) for arg in expr.args))

    def _method(self, func: ast.Attribute, call: ast.Call, scope: Scope) -> Types:
        receiver = self._types.of(func.value, scope)
        if receiver is None:
            return None
        return union(*(self._method_of(one, func.attr, call, scope) for one in receiver))

    def _method_of(self, receiver: Type, name: str, call: ast.Call, scope: Scope) -> Types:
        if receiver.cls is not None:
            member = self._names.class_member(receiver.cls, name)
            return self.of_function(member) if isinstance(member, ProjectFunction) else None
        if is_asyncio_type(receiver.name):
            return asyncio_method_result(receiver, name, call, lambda one: self._types.of(one, scope))
        return method_result(receiver, name)

    def of_function(self, function: ProjectFunction) -> Types:
        """What calling a project function gives, by its return annotation; a coroutine for `async def`."""
        scope = self._names.scope(function.node).parent
        found = self._annotations.read(function.node.returns, scope) if scope is not None else None
        if found is None and function.node.returns is not None and function.owner is not None:
            found = _self_type(function)
        is_generator = any(isinstance(one, ast.Yield) for one in self._names.scope(function.node).others)
        return of(AWAITABLE, found) if function.is_async and not is_generator else found


def _self_type(function: ProjectFunction) -> Types:
    returns = function.node.returns
    name = returns.id if isinstance(returns, ast.Name) else getattr(returns, "attr", "")
    owner = function.owner
    if name != "Self" or owner is None:
        return None
    return frozenset({Type(f"{owner.module}:{owner.qualname}", (), owner)})
