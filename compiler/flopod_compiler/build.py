"""Compile a project: run every pass and gather the lowered modules, the manifest and all diagnostics."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field, replace
from pathlib import Path

from flopod.manifest import Manifest
from flopod_compiler.cache import Cache, Entry
from flopod_compiler.classify.discovery import find_workflows
from flopod_compiler.classify.reach import reachable_modules
from flopod_compiler.diagnostics import Diagnostic
from flopod_compiler.diagnostics.rule import Rule
from flopod_compiler.diagnostics.rules.discovery import TooDeep
from flopod_compiler.diagnostics.rules.lowering import Untranslated
from flopod_compiler.diagnostics.settle import settle
from flopod_compiler.fingerprint import fingerprint
from flopod_compiler.garbage import collector_paused
from flopod_compiler.lock import Locked, Update, lock_path, match_lock, with_lock
from flopod_compiler.lower import LoweringError
from flopod_compiler.lower.edits import collect_edits
from flopod_compiler.lower.module import Pieces, lower_module
from flopod_compiler.manifest import manifest_of
from flopod_compiler.model import Classified, FunctionNode, Lowered, Project, SourceModule
from flopod_compiler.parse import statements
from flopod_compiler.plan import Plan, fill_ids, name_scope
from flopod_compiler.plan.idle import idle_pragmas
from flopod_compiler.program import Sources
from flopod_compiler.project import discover
from flopod_compiler.purity import Common
from flopod_compiler.units import Analysis, Unit
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
        return _Build(src, caching).run(strict=strict, locking=locking)


class _Build:
    """One build: each step fills the compilation."""

    def __init__(self, src: Path, caching: Path | None) -> None:
        self._src = src
        self._cache = Cache(caching, src)
        project = discover(src, self._cache.parsed())
        self._cache.configure(project.config)
        self._sources = Sources(project, self._cache.outlines(project))
        self._common = Common(self._sources)
        self._cache.keep_outlines(project, self._sources.outlines)
        self._analysis = Analysis(self._sources, self._common, self._cache.units())
        self._units: dict[str, Unit] = {}
        self._result = Compilation(project)

    def run(self, *, strict: bool, locking: bool) -> Compilation:
        result = self._result
        self._analyse()
        locked = self._name()
        result.diagnostics = settle(result.diagnostics, result.project)
        if strict:
            result.diagnostics = [_strict(one) for one in result.diagnostics]
        if result.ok:
            self._lower()
        else:
            self._cache.keep_emitted()
        if result.ok and locked is not None:
            self._describe(locked, locking)
        result.diagnostics.sort(key=lambda one: one.order)
        self._cache.save()
        return result

    def _analyse(self) -> None:
        """Find the workflows, and what there is to know of each module that they reach."""
        discovery = find_workflows(self._sources, self._common, self._cache.found())
        self._cache.keep_found(discovery.found)
        start = {one.module for one in discovery.workflows}
        reached = sorted(reachable_modules(start, self._sources.outlines))
        self._units = self._analysis.units(reached)
        for name, unit in self._units.items():
            self._cache.keep_unit(name, unit if self._analysis.is_made(name) else None)
        self._result.diagnostics += discovery.diagnostics
        for name, module in self._result.project.modules.items():
            if name not in self._units:
                self._result.diagnostics += idle_pragmas(module)
        self._result.diagnostics += [one for unit in self._units.values() for one in unit.diagnostics]

    def _name(self) -> Locked | None:
        """Give every site its id: the one that the lock holds for it, else a new one."""
        path = lock_path(self._src)
        before = self._cache.read_lock(path)
        functions = [one for unit in self._units.values() for one in unit.functions]
        workflows = {
            one.name: f"{name}:{one.function}" for name, unit in self._units.items() for one in unit.workflows
        }
        defined = {
            f"{name}:{one}" for name, outline in self._sources.outlines.items() for one in outline.defines
        }
        try:
            locked = match_lock((one.described for one in functions), workflows, defined, path, before)
        except (RecursionError, MemoryError):
            self._too_deep(next(name for name, unit in self._units.items() if unit.workflows))
            return None
        kept, spent = locked.kept(), locked.spent()
        for one in functions:
            scope = one.described.scope
            self._result.diagnostics += name_scope(one.described.file, scope, kept, spent)
            fill_ids(one.body, scope.all())
        self._result.locked = locked
        return locked

    def _lower(self) -> None:
        for name, unit in self._units.items():
            if not unit.functions:
                continue
            module = self._result.project.modules[name]
            fault = None
            try:
                self._result.lowered[name], fault = self._lowered(module, unit)
            except (LoweringError, SyntaxError) as error:
                fault = f"{type(error).__name__}: {str(error).splitlines()[0]}"
            except (RecursionError, MemoryError):
                self._too_deep(name)
            if fault is not None:
                self._report(name, Untranslated, name=unit.workflows[0].name, fault=fault)

    def _lowered(self, module: SourceModule, unit: Unit) -> tuple[Lowered, str | None]:
        """A module's emitted form, from the cache if the same was done before, and what is wrong with it."""
        ids = [site.id for site in unit.sites()]
        known, unit_digest = self._cache.emitted(module.name), self._cache.unit_digest(module.name)
        if known is not None and unit_digest and (known.unit, known.ids) == (unit_digest, ids):
            self._cache.put(module.name, known)
            return Lowered(module, known.text, known.line_map), None
        classified, plans = self._analysis.plans(module.name, unit)
        edits = collect_edits(classified, plans)
        key = fingerprint(module.text, edits) if self._cache.is_used else ""
        if known is not None and known.key == key:
            self._cache.put(
                module.name, Entry(key, known.text, known.line_map, unit_digest, ids, known.pieces)
            )
            return Lowered(module, known.text, known.line_map), None
        pieces = Pieces(known.pieces if known is not None else {}) if self._cache.is_used else None
        lowered = lower_module(module, [plan.root.node for plan in plans], edits, pieces)
        fault = check_lowered(classified, lowered, plans)
        if fault is None:
            now = pieces.now if pieces is not None else {}
            self._cache.put(module.name, Entry(key, lowered.text, lowered.line_map, unit_digest, ids, now))
        return lowered, fault

    def _describe(self, locked: Locked, locking: bool) -> None:
        result = self._result
        manifest = manifest_of(result.project, self._units, result.lowered)
        takes = {one.name: one.takes for unit in self._units.values() for one in unit.workflows}
        result.lock = locked.update(manifest.build, takes)
        bound = locking or not result.lock.is_new
        result.manifest = with_lock(manifest, result.lock) if bound else manifest

    def _too_deep(self, module: str) -> None:
        """Report a module that is nested too deeply to walk, unless something else is wrong."""
        if self._result.ok:
            first = self._units[module].workflows[0]
            what = f"the workflow {first.name}, or something beside it in the file,"
            self._report(module, TooDeep, what=what)

    def _report(self, module: str, rule: type[Rule], **fields: str) -> None:
        """Report something at the first workflow of a module."""
        first = self._units[module].workflows[0]
        file = self._result.project.modules[module].relpath
        self._result.diagnostics.append(rule.on(file, first.where, related=(), cause="", **fields))


def _strict(diagnostic: Diagnostic) -> Diagnostic:
    return replace(diagnostic, severity="error") if diagnostic.code == "FLP501" else diagnostic


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
