"""Calls of `workflow` that are no decorator: they mark a function when the program runs, too late."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from flopod_compiler.classify.workspace import Workspace
from flopod_compiler.diagnostics.rules.discovery import MarkedByCall
from flopod_compiler.knowledge.author import WORKFLOW, canonical
from flopod_compiler.model import External, FunctionNode, ProjectFunction, SourceModule, Unknown
from flopod_compiler.names import Scope, Tree
from flopod_compiler.parse import lines, shortened
from flopod_compiler.purity.facts import arguments

_ABOVE = "put `{mark}` above {functions} that is a workflow"


def check_mark_calls(work: Workspace, module: SourceModule) -> None:
    """Report where a module calls `workflow`, or hands it on to what may call it."""
    for tree in _trees(work, module):
        decorators = {id(one) for node in tree.functions for one in node.decorator_list}
        for scope in tree.scopes:
            for call in scope.calls:
                if id(call) not in decorators and _is_mark(work, call.func, scope):
                    _called(work, module, call, scope, tree)
                for value in arguments(call):
                    if isinstance(value, ast.Name | ast.Attribute) and _is_mark(work, value, scope):
                        rewrite = _ABOVE.format(mark="@workflow", functions="each function")
                        work.report(MarkedByCall, module, value, text=shortened(call), rewrite=rewrite)


def _trees(work: Workspace, module: SourceModule) -> Iterator[Tree]:
    """The scopes of the top level, and of the functions with a line that may call a mark."""
    tree = work.names.module(module.name)
    assert tree is not None
    yield tree
    names = "|".join(map(re.escape, ["workflow", *_aliases(work, tree)]))
    called = re.compile(rf"^(?!\s*@).*\b(?:{names})\b\s*[(,)\]]")
    found = [number for number, line in enumerate(lines(module), 1) if called.search(line)]
    for outer in tree.functions:
        if any(outer.lineno < number <= (outer.end_lineno or 0) for number in found):
            yield work.names.tree(outer)


def _aliases(work: Workspace, tree: Tree) -> Iterator[str]:
    """The names that a module gives to the mark."""
    for name in tree.root.bindings:
        symbols = work.names.global_member(tree.root.module.name, name)
        if any(isinstance(one, External) and canonical(one.qualified) == WORKFLOW for one in symbols):
            yield name


def _is_mark(work: Workspace, expr: ast.expr, scope: Scope) -> bool:
    symbol = work.names.resolve(expr, scope)
    return isinstance(symbol, External) and canonical(symbol.qualified) == WORKFLOW


def _called(work: Workspace, module: SourceModule, call: ast.Call, scope: Scope, tree: Tree) -> None:
    """`workflow(undo)` or `workflow(name="x")(undo)`."""
    parent = tree.parents.get(call)
    is_made = isinstance(parent, ast.Call) and parent.func is call
    whole = parent if is_made and isinstance(parent, ast.Call) else call
    options = ", ".join(map(_option, call.keywords))
    mark = f"@workflow({options})" if options else "@workflow"
    function = whole.args[0] if whole.args else None
    rewrite = _rewrite(work, function, mark, scope)
    work.report(MarkedByCall, module, whole, text=shortened(whole), rewrite=rewrite)


def _option(keyword: ast.keyword) -> str:
    value = shortened(keyword.value, 40)
    return f"**{value}" if keyword.arg is None else f"{keyword.arg}={value}"


def _rewrite(work: Workspace, function: ast.expr | None, mark: str, scope: Scope) -> str:
    symbol = None if function is None else work.names.resolve(function, scope)
    if function is None or (isinstance(symbol, Unknown) and not isinstance(function, ast.Lambda)):
        return _ABOVE.format(mark=mark, functions="each function")
    if isinstance(symbol, ProjectFunction) and symbol.owner is None and "." not in symbol.qualname:
        return f"put `{mark}` above `{_header(symbol.node)}`, and write `{symbol.node.name}` here"
    text = shortened(function, 40)
    return f"write a function at the top level that calls `{text}`, with `{mark}` above it"


def _header(node: FunctionNode) -> str:
    return f"{'async ' if isinstance(node, ast.AsyncFunctionDef) else ''}def {node.name}"
