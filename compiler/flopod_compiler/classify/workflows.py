"""Finding the workflows of a project: marked, listed in the configuration, and what only looks like one."""

from __future__ import annotations

import ast
import difflib

from flopod_compiler.classify.workspace import Workspace
from flopod_compiler.configuration import place
from flopod_compiler.diagnostics import Related, Span
from flopod_compiler.diagnostics.rules.calls import BadOptions, MisplacedWorkflow, UnknownDecorator
from flopod_compiler.diagnostics.rules.discovery import (
    EntryNotFound,
    MarkerMisspelled,
    NewerSyntax,
    NotParsed,
    NotReadable,
    NoWorkflow,
    TooDeep,
    WorkflowRebound,
    WorkflowTwice,
)
from flopod_compiler.model import (
    External,
    FunctionNode,
    ProjectFunction,
    ProjectModule,
    SourceModule,
    Symbol,
    Unknown,
    WorkflowFunction,
)
from flopod_compiler.names import Scope, describe
from flopod_compiler.parse import name_span, shortened, span, statements

_UNREAD = frozenset({NotReadable.code, NotParsed.code, NewerSyntax.code, TooDeep.code})
"""A file that could not be read may hold the workflow that is missing."""

_OPTIONS: dict[str, tuple[type, ...]] = {"name": (str,), "version": (int, str), "queue": (str,)}


def find_workflows(work: Workspace, *, all_functions: bool = False) -> None:
    """Fill `result.workflows` in the order of modules and lines, and report what is wrong with marks."""
    found: dict[FunctionNode, WorkflowFunction] = {}
    for module in work.result.project.modules.values():
        _in_module(work, module, found, all_functions)
    if not all_functions:
        for entry in work.result.project.config.workflows:
            _listed(work, entry, found)
        _check_vouched(work)
    ordered = sorted(found.values(), key=lambda one: (one.module.name, one.node.lineno))
    work.result.workflows = ordered
    work.marks.roots = {} if all_functions else {one.node: one.name for one in ordered}
    _check_names(work, ordered, all_functions)
    if not all_functions:
        _check_bindings(work, ordered)
    unread = any(one.code in _UNREAD for one in work.result.diagnostics)
    if not ordered and not all_functions and not unread:
        _none_found(work)


def _in_module(
    work: Workspace, module: SourceModule, found: dict[FunctionNode, WorkflowFunction], everything: bool
) -> None:
    tree = work.names.module(module.name)
    assert tree is not None
    for node, scope in tree.functions.items():
        if everything:
            if scope is tree.root:
                found[node] = _workflow(work, module, node, scope, None)
            continue
        if not node.decorator_list:
            continue
        mark = work.marks.workflow_mark(node, scope)
        if mark is not None and scope is not tree.root:
            work.report(MisplacedWorkflow, module, mark, name=node.name, what="a method", rewrite=_TOP)
        elif mark is not None:
            found[node] = _workflow(work, module, node, scope, mark)
            _check_decorators(work, module, node, scope, mark)
        else:
            _near_marks(work, module, node, scope)
    if not everything and "workflow" in module.text:
        _nested_marks(work, module)


def _workflow(
    work: Workspace, module: SourceModule, node: FunctionNode, scope: Scope, mark: ast.expr | None
) -> WorkflowFunction:
    options = _options(work, module, mark)
    name = options.get("name", node.name)
    qualname = work.names.function(node, scope).qualname
    return WorkflowFunction(module, node, qualname, str(name), None, options)


def _options(work: Workspace, module: SourceModule, mark: ast.expr | None) -> dict[str, object]:
    if not isinstance(mark, ast.Call):
        return {}
    found: dict[str, object] = {}
    if mark.args:
        _bad_option(work, module, mark.args[0], "its options are given by name")
    for keyword in mark.keywords:
        allowed = _OPTIONS.get(keyword.arg or "")
        if allowed is None:
            close = difflib.get_close_matches(keyword.arg or "", _OPTIONS, n=1)
            hint = f"; did you mean {close[0]}?" if close else ""
            _bad_option(work, module, keyword, f"it has no option {keyword.arg!r}{hint}")
        elif not isinstance(keyword.value, ast.Constant) or not isinstance(keyword.value.value, allowed):
            _bad_option(work, module, keyword.value, f"{keyword.arg} is not a literal {allowed[0].__name__}")
        else:
            found[keyword.arg or ""] = keyword.value.value
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


def _listed(work: Workspace, entry: str, found: dict[FunctionNode, WorkflowFunction]) -> None:
    """A workflow of the configuration, `module:function`."""
    module_name, _, qualname = entry.partition(":")
    module = work.result.project.modules.get(module_name)
    if not qualname or module is None:
        reason = f"the project has no module {module_name!r}" if qualname else "it has no colon"
        _entry_missing(work, entry, reason, _near_entries(work, entry))
        return
    symbol = _listed_symbol(work, module_name, qualname)
    if not isinstance(symbol, ProjectFunction):
        why = symbol.reason if isinstance(symbol, Unknown) else f"it is {describe(symbol)}, not a function"
        _entry_missing(work, entry, why, _near_entries(work, entry))
        return
    if symbol.owner is not None or "." in symbol.qualname:
        _entry_missing(work, entry, "it is not a function at the top level of a module", "")
        return
    source = work.result.project.modules[symbol.module]
    scope = work.names.scope(symbol.node).parent
    assert scope is not None
    if symbol.node not in found:
        found[symbol.node] = _workflow(work, source, symbol.node, scope, None)


def _listed_symbol(work: Workspace, module: str, qualname: str) -> Symbol:
    if "." in qualname:
        return Unknown("a method cannot be a workflow")
    symbols = work.names.global_member(module, qualname)
    return symbols[0]


def _near_entries(work: Workspace, entry: str) -> str:
    known = [
        f"{module.name}:{node.name}"
        for module in work.result.project.modules.values()
        for node in module.tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    close = difflib.get_close_matches(entry, known, n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def _entry_missing(work: Workspace, entry: str, reason: str, hint: str, key: str = "workflows") -> None:
    project = work.result.project
    where = place(project.texts.get(project.config_path, ""), entry)
    found = EntryNotFound.on(project.config_path, where, key=key, entry=entry, reason=reason, hint=hint)
    work.result.diagnostics.append(found)


def _check_vouched(work: Workspace) -> None:
    """The functions that the configuration calls pure or leaves, where they are the project's own."""
    config = work.result.project.config
    for key, entries in (("pure", config.pure), ("leaves", config.leaves)):
        for entry in entries:
            reason = _missing_reason(work, entry.replace(":", "."))
            if reason:
                _entry_missing(work, entry, reason, _near_entries(work, entry), key)


def _missing_reason(work: Workspace, dotted: str) -> str:
    """Why a dotted name below a module of the project means nothing; empty if it does, or is no such name."""
    parts = dotted.split(".")
    modules = [".".join(parts[:end]) for end in range(len(parts), 0, -1)]
    module = next((name for name in modules if name in work.result.project.modules), None)
    if module is None or parts[-1] == "*":
        return ""
    symbol: Symbol = ProjectModule(module)
    for name in parts[module.count(".") + 1 :]:
        symbol = work.names.member(symbol, name)
    return symbol.reason if isinstance(symbol, Unknown) else ""


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


def _check_names(work: Workspace, workflows: list[WorkflowFunction], everything: bool) -> None:
    seen: dict[str, WorkflowFunction] = {}
    for one in workflows:
        first = seen.setdefault(one.name, one)
        if first is not one and not everything:
            other = f"{one.module.name.rpartition('.')[2]}_{one.name}"
            related = (
                Related(first.module.relpath, name_span(first.node, first.module), "the other workflow"),
            )
            work.result.diagnostics.append(
                WorkflowTwice.on(
                    one.module.relpath,
                    name_span(one.node, one.module),
                    related=related,
                    name=one.name,
                    other=other,
                )
            )


def _check_bindings(work: Workspace, workflows: list[WorkflowFunction]) -> None:
    """A later binding of a workflow's name hides it; one of another workflow is reported as that."""
    for one in workflows:
        tree = work.names.module(one.module.name)
        assert tree is not None
        for binding in tree.root.bindings.get(one.node.name, ()):
            line = getattr(binding.node, "lineno", 0)
            if line > one.node.lineno and binding.node not in work.marks.roots:
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


def _none_found(work: Workspace) -> None:
    """No workflow at all: one error that lists every near miss."""
    project = work.result.project
    misses = list(_misses(work))
    files = f"{len(project.modules)} module{'s' if len(project.modules) != 1 else ''}"
    near = f"; {len(misses)} near miss{'es' if len(misses) != 1 else ''}" if misses else ""
    entry, where, path = _best_guess(work, misses)
    related = tuple(Related(one.path, one.span, one.message) for one in misses)
    work.result.diagnostics.append(
        NoWorkflow.on(path, where, related=related, files=files, near=near, entry=entry)
    )


def _misses(work: Workspace) -> list[Related]:
    found = [
        Related(one.path, one.span, one.message)
        for one in work.result.diagnostics
        if one.code in (MarkerMisspelled.code, MisplacedWorkflow.code, EntryNotFound.code)
    ]
    for module in work.result.project.modules.values():
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


def _best_guess(work: Workspace, misses: list[Related]) -> tuple[str, Span, str]:
    project = work.result.project
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
