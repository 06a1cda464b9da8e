"""Functions made in a loop that read its variable later than they were made."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flopod_compiler.classify.review.places import Places, own
from flopod_compiler.classify.workspace import Workspace
from flopod_compiler.diagnostics.rules.concurrency import LateBinding
from flopod_compiler.model import WorkflowFunction
from flopod_compiler.purity.facts import within

_KEEPING = frozenset(
    {"append", "appendleft", "add", "insert", "setdefault", "put", "put_nowait", "callback", "push"}
)
_STARTING = frozenset({"create_task", "ensure_future"})
_COLLECTIONS = (ast.List, ast.Tuple, ast.Set, ast.Dict)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)

_Made = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


def review_late_binding(work: Workspace, workflow: WorkflowFunction, places: Places) -> None:
    """Look at every function that is made in a `for` loop or a comprehension and kept."""
    for loop in places.all(ast.For):
        names = _names(loop.target)
        for made in own(loop.body):
            if isinstance(made, _FUNCTIONS):
                _check(work, workflow, places, made, names, loop)
    for kind in (ast.ListComp, ast.SetComp, ast.GeneratorExp):
        for node in places.all(kind):
            made = node.elt  # type: ignore[attr-defined]
            if isinstance(made, ast.Lambda):
                names = {name for one in node.generators for name in _names(one.target)}  # type: ignore[attr-defined]
                _report(work, workflow, made, names)


def _names(target: ast.expr) -> set[str]:
    return {node.id for node in ast.walk(target) if isinstance(node, ast.Name)}


def _check(
    work: Workspace, workflow: WorkflowFunction, places: Places, made: _Made, names: set[str], loop: ast.For
) -> None:
    uses = [made] if isinstance(made, ast.Lambda) else list(_uses(loop, made.name))
    if any(_outlives(places, use, loop) for use in uses):
        _report(work, workflow, made, names)


def _uses(loop: ast.For, name: str) -> Iterator[ast.AST]:
    for node in own(loop.body):
        if isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load):
            yield node


def _outlives(places: Places, use: ast.AST, loop: ast.For) -> bool:
    """Whether a function, or the coroutine of its call, is kept or started rather than run at once."""
    node, parent = use, places.parent(use)
    if isinstance(parent, ast.Call) and parent.func is node:
        node, parent = parent, places.parent(parent)
        if isinstance(parent, ast.Call) and node in parent.args and _last(parent.func) in _STARTING:
            return not _awaited_inside(places, parent, loop)
    if isinstance(parent, _COLLECTIONS):
        node, parent = parent, places.parent(parent)
    if isinstance(parent, ast.Call):
        return node in parent.args and _last(parent.func) in _KEEPING
    if isinstance(parent, ast.Assign):
        return any(isinstance(target, ast.Subscript | ast.Attribute) for target in parent.targets)
    return False


def _awaited_inside(places: Places, task: ast.Call, loop: ast.For) -> bool:
    """Whether the iteration that starts a task waits for it."""
    parent = places.parent(task)
    if isinstance(parent, ast.Await):
        return True
    target = parent.targets[0] if isinstance(parent, ast.Assign) else None
    return isinstance(target, ast.Name) and any(
        isinstance(node, ast.Await) and isinstance(node.value, ast.Name) and node.value.id == target.id
        for node in own(loop.body)
    )


def _report(work: Workspace, workflow: WorkflowFunction, made: _Made, names: set[str]) -> None:
    scope = work.names.scope(made)
    bound = {name for inner in within(scope) for name in inner.bindings}
    for inner in within(scope):
        for load in inner.loads:
            if load.id in names and load.id not in bound:
                what = "the lambda" if isinstance(made, ast.Lambda) else made.name
                default = (
                    f"lambda {load.id}={load.id}: ..."
                    if what == "the lambda"
                    else f"def {what}({load.id}={load.id})"
                )
                work.report(LateBinding, workflow.module, load, what=what, name=load.id, default=default)
                return


def _last(func: ast.expr) -> str:
    return func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "")
