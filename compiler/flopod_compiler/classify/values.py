"""Functions passed as values: plain code may not be given a function with effects to call."""

from __future__ import annotations

import ast

from flopod_compiler.classify.nested import durable_function
from flopod_compiler.classify.workspace import Workspace
from flopod_compiler.diagnostics import Related
from flopod_compiler.diagnostics.rules.calls import FunctionValue
from flopod_compiler.knowledge.builtins import NEVER_CALLING
from flopod_compiler.knowledge.concurrency import BEGINS
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
from flopod_compiler.purity.facts import arguments
from flopod_compiler.purity.functions import Callee

_HOLDERS = (ast.IfExp, ast.BoolOp, ast.Tuple, ast.List, ast.Dict, ast.ListComp, ast.DictComp)
_PARTIAL = "functools.partial"
_TAKES_FUNCTION = frozenset({"flopod.activity", "flopod.attempt"})
_STORING = frozenset(
    {"append", "add", "insert", "setdefault", "update", "extend", "appendleft", "get", "pop"}
)


def check_function_values(work: Workspace, workflow: WorkflowFunction) -> None:
    """Report leaves, workflows and durable inner functions passed where they would be called plainly."""
    for scope in work.scopes(workflow):
        for call in scope.calls:
            info = work.result.calls.get(call)
            if info is None or info.callee in _TAKES_FUNCTION:
                continue
            if info.maps and info.kind is not CallKind.PURE:
                continue
            if info.callee == _PARTIAL and _is_followed(work, workflow, call):
                continue
            for value in arguments(call):
                _check(work, workflow, call, info, value, scope)


def _check(
    work: Workspace, workflow: WorkflowFunction, call: ast.Call, info: CallInfo, value: ast.expr, scope: Scope
) -> None:
    if info.callee in BEGINS:
        return
    for symbol in _symbols(work, info, value, scope):
        what = _durable(work, symbol)
        if what and info.kind is not CallKind.WORKFLOW:
            rewrite = _rewrite(call, info, value, awaits=True)
            _report(work, workflow, value, what, info, rewrite)
        elif _is_called_plainly(info):
            effect = _effect(work, symbol, value)
            if effect:
                rewrite = _rewrite(call, info, value, awaits=False)
                _report(work, workflow, value, effect, info, rewrite, _way(work, symbol))


def _symbols(work: Workspace, info: CallInfo, value: ast.expr, scope: Scope) -> list[Symbol]:
    """The functions that an argument may be, those it has through variables and tables included."""
    found = [*work.names.candidates(value, scope)] if isinstance(value, ast.Name | ast.Attribute) else []
    if _is_called_plainly(info) and not isinstance(value, ast.Constant | ast.Lambda):
        values = work.purity.targets.values.functions.of(value, scope)
        found += [one.symbol for one in _opened(work, values) if one.symbol is not None]
    return list(dict.fromkeys(found))


def _opened(work: Workspace, values: list[Callee]) -> list[Callee]:
    """The functions, with that of a `partial` in its place."""
    found: list[Callee] = []
    for one in values:
        if isinstance(one.expr, ast.Call):
            inner = work.purity.targets.values.functions.of(one.expr.args[0], one.scope)
            found += _opened(work, inner)
        else:
            found.append(one)
    return found


def _is_followed(work: Workspace, workflow: WorkflowFunction, call: ast.Call) -> bool:
    """Whether a `partial` goes straight to where its calls are found again: a variable, a table, a call."""
    parents = work.parents(workflow)
    parent = parents.get(call)
    while isinstance(parent, _HOLDERS):
        parent = parents.get(parent)
    if isinstance(parent, ast.Assign):
        return True
    if isinstance(parent, ast.Call) and isinstance(parent.func, ast.Attribute):
        return parent.func.attr in ("append", "appendleft")
    return isinstance(parent, ast.AnnAssign) or (isinstance(parent, ast.Call) and parent.func is call)


def _is_called_plainly(info: CallInfo) -> bool:
    if (
        info.kind is not CallKind.PURE
        or info.callee in NEVER_CALLING
        or isinstance(info.target, ProjectFunction)
    ):
        return False
    return not (info.callee.startswith(("*.", "builtins.")) and info.name in _STORING)


def _durable(work: Workspace, symbol: Symbol) -> str:
    if isinstance(symbol, ProjectFunction) and durable_function(work, symbol.node):
        found = work.result.functions[symbol.node]
        return "is a workflow" if found.parent is None else "does durable work"
    return ""


def _effect(work: Workspace, symbol: Symbol, value: ast.expr) -> str:
    if isinstance(symbol, ModuleValue) and work.marks.declared(symbol):
        return "is a leaf"
    effect = work.purity.finder.value_effect(symbol, value)
    if effect is not None:
        return f"has effects ({effect.reason})" if "leaf" not in effect.reason else "is a leaf"
    if isinstance(symbol, ProjectFunction) and symbol.node not in work.result.functions:
        summary = work.purity.of(symbol)
        return "" if summary.is_pure else f"has effects ({summary.reason})"
    return ""


def _way(work: Workspace, symbol: Symbol) -> tuple[Related, ...]:
    """The steps from a function that is passed to its effect."""
    if isinstance(symbol, ProjectFunction) and symbol.node not in work.result.functions:
        return work.places(work.purity.of(symbol).hops)
    return ()


def _report(
    work: Workspace,
    workflow: WorkflowFunction,
    value: ast.expr,
    what: str,
    info: CallInfo,
    rewrite: str,
    way: tuple[Related, ...] = (),
) -> None:
    callee = info.callee.removeprefix("builtins.").removeprefix("*.")
    text = f"`{shortened(value)}`"
    work.report(
        FunctionValue, workflow.module, value, way, value=text, what=what, callee=callee, rewrite=rewrite
    )


def _rewrite(call: ast.Call, info: CallInfo, value: ast.expr, *, awaits: bool) -> str:
    """The comprehension or call that says the same with the call in sight."""
    name = shortened(value)
    if info.name == "add_done_callback":
        if name == "print":
            return "write a lambda: lambda task: print(task)"
        return f"await the task, and call it then: {name}(await task)"
    iterable = shortened(call.args[1]) if len(call.args) > 1 else "values"
    if info.callee == "builtins.map":
        return (
            f"call it in a comprehension: [await {name}(x) for x in {iterable}] (no await if it is not async)"
        )
    if info.callee == "builtins.filter":
        return f"call it in a comprehension: [x for x in {iterable} if await {name}(x)]"
    if info.callee in ("builtins.sorted", "builtins.min", "builtins.max") or info.name == "sort":
        return f"compute the keys first: keys = {{x: await {name}(x) for x in values}}, then key=keys.get"
    if info.callee == "functools.partial":
        return f"write the call out where it happens, or a nested function that calls {name}"
    if awaits and info.kind is CallKind.LEAF:
        return f"call {name} in the workflow itself and pass its result"
    return f"call {name} in the workflow itself, and give the plain code its results"
