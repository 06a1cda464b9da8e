"""State that concurrent arms share in a way that loses what one of them wrote."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from flopod_compiler.classify.nested import nested_targets
from flopod_compiler.classify.review.places import Places, own
from flopod_compiler.classify.workspace import Workspace
from flopod_compiler.diagnostics import Related
from flopod_compiler.diagnostics.rules.concurrency import LostUpdate, SharedByArms
from flopod_compiler.model import CallKind, ProjectFunction, WorkflowFunction
from flopod_compiler.names import Scope
from flopod_compiler.parse import shortened, span
from flopod_compiler.purity.facts import arguments

_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp, ast.For, ast.While)
_GATHER = "asyncio.gather"


def review_arms(work: Workspace, workflow: WorkflowFunction, places: Places) -> None:
    """Look at nested functions that run side by side, and at the arguments of each gather."""
    called = _calls_of_nested(work, places)
    for scope in work.scopes(workflow):
        if _is_side_by_side(places, called.get(scope.node, ())):
            _lost_updates(work, workflow, scope)
    for call in places.all(ast.Call):
        info = places.calls.get(call)
        if info is not None and info.callee == _GATHER:
            _shared_arguments(work, workflow, places, call)


def _calls_of_nested(work: Workspace, places: Places) -> dict[ast.AST, list[ast.Call]]:
    """The calls by the nested functions that they may reach."""
    found: dict[ast.AST, list[ast.Call]] = {}
    for call in places.all(ast.Call):
        for one in nested_targets(work, places.calls.get(call)):
            found.setdefault(one.node, []).append(call)
    return found


def _is_side_by_side(places: Places, calls: Iterable[ast.Call]) -> bool:
    """Whether of these calls of a nested function several are begun without a wait for the first."""
    started = 0
    for call in calls:
        if isinstance(places.parent(call), ast.Await):
            continue
        repeated = places.calls[call].maps or any(
            isinstance(one, _COMPREHENSIONS) for one in places.around(call)
        )
        started += 2 if repeated else 1
    return started > 1


def _lost_updates(work: Workspace, workflow: WorkflowFunction, scope: Scope) -> None:
    """`total += await f()`: the old value is read before the wait, and written after it."""
    node = scope.node
    assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    for statement in own(node.body):
        target, value = _updated(statement)
        if target is None or value is None or not _is_shared(target, scope):
            continue
        if any(isinstance(inner, ast.Await) for inner in own([value])):
            work.report(LostUpdate, workflow.module, statement, name=shortened(target))


def _updated(statement: ast.AST) -> tuple[ast.expr | None, ast.expr | None]:
    """The target and the value of an update that reads its target first."""
    if isinstance(statement, ast.AugAssign):
        return statement.target, statement.value
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        target, value = statement.targets[0], statement.value
        left = value.left if isinstance(value, ast.BinOp) else None
        if left is not None and ast.unparse(left) == ast.unparse(target):
            return target, value
    return None, None


def _is_shared(target: ast.expr, scope: Scope) -> bool:
    if isinstance(target, ast.Name):
        return target.id in scope.nonlocals
    if isinstance(target, ast.Subscript) and not isinstance(target.slice, ast.Constant):
        return False
    root = target
    while isinstance(root, ast.Attribute | ast.Subscript):
        root = root.value
    return isinstance(root, ast.Name) and root.id not in scope.bindings


# --- arguments that leaves change ------------------------------------------------------------------


def _shared_arguments(work: Workspace, workflow: WorkflowFunction, places: Places, gather: ast.Call) -> None:
    """An object that one arm's leaf changes while another arm's leaf has it."""
    given: dict[str, list[tuple[ast.Call, ast.Name]]] = {}
    changed: dict[str, ast.Call] = {}
    for call, repeated in _arm_calls(gather):
        info = places.calls.get(call)
        if info is None or info.kind is not CallKind.LEAF:
            continue
        changing = {id(expr) for expr in _changed(work, places, call)}
        for value in arguments(call):
            if isinstance(value, ast.Name) and value.id not in repeated:
                given.setdefault(value.id, []).append((call, value))
                if id(value) in changing:
                    changed.setdefault(value.id, call)
                    if repeated:
                        given[value.id].append((call, value))
    for name, call in changed.items():
        if len(given[name]) > 1:
            others = {id(one): one for one, _ in given[name] if one is not call}
            related = tuple(
                Related(workflow.module.relpath, span(one, workflow.module), "it is given to this call, too")
                for one in others.values()
            )
            leaf = places.calls[call].name
            work.report(SharedByArms, workflow.module, call, related, name=name, leaf=leaf)


def _arm_calls(gather: ast.Call) -> Iterator[tuple[ast.Call, frozenset[str]]]:
    """The calls of a gather's arms; for those of a comprehension the names that differ from arm to arm."""
    for value in gather.args:
        inner = value.value if isinstance(value, ast.Starred) else value
        if isinstance(inner, ast.ListComp | ast.GeneratorExp) and isinstance(inner.elt, ast.Call):
            own_names = {
                node.id
                for one in inner.generators
                for node in ast.walk(one.target)
                if isinstance(node, ast.Name)
            }
            yield inner.elt, frozenset(own_names)
        elif isinstance(inner, ast.Call):
            yield inner, frozenset()


def _changed(work: Workspace, places: Places, call: ast.Call) -> list[ast.expr]:
    """The arguments of a leaf that it changes."""
    info = places.calls[call]
    if not isinstance(info.target, ProjectFunction):
        return []
    scope = work.names.tree(places.root).inner.get(call, work.names.scope(places.root))  # type: ignore[arg-type]
    edge = work.purity.finder.edge(work.purity.targets.of(call, scope), call, scope)
    return work.purity.changed_by(edge, info.target, work.purity.of(info.target))
