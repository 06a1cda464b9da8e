"""What the functions of flopod's surface take, read off their source: to import them brings in asyncio."""

from __future__ import annotations

import ast
from functools import cache
from importlib.util import find_spec
from inspect import Parameter, Signature
from inspect import signature as signature_of
from pathlib import Path
from typing import TYPE_CHECKING

import flopod

if TYPE_CHECKING:
    from inspect import _ParameterKind


@cache
def signature(name: str) -> Signature:
    """The signature of a function of flopod's surface, its annotations as they are written."""
    home = flopod.home_of(name)
    function = _functions(home).get(name)
    return _signature(function.args) if function is not None else signature_of(getattr(flopod, name))


@cache
def _functions(module: str) -> dict[str, ast.FunctionDef | ast.AsyncFunctionDef]:
    """The functions of a module by name; of one that is overloaded the last, which takes what all take."""
    found = find_spec(module)
    assert found is not None and found.origin is not None
    tree = ast.parse(Path(found.origin).read_text("utf-8"))
    return {one.name: one for one in tree.body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)}


def _signature(takes: ast.arguments) -> Signature:
    positional = [*takes.posonlyargs, *takes.args]
    defaults = [*[None] * (len(positional) - len(takes.defaults)), *takes.defaults]
    found = [
        _parameter(
            one,
            Parameter.POSITIONAL_ONLY if one in takes.posonlyargs else Parameter.POSITIONAL_OR_KEYWORD,
            default,
        )
        for one, default in zip(positional, defaults, strict=True)
    ]
    if takes.vararg:
        found.append(_parameter(takes.vararg, Parameter.VAR_POSITIONAL, None))
    for one, default in zip(takes.kwonlyargs, takes.kw_defaults, strict=True):
        found.append(_parameter(one, Parameter.KEYWORD_ONLY, default))
    if takes.kwarg:
        found.append(_parameter(takes.kwarg, Parameter.VAR_KEYWORD, None))
    return Signature(found)


def _parameter(one: ast.arg, kind: _ParameterKind, default: ast.expr | None) -> Parameter:
    annotation = ast.unparse(one.annotation) if one.annotation is not None else Parameter.empty
    value = _Default(ast.unparse(default)) if default is not None else Parameter.empty
    return Parameter(one.arg, kind, default=value, annotation=annotation)


class _Default:
    """A default as it is written."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return self._text
