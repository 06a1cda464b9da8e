"""Coroutines that are awaited twice, and timeouts around code that never waits."""

from __future__ import annotations

import ast

from flopod_compiler.classify.review.places import Places, own
from flopod_compiler.classify.workspace import Workspace
from flopod_compiler.diagnostics import Related
from flopod_compiler.diagnostics.rules.calls import AwaitedTwice
from flopod_compiler.diagnostics.rules.tasks import IdleTimeout
from flopod_compiler.model import CallKind, WorkflowFunction
from flopod_compiler.parse import shortened, span

_KINDS = frozenset({CallKind.LEAF, CallKind.WORKFLOW})
_TIMEOUTS = frozenset({"asyncio.timeout", "asyncio.timeout_at"})
_WAITING = (ast.Await, ast.AsyncFor, ast.AsyncWith)


def review_coroutines(work: Workspace, workflow: WorkflowFunction, places: Places) -> None:
    """Report a variable with the coroutine of one call that two statements await; look at timeouts."""
    for node in places.all(ast.AsyncWith):
        _timeout(work, workflow, places, node)
    for scope in work.scopes(workflow):
        for name, bindings in scope.bindings.items():
            value = bindings[0].value
            info = places.calls.get(value) if isinstance(value, ast.Call) else None
            if len(bindings) > 1 or info is None or info.kind not in _KINDS or info.is_async is not True:
                continue
            _awaits(work, workflow, places, bindings[0].node, name)


def _awaits(work: Workspace, workflow: WorkflowFunction, places: Places, bound: ast.AST, name: str) -> None:
    first: ast.Await | None = None
    for statement in places.block(bound):
        found = _awaited(statement, name)
        if found is not None and first is not None:
            before = Related(
                workflow.module.relpath, span(first, workflow.module), "it is awaited here already"
            )
            work.report(AwaitedTwice, workflow.module, found, (before,), name=name)
            return
        first = first or found


def _awaited(statement: ast.stmt, name: str) -> ast.Await | None:
    """The `await name` that a plain statement runs in any case."""
    value = getattr(statement, "value", None)
    if isinstance(value, ast.Await) and isinstance(value.value, ast.Name) and value.value.id == name:
        return value
    return None


def _timeout(work: Workspace, workflow: WorkflowFunction, places: Places, node: ast.AsyncWith) -> None:
    """A timeout ends a block where it waits, and nowhere else."""
    for item in node.items:
        info = places.calls.get(item.context_expr) if isinstance(item.context_expr, ast.Call) else None
        is_limit = info is not None and info.callee in _TIMEOUTS and info.kind is CallKind.IDIOM
        if is_limit and len(node.items) == 1 and not any(map(_waits, own(node.body))):
            work.report(IdleTimeout, workflow.module, item.context_expr, text=shortened(item.context_expr))


def _waits(node: ast.AST) -> bool:
    return isinstance(node, _WAITING) or (isinstance(node, ast.comprehension) and bool(node.is_async))
