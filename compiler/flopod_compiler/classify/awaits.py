"""Async calls whose coroutine is dropped, or used as if it were the result."""

from __future__ import annotations

import ast

from flopod_compiler.classify.workspace import Workspace
from flopod_compiler.diagnostics.rules.calls import AsyncInSync, NotAwaited
from flopod_compiler.knowledge.concurrency import NEEDS_LOOP
from flopod_compiler.model import CallInfo, CallKind, WorkflowFunction
from flopod_compiler.names import Scope
from flopod_compiler.parse import shortened
from flopod_compiler.purity.facts import within

_USES: tuple[tuple[tuple[type[ast.AST], ...], str], ...] = (
    ((ast.Expr,), "dropped"),
    ((ast.BinOp, ast.UnaryOp, ast.Compare, ast.AugAssign), "used in an expression"),
    ((ast.If, ast.While, ast.Assert), "tested"),
    ((ast.For,), "iterated over"),
    ((ast.FormattedValue,), "formatted"),
    ((ast.Attribute, ast.Subscript), "taken apart"),
    ((ast.Raise,), "raised"),
)


def check_awaits(work: Workspace, workflow: WorkflowFunction) -> None:
    """Report coroutines of a workflow that no `await` and no gather can ever run."""
    parents = work.parents(workflow)
    for scope in work.scopes(workflow):
        for call in scope.calls:
            info = work.result.calls.get(call)
            if info is None or not (_gives_coroutine(info) or info.callee in NEEDS_LOOP):
                continue
            if work.function_around(scope) is workflow.node and isinstance(workflow.node, ast.FunctionDef):
                work.report(
                    AsyncInSync,
                    workflow.module,
                    call,
                    callee=info.name,
                    workflow=workflow.node.name,
                    text=shortened(call),
                )
                continue
            if not _gives_coroutine(info):
                continue
            use = _use(work, call, parents, scope)
            if use:
                work.report(
                    NotAwaited, workflow.module, call, callee=info.name, use=use, text=shortened(call)
                )


def _gives_coroutine(info: CallInfo) -> bool:
    return info.is_async is True and info.kind is not CallKind.UNRESOLVED


def _use(work: Workspace, call: ast.expr, parents: dict[ast.AST, ast.AST], scope: Scope) -> str:
    """How a coroutine is misused where it stands; empty when it may still be awaited."""
    parent = parents.get(call)
    if parent is None or isinstance(parent, ast.Await):
        return ""
    for kinds, word in _USES:
        if isinstance(parent, kinds):
            return word
    if isinstance(parent, ast.Assign | ast.AnnAssign | ast.NamedExpr):
        return _stored(work, parent, parents, scope)
    if isinstance(parent, ast.Call):
        return _passed(work, parent)
    return ""


def _stored(
    work: Workspace,
    statement: ast.Assign | ast.AnnAssign | ast.NamedExpr,
    parents: dict[ast.AST, ast.AST],
    scope: Scope,
) -> str:
    """A coroutine kept in a variable must be loaded somewhere that can await it."""
    targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
    if len(targets) != 1 or not isinstance(targets[0], ast.Name):
        return ""
    name = targets[0].id
    owner = scope
    while owner.is_comprehension and owner.parent is not None:
        owner = owner.parent
    loads = _loads(name, owner)
    if loads is None:
        return ""
    uses = [_use(work, load, parents, scope) for load in loads]
    if not uses:
        return f"assigned to `{name}`, which is never used,"
    return f"assigned to `{name}` and {uses[0]}" if all(uses) else ""


def _loads(name: str, scope: Scope) -> list[ast.Name] | None:
    """Where a variable is read; None when an inner function may rebind it."""
    found: list[ast.Name] = []
    for current in within(scope):
        if name in current.nonlocals:
            return None
        found.extend(load for load in current.loads if load.id == name)
    return found


def _passed(work: Workspace, outer: ast.Call) -> str:
    info = work.result.calls.get(outer)
    if info is None:
        return ""
    if info.kind in (CallKind.LEAF, CallKind.RECORDABLE, CallKind.OUTPUT):
        return f"passed to {info.name}"
    formats = (
        "builtins.str",
        "builtins.repr",
        "builtins.int",
        "builtins.float",
        "builtins.len",
        "builtins.bool",
    )
    return f"passed to {info.name}" if info.callee in formats else ""
