"""Findings about asyncio's functions and objects, which a workflow uses as they are."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flopod_compiler.classify.locals import local_class
from flopod_compiler.classify.resources import belongs_to_module
from flopod_compiler.classify.workspace import Workspace
from flopod_compiler.diagnostics.rules.calls import NotAwaitable
from flopod_compiler.diagnostics.rules.state import LocalObject
from flopod_compiler.diagnostics.rules.tasks import (
    NotData,
    NotEntered,
    SharedBetweenRuns,
    WrongAwaitable,
)
from flopod_compiler.knowledge.author import ATTEMPT, FOR_EACH, FORGET, START
from flopod_compiler.knowledge.beside import BESIDE, DETACHES, callbacks, made_by, value_of
from flopod_compiler.knowledge.concurrency import BEGINS, CHILD, DETACHED, begun_argument, is_asyncio_type
from flopod_compiler.model import (
    CallInfo,
    CallKind,
    ModuleValue,
    ProjectFunction,
    WorkflowFunction,
)
from flopod_compiler.names import Scope
from flopod_compiler.parse import shortened
from flopod_compiler.purity.facts import arguments
from flopod_compiler.purity.protocols import Reach, reached
from flopod_compiler.types.model import AWAITABLE, ITERATOR, Types

_CHILD, _DETACH = "the handle of a child", "the handle of a detach"
_RECORDED = frozenset({CallKind.LEAF, CallKind.RECORDABLE})
_HANDED = frozenset({ATTEMPT, START, FORGET, *BESIDE})
_AWAITING = frozenset({"asyncio.gather", *(name for name, several in BEGINS.items() if not several)})
_OWN_RUN = frozenset({START, FORGET, *DETACHES})
_MAPPERS = frozenset({"input_mapper", "connector"})


def check_concurrency(work: Workspace, workflow: WorkflowFunction) -> None:
    """Report what plain Python would refuse as well, and what cannot be in a log."""
    parents = work.parents(workflow)
    entered = _entered_names(work, workflow)
    for scope in work.scopes(workflow):
        for call in scope.calls:
            info = work.result.calls.get(call)
            if info is None:
                continue
            if info.callee == "asyncio.TaskGroup" and not _is_entered(call, parents, entered):
                work.report(NotEntered, workflow.module, call)
            if info.callee in BEGINS and begun_argument(call) is not None:
                _begun(work, workflow, call, info, scope)
            for argument in call.args if info.callee in _AWAITING else ():
                _awaited(work, workflow, argument, scope)
            if info.kind in _RECORDED or info.callee in _HANDED:
                _recorded(work, workflow, call, info, scope)
        for name in scope.loads:
            _shared(work, workflow, name, scope)
        for attribute in scope.attributes:
            _shared(work, workflow, attribute, scope)
        for node in scope.others:
            if isinstance(node, ast.Await):
                _awaited(work, workflow, node.value, scope)


def _awaited(work: Workspace, workflow: WorkflowFunction, value: ast.expr, scope: Scope) -> None:
    """The handle of a detach is not awaitable, so that nobody waits for it by accident."""
    types = None if isinstance(value, ast.Call) else work.types.of(value, scope)
    if types and all(one.name == DETACHED for one in types):
        rewrite = f"write `{shortened(value)}.wait()`, which is awaited"
        name = f"the handle {shortened(value)}"
        work.report(NotAwaitable, workflow.module, value, callee=name, rewrite=rewrite)


def _entered_names(work: Workspace, workflow: WorkflowFunction) -> set[str]:
    return {
        item.context_expr.id
        for scope in work.scopes(workflow)
        for node in scope.others
        if isinstance(node, ast.AsyncWith)
        for item in node.items
        if isinstance(item.context_expr, ast.Name)
    }


def _is_entered(call: ast.Call, parents: dict[ast.AST, ast.AST], entered: set[str]) -> bool:
    parent = parents.get(call)
    if isinstance(parent, ast.Assign | ast.AnnAssign):
        targets = parent.targets if isinstance(parent, ast.Assign) else [parent.target]
        return any(isinstance(one, ast.Name) and one.id in entered for one in targets)
    return not isinstance(parent, ast.Expr | ast.Attribute)


def _begun(work: Workspace, workflow: WorkflowFunction, call: ast.Call, info: CallInfo, scope: Scope) -> None:
    """`create_task(f)` without a call, and `wait` of coroutines."""
    first = begun_argument(call)
    assert first is not None
    if not BEGINS[info.callee]:
        symbol = work.names.resolve(first, scope) if isinstance(first, ast.Name | ast.Attribute) else None
        if isinstance(symbol, ProjectFunction):
            what, text = f"the function `{shortened(first)}`, not a call of it", shortened(first)
            _report(work, workflow, first, info, what, f"write `{shortened(call.func)}({text}(...))`")
    elif info.name == "wait":
        for coroutine in _coroutines(work, first, scope):
            made = shortened(coroutine)
            rewrite = f"write `asyncio.create_task({made})`"
            if coroutine is first:
                rewrite = f"make them tasks: `asyncio.wait([asyncio.create_task(one) for one in {made}])`"
            _report(work, workflow, coroutine, info, "a coroutine, and takes tasks", rewrite)


def _coroutines(work: Workspace, first: ast.expr, scope: Scope) -> Iterator[ast.expr]:
    """What is a coroutine of the awaitables given to `asyncio.wait`, or the whole where that holds some."""
    parts = _elements(first)
    inner = (
        work.names.scope(first) if isinstance(first, ast.ListComp | ast.SetComp | ast.GeneratorExp) else scope
    )
    for element in parts:
        info = work.result.calls.get(element) if isinstance(element, ast.Call) else None
        is_own = info is not None and info.callee.startswith("asyncio.")
        if not is_own and ((info is not None and info.is_async) or _is_coroutine(work, element, inner)):
            yield element
    if parts or not isinstance(first, ast.Name | ast.Call):
        return
    if any(one.name == AWAITABLE for one in reached(work.types.of(first, scope), Reach.ELEMENTS)):
        yield first
    for value in _put_into(first, scope):
        if _is_coroutine(work, value, scope):
            yield value


def _put_into(collection: ast.expr, scope: Scope) -> Iterator[ast.expr]:
    """What the code beside puts into the collection of a variable."""
    for call in scope.calls:
        match call:
            case ast.Call(func=ast.Attribute(ast.Name(name), "append" | "add"), args=[value]):
                if isinstance(collection, ast.Name) and name == collection.id:
                    yield value


def _is_coroutine(work: Workspace, expr: ast.expr, scope: Scope) -> bool:
    types = work.types.of(expr, scope)
    return types is not None and any(one.name == AWAITABLE for one in types)


def _elements(iterable: ast.expr) -> list[ast.expr]:
    if isinstance(iterable, ast.List | ast.Tuple | ast.Set):
        return iterable.elts
    return [iterable.elt] if isinstance(iterable, ast.ListComp | ast.SetComp | ast.GeneratorExp) else []


def _report(
    work: Workspace, workflow: WorkflowFunction, node: ast.expr, info: CallInfo, what: str, rewrite: str
) -> None:
    work.report(WrongAwaitable, workflow.module, node, callee=info.callee, what=what, rewrite=rewrite)


def _recorded(
    work: Workspace, workflow: WorkflowFunction, call: ast.Call, info: CallInfo, scope: Scope
) -> None:
    kind = "a run of its own" if info.callee in _OWN_RUN else "a leaf"
    for value in _written(call, info):
        types = work.types.of(value, scope)
        local = local_class(types)
        if local:
            where = f"{info.name} is {kind} and is given"
            work.report(
                LocalObject, workflow.module, value, where=where, what=f"an object of {local}", name=local
            )
        what = "" if isinstance(value, ast.Call) else _living(types)
        if not what and info.callee != FOR_EACH and _are_iterators(types):
            what = "an iterator"
        if what:
            rewrite = _instead(call, info, value, what)
            work.report(
                NotData, workflow.module, value, callee=info.name, kind=kind, what=what, rewrite=rewrite
            )


def _written(call: ast.Call, info: CallInfo) -> Iterator[ast.expr]:
    """What a call gives to a leaf or run, as far as it is an argument itself."""
    if info.callee == FORGET:
        made = made_by(call)
        yield from arguments(made) if made is not None else ()
    elif info.callee not in BESIDE:
        yield from arguments(call)
    elif not info.scoped and not any(name in _MAPPERS for name, _ in callbacks(call)):
        value = value_of(info.callee, call)
        yield from [value] if value is not None else ()


def _instead(call: ast.Call, info: CallInfo, value: ast.expr, what: str) -> str:
    def given(text: str) -> str:
        if info.callee not in BESIDE:
            return f"{info.name}({text})"
        others = [text if one is value else shortened(one) for one in call.args]
        return f"{info.callee.removeprefix('flopod.')}({', '.join(others)})"

    text = shortened(value)
    if what == "an iterator":
        items = f"[{text[1:-1]}]" if isinstance(value, ast.GeneratorExp) else f"list({text})"
        return f"give it the items: {given(items)}"
    is_project = isinstance(info.target, ProjectFunction)
    marked = f", or put `@workflow` above {info.name}" if is_project else ""
    if what in (_CHILD, _DETACH):
        return f"give it what is data: {given(f'{text}.id')}, or {given(f'await {text}.wait()')}"
    if what in ("a task", "a coroutine"):
        return f"await it first: {given(f'await {text}')}{marked}"
    return f"use it in the workflow, around the call{marked}"


def _are_iterators(types: Types) -> bool:
    return types is not None and all(one.name == ITERATOR for one in types)


def _living(types: Types) -> str:
    """What a value is that exists in its run only; empty for data and for what is not known."""
    for one in types or ():
        if one.name == AWAITABLE:
            return "a coroutine"
        if is_asyncio_type(one.name):
            if one.name in (CHILD, DETACHED):
                return _CHILD if one.name == CHILD else _DETACH
            name = one.name.removeprefix("asyncio.")
            return "a task" if name in ("Task", "Future") else f"an asyncio.{name}"
        inner = next((_living(arg) for arg in one.args if _living(arg)), "")
        if inner and one.cls is None:
            return f"{inner} inside a collection"
    return ""


def _shared(
    work: Workspace, workflow: WorkflowFunction, expr: ast.Name | ast.Attribute, scope: Scope
) -> None:
    if not belongs_to_module(work, expr, scope):
        return
    symbol = work.names.resolve(expr, scope)
    value = symbol.value if isinstance(symbol, ModuleValue) else None
    types = work.types.of(expr, scope) if isinstance(expr, ast.Attribute) else None
    types = work.types.symbol(symbol) if isinstance(symbol, ModuleValue) else types
    if types and all(one.cls is None and is_asyncio_type(one.name) for one in types):
        local = expr.attr if isinstance(expr, ast.Attribute) else expr.id
        made = shortened(value) if isinstance(value, ast.Call) else f"{min(one.name for one in types)}(...)"
        work.report(
            SharedBetweenRuns, workflow.module, expr, name=shortened(expr), local=local.lower(), made=made
        )
