"""What a workflow may iterate over: no generators with effects, and with `async for` only plain code."""

from __future__ import annotations

import ast

from flopod_compiler.classify.workspace import Workspace
from flopod_compiler.diagnostics.rules.unsupported import AsyncSource, EffectfulGenerator
from flopod_compiler.model import CallInfo, CallKind, Local, ProjectFunction, WorkflowFunction
from flopod_compiler.names import How, Scope
from flopod_compiler.parse import shortened

_MANAGERS = ("contextmanager", "asynccontextmanager")


def check_generator(work: Workspace, workflow: WorkflowFunction, call: ast.Call, info: CallInfo) -> None:
    """Report a leaf that is a generator: its effects would happen while the workflow iterates."""
    if info.kind is not CallKind.LEAF:
        return
    for target in info.targets:
        if isinstance(target, ProjectFunction) and _is_generator(work, target):
            rewrite = "an async function" if target.is_async else "a function"
            work.report(
                EffectfulGenerator, workflow.module, call, name=target.node.name, what=rewrite,
                reason=info.reason, text=f"{'await ' if target.is_async else ''}{shortened(call)}",
            )  # fmt: skip
            return


def check_async_source(work: Workspace, workflow: WorkflowFunction, expr: ast.expr, scope: Scope) -> None:
    """Report what `async for` iterates over, unless it is known to be plain code."""
    info = work.result.calls.get(expr) if isinstance(expr, ast.Call) else None
    if info is not None and info.kind is CallKind.UNRESOLVED:
        return
    if info is not None and any(
        isinstance(one, ProjectFunction) and _is_generator(work, one) for one in info.targets
    ):
        return
    if not _is_plain(work, expr, scope):
        work.report(AsyncSource, workflow.module, expr, text=shortened(expr))


def _is_plain(work: Workspace, expr: ast.expr, scope: Scope) -> bool:
    if isinstance(expr, ast.GeneratorExp):
        return True
    info = work.result.calls.get(expr) if isinstance(expr, ast.Call) else None
    if info is not None and info.kind is CallKind.PURE and _makes_generator(work, info):
        return True
    if isinstance(expr, ast.Name) and isinstance(work.names.resolve(expr, scope), Local):
        _, bindings = work.names.lookup(expr.id, scope)
        values = [one.value for one in bindings if one.how is How.ASSIGN and not one.path]
        if values and len(values) == len(bindings):
            return all(one is not None and _is_plain(work, one, scope) for one in values)
    types = work.types.of(expr, scope)
    return bool(types) and all(
        one.cls is not None and work.names.class_member(one.cls, "__aiter__") is not None
        for one in types or ()
    )


def _makes_generator(work: Workspace, info: CallInfo) -> bool:
    return all(isinstance(one, ProjectFunction) and _is_generator(work, one) for one in info.targets)


def _is_generator(work: Workspace, function: ProjectFunction) -> bool:
    scope = work.names.scope(function.node)
    decorators = (ast.unparse(one).rpartition(".")[2] for one in function.node.decorator_list)
    return any(isinstance(one, ast.Yield | ast.YieldFrom) for one in scope.others) and not any(
        one in _MANAGERS for one in decorators
    )
