"""Module-level state in workflow bodies: reads that are recorded, and writes that are refused."""

from __future__ import annotations

import ast

from flopod_compiler.classify.drivers import is_driver
from flopod_compiler.classify.workspace import Workspace
from flopod_compiler.diagnostics import Related
from flopod_compiler.diagnostics.rules.beside import OfProcess
from flopod_compiler.diagnostics.rules.determinism import Environment
from flopod_compiler.diagnostics.rules.state import GlobalMutation, GlobalWrite, MutableRead
from flopod_compiler.knowledge.beside import BESIDE, KEEP_HANDLES, bound_to, is_registry
from flopod_compiler.knowledge.recordables import ENVIRONMENT, ENVIRONMENT_VALUES
from flopod_compiler.model import CallKind, External, ModuleValue, WorkflowFunction
from flopod_compiler.names import Scope
from flopod_compiler.parse import span
from flopod_compiler.purity.facts import changed_values
from flopod_compiler.purity.instances import Instances
from flopod_compiler.purity.roots import DEFAULT, MODULE, RootFinder
from flopod_compiler.types.concurrency import TASK


def check_state(work: Workspace, workflow: WorkflowFunction) -> None:
    """Fill `constants`, and report writes to module state and reads of what the program changes."""
    calls = work.result.calls
    inside = (call for scope in work.scopes(workflow) for call in scope.calls if call in calls)
    recorded = {call for call in inside if calls[call].kind is not CallKind.PURE}
    finder = RootFinder(work.names, work.types, work.names.scope(workflow.node), recorded)
    for scope in work.scopes(workflow):
        _reads(work, workflow, scope)
        _writes(work, workflow, scope, finder)


# --- reads -------------------------------------------------------------------------------------------


def _reads(work: Workspace, workflow: WorkflowFunction, scope: Scope) -> None:
    for name in scope.loads:
        _read(work, workflow, name, scope)
    for attribute in scope.attributes:
        if _is_module_chain(work, attribute.value, scope):
            _read(work, workflow, attribute, scope)


def _is_module_chain(work: Workspace, expr: ast.expr, scope: Scope) -> bool:
    """Whether an expression is a dotted name that begins with a module, not with a local variable."""
    while isinstance(expr, ast.Attribute):
        expr = expr.value
    if not isinstance(expr, ast.Name):
        return False
    owner, _ = work.names.lookup(expr.id, scope)
    return (
        owner is None
        or owner.parent is None
        or any(b.how.name.startswith("IMPORT") for b in owner.bindings[expr.id])
    )


def _read(work: Workspace, workflow: WorkflowFunction, expr: ast.Name | ast.Attribute, scope: Scope) -> None:
    symbol = work.names.resolve(expr, scope)
    if isinstance(symbol, External):
        _external_read(work, workflow, expr, symbol)
    elif isinstance(symbol, ModuleValue) and not _is_no_data(work, workflow, expr, symbol):
        _value_read(work, workflow, expr, symbol)


def _external_read(
    work: Workspace, workflow: WorkflowFunction, expr: ast.Name | ast.Attribute, symbol: External
) -> None:
    if symbol.qualified == ENVIRONMENT:
        outer = work.parents(workflow).get(expr)
        if not (
            isinstance(outer, ast.Attribute) and outer.attr in ("get", "copy", "items", "keys", "values")
        ):
            work.report(Environment, workflow.module, expr)
    elif symbol.qualified in ENVIRONMENT_VALUES:
        work.result.constants[expr] = symbol.qualified
    elif is_registry(symbol.qualified) and not isinstance(work.parents(workflow).get(expr), ast.Attribute):
        work.report(OfProcess, workflow.module, expr, callee="the registry", rewrite=KEEP_HANDLES)


def _is_no_data(
    work: Workspace, workflow: WorkflowFunction, expr: ast.Name | ast.Attribute, value: ModuleValue
) -> bool:
    """Whether a value of a module stands for itself: a declared leaf, or what drives a detach."""
    return work.marks.declared(value) is not None or is_driver(work, workflow, expr, value)


def _value_read(
    work: Workspace, workflow: WorkflowFunction, expr: ast.Name | ast.Attribute, value: ModuleValue
) -> None:
    constants = work.purity.constants
    if constants.is_constant(value):
        return
    place = constants.changed_at(value)
    if place is not None and constants.is_stable(value):
        _changed_elsewhere(work, workflow, expr, value, place)
        return
    node = _longest_chain(work, workflow, expr)
    if node is not None:
        dotted = ast.unparse(node).removeprefix(ast.unparse(expr))
        work.result.constants[node] = f"{value.module}.{value.name}{dotted}"


def _changed_elsewhere(
    work: Workspace,
    workflow: WorkflowFunction,
    expr: ast.expr,
    value: ModuleValue,
    place: tuple[str, ast.AST],
) -> None:
    """A pure initial value that the project changes: reading it gives whatever it is by then."""
    module = work.program.module(place[0])
    assert module is not None
    if _is_own(work, workflow, place[1]) or _passed_to_leaf(work, workflow, expr):
        return
    if _reads_what_stays(work, workflow, expr):
        return
    related = (Related(module.relpath, span(place[1], module), "it is changed here"),)
    work.result.diagnostics.append(
        MutableRead.at(workflow.module, expr, related=related, name=f"{value.module}.{value.name}")
    )


def _is_own(work: Workspace, workflow: WorkflowFunction, change: ast.AST) -> bool:
    """Whether a workflow makes the change itself, which is reported there; a leaf does it elsewhere."""
    info = work.result.calls.get(change) if isinstance(change, ast.Call) else None
    if info is not None:
        return info.kind is not CallKind.LEAF
    return change in work.names.tree(workflow.node).parents


def _reads_what_stays(work: Workspace, workflow: WorkflowFunction, expr: ast.expr) -> bool:
    """Whether only an attribute is read that no method of the object's class changes."""
    parent = work.parents(workflow).get(expr)
    if not isinstance(parent, ast.Attribute):
        return False
    types = work.types.of(expr, work.names.scope_at(expr, workflow.node))
    if types is None:
        return False
    instances = Instances(work.names)
    return all(one.cls is not None and parent.attr not in instances.changed(one.cls) for one in types)


def _longest_chain(work: Workspace, workflow: WorkflowFunction, expr: ast.expr) -> ast.expr | None:
    """The attribute chain from a module variable that is read as one value; None when a leaf reads it."""
    parents = work.parents(workflow)
    node: ast.expr = expr
    while True:
        parent = parents.get(node)
        if (
            not isinstance(parent, ast.Attribute)
            or parent.value is not node
            or not isinstance(parent.ctx, ast.Load)
        ):
            break
        outer = parents.get(parent)
        if isinstance(outer, ast.Call) and outer.func is parent:
            info = work.result.calls.get(outer)
            return None if info is not None and info.kind is not CallKind.PURE else node
        node = parent
    if isinstance(parent, ast.Call) and parent.func is node:
        return None
    return None if _passed_to_leaf(work, workflow, node) else node


def _passed_to_leaf(work: Workspace, workflow: WorkflowFunction, expr: ast.expr) -> bool:
    """Whether an expression is itself an argument of a leaf, or the object whose method is a leaf."""
    parents = work.parents(workflow)
    parent = parents.get(expr)
    if isinstance(parent, ast.Attribute):
        outer = parents.get(parent)
        info = work.result.calls.get(outer) if isinstance(outer, ast.Call) and outer.func is parent else None
        return info is not None and info.kind in (CallKind.LEAF, CallKind.OUTPUT)
    if isinstance(parent, ast.Starred):
        parent = parents.get(parent)
    info = work.result.calls.get(parent) if isinstance(parent, ast.Call) else None
    return info is not None and info.kind is CallKind.LEAF


# --- writes ------------------------------------------------------------------------------------------


def _writes(work: Workspace, workflow: WorkflowFunction, scope: Scope, finder: RootFinder) -> None:
    for name in sorted(scope.globals):
        for binding in scope.bindings.get(name, ())[:1]:
            work.report(GlobalWrite, workflow.module, binding.node, name=name)
    for store in scope.stores:
        _changed(work, workflow, finder.changed(store.value, scope), store)
        _module_attribute(work, workflow, store, scope)
    for call in scope.calls:
        info = work.result.calls.get(call)
        if info is not None and info.kind is CallKind.PURE and info.mutates:
            for expr in changed_values(info.mutates, call):
                _changed(work, workflow, finder.changed(expr, scope), call)
        if info is not None and info.callee in BESIDE:
            for expr in bound_to(call, info.mutates):
                _changed(work, workflow, finder.changed(expr, scope), call)
    for node in scope.others:
        if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            _changed(work, workflow, _augmented(node.target, scope, finder), node)


def _augmented(target: ast.Name, scope: Scope, finder: RootFinder) -> frozenset[str]:
    """`x += y` changes what `x` was bound to elsewhere, if that can change at all."""
    load = ast.copy_location(ast.Name(target.id, ast.Load()), target)
    return finder.changed(load, scope)


def _module_attribute(
    work: Workspace, workflow: WorkflowFunction, store: ast.Attribute | ast.Subscript, scope: Scope
) -> None:
    """`settings.LIMIT = 3`, with a module before the dot."""
    if isinstance(store, ast.Attribute):
        symbol = work.names.resolve(store.value, scope)
        if type(symbol).__name__ in ("ProjectModule",) or isinstance(symbol, External):
            work.report(GlobalWrite, workflow.module, store, name=ast.unparse(store))


def _changed(work: Workspace, workflow: WorkflowFunction, roots: frozenset[str], node: ast.AST) -> None:
    for root in sorted(roots):
        if root.startswith(DEFAULT):
            name, _, function = root.removeprefix(DEFAULT).partition(" in ")
            own = name.strip("`")
            rewrite = f"write `{own}=None` in the header of {function}, and make it where `{own} is None`"
            name = root.removeprefix(MODULE)
            work.report(GlobalMutation, workflow.module, node, name=name, rewrite=rewrite)
        elif root.startswith(MODULE):
            name = root.removeprefix(MODULE)
            rewrite = _let_go(work, workflow, node) or _on_a_copy(name)
            work.report(GlobalMutation, workflow.module, node, name=name, rewrite=rewrite)


def _let_go(work: Workspace, workflow: WorkflowFunction, node: ast.AST) -> str:
    """What to write instead of `background.add(task)`, which keeps a task from being collected."""
    if not isinstance(node, ast.Call) or len(node.args) != 1:
        return ""
    types = work.types.of(node.args[0], work.names.scope_at(node, workflow.node))
    if types is None or not all(one.name == TASK for one in types):
        return ""
    return "leave the collection out: a task that nobody awaits surely runs, `asyncio.create_task(...)` alone"


def _on_a_copy(name: str) -> str:
    short = name.rpartition(".")[2]
    own = short.lower() if short.lower() != short else f"own_{short}"
    return f"work on a copy, `{own} = copy.deepcopy({short})`, or change it in a leaf"
