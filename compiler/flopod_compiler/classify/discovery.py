"""The workflows of a whole project: those of each module, and those that the configuration lists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from flopod_compiler.classify.listed import find_listed
from flopod_compiler.classify.unfound import none_found
from flopod_compiler.classify.workflows import find_marked
from flopod_compiler.classify.workspace import Workspace
from flopod_compiler.diagnostics import Diagnostic, Related
from flopod_compiler.diagnostics.rules.discovery import (
    NewerSyntax,
    NotParsed,
    NotReadable,
    TooDeep,
    WorkflowTwice,
)
from flopod_compiler.program import Program, Sources, Trace
from flopod_compiler.program.marked import Marked
from flopod_compiler.purity import Common

_UNREAD = frozenset({NotReadable.code, NotParsed.code, NewerSyntax.code, TooDeep.code})
"""A file that could not be read may hold the workflow that is missing."""

LISTED = "/"
"""Stands for a module where the configuration is searched; no module has that name."""


class Found(msgspec.Struct, array_like=True):
    """The workflows of a module, or of the configuration, and what was asked to find them."""

    trace: Trace
    marked: list[Marked]
    diagnostics: list[Diagnostic]


@dataclass(eq=False, slots=True)
class Discovery:
    """Every workflow in the order of modules and lines; `found` says what each search gave."""

    workflows: list[Marked] = field(default_factory=list)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    found: dict[str, Found] = field(default_factory=dict)


def find_workflows(sources: Sources, common: Common, known: Mapping[str, Found]) -> Discovery:
    """Find all workflows, and answer for them from now on. `known` is what an earlier search has found."""
    project = sources.project
    result = Discovery(diagnostics=list(project.diagnostics))
    distinct: dict[tuple[str, int], Marked] = {}
    for name in [*project.modules, LISTED]:
        kept = known.get(name)
        if kept is None or not sources.answers.are_as_in(kept.trace):
            kept = _search(sources, common, name)
        result.found[name] = kept
        result.diagnostics += kept.diagnostics
        for one in kept.marked:
            distinct.setdefault((one.module, one.line), one)
    result.workflows = [distinct[place] for place in sorted(distinct)]
    for one in result.workflows:
        sources.answers.workflows.setdefault(one.module, []).append(one)
    result.diagnostics += _twice(result.workflows)
    if not result.workflows and not any(one.code in _UNREAD for one in result.diagnostics):
        result.diagnostics.append(none_found(project, result.diagnostics))
    return result


def _search(sources: Sources, common: Common, name: str) -> Found:
    program = Program(sources)
    work = Workspace.of(program, common)
    module = program.module(name)
    marked = find_listed(work, sources.project) if module is None else find_marked(work, module)
    return Found(program.trace(), marked, work.result.diagnostics)


def _twice(workflows: list[Marked]) -> list[Diagnostic]:
    """A finding for each workflow with the name of an earlier one."""
    seen: dict[str, Marked] = {}
    found: list[Diagnostic] = []
    for one in workflows:
        first = seen.setdefault(one.name, one)
        if first is not one:
            other = f"{one.module.rpartition('.')[2]}_{one.name}"
            related = (Related(first.file, first.where, "the other workflow"),)
            found.append(WorkflowTwice.on(one.file, one.where, related=related, name=one.name, other=other))
    return found
