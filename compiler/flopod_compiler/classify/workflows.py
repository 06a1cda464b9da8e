"""The workflows of one module: functions that are marked, and what only looks like a mark."""

from __future__ import annotations

import ast
import difflib

from flopod_compiler.classify.markcalls import check_mark_calls
from flopod_compiler.classify.workspace import Workspace
from flopod_compiler.diagnostics import Related, Span
from flopod_compiler.diagnostics.rules.calls import BadOptions, MisplacedWorkflow, UnknownDecorator
from flopod_compiler.diagnostics.rules.discovery import MarkerMisspelled, WorkflowRebound
from flopod_compiler.model import External, FunctionNode, SourceModule, Symbol, Unknown, WorkflowFunction
from flopod_compiler.names import Scope
from flopod_compiler.parse import name_span, shortened, span, statements
from flopod_compiler.program.marked import Marked

_OPTIONS: dict[str, tuple[type, ...]] = {"name": (str,), "version": (int, str), "queue": (str,)}


def find_marked(work: Workspace, module: SourceModule) -> list[Marked]:
    """The workflows that are marked in a module; what is wrong with marks is reported."""
    tree = work.names.module(module.name)
    assert tree is not None
    found: list[Marked] = []
    for node, scope in tree.functions.items():
        if not node.decorator_list:
            continue
        mark = work.marks.workflow_mark(node, scope)
        if mark is not None and scope is not tree.root:
            work.report(MisplacedWorkflow, module, mark, name=node.name, what="a method", rewrite=_TOP)
        elif mark is not None:
            found.append(marked(module, node, _options(work, module, mark)))
            _check_decorators(work, module, node, scope, mark)
        else:
            _near_marks(work, module, node, scope)
    if "workflow" in module.text:
        _nested_marks(work, module)
        check_mark_calls(work, module)
    return found


def marked(module: SourceModule, node: FunctionNode, options: dict[str, int | str]) -> Marked:
    """A workflow by its node."""
    name = str(options.get("name", node.name))
    return Marked(module.name, module.relpath, node.lineno, name, name_span(node, module), options)


def workflow_functions(work: Workspace, module: SourceModule) -> list[WorkflowFunction]:
    """The functions of a module that are workflows."""
    tree = work.names.module(module.name)
    assert tree is not None
    nodes = {node.lineno: node for node in tree.functions}
    return [
        WorkflowFunction(module, nodes[one.line], nodes[one.line].name, one.name, None, dict(one.options))
        for one in work.program.workflows(module.name)
    ]


def _options(work: Workspace, module: SourceModule, mark: ast.expr | None) -> dict[str, int | str]:
    if not isinstance(mark, ast.Call):
        return {}
    found: dict[str, int | str] = {}
    if mark.args:
        _bad_option(work, module, mark.args[0], "its options are given by name")
    for keyword in mark.keywords:
        allowed = _OPTIONS.get(keyword.arg or "")
        if allowed is None:
            close = difflib.get_close_matches(keyword.arg or "", _OPTIONS, n=1)
            hint = f"; did you mean {close[0]}?" if close else ""
            _bad_option(work, module, keyword, f"it has no option {keyword.arg!r}{hint}")
            continue
        value = keyword.value.value if isinstance(keyword.value, ast.Constant) else None
        if isinstance(value, allowed) and isinstance(value, int | str):
            found[keyword.arg or ""] = value
        else:
            _bad_option(work, module, keyword.value, f"{keyword.arg} is not a literal {allowed[0].__name__}")
    return found


def _bad_option(work: Workspace, module: SourceModule, node: ast.AST, reason: str) -> None:
    rewrite = 'write literals: @workflow(name="fulfil", version=2, queue="orders")'
    work.report(BadOptions, module, node, mark="@workflow", reason=reason, rewrite=rewrite)


def _check_decorators(
    work: Workspace, module: SourceModule, node: FunctionNode, scope: Scope, mark: ast.expr
) -> None:
    for decorator, _ in work.marks.decorators(node, scope):
        if decorator is not mark:
            name, text = f"the workflow {node.name}", f"@{shortened(decorator)}"
            work.report(UnknownDecorator, module, decorator, name=name, decorator=text)


def check_bindings(work: Workspace, workflows: list[WorkflowFunction]) -> None:
    """A later binding of a workflow's name hides it; one of another workflow is reported as that."""
    roots = {one.node for one in workflows}
    for one in workflows:
        tree = work.names.module(one.module.name)
        assert tree is not None
        for binding in tree.root.bindings.get(one.node.name, ()):
            line = getattr(binding.node, "lineno", 0)
            if line > one.node.lineno and binding.node not in roots:
                related = (
                    Related(one.module.relpath, _named(binding.node, one.module), "it is bound again here"),
                )
                where = name_span(one.node, one.module)
                work.result.diagnostics.append(
                    WorkflowRebound.on(
                        one.module.relpath, where, related=related, name=one.node.name, line=line
                    )
                )
                break


def _named(node: ast.AST, module: SourceModule) -> Span:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return name_span(node, module)
    return span(node, module)


# --- what only looks like a workflow ------------------------------------------------------------


def _near_marks(work: Workspace, module: SourceModule, node: FunctionNode, scope: Scope) -> None:
    """Decorators that resemble @workflow but are not flopod's."""
    for decorator in node.decorator_list:
        target = decorator.func if isinstance(decorator, ast.Call) else decorator
        written = shortened(target)
        last = written.rpartition(".")[2]
        symbol = work.names.resolve(target, scope)
        if last == "workflow" and isinstance(symbol, Unknown):
            _misspelled(work, module, decorator, symbol.reason, "from flopod import workflow")
        elif last != "workflow" and _resembles(last) and _is_nothing(symbol):
            meant = f"@{_prefix(written)}workflow"
            imported = isinstance(symbol, External) and "." not in written
            rewrite = "from flopod import workflow" if imported else meant
            _misspelled(work, module, decorator, f"did you mean {meant}?", rewrite)


def _misspelled(
    work: Workspace, module: SourceModule, decorator: ast.expr, reason: str, rewrite: str
) -> None:
    if rewrite.startswith("from"):
        rewrite = f"`{rewrite}` at the top of the file and `@workflow` here"
    else:
        rewrite = f"`{rewrite}`"
    text = f"@{shortened(decorator)}"
    work.report(MarkerMisspelled, module, decorator, decorator=text, reason=reason, rewrite=rewrite)


def _resembles(name: str) -> bool:
    return bool(difflib.get_close_matches(name.lower(), ["workflow", "workflows"], n=1, cutoff=0.8))


def _is_nothing(symbol: Symbol) -> bool:
    return isinstance(symbol, Unknown) or (
        isinstance(symbol, External) and symbol.qualified.startswith("flopod.")
    )


def _prefix(written: str) -> str:
    head, dot, _ = written.rpartition(".")
    return head + dot


_TOP = "move the function to the top level of the module"
_PART = "remove the decorator: a function inside a workflow is a part of it"


def _nested_marks(work: Workspace, module: SourceModule) -> None:
    """Marks on functions inside functions."""
    tree = work.names.module(module.name)
    assert tree is not None
    for outer in list(tree.functions):
        if any(isinstance(node, FunctionNode) and node.decorator_list for node in statements(outer)):
            inner = work.names.tree(outer)
            for node, scope in inner.functions.items():
                mark = work.marks.workflow_mark(node, scope) if node.decorator_list else None
                if mark is not None:
                    inside = work.marks.workflow_mark(outer, tree.functions[outer]) is not None
                    work.report(
                        MisplacedWorkflow, module, mark, name=node.name, what="a function inside another",
                        rewrite=_PART if inside else _TOP,
                    )  # fmt: skip
