"""Functions passed as values: plain code may not be given a function with effects to call."""

from __future__ import annotations

import ast
from dataclasses import replace

from flopod_compiler.classify.carriers import Carriers
from flopod_compiler.classify.nested import nested_targets
from flopod_compiler.classify.workspace import Workspace
from flopod_compiler.diagnostics import Related
from flopod_compiler.diagnostics.rules.calls import FunctionValue
from flopod_compiler.knowledge.author import ON_LEAVES
from flopod_compiler.knowledge.beside import BESIDE, callbacks
from flopod_compiler.knowledge.builtins import NEVER_CALLING
from flopod_compiler.knowledge.concurrency import BEGINS
from flopod_compiler.model import (
    CallInfo,
    CallKind,
    External,
    ModuleValue,
    ProjectFunction,
    Symbol,
    WorkflowFunction,
)
from flopod_compiler.names import Scope
from flopod_compiler.parse import shortened
from flopod_compiler.purity.callee import Callee
from flopod_compiler.purity.facts import arguments

_HOLDERS = (ast.IfExp, ast.BoolOp, ast.Tuple, ast.List, ast.Dict, ast.ListComp, ast.DictComp)
_PARTIAL = "functools.partial"
_HANDING = frozenset(
    f"builtins.{name}"
    for name in (
        *("list", "tuple", "set", "frozenset", "dict", "zip", "enumerate", "reversed", "iter", "next"),
        *("len", "bool", "callable", "isinstance"),
    )
)
_COMPARING = frozenset(f"builtins.{name}" for name in ("sorted", "min", "max", "any", "all", "sum"))
_TAKES_FUNCTION = frozenset({"flopod.activity", "flopod.start", *ON_LEAVES})
_STORING = frozenset(
    {"append", "add", "insert", "setdefault", "update", "extend", "appendleft", "get", "pop"}
)


def check_function_values(work: Workspace, workflow: WorkflowFunction) -> None:
    """Report leaves, workflows and durable inner functions given to code that would call them plainly."""
    carriers = Carriers(work, workflow)
    for scope in work.scopes(workflow):
        for call in scope.calls:
            info = work.result.calls.get(call)
            if info is None or info.kind is CallKind.UNRESOLVED or info.callee in _TAKES_FUNCTION:
                continue
            if info.maps and info.kind is not CallKind.PURE:
                continue
            if info.callee in BESIDE:
                _check_callbacks(work, workflow, carriers, call, info, scope)
                continue
            if info.callee == _PARTIAL and _is_followed(work, workflow, call):
                continue
            for value in arguments(call):
                if not _check_scoped(work, workflow, carriers, call, value, info):
                    _check(work, workflow, call, info, value, scope)
            if _is_method(work, info) and isinstance(call.func, ast.Attribute):
                _check_scoped(work, workflow, carriers, call, call.func.value, info)


def _check_callbacks(
    work: Workspace,
    workflow: WorkflowFunction,
    carriers: Carriers,
    call: ast.Call,
    info: CallInfo,
    scope: Scope,
) -> None:
    """What a detach or side chain calls itself is plain code."""
    name = info.callee.removeprefix("flopod.")
    plain = replace(info, kind=CallKind.PURE, callee=name, target=External(info.callee))
    for _, function in callbacks(call):
        if not _check_scoped(work, workflow, carriers, call, function, plain):
            _check(work, workflow, call, plain, function, scope)


def _check_scoped(
    work: Workspace,
    workflow: WorkflowFunction,
    carriers: Carriers,
    call: ast.Call,
    value: ast.expr,
    info: CallInfo,
) -> bool:
    """Report a value that is or holds a function with a scope, where plain code could call it."""
    found = None if _hands_on(work, info) else carriers.of(value)
    direct = isinstance(value, ast.Name | ast.Attribute) and found in carriers.named(value)
    if found is None or (not direct and info.callee in _COMPARING and not call.keywords):
        return False
    what, rewrite = _durable(work, found), _rewrite(call, info, value, found)
    if not direct:
        what = f"holds {found.node.name}, which {what}"
        rewrite = f"call {found.node.name} in the workflow itself, and give the plain code its results"
    _report(work, workflow, value, what, info, rewrite)
    return True


def _hands_on(work: Workspace, info: CallInfo) -> bool:
    """Whether a call passes functions on to where their calls are seen, or only looks at them."""
    if info.kind is CallKind.WORKFLOW or nested_targets(work, info):
        return True
    return _stores(info) or (info.kind is CallKind.PURE and info.callee in _HANDING)


def _is_method(work: Workspace, info: CallInfo) -> bool:
    """Whether a call gives an object to a method of its project class."""
    return any(
        isinstance(one, ProjectFunction) and one.owner is not None and work.taken(one) is None
        for one in info.targets
    )


def _check(
    work: Workspace, workflow: WorkflowFunction, call: ast.Call, info: CallInfo, value: ast.expr, scope: Scope
) -> None:
    if info.callee in BEGINS or not _is_called_plainly(info):
        return
    for symbol in _symbols(work, info, value, scope):
        effect = _effect(work, symbol, value)
        if effect:
            rewrite = _rewrite(call, info, value, symbol)
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
    return not _stores(info)


def _stores(info: CallInfo) -> bool:
    """Whether a call only puts its arguments into a container, or takes one out."""
    of_container = info.kind is CallKind.PURE and info.callee.startswith(("*.", "builtins."))
    return of_container and info.name in _STORING


def _durable(work: Workspace, symbol: Symbol) -> str:
    found = work.taken(symbol)
    if found is None or not found.durable:
        return ""
    return "is a workflow" if found.parent is None else "does durable work"


def _effect(work: Workspace, symbol: Symbol, value: ast.expr) -> str:
    if isinstance(symbol, ModuleValue) and work.marks.declared(symbol):
        return "is a leaf"
    effect = work.purity.finder.value_effect(symbol, value)
    if effect is not None:
        return f"has effects ({effect.reason})" if "leaf" not in effect.reason else "is a leaf"
    if isinstance(symbol, ProjectFunction) and work.taken(symbol) is None:
        summary = work.purity.of(symbol)
        return "" if summary.is_pure else f"has effects ({summary.reason})"
    return ""


def _way(work: Workspace, symbol: Symbol) -> tuple[Related, ...]:
    """The steps from a function that is passed to its effect."""
    if isinstance(symbol, ProjectFunction) and work.taken(symbol) is None:
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


def _rewrite(call: ast.Call, info: CallInfo, value: ast.expr, function: Symbol) -> str:
    """The comprehension or call that says the same with the call in sight."""
    name = shortened(value)
    if info.name == "add_done_callback":
        if name == "print":
            return "write a lambda: lambda task: print(task)"
        return f"await the task, and call it then: {name}(await task)"
    iterable = shortened(call.args[1]) if len(call.args) > 1 else "values"
    is_async = isinstance(function, ProjectFunction) and function.is_async
    one = f"await {name}(x)" if is_async else f"{name}(x)"
    if info.callee == "builtins.map":
        return f"call it in a comprehension: [{one} for x in {iterable}]"
    if info.callee == "builtins.filter":
        return f"call it in a comprehension: [x for x in {iterable} if {one}]"
    if info.callee in ("builtins.sorted", "builtins.min", "builtins.max") or info.name == "sort":
        return f"compute the keys first: keys = {{x: {one} for x in values}}, then key=keys.get"
    if info.callee == "functools.partial":
        return f"write the call out where it happens, or a nested function that calls {name}"
    if info.kind is CallKind.LEAF:
        return f"call {name} in the workflow itself and pass its result"
    return f"call {name} in the workflow itself, and give the plain code its results"
