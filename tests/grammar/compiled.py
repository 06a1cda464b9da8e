"""One small program through the passes of the compiler, with what each of them found."""

from __future__ import annotations

import ast
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from textwrap import dedent, indent

from flopod_compiler.build import compile_project
from flopod_compiler.classify import classify
from flopod_compiler.lower.edits import collect_edits
from flopod_compiler.lower.module import lower_module
from flopod_compiler.model import Classified, FunctionNode
from flopod_compiler.plan import Plan, name_sites, plan_workflow
from flopod_compiler.project import discover
from flopod_compiler.verify import verify_workflow
from tests.grammar.programs import HEAD


def module(body: str) -> str:
    """The text of a module whose workflow `flow(n)` has this body."""
    lines = indent(dedent(body.strip("\n")).strip(), "    ")
    return f"{HEAD}\n\n@workflow\nasync def flow(n):\n{lines}\n"


def codes(text: str) -> set[str]:
    """The codes of the errors that the compiler reports for a module."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "flow.py").write_text(text, encoding="utf-8")
        found = compile_project(Path(folder)).diagnostics
        return {one.code for one in found if one.severity == "error"}


@dataclass(frozen=True)
class Passes:
    """A module's workflow between planning and verification."""

    classified: Classified
    plan: Plan
    emitted: str

    @property
    def written(self) -> FunctionNode:
        return self.plan.root.node

    def difference(self) -> str | None:
        """What `verify` says of the emitted function beside the written one, as that is now."""
        return verify_workflow(self.classified, self.plan, _workflow(ast.parse(self.emitted)))


@cache
def passes(text: str) -> Passes:
    """Plan and lower the workflow of a module that compiles."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "flow.py").write_text(text, encoding="utf-8")
        project = discover(Path(folder))
        classified = classify(project)
        plan = plan_workflow(classified, classified.workflows[0])
        name_sites(plan)
        lowered = lower_module(project.modules["flow"], [plan.root.node], collect_edits(classified, [plan]))
        return Passes(classified, plan, lowered.text)


def _workflow(tree: ast.Module) -> FunctionNode:
    return next(one for one in tree.body if isinstance(one, ast.AsyncFunctionDef) and one.name == "flow")
