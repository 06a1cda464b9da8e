"""Functions inside workflows: which of them do durable work, and how their calls are classified then."""

from __future__ import annotations

import ast
from dataclasses import replace

from flopod_compiler.classify.workspace import Workspace
from flopod_compiler.model import (
    DURABLE_KINDS,
    CallInfo,
    CallKind,
    FunctionNode,
    ProjectFunction,
    WorkflowFunction,
)
from flopod_compiler.names import Scope


def find_nested(work: Workspace, workflow: WorkflowFunction) -> None:
    """Register a root workflow and the functions nested in it; those of local classes are left out."""
    work.result.functions[workflow.node] = workflow
    for scope in work.scopes(workflow):
        node = scope.node
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node is not workflow.node:
            parent = _parent(work, scope)
            if parent is not None:
                nested = WorkflowFunction(workflow.module, node, scope.qualname, node.name, parent, {}, False)
                work.result.functions[node] = nested
                work.marks.nested.add(node)


def settle_durable(work: Workspace, workflow: WorkflowFunction) -> None:
    """Decide which nested functions are durable, to a fixpoint, and set the kind of their calls."""
    inside = {
        scope.node: scope
        for scope in work.scopes(workflow)
        if scope.node in work.result.functions
        and isinstance(scope.node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    changed = True
    while changed:
        changed = False
        for node, scope in inside.items():
            nested = work.result.functions[node]
            if not nested.durable and _is_durable(work, scope):
                nested.durable = changed = True
    for scope in work.scopes(workflow):
        for call in scope.calls:
            info = work.result.calls.get(call)
            target = nested_target(work, info)
            if info is not None and target is not None and target.durable:
                work.result.calls[call] = replace(info, kind=CallKind.WORKFLOW, mutates=frozenset())


def nested_target(work: Workspace, info: CallInfo | None) -> WorkflowFunction | None:
    """The nested function that a call calls, if it does."""
    if info is None or not isinstance(info.target, ProjectFunction):
        return None
    found = work.result.functions.get(info.target.node)
    return found if found is not None and found.parent is not None else None


def _is_durable(work: Workspace, scope: Scope) -> bool:
    stack = [scope]
    while stack:
        current = stack.pop()
        for call in current.calls:
            info = work.result.calls.get(call)
            if info is None:
                continue
            target = nested_target(work, info)
            if info.kind in DURABLE_KINDS or (target is not None and target.durable):
                return True
        stack.extend(current.children)
    return False


def _parent(work: Workspace, scope: Scope) -> WorkflowFunction | None:
    current = scope.parent
    while current is not None:
        if isinstance(current.node, ast.ClassDef | ast.Lambda):
            return None
        if isinstance(current.node, ast.FunctionDef | ast.AsyncFunctionDef):
            return work.result.functions.get(current.node)
        current = current.parent
    return None


def durable_function(work: Workspace, node: FunctionNode) -> bool:
    """Whether a function is a workflow, or nested in one and durable."""
    found = work.result.functions.get(node)
    return found is not None and found.durable
