"""Resources that a workflow enters: connections, locks, limiters, and what to write instead."""

from __future__ import annotations

import ast

from flopod_compiler.classify.workspace import Workspace
from flopod_compiler.diagnostics.rules.determinism import Resource
from flopod_compiler.model import CallKind, External, ModuleValue, ProjectClass, WorkflowFunction
from flopod_compiler.names import Scope
from flopod_compiler.parse import shortened

_BLOCK = "move the whole block into a function of its own: it becomes a leaf"


def report_resource(
    work: Workspace, workflow: WorkflowFunction, expr: ast.expr, scope: Scope, *, is_async: bool
) -> None:
    """Report that `expr` is entered in a workflow."""
    text = f"{'async with' if is_async else 'with'} {shortened(expr)}"
    rewrite = _BLOCK
    if belongs_to_module(work, expr, scope):
        leaves = _leaves_inside(work, workflow, expr)
        where = (
            f"the body of {leaves}" if leaves else "what needs it, in a function of its own, which is a leaf"
        )
        rewrite = f"all runs share it: write `{text}:` around {where}"
        rewrite += "; for a limit of this run alone make one in the workflow: `limit = asyncio.Semaphore(3)`"
    work.report(Resource, workflow.module, expr, text=text, rewrite=rewrite)


def belongs_to_module(work: Workspace, expr: ast.expr, scope: Scope) -> bool:
    """Whether an object is read from a module or a class, and so is there for all runs."""
    while isinstance(expr, ast.Attribute | ast.Subscript):
        expr = expr.value
    symbol = work.names.resolve(expr, scope) if isinstance(expr, ast.Name) else None
    return isinstance(symbol, ModuleValue | ProjectClass | External)


def _leaves_inside(work: Workspace, workflow: WorkflowFunction, expr: ast.expr) -> str:
    """The names of the leaves that are called in the block of a `with`."""
    parents = work.parents(workflow)
    node: ast.AST | None = expr
    while node is not None and not isinstance(node, ast.With | ast.AsyncWith):
        node = parents.get(node)
    found: list[str] = []
    for call in ast.walk(node) if node is not None else ():
        info = work.result.calls.get(call) if isinstance(call, ast.Call) else None
        if info is not None and info.kind is CallKind.LEAF:
            found.append(info.name)
    return " and ".join(dict.fromkeys(found))
