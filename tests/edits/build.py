"""Compiles a program with a lock or without one, and finds the paths of every marked call."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from flopod.manifest import Manifest, WorkflowEntry
from flopod_compiler.build import compile_project
from flopod_compiler.classify import classify
from flopod_compiler.diagnostics import Diagnostic
from flopod_compiler.lock import Lock, Locked, Update, describe, match_lock, with_lock
from flopod_compiler.lock.paths import occurrences
from flopod_compiler.lock.text import NAME, render
from flopod_compiler.plan import Plan, name_sites, plan_workflow
from flopod_compiler.program import Sources
from flopod_compiler.project import discover
from flopod_compiler.sites import Site
from tests.edits.programs import WORKFLOW, Program
from tests.edits.tree import places

Paths = dict[int, set[str]]


class Refused(Exception):
    """The compiler does not take the edited program."""


@dataclass(frozen=True)
class Made:
    """A build: its lock and manifest, the path patterns of each mark in the workflow, the emitted modules.

    `unlocked` are the patterns that a build without a lock has.
    """

    program: Program
    update: Update
    manifest: Manifest
    paths: Paths
    unlocked: Paths = field(default_factory=dict)
    lowered: dict[str, str] = field(default_factory=dict)

    @property
    def lock(self) -> Lock:
        return self.update.lock


def make(program: Program, lock: Lock | None, *, runs: bool) -> Made:
    """Compile a program; `lock` is the one of the build before. Raises Refused.

    Only a build that `runs` is lowered; ids are given before that.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for module, text in program.sources().items():
            path = folder.joinpath(*module.split(".")).with_suffix(".py")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return _compiled(program, folder, lock) if runs else _planned(program, folder, lock)


def _compiled(program: Program, folder: Path, lock: Lock | None) -> Made:
    if lock is not None:
        (folder / NAME).write_text(render(lock))
    made = compile_project(folder, locking=True)
    _check(made.diagnostics)
    assert made.manifest is not None and made.lock is not None and made.locked is not None
    lowered = {name: one.text for name, one in made.lowered.items()}
    return Made(program, made.lock, made.manifest, _paths(program, made.lock, made.locked), {}, lowered)


def _planned(program: Program, folder: Path, lock: Lock | None) -> Made:
    project = discover(folder)
    classified = classify(project)
    plans = [plan_workflow(classified, root) for root in classified.workflows]
    described = [one for plan in plans for one in describe(classified, plan)]
    workflows = {plan.root.name: f"{plan.root.module.name}:{plan.root.qualname}" for plan in plans}
    outlines = Sources(project).outlines.items()
    defined = {f"{module}:{name}" for module, outline in outlines for name in outline.defines}
    free = match_lock(described, workflows, defined, folder / NAME, None)
    unlocked = _paths(program, _named(plans, free), free)
    _check([*classified.diagnostics, *(one for plan in plans for one in plan.diagnostics)])
    locked = match_lock(described, workflows, defined, folder / NAME, lock)
    update = _named(plans, locked)
    entries = {name: WorkflowEntry(name, "", "") for name in update.lock.workflows}
    manifest = with_lock(Manifest("build", "shop", entries), update)
    return Made(program, update, manifest, _paths(program, update, locked), unlocked)


def _named(plans: list[Plan], locked: Locked) -> Update:
    kept, spent = locked.kept(), locked.spent()
    for plan in plans:
        name_sites(plan, kept, spent)
    return locked.update("build", {})


def _check(diagnostics: list[Diagnostic]) -> None:
    wrong = [one for one in diagnostics if one.severity == "error"]
    if wrong:
        raise Refused("; ".join(f"{one.path}:{one.span.line} {one.code} {one.message}" for one in wrong))


def _paths(program: Program, update: Update, locked: Locked) -> Paths:
    """The path patterns of the workflow that each marked call or loop can have."""
    at = places(program)
    lock = update.lock
    found: Paths = {}
    for function, prefix in occurrences(lock, lock.workflows[WORKFLOW]):
        entries = [entry for entry in lock.live(function) if entry.shape.kind != "constant"]
        module = function.partition(":")[0]
        for entry, call in zip(entries, locked.today[function].scope.all(), strict=True):
            mark = _mark(module, call.site, at)
            if mark is not None and entry.shape.kind != "branch":
                found.setdefault(mark, set()).add(prefix + entry.path)
    return found


def _mark(module: str, site: Site, at: dict[tuple[str, int, int], int]) -> int | None:
    """The mark of a site: a loop statement is known by its start, all else by the end."""
    where = site.where
    if site.kind == "loop" and site.line and site.default is not None:
        return at.get((module, where.line, where.col))
    return at.get((module, where.end_line, where.end_col))
