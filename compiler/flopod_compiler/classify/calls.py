"""From the target of a call to its `CallInfo`: the kind, the name of its id, what it changes."""

from __future__ import annotations

import ast
from dataclasses import replace

from flopod_compiler.classify.advice import no_compensation, ways_out
from flopod_compiler.classify.beside import handed_over
from flopod_compiler.classify.childruns import started
from flopod_compiler.classify.choices import settled
from flopod_compiler.classify.receivers import holder_of_method
from flopod_compiler.classify.spreads import as_mapping, mapped
from flopod_compiler.classify.unnamed import check_named
from flopod_compiler.classify.workspace import Workspace
from flopod_compiler.diagnostics.catalogue import CATALOGUE
from flopod_compiler.diagnostics.rules.calls import AsyncInSync, BadOptions, DurableInHelper, Unresolved
from flopod_compiler.diagnostics.rules.compensations import BadCompensation
from flopod_compiler.knowledge.author import ACTIVITY, ATTEMPT, COMPENSATE, ON_LEAVES, START, WAIT_FOR
from flopod_compiler.knowledge.beside import BESIDE
from flopod_compiler.knowledge.methods import is_foreign
from flopod_compiler.model import (
    CallInfo,
    CallKind,
    ModuleValue,
    ProjectFunction,
    Symbol,
    WorkflowFunction,
)
from flopod_compiler.names import Scope
from flopod_compiler.parse import shortened
from flopod_compiler.purity.engine import Summary, bind
from flopod_compiler.purity.facts import Edge, arguments, within
from flopod_compiler.purity.roots import ANYTHING
from flopod_compiler.purity.target import Target


def classify_calls(work: Workspace, workflow: WorkflowFunction) -> None:
    """Give every call in a root workflow its `CallInfo`, nested functions included."""
    parents = work.parents(workflow)
    for scope in work.scopes(workflow):
        for call in scope.calls:
            awaited = isinstance(parents.get(call), ast.Await)
            info = _info(work, workflow, call, scope, awaited)
            work.result.calls[call] = info
            check_named(work, workflow, call, scope, info)
            _payload(work, call, info)


def _info(
    work: Workspace, workflow: WorkflowFunction, call: ast.Call, scope: Scope, awaited: bool
) -> CallInfo:
    target = settled(work, work.purity.targets.of(call, scope), awaited)
    each = mapped(work, workflow, call, scope, target)
    if each is not None:
        found = as_mapping(work, _info(work, workflow, each, scope, awaited=True))
        if found is not None:
            return found
    if target.kind is None and any(run.node in work.marks.nested for run in target.runs):
        return _finished(target, CallKind.PURE, awaited, _nested_changes(work, call, scope, target))
    if target.known is not None and target.known.refused:
        return _refused(work, workflow, call, target)
    if target.kind is None:
        return _by_purity(work, workflow, call, scope, target, awaited)
    if target.kind is CallKind.UNRESOLVED:
        if not _follows(work, call.func, scope):
            rewrite, text = ways_out(call.func, target, work.names, scope), shortened(call.func)
            work.report(
                Unresolved, workflow.module, call.func, cause=_cause(workflow, call.func), text=text,
                reason=target.reason, rewrite=rewrite,
            )  # fmt: skip
        return _finished(target, CallKind.UNRESOLVED, awaited)
    if target.kind is CallKind.PRIMITIVE and target.callee in ON_LEAVES:
        return _on_leaf(work, workflow, call, scope, target)
    if target.kind is CallKind.PRIMITIVE and target.callee == START:
        return started(work, workflow, call, scope, target)
    if target.kind is CallKind.PRIMITIVE and target.callee in BESIDE:
        found = handed_over(work, workflow, call, scope, target)
        _check_leaf(work, workflow, call, found.target)
        return found
    if target.kind is CallKind.PRIMITIVE and target.callee == ACTIVITY:
        _check_options(work, workflow, call)
    if target.kind is CallKind.LEAF:
        _check_leaf(work, workflow, call, target.symbol)
        holder = holder_of_method(work, workflow, call, scope, target, "it is declared a leaf")
        return replace(_finished(target, target.kind, awaited, target.mutates), holder=holder)
    return _finished(target, target.kind, awaited, target.mutates)


def _cause(workflow: WorkflowFunction, func: ast.expr) -> str:
    """Calls on one variable, or of one name, are unknown for one reason."""
    if isinstance(func, ast.Attribute) and isinstance(func.value, ast.Name):
        return f"{workflow.qualname}:{func.value.id}."
    return f"{workflow.qualname}:{func.id}" if isinstance(func, ast.Name) else ""


def _follows(work: Workspace, func: ast.expr, scope: Scope) -> bool:
    """Whether a call only fails because the value it is made on comes from a call that is refused already."""
    root = func
    while isinstance(root, ast.Attribute | ast.Subscript | ast.Call | ast.Await):
        if isinstance(root, ast.Call) and _is_refused(work, root):
            return True
        root = root.func if isinstance(root, ast.Call) else root.value
    if not isinstance(root, ast.Name):
        return False
    owner, bindings = work.names.lookup(root.id, scope)
    values = [binding.value for binding in bindings if binding.value is not None]
    if owner is None or owner.parent is None:
        return False
    return any(
        isinstance(node, ast.Call) and _is_refused(work, node) for value in values for node in ast.walk(value)
    )


def _is_refused(work: Workspace, call: ast.Call) -> bool:
    info = work.result.calls.get(call)
    return info is not None and info.kind is CallKind.UNRESOLVED


def _finished(
    target: Target, kind: CallKind, awaited: bool, mutates: frozenset[int | str] = frozenset()
) -> CallInfo:
    is_async = None if awaited and target.is_async is False else target.is_async
    mutates = mutates if kind is CallKind.PURE else frozenset()
    choices = tuple(one.symbol for one in target.choices)
    return CallInfo(
        kind, target.name, target.callee, target.symbol, is_async, mutates, target.reason, choices,
        undo=target.undo,
    )  # fmt: skip


def _nested_changes(work: Workspace, call: ast.Call, scope: Scope, target: Target) -> frozenset[int | str]:
    """What a nested function changes: its arguments by their places, `*` if anything it closes over."""
    edge = work.purity.finder.edge(target, call, scope)
    found: set[int | str] = set()
    for run in target.runs:
        summary = work.purity.of(run)
        own = Summary(mutates=summary.mutates - {ANYTHING})
        found |= _places(work, edge, run, own, call)
        if ANYTHING in summary.mutates or _rebinds_frame(work, run):
            found.add(ANYTHING)
    return frozenset(found) | target.mutates


def _rebinds_frame(work: Workspace, run: ProjectFunction) -> bool:
    """Whether a function assigns or changes variables of the function that it was made in."""
    scope = work.names.scope(run.node)
    inside = list(within(scope))
    assigned = ((inner, name) for inner in inside for name in inner.nonlocals)
    if any(work.names.lookup(name, inner)[0] not in inside for inner, name in assigned):
        return True
    return "<locals>" in run.qualname and ANYTHING in work.purity.of(run).mutates


def _refused(work: Workspace, workflow: WorkflowFunction, call: ast.Call, target: Target) -> CallInfo:
    known = target.known
    assert known is not None
    rule = CATALOGUE[known.code]
    callee = f"{target.callee.removeprefix('builtins.')}()"
    work.report(rule, workflow.module, call, callee=callee, rewrite=known.rewrite)
    kind = CallKind.PURE if rule.suppressible else CallKind.UNRESOLVED
    return CallInfo(kind, target.name, target.callee, target.symbol, None, frozenset(), target.reason)


def _on_leaf(
    work: Workspace, workflow: WorkflowFunction, call: ast.Call, scope: Scope, target: Target
) -> CallInfo:
    """`attempt(fn, ...)` or `compensate(fn, ...)`: named like the leaf it is about."""
    if not call.args:
        return _finished(target, CallKind.PRIMITIVE, False)
    leaf = work.purity.targets.leaf_of(call.args[0], scope)
    if leaf.kind is CallKind.UNRESOLVED and target.callee == COMPENSATE:
        reason, rewrite = no_compensation(call.args[0])
        text = shortened(call.args[0])
        work.report(BadCompensation, workflow.module, call.args[0], text=text, reason=reason, rewrite=rewrite)
    elif leaf.kind is CallKind.UNRESOLVED:
        text, rewrite = shortened(call.args[0]), ways_out(call.args[0], leaf, work.names, scope)
        work.report(Unresolved, workflow.module, call.args[0], text=text, reason=leaf.reason, rewrite=rewrite)
    _check_leaf(work, workflow, call, leaf.symbol)
    choices = tuple(one.symbol for one in leaf.choices)
    is_async = target.callee == ATTEMPT
    if leaf.is_async and not is_async and isinstance(workflow.node, ast.FunctionDef):
        text = shortened(call.args[0])
        work.report(
            AsyncInSync, workflow.module, call, callee=leaf.name, workflow=workflow.node.name, text=text
        )
    return CallInfo(
        CallKind.PRIMITIVE, leaf.name, target.callee, leaf.symbol, is_async, choices=choices,
        undo=leaf.undo if is_async else "",
    )  # fmt: skip


def _by_purity(
    work: Workspace, workflow: WorkflowFunction, call: ast.Call, scope: Scope, target: Target, awaited: bool
) -> CallInfo:
    edge = work.purity.finder.edge(target, call, scope)
    mutates = set(target.mutates)
    if _changes_bound(work, edge, target, call):
        return _changes_unseen(work, workflow, call, target, awaited)
    for run in target.runs:
        summary = work.purity.of(run)
        reason = (
            summary.reason
            or _callback_reason(work, edge, run, summary, scope)
            or _foreign_argument(work, call, scope)
        )
        if reason:
            _check_durable(work, workflow, call, summary)
            holder = holder_of_method(work, workflow, call, scope, target, reason)
            leaf = replace(target, reason=reason)
            return replace(_finished(leaf, CallKind.LEAF, awaited), holder=holder)
        mutates |= _places(work, edge, run, summary, call)
        if target.receiver is call.func and call.func in work.purity.changed_by(edge, run, summary):
            work.result.changes.setdefault(call, []).append(call.func)
        if target.value is None and _rebinds_frame(work, run):
            mutates.add(ANYTHING)
    return _finished(target, CallKind.PURE, awaited, frozenset(mutates))


def _changes_bound(work: Workspace, edge: Edge, target: Target, call: ast.Call) -> bool:
    """Whether a function value changes what it is bound to: its object, an argument of `partial`."""
    if target.value is not None or (target.receiver is None and target.whole is None):
        return False
    if target.receiver is call.func:
        return False  # an object with `__call__`, which is in sight
    written = {id(one) for one in arguments(call)}
    return any(
        id(expr) not in written
        for run in target.runs
        for expr in work.purity.changed_by(edge, run, work.purity.of(run))
        if expr is target.receiver or work.purity.of(run).is_pure
    )


def _changes_unseen(
    work: Workspace, workflow: WorkflowFunction, call: ast.Call, target: Target, awaited: bool
) -> CallInfo:
    reason = f"{target.callee.replace(':', '.')} changes an object that the call does not name"
    rewrite = f"call {target.name} by its name, with the object in sight"
    text = shortened(call.func)
    work.report(Unresolved, workflow.module, call.func, text=text, reason=reason, rewrite=rewrite)
    return _finished(replace(target, reason=reason, runs=()), CallKind.UNRESOLVED, awaited)


def _callback_reason(
    work: Workspace, edge: Edge, run: ProjectFunction, summary: Summary, scope: Scope
) -> str:
    """Why a function that is passed to a pure one makes the call impure."""
    if not summary.calls:
        return ""
    given = bind(edge, run)
    for name in sorted(summary.calls):
        for expr in given.get(name, ()):
            chain, parameter = work.purity.callback(expr, scope, scope)
            if chain:
                return " -> ".join(chain)
            if parameter:
                return f"calls the value `{parameter}`"
    return ""


def _foreign_argument(work: Workspace, call: ast.Call, scope: Scope) -> str:
    """An argument that is no data, like a client made at import: what is done with it has effects."""
    for value in arguments(call):
        types = work.types.of(value, scope)
        if types is not None:
            foreign = [one.name for one in types if one.cls is None and is_foreign(one.name)]
            if foreign:
                return f"is given a {foreign[0]}"
        symbol = work.names.resolve(value, scope) if isinstance(value, ast.Name | ast.Attribute) else None
        if isinstance(symbol, ModuleValue) and not work.purity.constants.is_constant(symbol):
            data = types is not None and all(
                one.cls is None or work.types.classes.is_data(one.cls) for one in types
            )
            if not data and not work.marks.declared(symbol):
                return f"is given {symbol.module}.{symbol.name}"
    return ""


def _places(
    work: Workspace, edge: Edge, run: ProjectFunction, summary: Summary, call: ast.Call
) -> set[int | str]:
    """What a pure call changes, as places of this call."""
    found: set[int | str] = set()
    changed = {id(expr) for expr in work.purity.changed_by(edge, run, summary)}
    for index, argument in enumerate(call.args):
        value = argument.value if isinstance(argument, ast.Starred) else argument
        if id(value) in changed:
            found.add("*" if isinstance(argument, ast.Starred) else index)
    for keyword in call.keywords:
        if id(keyword.value) in changed:
            found.add(keyword.arg or "*")
    if isinstance(call.func, ast.Attribute) and id(call.func.value) in changed:
        found.add("self")
    return found


def _check_options(work: Workspace, workflow: WorkflowFunction, call: ast.Call) -> None:
    for keyword in call.keywords:
        if keyword.arg == "name" and not isinstance(keyword.value, ast.Constant):
            rewrite = 'write the name as a literal: activity(charge, name="pay")'
            work.report(
                BadOptions,
                workflow.module,
                keyword.value,
                mark="activity",
                reason="name is not a literal str",
                rewrite=rewrite,
            )


def _check_leaf(work: Workspace, workflow: WorkflowFunction, call: ast.Call, symbol: Symbol) -> None:
    """A declared leaf may not contain a primitive either."""
    if isinstance(symbol, ProjectFunction) and work.taken(symbol) is None:
        _check_durable(work, workflow, call, work.purity.of(symbol))


def _check_durable(work: Workspace, workflow: WorkflowFunction, call: ast.Call, summary: Summary) -> None:
    if not summary.durable:
        return
    last = summary.durable[-1]
    what = last.text.removeprefix(f"{last.function.module}.{last.function.qualname} ")
    way = [f"{hop.function.module}.{hop.function.qualname}" for hop in summary.durable]
    marked = [f"`{hop.function.node.name}`" for hop in summary.durable]
    work.report(
        DurableInHelper, workflow.module, call, work.places(summary.durable),
        function=last.function.node.name, reason=f"it {what}" + (f" ({' -> '.join(way)})" if way[1:] else ""),
        marked=" and ".join(marked), become="they become parts" if marked[1:] else "it becomes a part",
    )  # fmt: skip


def _payload(work: Workspace, call: ast.Call, info: CallInfo) -> None:
    if info.kind is not CallKind.PRIMITIVE or info.callee != WAIT_FOR:
        return
    if len(call.args) > 1:
        work.result.payload[call] = call.args[1]
    for keyword in call.keywords:
        if keyword.arg == "type":
            work.result.payload[call] = keyword.value
