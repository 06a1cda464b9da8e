"""A project without a workflow: what may have been meant as one."""

from __future__ import annotations

import ast

from flopod_compiler.diagnostics import Diagnostic, Related, Span
from flopod_compiler.diagnostics.rules.calls import MisplacedWorkflow
from flopod_compiler.diagnostics.rules.discovery import EntryNotFound, MarkerMisspelled, NoWorkflow
from flopod_compiler.model import FunctionNode, Project, SourceModule
from flopod_compiler.parse import name_span, span


def none_found(project: Project, findings: list[Diagnostic]) -> Diagnostic:
    """No workflow at all: one error that lists every near miss; `findings` are those of the search."""
    misses = list(_misses(project, findings))
    files = f"{len(project.modules)} module{'s' if len(project.modules) != 1 else ''}"
    near = f"; {len(misses)} near miss{'es' if len(misses) != 1 else ''}" if misses else ""
    entry, where, path = _best_guess(project, misses)
    related = tuple(Related(one.path, one.span, one.message) for one in misses)
    return NoWorkflow.on(path, where, related=related, files=files, near=near, entry=entry)


def _misses(project: Project, findings: list[Diagnostic]) -> list[Related]:
    found = [
        Related(one.path, one.span, one.message)
        for one in findings
        if one.code in (MarkerMisspelled.code, MisplacedWorkflow.code, EntryNotFound.code)
    ]
    for module in project.modules.values():
        for node in module.tree.body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                reason = _looks_like(node)
                if reason:
                    found.append(Related(module.relpath, name_span(node, module), reason))
    return found[:12]


def _looks_like(node: FunctionNode) -> str:
    """Why a function may have been meant as a workflow."""
    first = node.body[0]
    if (
        isinstance(first, ast.Expr)
        and isinstance(first.value, ast.Constant)
        and first.value.value == "use workflow"
    ):
        return 'a "use workflow" string marks nothing here; write @workflow above the function'
    if "workflow" in node.name.lower():
        return f"{node.name} is named like a workflow, but not marked"
    if isinstance(node, ast.AsyncFunctionDef) and not node.name.startswith("_"):
        awaits = sum(isinstance(one, ast.Await) for one in ast.walk(node))
        if awaits >= 2 or node.name in ("main", "run"):
            return f"{node.name} is async and could be marked"
    return ""


def _best_guess(project: Project, misses: list[Related]) -> tuple[str, Span, str]:
    for one in misses:
        module = next((m for m in project.modules.values() if m.relpath == one.path), None)
        if module is not None:
            return f"{module.name}:{_name_at(module, one.span)}", one.span, one.path
    first = next(iter(project.modules.values()), None)
    if first is None:
        return "module:function", Span(1, 0, 1, 0), "."
    functions = [n for n in first.tree.body if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
    name = functions[-1].name if functions else "function"
    where = span(functions[-1], first) if functions else Span(1, 0, 1, 0)
    where = name_span(functions[-1], first) if functions else where
    return f"{first.name}:{name}", where, first.relpath


def _name_at(module: SourceModule, where: Span) -> str:
    for node in module.tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            start = min([node.lineno, *(one.lineno for one in node.decorator_list)])
            if start <= where.line <= (node.end_lineno or node.lineno):
                return node.name
    return "function"
