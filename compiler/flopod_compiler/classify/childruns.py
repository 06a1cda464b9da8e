"""`start(workflow, ...)`: which workflow it is that runs as a run of its own."""

from __future__ import annotations

import ast

from flopod_compiler.classify.workspace import Workspace
from flopod_compiler.diagnostics.rules.childruns import NotStartable
from flopod_compiler.knowledge.author import START
from flopod_compiler.model import CallInfo, CallKind, ProjectFunction, WorkflowFunction
from flopod_compiler.names import Scope
from flopod_compiler.parse import shortened
from flopod_compiler.purity.target import Target


def started(
    work: Workspace, workflow: WorkflowFunction, call: ast.Call, scope: Scope, target: Target
) -> CallInfo:
    """The call of `start`, named like the workflow that it starts."""
    given = call.args[0] if call.args else None
    symbol = work.names.resolve(given, scope) if isinstance(given, ast.Name | ast.Attribute) else None
    found = work.taken(symbol) if symbol is not None else None
    if found is not None and found.parent is None and isinstance(symbol, ProjectFunction):
        return CallInfo(CallKind.PRIMITIVE, found.name, START, symbol, is_async=False)
    reason, rewrite = _why(given, symbol, found)
    text = "start()" if given is None else shortened(given)
    work.report(NotStartable, workflow.module, given or call, text=text, reason=reason, rewrite=rewrite)
    return CallInfo(CallKind.UNRESOLVED, "start", START, target.symbol, is_async=False)


def _why(given: ast.expr | None, symbol: object, found: WorkflowFunction | None) -> tuple[str, str]:
    """Why nothing is started by this, and what to write instead."""
    if given is None or isinstance(given, ast.Starred):
        return "it does not say which workflow", "give the workflow first: `start(ship, order)`"
    if isinstance(given, ast.Call):
        text = ", ".join([ast.unparse(given.func), *map(ast.unparse, [*given.args, *given.keywords])])
        return "that calls it here", f"hand over the workflow and its arguments: `start({text})`"
    if found is not None:
        name = found.node.name
        return "it stands inside another function", f"move {name} to the top level, with `@workflow` above it"
    if isinstance(symbol, ProjectFunction):
        name = symbol.node.name
        return "it is no workflow", f"put `@workflow` above {name}, or call it: it is a leaf"
    return (
        "it is not known which workflow that is",
        "name the workflow, where there are several in an `if`: `start(ship, order)`",
    )
