"""Coroutines that are dropped or used as if they were the result, and awaits of what is none."""

from __future__ import annotations

import ast

from flopod_compiler.classify.results import Results
from flopod_compiler.classify.workspace import Workspace
from flopod_compiler.diagnostics.rules.calls import AsyncInSync, NotAwaitable, NotAwaited
from flopod_compiler.knowledge.author import COMPENSATE, FOR_EACH, FORGOTTEN, JOINED, START, WORK
from flopod_compiler.knowledge.beside import SIDE
from flopod_compiler.knowledge.concurrency import BEGINS, BLOCKING_SLEEP, NEEDS_LOOP, begun_argument
from flopod_compiler.model import CallInfo, CallKind, ProjectFunction, WorkflowFunction
from flopod_compiler.names import Scope
from flopod_compiler.parse import shortened
from flopod_compiler.purity.facts import within

_USES: tuple[tuple[tuple[type[ast.AST], ...], str], ...] = (
    ((ast.Expr,), "dropped"),
    ((ast.BinOp, ast.UnaryOp, ast.Compare, ast.AugAssign), "used in an expression"),
    ((ast.If, ast.While, ast.Assert), "tested"),
    ((ast.For,), "iterated over"),
    ((ast.FormattedValue,), "formatted"),
    ((ast.Attribute, ast.Subscript), "taken apart"),
    ((ast.Raise,), "raised"),
)
_QUEUED = "write `{call}` without `await`; `await wait_for_work()` waits for it, and `tap` in its place"
_AT_ONCE = {
    COMPENSATE: "write `{call}` without `await`: it only registers the call",
    JOINED: "write `await {call}.wait()`, or keep the handle and wait for that later",
    FORGOTTEN: "write `{call}` without `await`: nobody waits for it",
    WORK: _QUEUED,
    FOR_EACH: _QUEUED,
}
"""What is done at once, and how to say what was meant by awaiting it."""

_HOLDERS = (ast.Tuple, ast.List, ast.Set, ast.Dict, ast.Starred, ast.IfExp, ast.BoolOp, ast.NamedExpr)
_ENDING = frozenset({CallKind.LEAF, CallKind.WORKFLOW, CallKind.IDIOM})


def check_awaits(work: Workspace, workflow: WorkflowFunction) -> None:
    """Report coroutines of a workflow that no `await` and no gather can ever run."""
    parents = work.parents(workflow)
    results = Results(work)
    for scope in work.scopes(workflow):
        for call in scope.calls:
            info = work.result.calls.get(call)
            if info is not None and _is_awaited(work, call, parents):
                _check_awaited(work, workflow, call, info, results)
            if info is None or not (_gives_coroutine(info) or info.callee in NEEDS_LOOP):
                continue
            if work.function_around(scope) is workflow.node and isinstance(workflow.node, ast.FunctionDef):
                work.report(
                    AsyncInSync,
                    workflow.module,
                    call,
                    callee=_word(info),
                    workflow=workflow.node.name,
                    text=_awaited_text(call, info),
                )
                continue
            if not _gives_coroutine(info):
                continue
            use = _use(work, call, parents, scope) or _returned(work, workflow, call, parents, scope)
            if use:
                work.report(
                    NotAwaited, workflow.module, call, callee=_word(info), use=use, text=shortened(call)
                )


def _word(info: CallInfo) -> str:
    """What a call is called: a side chain by its own name, not by that of what it runs."""
    return info.callee.removeprefix("flopod.") if info.callee in SIDE else info.name


def _awaited_text(call: ast.Call, info: CallInfo) -> str:
    """What can be awaited of a call that needs an event loop."""
    if info.callee in (WORK, FOR_EACH):
        return "wait_for_work()"
    return f"{shortened(call)}.wait()" if info.callee == START else shortened(call)


def _is_awaited(work: Workspace, call: ast.Call, parents: dict[ast.AST, ast.AST]) -> bool:
    """Whether a call stands where Python wants something to await: behind `await`, or begun by asyncio."""
    parent = parents.get(call)
    if isinstance(parent, ast.Await):
        return True
    outer = work.result.calls.get(parent) if isinstance(parent, ast.Call) else None
    if outer is None or not isinstance(parent, ast.Call):
        return False
    if outer.callee == "asyncio.gather":
        return call in parent.args
    return BEGINS.get(outer.callee) is False and begun_argument(parent) is call


def _check_awaited(
    work: Workspace, workflow: WorkflowFunction, call: ast.Call, info: CallInfo, results: Results
) -> None:
    """Report an awaited call of a plain function that gives nothing to await: Python raises TypeError."""
    if info.callee in _AT_ONCE:
        rewrite = _AT_ONCE[info.callee].format(call=shortened(call))
        name = info.callee.removeprefix("flopod.")
        work.report(NotAwaitable, workflow.module, call, callee=name, rewrite=rewrite)
    if info.kind not in _ENDING or info.maps:
        return
    plain = [one for one in info.targets if isinstance(one, ProjectFunction) and results.is_data(one)]
    if info.callee != BLOCKING_SLEEP and len(plain) != len(info.targets):
        return
    function = info.callee.rpartition(":")[2].rpartition(".")[2]
    rewrite = f"write `{shortened(call)}` without `await`, or make {function} an `async def`"
    if info.callee == BLOCKING_SLEEP:
        rewrite = f"write `asyncio.sleep({', '.join(map(shortened, call.args))})`"
    work.report(NotAwaitable, workflow.module, call, callee=info.name, rewrite=rewrite)


def _gives_coroutine(info: CallInfo) -> bool:
    return info.is_async is True and info.kind is not CallKind.UNRESOLVED


def _use(work: Workspace, call: ast.expr, parents: dict[ast.AST, ast.AST], scope: Scope) -> str:
    """How a coroutine is misused where it stands; empty when it may still be awaited."""
    parent = parents.get(call)
    if parent is None or isinstance(parent, ast.Await):
        return ""
    if isinstance(parent, ast.IfExp | ast.comprehension) and call is not getattr(parent, "iter", None):
        is_test = isinstance(parent, ast.comprehension) or call is parent.test
        return "tested" if is_test else ""
    for kinds, word in _USES:
        if isinstance(parent, kinds):
            return word
    if isinstance(parent, ast.Assign | ast.AnnAssign | ast.NamedExpr):
        return _stored(work, parent, parents, scope)
    if isinstance(parent, ast.Call):
        return _passed(work, parent)
    return ""


def _returned(
    work: Workspace, workflow: WorkflowFunction, call: ast.expr, parents: dict[ast.AST, ast.AST], scope: Scope
) -> str:
    """What a workflow returns is recorded, and a coroutine cannot be."""
    parent = parents.get(call)
    while isinstance(parent, _HOLDERS):
        parent = parents.get(parent)
    is_root = work.function_around(scope) is workflow.node and not scope.is_comprehension
    return f"returned by {workflow.node.name}" if is_root and isinstance(parent, ast.Return) else ""


def _stored(
    work: Workspace,
    statement: ast.Assign | ast.AnnAssign | ast.NamedExpr,
    parents: dict[ast.AST, ast.AST],
    scope: Scope,
) -> str:
    """A coroutine kept in a variable must be loaded somewhere that can await it."""
    targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
    if len(targets) != 1 or not isinstance(targets[0], ast.Name):
        return ""
    name = targets[0].id
    owner = scope
    while owner.is_comprehension and owner.parent is not None:
        owner = owner.parent
    loads = _loads(name, owner)
    if loads is None:
        return ""
    uses = [_use(work, load, parents, scope) for load in loads]
    if not uses:
        return f"assigned to `{name}`, which is never used,"
    return f"assigned to `{name}` and {uses[0]}" if all(uses) else ""


def _loads(name: str, scope: Scope) -> list[ast.Name] | None:
    """Where a variable is read; None when an inner function may rebind it."""
    found: list[ast.Name] = []
    for current in within(scope):
        if name in current.nonlocals:
            return None
        found.extend(load for load in current.loads if load.id == name)
    return found


def _passed(work: Workspace, outer: ast.Call) -> str:
    info = work.result.calls.get(outer)
    if info is None:
        return ""
    if info.kind in (CallKind.LEAF, CallKind.RECORDABLE, CallKind.OUTPUT):
        return f"passed to {info.name}"
    formats = (
        "builtins.str",
        "builtins.repr",
        "builtins.int",
        "builtins.float",
        "builtins.len",
        "builtins.bool",
    )
    return f"passed to {info.name}" if info.callee in formats else ""
