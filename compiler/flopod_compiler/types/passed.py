"""What a nested function's parameter without an annotation is given, where all its calls are in sight."""

from __future__ import annotations

import ast
from collections.abc import Callable

from flopod_compiler.knowledge.beside import takes_handle
from flopod_compiler.names import Scope
from flopod_compiler.types.concurrency import TASK, lives
from flopod_compiler.types.growing import within
from flopod_compiler.types.model import Types, of, union

Read = Callable[[ast.expr, Scope], Types]
Parents = dict[ast.AST, ast.AST]
Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


def passed(owner: Scope, parameter: ast.arg, parents: Parents, read: Read) -> Types:
    """The type of a parameter that is given one of asyncio's objects; unknown otherwise."""
    node = owner.node
    if isinstance(node, ast.Lambda):
        return _called_back(node, parents.get(node), owner.parent or owner, read)
    if not isinstance(node, Function) or owner.parent is None or not owner.parent.is_function:
        return None
    found: list[Types] = []
    for scope in within(owner.parent):
        for load in scope.loads:
            if load.id == node.name:
                found.append(_given(load, node, parameter, scope, parents, read))
    types = union(*found) if found else None
    return types if types is not None and all(lives(frozenset({one})) for one in types) else None


def _given(
    load: ast.Name, function: Function, parameter: ast.arg, scope: Scope, parents: Parents, read: Read
) -> Types:
    call = parents.get(load)
    if not isinstance(call, ast.Call):
        return None
    if call.func is not load:
        return _called_back(load, call, scope, read)
    for keyword in call.keywords:
        if keyword.arg == parameter.arg:
            return read(keyword.value, scope)
    names = [*function.args.posonlyargs, *function.args.args]
    position = names.index(parameter) if parameter in names else len(call.args)
    given = call.args[: position + 1]
    if len(given) <= position or any(isinstance(one, ast.Starred) for one in given):
        return None
    return read(given[position], scope)


def _called_back(function: ast.expr, call: ast.AST | None, scope: Scope, read: Read) -> Types:
    """What a call gives to the function that it is handed, where it is known to call that."""
    if isinstance(call, ast.Call) and takes_handle(call, function):
        return read(call, scope)
    return of(TASK) if _is_callback(call) else None


def _is_callback(call: ast.AST | None) -> bool:
    is_method = isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)
    return is_method and call.func.attr == "add_done_callback"  # type: ignore[union-attr]
