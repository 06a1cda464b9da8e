"""Functions inside workflows: which of them do durable work, and how their calls are classified then."""

from __future__ import annotations

import ast
from dataclasses import replace

from flopod_compiler.classify.choices import named, wrapping
from flopod_compiler.classify.workspace import Workspace
from flopod_compiler.diagnostics.rules.calls import TriedWorkflow, Unresolved
from flopod_compiler.diagnostics.rules.compensations import BadCompensation
from flopod_compiler.knowledge.author import COMPENSATE, START
from flopod_compiler.knowledge.beside import HANDED
from flopod_compiler.model import (
    DURABLE_KINDS,
    CallInfo,
    CallKind,
    ProjectFunction,
    WorkflowFunction,
)
from flopod_compiler.names import Scope
from flopod_compiler.parse import shortened


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
    calls = [call for scope in work.scopes(workflow) for call in scope.calls]
    changed = True
    while changed:
        changed = False
        for node, scope in inside.items():
            nested = work.result.functions[node]
            if not nested.durable and _is_durable(work, scope):
                nested.durable = changed = True
        for call in calls:
            changed |= _level(work, work.result.calls.get(call))
    for call in calls:
        info = work.result.calls.get(call)
        if info is None or info.kind is CallKind.UNRESOLVED:
            continue
        if info.kind in (CallKind.LEAF, CallKind.PRIMITIVE):
            _check_tried(work, workflow, call, info)
        elif any(one.durable for one in nested_targets(work, info)):
            _make_workflow(work, workflow, call, info)


def _level(work: Workspace, info: CallInfo | None) -> bool:
    """Let all functions that one call may reach take a scope as soon as one does; whether any is new.

    One that runs as a side chain always takes one: as a leaf, what it does to variables would be lost.
    """
    found = nested_targets(work, info)
    if info is None or not found:
        return False
    by_one = info.kind is CallKind.PURE and any(one.durable for one in found)
    takes = by_one or info.scoped or info.kind is CallKind.WORKFLOW
    plain = [one for one in found if not one.durable] if takes else []
    for one in plain:
        one.durable = True
    return bool(plain)


def _make_workflow(work: Workspace, workflow: WorkflowFunction, call: ast.Call, info: CallInfo) -> None:
    """A call of a durable function gives it a scope; so each function that it may reach has to take one."""
    others = [one for one in info.targets if work.taken(one) is None]
    if not others:
        work.result.calls[call] = replace(info, kind=CallKind.WORKFLOW, mutates=frozenset())
        return
    durable = next(one.name for one in nested_targets(work, info) if one.durable)
    other = named(others[0])
    reason = f"it may be {durable}, which does durable work, or {other}, which does not"
    rewrite, text = wrapping(other, bool(info.is_async)), shortened(call.func)
    work.report(Unresolved, workflow.module, call.func, text=text, reason=reason, rewrite=rewrite)
    work.result.calls[call] = replace(info, kind=CallKind.UNRESOLVED)


def _check_tried(work: Workspace, workflow: WorkflowFunction, call: ast.Call, info: CallInfo) -> None:
    """Options of a leaf, or `attempt`, on a function that takes a scope."""
    if info.callee == START or info.callee in HANDED:
        return
    for one in info.targets:
        found = work.taken(one)
        if found is None or not found.durable:
            continue
        what = "is a workflow" if found.parent is None else "does durable work"
        if info.callee == COMPENSATE:
            _report_compensation(work, workflow, call, f"it {what}")
            return
        mark = "attempt()" if info.kind is CallKind.PRIMITIVE else "activity()"
        name, text = found.node.name, f"await {found.node.name}(...)"
        work.report(TriedWorkflow, workflow.module, call, function=name, what=what, mark=mark, text=text)
        work.result.calls[call] = replace(info, kind=CallKind.UNRESOLVED)
        return


def _report_compensation(work: Workspace, workflow: WorkflowFunction, call: ast.Call, reason: str) -> None:
    rewrite = "hand over the leaves that it calls, those first that are to be called last"
    text = shortened(call.args[0])
    work.report(BadCompensation, workflow.module, call, text=text, reason=reason, rewrite=rewrite)
    work.result.calls[call] = replace(work.result.calls[call], kind=CallKind.UNRESOLVED)


def nested_targets(work: Workspace, info: CallInfo | None) -> list[WorkflowFunction]:
    """The nested functions that a call may reach."""
    targets = info.targets if info is not None else ()
    nodes = [one.node for one in targets if isinstance(one, ProjectFunction)]
    found = [work.result.functions[node] for node in nodes if node in work.result.functions]
    return [one for one in found if one.parent is not None]


def _is_durable(work: Workspace, scope: Scope) -> bool:
    stack = [scope]
    while stack:
        current = stack.pop()
        for call in current.calls:
            info = work.result.calls.get(call)
            if info is None:
                continue
            if info.kind in DURABLE_KINDS or any(one.durable for one in nested_targets(work, info)):
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
