"""Tasks of leaves and workflows that nobody awaits: each becomes a run of its own, which surely ends."""

from __future__ import annotations

import ast

from flopod_compiler.classify.beside import is_at_top_level
from flopod_compiler.classify.workspace import Workspace
from flopod_compiler.knowledge.author import FORGET
from flopod_compiler.knowledge.beside import TASKS, made_by
from flopod_compiler.model import CallInfo, CallKind, ProjectFunction, WorkflowFunction
from flopod_compiler.names import How, Scope


def find_forgotten(work: Workspace, workflow: WorkflowFunction) -> None:
    """Find the tasks that are let go where they are made, and say what they run."""
    calls, parents = work.result.calls, work.parents(workflow)
    for scope in work.scopes(workflow):
        for call in scope.calls:
            info, made = calls.get(call), made_by(call)
            if info is None or info.callee not in TASKS or made is None:
                continue
            begun = calls.get(made)
            if begun is None or not _is_child(work, made, begun, scope):
                continue
            if _is_let_go(work, workflow, parents.get(call), scope):
                calls[call] = CallInfo(CallKind.PRIMITIVE, begun.name, FORGET, begun.target)
                del calls[made]  # the function is handed over, with its arguments


def _is_child(work: Workspace, made: ast.Call, info: CallInfo, scope: Scope) -> bool:
    """Whether a call is that of an async function which can be found by its name, and has no more to it."""
    target = info.target
    if not isinstance(target, ProjectFunction) or info.choices or info.undo or info.is_async is not True:
        return False
    if info.kind not in (CallKind.LEAF, CallKind.WORKFLOW) or not is_at_top_level(target):
        return False
    named = work.names.resolve(made.func, scope) if isinstance(made.func, ast.Name | ast.Attribute) else None
    return isinstance(named, ProjectFunction) and named.node is target.node


def _is_let_go(work: Workspace, workflow: WorkflowFunction, statement: ast.AST | None, scope: Scope) -> bool:
    """Whether nobody can have a task: it is a statement of its own, or in a variable that nothing reads."""
    if isinstance(statement, ast.Expr):
        return True
    target: ast.expr | None = statement.target if isinstance(statement, ast.AnnAssign) else None
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        target = statement.targets[0]
    return isinstance(target, ast.Name) and _is_never_read(work, workflow, target.id, scope)


def _is_never_read(work: Workspace, workflow: WorkflowFunction, name: str, scope: Scope) -> bool:
    owner, bindings = work.names.lookup(name, scope)
    if owner is None or owner.parent is None or name in scope.globals:
        return False
    if not isinstance(owner.node, ast.FunctionDef | ast.AsyncFunctionDef):
        return False
    if any(one.how is How.AUGMENT for one in bindings):
        return False
    reads = (
        work.names.lookup(name, inner)[0]
        for inner in work.scopes(workflow)
        for load in inner.loads
        if load.id == name
    )
    return all(one is not owner for one in reads)
