"""Take every function at the top level of a project as a workflow by itself, and count what becomes of it.

A test of the compiler on sources that nobody wrote for it: a function compiles, stays as it is because
nothing in it is durable, or is refused by a rule; anything else is a fault of the compiler.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from flopod_compiler.build import check_lowered
from flopod_compiler.classify import classify
from flopod_compiler.diagnostics import Diagnostic
from flopod_compiler.diagnostics.rules.discovery import TooDeep
from flopod_compiler.lower.edits import collect_edits
from flopod_compiler.lower.module import lower_module
from flopod_compiler.model import Classified, Lowered, SourceModule, WorkflowFunction
from flopod_compiler.parse import name_span
from flopod_compiler.plan import Plan, name_sites, plan_workflow
from flopod_compiler.project import discover


@dataclass(eq=False, slots=True)
class Survey:
    """What became of the functions. `unread` are the files that could not be parsed.

    `findings` counts the errors by rule, and `refused` the functions that have one. `faults` are failures
    of the compiler, each with its place.
    """

    modules: int = 0
    lines: int = 0
    unread: int = 0
    compiled: int = 0
    refused_functions: int = 0
    unchanged: list[WorkflowFunction] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    findings: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    lowered: dict[str, Lowered] = field(default_factory=dict)

    @property
    def functions(self) -> int:
        return self.compiled + len(self.unchanged) + self.refused_functions + len(self.faults)

    def add(self, other: Survey) -> None:
        """Add the counts of another survey."""
        for name in ("modules", "lines", "unread", "compiled", "refused_functions", "unchanged"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.refused += other.refused
        self.findings += other.findings
        self.faults += other.faults


def survey(src: Path) -> Survey:
    """Survey the project at `src`. Faults of the compiler are counted, with their place, and not raised."""
    project = discover(src)
    classified = classify(project, all_functions=True)
    found = Survey(len(project.modules), unread=len(project.texts))
    found.lines = sum(module.text.count("\n") for module in project.modules.values())
    errors: dict[str, list[Diagnostic]] = defaultdict(list)
    for one in dict.fromkeys(classified.diagnostics):
        if one.severity == "error":
            errors[one.path].append(one)
    plans: dict[str, list[Plan]] = defaultdict(list)
    for root in classified.workflows:
        own = list(_inside(root, errors[root.module.relpath]))
        plan = None if own else _plan(classified, root, own, found)
        if own:
            _count(own, found)
        elif plan is not None and _is_unchanged(classified, plan):
            found.unchanged.append(root)
        elif plan is not None:
            plans[root.module.name].append(plan)
    for name, some in plans.items():
        _lower(classified, project.modules[name], some, found)
    return found


def _inside(root: WorkflowFunction, errors: list[Diagnostic]) -> Iterator[Diagnostic]:
    first, last = root.node.lineno, root.node.end_lineno or root.node.lineno
    return (one for one in errors if first <= one.span.line <= last)


def _count(errors: list[Diagnostic], found: Survey) -> None:
    found.refused_functions += 1
    found.findings.update(one.code for one in errors)
    found.refused.update({one.code for one in errors})


def _plan(
    classified: Classified, root: WorkflowFunction, errors: list[Diagnostic], found: Survey
) -> Plan | None:
    """The plan of a function; `errors` takes what it finds."""
    try:
        plan = plan_workflow(classified, root)
        name_sites(plan)
    except RecursionError:
        span = name_span(root.node, root.module)
        errors.append(TooDeep.on(root.module.relpath, span, what=f"the workflow {root.name}"))
        return None
    except Exception as error:
        found.faults.append(_fault(root, f"plan: {type(error).__name__}: {error}"))
        return None
    errors += [one for one in plan.diagnostics if one.severity == "error"]
    return plan


def _is_unchanged(classified: Classified, plan: Plan) -> bool:
    """Whether nothing in the function needs the run: then it is the Python that it was."""
    edits = collect_edits(classified, [plan])
    edits.functions.clear()
    return not edits.places()


def _lower(classified: Classified, module: SourceModule, plans: list[Plan], found: Survey) -> None:
    """Lower and verify the functions of a module together; if that fails, one by one, to know which."""
    fault = _attempt(classified, module, plans, found)
    if fault is None:
        found.compiled += len(plans)
        return
    for plan in plans:
        alone = _attempt(classified, module, [plan], found)
        if alone is None:
            found.compiled += 1
        else:
            found.faults.append(_fault(plan.root, alone))


def _attempt(classified: Classified, module: SourceModule, plans: list[Plan], found: Survey) -> str | None:
    try:
        lowered = lower_module(module, [plan.root.node for plan in plans], collect_edits(classified, plans))
        fault = check_lowered(classified, lowered, plans)
    except Exception as error:
        return f"lower: {type(error).__name__}: {error}"
    found.lowered[module.name] = lowered
    return fault


def _fault(root: WorkflowFunction, what: str) -> str:
    return f"{root.module.path}:{root.node.lineno}: {root.name}: {what}"
