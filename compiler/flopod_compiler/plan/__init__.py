"""Plan the lowering of one workflow: walk each function once, collect its sites and build its IR.

The plan says, per `ast` node, which scope and id it gets and whether an `await` is added; `lower`
only applies it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from flopod_compiler import ir
from flopod_compiler.analyse.aliases import Aliases, Variable
from flopod_compiler.analyse.regions import durable_regions
from flopod_compiler.analyse.scopes import FUNCTIONS, Names, analyse_names
from flopod_compiler.analyse.state import decide_state
from flopod_compiler.diagnostics import Diagnostic
from flopod_compiler.ids import NOTHING, assign_ids
from flopod_compiler.model import Classified, WorkflowFunction
from flopod_compiler.plan.clashes import ambiguous, grouped
from flopod_compiler.plan.model import FunctionPlan, Plan
from flopod_compiler.plan.statements import Statements
from flopod_compiler.plan.variables import Variables
from flopod_compiler.pragmas import pragmas as read_pragmas
from flopod_compiler.sites import Site, SiteScope


def plan_workflow(classified: Classified, root: WorkflowFunction) -> Plan:
    """Plan one marked workflow with its nested functions."""
    plan = Plan(root)
    names = analyse_names(root.node)
    aliases = Aliases(classified, names)
    pragmas = read_pragmas(root.module)
    variables = Variables(names.identifiers)
    outside: set[Variable] = set()
    for function in _family(classified, root, names):
        durable = durable_regions(classified, function.node, names.index)
        state = decide_state(classified, function.node, names, aliases, durable, outside)
        outside = outside | {(names.scopes[function.node], name) for name in state.declared}
        scope_of = SiteScope(variables.scope)
        one = FunctionPlan(function, names, state, durable, scope_of)
        plan.functions[function.node] = one
        walker = Statements(classified, plan, one, pragmas, variables)
        one.body = walker.block(function.node.body, scope_of)
        _number(one.body, {id(site): number for number, site in enumerate(scope_of.all())})
    return plan


def name_sites(
    plan: Plan,
    kept: Mapping[Site, str] = NOTHING,
    spent: Mapping[SiteScope, frozenset[str]] = NOTHING,
) -> None:
    """Give every site of a plan its id: the one in `kept`, else one that is not `spent`."""
    for one in plan.functions.values():
        plan.diagnostics += name_scope(one.function.module.relpath, one.root, kept, spent)


def name_scope(
    file: str,
    scope: SiteScope,
    kept: Mapping[Site, str] = NOTHING,
    spent: Mapping[SiteScope, frozenset[str]] = NOTHING,
) -> list[Diagnostic]:
    """Give every site of a function its id; the findings say which ids are only ordinals, or clash."""
    found: list[Diagnostic] = []
    for clashes in grouped(assign_ids(scope, kept, spent)):
        one = ambiguous(file, clashes)
        found.append(replace(one, severity="error") if clashes[0].fatal else one)
    return found


def _family(classified: Classified, root: WorkflowFunction, names: Names) -> list[WorkflowFunction]:
    """The root and the durable functions nested in it, outermost first."""
    found = [root]
    for node in names.scopes:
        function = classified.functions.get(node) if isinstance(node, FUNCTIONS) else None
        if function is not None and function.durable and _is_nested(function, root):
            found.append(function)
    return sorted(found, key=lambda one: one.node.lineno)


def _is_nested(function: WorkflowFunction, root: WorkflowFunction) -> bool:
    above = function.parent
    while above is not None and above is not root:
        above = above.parent
    return above is root


def _number(block: list[ir.Node], numbers: dict[int, int]) -> None:
    """IR nodes are built with the identity of their site; from now on they have its number."""
    for node in block:
        placeholder = getattr(node, "id", "")
        if placeholder.startswith("?"):
            node.id = f"?{numbers[int(placeholder[1:])]}"  # type: ignore[union-attr]
        for _, inner in ir.children(node):
            _number(inner, numbers)


def fill_ids(block: list[ir.Node], sites: list[Site]) -> None:
    """Put the ids of sites in the place of their numbers."""
    for node in block:
        placeholder = getattr(node, "id", "")
        if placeholder.startswith("?"):
            node.id = sites[int(placeholder[1:])].id  # type: ignore[union-attr]
        for _, inner in ir.children(node):
            fill_ids(inner, sites)


__all__ = ["FunctionPlan", "Plan", "fill_ids", "name_scope", "name_sites", "plan_workflow"]
