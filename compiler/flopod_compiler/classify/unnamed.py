"""Leaves that no name leads to: functions that a function makes, and classes of a workflow with effects."""

from __future__ import annotations

import ast

from flopod_compiler.classify.workspace import Workspace
from flopod_compiler.diagnostics.rules.calls import UnnamedLeaf
from flopod_compiler.model import CallInfo, CallKind, ProjectClass, ProjectFunction, WorkflowFunction
from flopod_compiler.names import Scope
from flopod_compiler.parse import shortened

_INSIDE = "<locals>"


def check_named(
    work: Workspace, workflow: WorkflowFunction, call: ast.Call, scope: Scope, info: CallInfo
) -> None:
    """Report a leaf that cannot be found again, or whose result no log can hold."""
    found = _made_by(work, call, scope) or _called(work, info) if info.kind is CallKind.LEAF else None
    if found is not None:
        what, rewrite, cause = found
        text = shortened(call)
        work.report(UnnamedLeaf, workflow.module, call, cause=cause, text=text, what=what, rewrite=rewrite)


def _made_by(work: Workspace, call: ast.Call, scope: Scope) -> tuple[str, str, str] | None:
    """What is wrong with a leaf that gives a function of its own, the rewrite, and the cause."""
    for one in work.purity.targets.values.functions.of(call, scope) or ():
        if isinstance(one.expr, ast.Lambda):
            return "gives a lambda", "call in the workflow itself what the lambda calls", ""
        if isinstance(one.symbol, ProjectFunction) and _is_hidden(work, one.symbol):
            return f"gives the function {one.symbol.node.name}", _moved(one.symbol), one.symbol.qualname
    return None


def _called(work: Workspace, info: CallInfo) -> tuple[str, str, str] | None:
    """The same of a leaf that is itself inside another function."""
    for one in info.targets:
        if isinstance(one, ProjectClass) and _INSIDE in one.qualname:
            what = f"makes an object of a class of the workflow: {info.reason}"
            rewrite = f"move {one.node.name} to the top level of the module, with bases that have names"
            return what, rewrite, one.qualname
        if isinstance(one, ProjectFunction) and _is_hidden(work, one):
            return f"calls the function {one.node.name}", _moved(one), one.qualname
    return None


def _moved(function: ProjectFunction) -> str:
    name = function.node.name
    return (
        f"move {name} to the top level of its module, with what it closes over as parameters, and call that"
    )


def _is_hidden(work: Workspace, function: ProjectFunction) -> bool:
    return _INSIDE in function.qualname and function.node not in work.marks.nested
