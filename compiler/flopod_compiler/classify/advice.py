"""What to write instead of a call whose target cannot be known."""

from __future__ import annotations

import ast

from flopod_compiler.purity.target import Target

_LEAF = "move the call into a function of its own, which becomes a leaf"


def ways_out(func: ast.expr, target: Target) -> str:
    """The help for an unresolved call, by the form of what is called."""
    if target.rewrite:
        return target.rewrite
    if "is not defined" in target.reason:
        return "define it or import it"
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


def _receiver(value: ast.expr) -> str:
    if isinstance(value, ast.Name):
        return f"annotate the variable (`{value.id}: Order`, with its class), or {_LEAF}"
    if isinstance(value, ast.Call | ast.Await):
        return "annotate what the inner function returns, or move the whole expression into one function"
    return f"annotate the attribute in its class, or {_LEAF}"
