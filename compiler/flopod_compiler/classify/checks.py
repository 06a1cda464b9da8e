"""Findings in workflow bodies that are not about a single call's kind."""

from __future__ import annotations

import ast

from flopod_compiler.classify.resources import belongs_to_module, report_resource
from flopod_compiler.classify.sources import check_async_source, check_generator
from flopod_compiler.classify.workspace import Workspace
from flopod_compiler.diagnostics.rules.calls import LeafInLambda, StarImport, UnknownDecorator
from flopod_compiler.diagnostics.rules.unsupported import ImplicitEffect, Yielding
from flopod_compiler.knowledge.beside import BESIDE
from flopod_compiler.knowledge.concurrency import is_asyncio_manager
from flopod_compiler.model import (
    DURABLE_KINDS,
    CallInfo,
    CallKind,
    FunctionNode,
    ProjectFunction,
    WorkflowFunction,
)
from flopod_compiler.names import BUILTINS, Scope
from flopod_compiler.parse import shortened
from flopod_compiler.purity.implicit import ENTERING

_MANAGERS = frozenset(
    {
        "contextlib.ExitStack",
        "contextlib.AsyncExitStack",
        "contextlib.suppress",
        "contextlib.nullcontext",
        "decimal.Context",
    }
)
_WORDS = {
    CallKind.LEAF: "the leaf",
    CallKind.WORKFLOW: "the workflow",
    CallKind.PRIMITIVE: "the primitive",
    CallKind.IDIOM: "the asyncio call",
    CallKind.RECORDABLE: "the recorded call",
}


def check_body(work: Workspace, workflow: WorkflowFunction) -> None:
    """Report star imports, lambdas with effects, `yield`, resources, and effects behind attributes."""
    _star_imports(work, workflow)
    _decorators(work, workflow)
    for scope in work.scopes(workflow):
        for call in scope.calls:
            if call in work.result.calls:
                check_generator(work, workflow, call, work.result.calls[call])
        _lambda_calls(work, workflow, scope)
        _statements(work, workflow, scope)
        _implicit(work, workflow, scope)


def _star_imports(work: Workspace, workflow: WorkflowFunction) -> None:
    tree = work.names.module(workflow.module.name)
    assert tree is not None
    for node in tree.root.stars:
        module = "." * node.level + (node.module or "")
        names = ", ".join(_starred_names(work, workflow)) or "a, b"
        work.report(StarImport, workflow.module, node, module=module, names=names)


def _starred_names(work: Workspace, workflow: WorkflowFunction) -> list[str]:
    """The names a workflow uses that nothing in sight binds."""
    found = {
        load.id
        for scope in work.scopes(workflow)
        for load in scope.loads
        if work.names.lookup(load.id, scope)[0] is None and load.id not in BUILTINS
    }
    return sorted(found)[:6]


def _lambda_calls(work: Workspace, workflow: WorkflowFunction, scope: Scope) -> None:
    where = _plain_place(scope)
    if not where:
        return
    for call in scope.calls:
        info = work.result.calls.get(call)
        if info is not None and info.kind in DURABLE_KINDS:
            work.report(
                LeafInLambda, workflow.module, call, what=_WORDS[info.kind], callee=_called(info),
                where=where, rewrite=_rewrite(info, call, scope, where),
            )  # fmt: skip


def _plain_place(scope: Scope) -> str:
    """Where code stands that other code calls: in a lambda, or in a method of a class of the workflow."""
    current: Scope | None = scope
    if isinstance(scope.node, ast.ClassDef):
        return f"the body of the local class {scope.node.name}"
    while current is not None and current.parent is not None:
        if isinstance(current.node, ast.Lambda):
            return "a lambda"
        if (
            isinstance(current.parent.node, ast.ClassDef)
            and current.is_function
            and _in_function(current.parent)
        ):
            return f"a method of the local class {current.parent.node.name}"
        current = current.parent
    return ""


def _in_function(scope: Scope) -> bool:
    return scope.parent is not None and not isinstance(scope.parent.node, ast.Module | ast.ClassDef)


def _called(info: CallInfo) -> str:
    """What is called: a side chain or detach goes by the function that it is given."""
    return info.callee.removeprefix("flopod.") if info.callee in BESIDE else info.name


def _rewrite(info: CallInfo, call: ast.Call, scope: Scope, where: str) -> str:
    if where != "a lambda":
        return "make it a nested function of the workflow, or move the class to the top level of the module"
    written = f"{info.name}(x) for x in values"
    if info.callee in BESIDE:
        taken = [one.arg for one in scope.node.args.args] if isinstance(scope.node, ast.Lambda) else []
        written = f"{shortened(call)} for {', '.join(taken) or 'x'} in values"
    if not info.is_async:
        return f"write a comprehension, [{written}], or a nested function"
    return f"write a comprehension, [await {written}], or a nested `async def`"


def _decorators(work: Workspace, workflow: WorkflowFunction) -> None:
    """A decorator runs whenever the function around it does; a function with a scope takes none at all."""
    for scope in work.scopes(workflow):
        node = scope.node
        if scope.parent is None or node is workflow.node or not isinstance(node, FunctionNode | ast.ClassDef):
            continue
        function = work.result.functions.get(node) if isinstance(node, FunctionNode) else None
        durable = function is not None and function.durable
        mark = work.marks.workflow_mark(node, scope.parent) if isinstance(node, FunctionNode) else None
        for decorator in node.decorator_list:
            if decorator is mark:
                continue
            if durable or _is_effectful(work, decorator, scope.parent):
                kind = "class" if isinstance(node, ast.ClassDef) else "function"
                name = f"the workflow {node.name}" if durable else f"the {kind} {node.name}"
                text = f"@{shortened(decorator)}"
                work.report(UnknownDecorator, workflow.module, decorator, name=name, decorator=text)


def _is_effectful(work: Workspace, decorator: ast.expr, scope: Scope) -> bool:
    """Whether applying a decorator is known to have effects, for one that is a name or a call of one."""
    func = decorator.func if isinstance(decorator, ast.Call) else decorator
    found = work.names.candidates(func, scope) if isinstance(func, ast.Name | ast.Attribute) else ()
    functions = [one for one in found if isinstance(one, ProjectFunction)]
    return any(one.node not in work.marks.nested and not work.purity.of(one).is_pure for one in functions)


def _statements(work: Workspace, workflow: WorkflowFunction, scope: Scope) -> None:
    for node in scope.others:
        if isinstance(node, ast.Yield | ast.YieldFrom):
            _yield(work, workflow, scope, node)
        elif isinstance(node, ast.With | ast.AsyncWith):
            if isinstance(node, ast.AsyncWith) and all(_is_asyncio(work, item, scope) for item in node.items):
                work.result.passing.add(node)
                continue
            for item in node.items:
                _manager(work, workflow, node, item.context_expr, scope)
        elif isinstance(node, ast.AsyncFor):
            check_async_source(work, workflow, node.iter, scope)
    for generator in getattr(scope.node, "generators", ()):
        if generator.is_async:
            check_async_source(work, workflow, generator.iter, scope)


def _yield(work: Workspace, workflow: WorkflowFunction, scope: Scope, node: ast.AST) -> None:
    function = work.function_around(scope)
    if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
        found = work.result.functions.get(function)
        if found is not None and found.durable:
            where = (
                f"the workflow {found.name}"
                if found.parent is None
                else f"{found.name}, which does durable work"
            )
            work.report(Yielding, workflow.module, node, where=where)


def _is_asyncio(work: Workspace, item: ast.withitem, scope: Scope) -> bool:
    types = work.types.of(item.context_expr, scope)
    return types is not None and all(one.cls is None and is_asyncio_manager(one.name) for one in types)


def _manager(
    work: Workspace,
    workflow: WorkflowFunction,
    node: ast.With | ast.AsyncWith,
    expr: ast.expr,
    scope: Scope,
) -> None:
    """Only managers that hold nothing outside the run may be entered."""
    info = work.result.calls.get(expr) if isinstance(expr, ast.Call) else None
    if info is not None and info.kind is CallKind.UNRESOLVED:
        return
    if _holds_nothing(work, info, expr, scope):
        return
    report_resource(work, workflow, expr, scope, is_async=isinstance(node, ast.AsyncWith))


def _holds_nothing(work: Workspace, info: CallInfo | None, expr: ast.expr, scope: Scope) -> bool:
    if info is not None:
        return info.kind is CallKind.PURE
    types = work.types.of(expr, scope)
    return types is not None and all(one.cls is not None or one.name in _MANAGERS for one in types)


def _implicit(work: Workspace, workflow: WorkflowFunction, scope: Scope) -> None:
    for implicit in work.purity.finder.implicit.of(scope):
        summary = work.purity.of(implicit.function)
        if summary.mutates:
            work.result.changes.setdefault(implicit.node, []).append(implicit.receiver)
        is_entered = implicit.verb == ENTERING
        is_changed = bool(summary.mutates) and belongs_to_module(work, implicit.receiver, scope)
        if is_entered and (is_changed or not summary.is_pure):
            is_async = implicit.function.is_async
            report_resource(work, workflow, implicit.receiver, scope, is_async=is_async)
        elif not summary.is_pure:
            work.report(
                ImplicitEffect, workflow.module, implicit.node, work.places(summary.hops), what=implicit.what,
                function=implicit.function.qualname, reason=summary.reason,
            )  # fmt: skip
