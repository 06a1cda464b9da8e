"""What to write instead of a call whose target cannot be known."""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Iterable

from flopod_compiler.names import Names, Scope
from flopod_compiler.purity.target import Target

_MISSING = re.compile(r"the module (\S+) defines no `(\w+)`")
_LEAF = "move the call into a function of its own, which becomes a leaf"


def ways_out(func: ast.expr, target: Target, names: Names, scope: Scope) -> str:
    """The help for an unresolved call, by the form of what is called."""
    if target.rewrite:
        return target.rewrite
    if "is not defined" in target.reason and isinstance(func, ast.Name):
        return _meant(func.id, _visible(names, scope)) or "define it or import it"
    missing = _MISSING.fullmatch(target.reason)
    if missing is not None:
        module, name = missing.groups()
        return (
            _meant(name, names.root(module).bindings) or f"define `{name}` in {module}, or correct the name"
        )
    if "import *" in target.reason:
        return "import the name itself"
    if target.choices:
        return "call each by its name: choose with if/elif or match"
    if target.parameter:
        choice = "call functions by their names: choose with if/elif or match instead of through"
        return f"{choice} `{target.parameter}`"
    if isinstance(func, ast.Subscript):
        return "choose with if/elif or match, or make it a dict display of functions that nothing changes"
    if isinstance(func, ast.Attribute):
        return _receiver(func.value)
    return f"give the function a name and call it by that, or {_LEAF}"


def _visible(names: Names, scope: Scope) -> list[str]:
    """What a name may mean in a scope, builtins left out: they are short, and like anything."""
    found = [*names.root(scope.module.name).bindings]
    current: Scope | None = scope
    while current is not None:
        found += current.bindings
        current = current.parent
    return found


def _meant(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f"did you mean `{close[0]}`?" if close else ""


def _receiver(value: ast.expr) -> str:
    if isinstance(value, ast.Name):
        return f"annotate the variable (`{value.id}: Order`, with its class), or {_LEAF}"
    if isinstance(value, ast.Call | ast.Await):
        return "annotate what the inner function returns, or move the whole expression into one function"
    return f"annotate the attribute in its class, or {_LEAF}"


def no_compensation(given: ast.expr) -> tuple[str, str]:
    """Why a value is no leaf to register, and what to write instead."""
    if isinstance(given, ast.Call):
        text = ", ".join([ast.unparse(given.func), *map(ast.unparse, [*given.args, *given.keywords])])
        return "that calls it at once", f"hand over the function and its arguments: `compensate({text})`"
    if isinstance(given, ast.Lambda):
        return "it is a lambda", "make a function of it, and hand that over with its arguments"
    return "it is not a function that is known", "hand over a function by its name, and its arguments"
