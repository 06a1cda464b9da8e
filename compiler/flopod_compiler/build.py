"""Compile a project: run every pass and gather the lowered modules, the manifest and all diagnostics."""

from __future__ import annotations

import ast
import hashlib
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec

from flopod.manifest import Manifest, Parameter, WorkflowEntry
from flopod_compiler import ir
from flopod_compiler.cache import Cache, Entry
from flopod_compiler.classify import classify
from flopod_compiler.diagnostics import Diagnostic
from flopod_compiler.diagnostics.rules.discovery import TooDeep
from flopod_compiler.diagnostics.rules.lowering import Untranslated
from flopod_compiler.diagnostics.settle import settle
from flopod_compiler.fingerprint import fingerprint
from flopod_compiler.garbage import collector_paused
from flopod_compiler.lock import Locked, Update, lock_path, match_lock, read_lock, with_lock
from flopod_compiler.lower import LoweringError
from flopod_compiler.lower.edits import collect_edits
from flopod_compiler.model import (
    Classified,
    ClassifiedProject,
    FunctionNode,
    Lowered,
    Project,
    SourceModule,
    WorkflowFunction,
)
from flopod_compiler.parse import name_span, statements
from flopod_compiler.plan import Plan, name_sites, plan_workflow
from flopod_compiler.project import discover
from flopod_compiler.verify import verify_workflow


@dataclass(eq=False, slots=True)
class Compilation:
    """What a build is made of. `manifest` is None when there are errors.

    `locked` is the last flopod.lock beside today's source, `lock` the one of this build.
    """

    project: Project
    lowered: dict[str, Lowered] = field(default_factory=dict)
    manifest: Manifest | None = None
    diagnostics: list[Diagnostic] = field(default_factory=list)
    locked: Locked | None = None
    lock: Update | None = None

    @property
    def ok(self) -> bool:
        return not any(one.severity == "error" for one in self.diagnostics)


def compile_project(
    src: Path, *, strict: bool = False, locking: bool = False, caching: Path | None = None
) -> Compilation:
    """Compile every workflow below `src`; faults of the source become diagnostics, never exceptions.

    Ids that flopod.lock holds are kept. With `strict`, a warning about an id that is only an ordinal is
    an error. With `locking`, the build is bound to the lock even if that is only now written. `caching`
    is the folder where emitted modules are kept from build to build. Raises UsageError for a lock that
    cannot be read.
    """
    with collector_paused():
        project = discover(src)
        cache = Cache(caching, project.root) if caching is not None else None
        result = _compiled(src, project, strict, locking, cache)
        if cache is not None and result.ok:
            cache.save()
        return result


def _compiled(src: Path, project: Project, strict: bool, locking: bool, cache: Cache | None) -> Compilation:
    classified = classify(project)
    result = Compilation(project, diagnostics=list(classified.diagnostics))
    plans = _plans(classified, result)
    locked = _named(classified, plans, result, lock_path(src))
    for plan in plans:
        result.diagnostics += plan.diagnostics
    result.diagnostics = settle(result.diagnostics, project)
    if strict:
        result.diagnostics = [_strict(one) for one in result.diagnostics]
    if result.ok:
        _lower(classified, plans, result, cache)
    if result.ok and locked is not None:
        result.manifest = _manifest(plans, result)
        result.lock = locked.update(result.manifest.build)
        if locking or not result.lock.is_new:
            result.manifest = with_lock(result.manifest, result.lock)
    result.diagnostics.sort(key=lambda one: one.order)
    return result


def _plans(classified: Classified, result: Compilation) -> list[Plan]:
    """Plan every workflow; what is nested too deeply to walk is reported, once."""
    plans = []
    for root in classified.workflows:
        try:
            plans.append(plan_workflow(classified, root))
        except RecursionError:
            if result.ok:
                result.diagnostics.append(_too_deep(root))
    return plans


def _too_deep(root: WorkflowFunction) -> Diagnostic:
    span = name_span(root.node, root.module)
    what = f"the workflow {root.name}, or something beside it in the file,"
    return TooDeep.on(root.module.relpath, span, what=what)


def _named(
    classified: ClassifiedProject, plans: list[Plan], result: Compilation, path: Path
) -> Locked | None:
    """Give every site its id: the one that the lock holds for it, else a new one."""
    before = read_lock(path)
    try:
        locked = match_lock(classified, plans, path, before)
    except (RecursionError, MemoryError):
        if result.ok:
            result.diagnostics.append(_too_deep(plans[0].root))
        return None
    kept, spent = locked.kept(), locked.spent()
    for plan in plans:
        name_sites(plan, kept, spent)
    result.locked = locked
    return locked


def _strict(diagnostic: Diagnostic) -> Diagnostic:
    return replace(diagnostic, severity="error") if diagnostic.code == "FLP501" else diagnostic


def _lower(classified: Classified, plans: list[Plan], result: Compilation, cache: Cache | None) -> None:
    by_module: dict[str, list[Plan]] = {}
    for plan in plans:
        by_module.setdefault(plan.root.module.name, []).append(plan)
    for name, some in by_module.items():
        module = result.project.modules[name]
        try:
            lowered, fault = _lowered(classified, module, some, cache)
            result.lowered[name] = lowered
        except (LoweringError, SyntaxError) as error:
            fault = f"{type(error).__name__}: {str(error).splitlines()[0]}"
        except (RecursionError, MemoryError):
            result.diagnostics.append(_too_deep(some[0].root))
            continue
        if fault is not None:
            result.diagnostics.append(_internal(module, some[0].root, fault))


def _lowered(
    classified: Classified, module: SourceModule, plans: list[Plan], cache: Cache | None
) -> tuple[Lowered, str | None]:
    """The emitted form of a module, from the cache if the same was to be done before, and what is wrong."""
    edits = collect_edits(classified, plans)
    key = fingerprint(module.text, edits) if cache is not None else ""
    known = cache.get(module.relpath, key) if cache is not None else None
    if known is not None:
        return Lowered(module, known.text, known.line_map), None
    from flopod_compiler.lower.module import lower_module

    lowered = lower_module(module, [plan.root.node for plan in plans], edits)
    fault = check_lowered(classified, lowered, plans)
    if cache is not None and fault is None:
        cache.put(module.relpath, Entry(key, lowered.text, lowered.line_map))
    return lowered, fault


def check_lowered(classified: Classified, lowered: Lowered, plans: list[Plan]) -> str | None:
    """What is wrong with a lowered module, if anything is: it is Python, and says what the author wrote."""
    tree = ast.parse(lowered.text)
    compile(tree, lowered.module.relpath, "exec", dont_inherit=True)
    emitted = _functions(tree, lowered.line_map)
    for plan in plans:
        fault = verify_workflow(classified, plan, emitted[plan.root.node.lineno])
        if fault is not None:
            return fault
    return None


def _functions(tree: ast.Module, line_map: list[int]) -> dict[int, FunctionNode]:
    """Every function by the author's line; of one name there may be several."""
    return {
        line_map[node.lineno - 1]: node
        for node in statements(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def _internal(module: SourceModule, root: WorkflowFunction, fault: str) -> Diagnostic:
    return Untranslated.on(module.relpath, name_span(root.node, module), name=root.name, fault=fault)


# -- the manifest


def _manifest(plans: list[Plan], result: Compilation) -> Manifest:
    functions = _ir_functions(plans)
    entries = {plan.root.name: _entry(plan, functions) for plan in plans}
    sources = {
        module.relpath: hashlib.sha256(module.text.encode()).hexdigest()
        for module in sorted(result.project.modules.values(), key=lambda one: one.relpath)
    }
    lines = {one.module.relpath: one.line_map for one in result.lowered.values()}
    tree = {name: msgspec.to_builtins(function) for name, function in functions.items()}
    return Manifest(
        build=_build_id(result, sources),
        name=result.project.name,
        workflows=entries,
        compiler=version("flopod"),
        sources=sources,
        lines=lines,
        ir=tree,
        graph=_graph(functions),
    )


def _build_id(result: Compilation, sources: dict[str, str]) -> str:
    """Names the build by what it runs: every source and every emitted module."""
    digest = hashlib.sha256(version("flopod").encode())
    for relpath, source in sources.items():
        digest.update(f"{relpath}\0{source}\0".encode())
    for name, lowered in sorted(result.lowered.items()):
        digest.update(f"{name}\0{lowered.text}\0".encode())
    return digest.hexdigest()[:16]


def _ir_functions(plans: list[Plan]) -> dict[str, ir.Function]:
    """The functions by name; inner functions that share one (a conditional `def`) are taken together."""
    found: dict[str, ir.Function] = {}
    for plan in plans:
        for one in plan.functions.values():
            function = one.function
            name = f"{function.module.name}:{function.qualname}"
            if name in found and function.parent is not None:
                found[name].body.extend(one.body)
                continue
            place = function.module.relpath
            found[name] = ir.Function(
                function.module.name, function.qualname, place, function.node.lineno, [*one.body]
            )
    return found


def _entry(plan: Plan, functions: dict[str, ir.Function]) -> WorkflowEntry:
    root = plan.root
    found = list(ir.paths(functions[f"{root.module.name}:{root.qualname}"], functions))
    return WorkflowEntry(
        name=root.name,
        module=root.module.name,
        function=root.qualname,
        sync=isinstance(root.node, ast.FunctionDef),
        version=str(root.options.get("version", "")),
        parameters=_parameters(root.node.args),
        paths=[entry for entry, _ in found],
        waits=list(ir.waits(found, functions)),
    )


def _parameters(arguments: ast.arguments) -> list[Parameter]:
    plain = [*arguments.posonlyargs, *arguments.args]
    first_default = len(plain) - len(arguments.defaults)
    found = []
    for position, one in enumerate(plain):
        kind = "POSITIONAL_ONLY" if position < len(arguments.posonlyargs) else "POSITIONAL_OR_KEYWORD"
        found.append(Parameter(one.arg, kind, position < first_default))
    if arguments.vararg is not None:
        found.append(Parameter(arguments.vararg.arg, "VAR_POSITIONAL", False))
    for one, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        found.append(Parameter(one.arg, "KEYWORD_ONLY", default is None))
    if arguments.kwarg is not None:
        found.append(Parameter(arguments.kwarg.arg, "VAR_KEYWORD", False))
    return found


def _graph(functions: dict[str, ir.Function]) -> dict[str, Any]:
    """Nodes and edges of each function: containment as `inside`, calls of workflows as `calls`."""
    graph: dict[str, Any] = {}
    for name, function in functions.items():
        nodes: list[dict[str, Any]] = []
        _graph_block(function.body, "", nodes)
        graph[name] = {"nodes": nodes, "calls": [one["callee"] for one in nodes if one["kind"] == "call"]}
    return graph


def _graph_block(block: list[ir.Node], prefix: str, nodes: list[dict[str, Any]]) -> None:
    for node in block:
        if isinstance(node, ir.Operation):
            nodes.append(
                {"id": prefix + node.id, "kind": node.kind, "line": node.line, "callee": node.callee}
            )
        elif isinstance(node, ir.Loop | ir.Branch):
            kind = node.kind if isinstance(node, ir.Loop) else "branch"
            nodes.append({"id": prefix + node.id, "kind": kind, "line": node.line, "callee": ""})
        for segment, inner in ir.children(node):
            _graph_block(inner, prefix + segment, nodes)
