"""`gather(*map(f, xs))`: the calls of `f` are arms of the gather, each in the scope of its item."""

from __future__ import annotations

import ast
from dataclasses import replace

from flopod_compiler.classify.workspace import Workspace
from flopod_compiler.model import CallInfo, CallKind, External, ProjectFunction, WorkflowFunction
from flopod_compiler.names import Scope
from flopod_compiler.purity.target import Target


def mapped(
    work: Workspace, workflow: WorkflowFunction, call: ast.Call, scope: Scope, target: Target
) -> ast.Call | None:
    """The call that `map` makes for each item, if the results are spread over a gather; None if not."""
    if target.callee != "builtins.map" or len(call.args) < 2 or call.keywords:
        return None
    if any(isinstance(one, ast.Starred) for one in call.args) or not _is_spread(work, workflow, call, scope):
        return None
    function = call.args[0]
    if not isinstance(function, ast.Name | ast.Attribute):
        return None
    made = ast.Call(function, [ast.Name("item", ast.Load()) for _ in call.args[1:]], [])
    return ast.copy_location(made, call)


def as_mapping(work: Workspace, info: CallInfo) -> CallInfo | None:
    """What a `map` over a gather is, from what the call of its function is; None where that is plain code.

    An inner function may turn out to be a workflow later.
    """
    inner = any(isinstance(one, ProjectFunction) and one.node in work.marks.nested for one in info.targets)
    if inner or info.kind in (CallKind.LEAF, CallKind.WORKFLOW):
        return replace(info, maps=True)
    return None


def _is_spread(work: Workspace, workflow: WorkflowFunction, call: ast.Call, scope: Scope) -> bool:
    parents = work.parents(workflow)
    star = parents.get(call)
    outer = parents.get(star) if isinstance(star, ast.Starred) else None
    if not isinstance(outer, ast.Call) or work.names.resolve(outer.func, scope) != External("asyncio.gather"):
        return False
    return work.names.resolve(ast.Name("zip", ast.Load()), scope) == External("builtins.zip")
