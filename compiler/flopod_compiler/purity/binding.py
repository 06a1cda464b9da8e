"""The argument expressions of a call by the parameter that receives them."""

from __future__ import annotations

import ast

from flopod_compiler.model import FunctionNode


def bind_arguments(
    call: ast.Call | None, node: FunctionNode, receiver: ast.expr | None, *, shifted: bool = False
) -> dict[str, list[ast.expr]]:
    """What each parameter of a function is given; the values of stars reach all that they may fill.

    `receiver` is the value of the first parameter of a bound method; `shifted` says that this parameter
    is filled by nothing in sight.
    """
    args = node.args
    positional = [arg.arg for arg in (*args.posonlyargs, *args.args)]
    names = [*positional, *(arg.arg for arg in args.kwonlyargs)]
    given: dict[str, list[ast.expr]] = {}
    if receiver is not None and positional:
        given[positional[0]] = [receiver]
    if receiver is not None or shifted:
        positional = positional[1:]
    if call is None:
        return given
    for index, value in enumerate(call.args):
        if isinstance(value, ast.Starred):
            for name in [*positional[index:], *_rest(args)]:
                given.setdefault(name, []).append(value.value)
        else:
            where = positional[index] if index < len(positional) else next(iter(_rest(args)), "")
            given.setdefault(where, []).append(value)
    for keyword in call.keywords:
        if keyword.arg is None:
            for name in [*names, *_rest(args)]:
                given.setdefault(name, []).append(keyword.value)
        else:
            where = keyword.arg if keyword.arg in names or args.kwarg is None else args.kwarg.arg
            given.setdefault(where, []).append(keyword.value)
    return given


def default_of(node: FunctionNode, name: str) -> ast.expr | None:
    """The default value of a parameter, if it has one."""
    args = node.args
    plain = [*args.posonlyargs, *args.args]
    with_default = plain[len(plain) - len(args.defaults) :]
    for arg, default in [*zip(with_default, args.defaults, strict=True)]:
        if arg.arg == name:
            return default
    for arg, given in zip(args.kwonlyargs, args.kw_defaults, strict=True):
        if arg.arg == name:
            return given
    return None


def _rest(args: ast.arguments) -> list[str]:
    return [arg.arg for arg in (args.vararg, args.kwarg) if arg is not None]
