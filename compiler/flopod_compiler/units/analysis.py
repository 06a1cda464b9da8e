"""Makes the units of modules: those that are kept and still hold, and all others anew.

First every module is classified, then planned: a plan depends on whether another workflow calls this one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from flopod_compiler.classify import Workspace, classify_module, finish
from flopod_compiler.diagnostics import Diagnostic
from flopod_compiler.diagnostics.rules.discovery import TooDeep
from flopod_compiler.model import Classified, WorkflowFunction
from flopod_compiler.parse import name_span
from flopod_compiler.plan import Plan, plan_workflow
from flopod_compiler.plan.idle import idle_pragmas
from flopod_compiler.program import Program, Question, Sources
from flopod_compiler.purity import Common
from flopod_compiler.units.unit import Unit, functions_of, workflow_of


@dataclass(eq=False, slots=True)
class Made:
    """A module that was analysed in this build; a `whole` one was analysed to its end."""

    work: Workspace
    plans: list[Plan] = field(default_factory=list)
    whole: bool = True


class Analysis:
    """The units of a project; `kept` are those of an earlier build."""

    def __init__(self, sources: Sources, common: Common, kept: Mapping[str, Unit]) -> None:
        self._sources = sources
        self._common = common
        self._kept = kept
        self._made: dict[str, Made] = {}

    def units(self, modules: Iterable[str]) -> dict[str, Unit]:
        """The unit of each module."""
        names = list(modules)
        found = {name: unit for name in names if (unit := self._classified_before(name)) is not None}
        made = {name: self._classified(name) for name in names if name not in found}
        called = {place for unit in found.values() for place in unit.runs}
        self._sources.answers.called = called.union(*(one.work.result.runs for one in made.values()))
        return {
            name: found[name] if name in found and self._holds(found[name]) else self._planned(name)
            for name in names
        }

    def is_made(self, module: str) -> bool:
        """Whether a module was analysed in this build, to its end, so that its unit can be kept."""
        return module in self._made and self._made[module].whole

    def plans(self, module: str, unit: Unit) -> tuple[Classified, list[Plan]]:
        """The plans behind a unit, with its ids."""
        if module not in self._made:
            again = self._planned(module)
            for site, named in zip(again.sites(), unit.sites(), strict=True):
                site.id = named.id
        return self._made[module].work.result, self._made[module].plans

    def _classified_before(self, module: str) -> Unit | None:
        unit = self._kept.get(module)
        holds = unit is not None and self._sources.answers.are_as_in(unit.trace, but=Question.CALLED)
        return unit if holds else None

    def _holds(self, unit: Unit) -> bool:
        return self._sources.answers.are_as_in(unit.trace)

    def _classified(self, module: str) -> Made:
        made = Made(classify_module(Program(self._sources), self._common, module))
        self._made[module] = made
        return made

    def _planned(self, module: str) -> Unit:
        made = self._made.get(module) or self._classified(module)
        finish(made.work)
        classified = made.work.result
        unit = Unit(made.work.program.trace(), list(classified.diagnostics), sorted(classified.runs))
        for root in classified.workflows:
            try:
                plan = plan_workflow(classified, root)
                unit.functions += functions_of(classified, plan)
            except (RecursionError, MemoryError):
                made.whole = False
                if not any(one.severity == "error" for one in unit.diagnostics):
                    unit.diagnostics.append(too_deep(root))
            else:
                made.plans.append(plan)
                unit.workflows.append(workflow_of(plan))
        unit.diagnostics += [one for plan in made.plans for one in plan.diagnostics]
        if not any(one.severity == "error" for one in unit.diagnostics):
            unit.diagnostics += idle_pragmas(self._sources.project.modules[module], made.plans)
        return unit


def too_deep(root: WorkflowFunction) -> Diagnostic:
    """The finding about a workflow that is nested too deeply to walk."""
    span = name_span(root.node, root.module)
    what = f"the workflow {root.name}, or something beside it in the file,"
    return TooDeep.on(root.module.relpath, span, what=what)
