"""What a workflow returns is recorded: no object of a local class, and no function without a name."""

from __future__ import annotations

import ast

from flopod_compiler.classify.workspace import Workspace
from flopod_compiler.diagnostics.rules.state import LocalObject
from flopod_compiler.model import CallKind, ProjectFunction, WorkflowFunction
from flopod_compiler.types.model import Type, Types


def check_results(work: Workspace) -> None:
    """Look at what those workflows return that no other one calls: it ends up in the log."""
    for workflow in work.result.workflows:
        if workflow.node not in work.result.called:
            _check_result(work, workflow)


def _check_result(work: Workspace, workflow: WorkflowFunction) -> None:
    scope = work.names.scope(workflow.node)
    for node in scope.others:
        if not isinstance(node, ast.Return) or node.value is None:
            continue
        info = work.result.calls.get(node.value) if isinstance(node.value, ast.Call) else None
        if info is not None and info.kind is not CallKind.PURE:
            continue
        what, name = "", local_class(work.types.of(node.value, scope))
        if name:
            what = f"an object of {name}"
        for one in work.purity.targets.values.functions.of(node.value, scope) or ():
            symbol = one.symbol
            if isinstance(one.expr, ast.Lambda):
                what, name = "a lambda", "it, with a name,"
            elif isinstance(symbol, ProjectFunction) and "<locals>" in symbol.qualname:
                what, name = f"the function {symbol.node.name}", symbol.node.name
        if what:
            where = f"{workflow.node.name} returns"
            work.report(LocalObject, workflow.module, node.value, where=where, what=what, name=name)


def local_class(types: Types) -> str:
    """The name of the class of a function of which a value surely is an object, or a list of them."""
    names = {
        one.cls.node.name if one.cls is not None and "<locals>" in one.cls.qualname else _held_class(one)
        for one in types or ()
    }
    return names.pop() if len(names) == 1 else ""


def _held_class(one: Type) -> str:
    return local_class(one.args[0]) if one.cls is None and len(one.args) == 1 else ""
