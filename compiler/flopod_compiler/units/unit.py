"""The data of a unit: the findings, workflows and functions of one module, before ids are given."""

from __future__ import annotations

import ast

import msgspec

from flopod.manifest import Parameter
from flopod_compiler import ir
from flopod_compiler.diagnostics import Diagnostic, Span
from flopod_compiler.lock import Described, describe
from flopod_compiler.lock.parameters import signature
from flopod_compiler.model import Classified, FunctionNode
from flopod_compiler.parse import name_span
from flopod_compiler.plan import FunctionPlan, Plan
from flopod_compiler.program import Trace
from flopod_compiler.sites import Site


class Workflow(msgspec.Struct, frozen=True, array_like=True):
    """A workflow as the manifest has it, and where its name stands; `takes` is what the lock holds of it."""

    name: str
    function: str
    where: Span
    sync: bool
    version: str
    queue: str
    parameters: list[Parameter]
    takes: list[str]


class UnitFunction(msgspec.Struct, array_like=True):
    """A function that takes a scope; in its IR the numbers of its sites stand for their ids."""

    qualname: str
    line: int
    is_nested: bool
    described: Described
    body: list[ir.Node]


class Unit(msgspec.Struct, array_like=True):
    """One module. `runs` are the places of the functions that its workflows call in their own run.

    It is as good as new while the questions of `trace` have the same answers.
    """

    trace: Trace
    diagnostics: list[Diagnostic]
    runs: list[str]
    workflows: list[Workflow] = []
    functions: list[UnitFunction] = []

    def sites(self) -> list[Site]:
        """Every site in the order of the source."""
        return [site for one in self.functions for site in one.described.scope.all()]


def functions_of(classified: Classified, plan: Plan) -> list[UnitFunction]:
    """The functions that a plan lowers."""
    described = describe(classified, plan)
    return [_function(*both) for both in zip(plan.functions.values(), described, strict=True)]


def _function(one: FunctionPlan, described: Described) -> UnitFunction:
    function = one.function
    return UnitFunction(
        function.qualname, function.node.lineno, function.parent is not None, described, one.body
    )


def workflow_of(plan: Plan) -> Workflow:
    """The workflow of a plan."""
    root = plan.root
    return Workflow(
        root.name,
        root.qualname,
        name_span(root.node, root.module),
        isinstance(root.node, ast.FunctionDef),
        str(root.options.get("version", "")),
        str(root.options.get("queue", "")),
        _parameters(root.node),
        signature(root.node.args),
    )


def _parameters(node: FunctionNode) -> list[Parameter]:
    arguments = node.args
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
