"""The public function of the pass: it runs the steps of classification in their order."""

from __future__ import annotations

from flopod_compiler.classify.awaits import check_awaits
from flopod_compiler.classify.beside import settle_callbacks
from flopod_compiler.classify.calls import classify_calls
from flopod_compiler.classify.checks import check_body
from flopod_compiler.classify.concurrency import check_concurrency
from flopod_compiler.classify.discovery import find_workflows
from flopod_compiler.classify.forgotten import find_forgotten
from flopod_compiler.classify.immutable import find_immutable, find_iterators
from flopod_compiler.classify.locals import check_results
from flopod_compiler.classify.nested import find_nested, settle_durable
from flopod_compiler.classify.options import check_options, check_options_at_import
from flopod_compiler.classify.reach import reachable_modules
from flopod_compiler.classify.review import review_module, review_workflow
from flopod_compiler.classify.state import check_state
from flopod_compiler.classify.values import check_function_values
from flopod_compiler.classify.workflows import check_bindings, workflow_functions
from flopod_compiler.classify.workspace import Workspace
from flopod_compiler.diagnostics.rules.discovery import TooDeep
from flopod_compiler.garbage import collector_paused
from flopod_compiler.model import (
    CallKind,
    Classified,
    ClassifiedProject,
    FunctionNode,
    Project,
    ProjectFunction,
    WorkflowFunction,
)
from flopod_compiler.program import Program, Sources
from flopod_compiler.purity import Common


def classify(project: Project, *, all_functions: bool = False) -> ClassifiedProject:
    """Classify every call in the workflows of a project.

    With `all_functions` every function at the top level of a module is taken as a workflow, by itself: one
    that calls another calls a leaf, or what is pure. All findings, those of discovery included, are in
    `diagnostics`, not settled yet; nothing is raised for any source.
    """
    with collector_paused():
        sources = Sources(project)
        common = Common(sources)
        result = ClassifiedProject([], {}, {}, {}, project=project)
        if all_functions:
            result.diagnostics += project.diagnostics
            result.add(_all_functions(sources, common))
            return result
        discovery = find_workflows(sources, common, {})
        result.diagnostics += discovery.diagnostics
        result.reachable = reachable_modules({one.module for one in discovery.workflows}, sources.outlines)
        modules = [classify_module(Program(sources), common, name) for name in sorted(result.reachable)]
        sources.answers.called = set().union(*(work.result.runs for work in modules))
        for work in modules:
            finish(work)
            result.add(work.result)
        return result


def classify_module(program: Program, common: Common, name: str) -> Workspace:
    """Classify every call in the workflows of one module, and review the module."""
    work = Workspace.of(program, common)
    module = program.module(name)
    assert module is not None
    work.result.workflows = workflow_functions(work, module)
    check_bindings(work, work.result.workflows)
    _classify_workflows(work)
    review_module(work, module)
    check_options_at_import(work, module)
    return work


def finish(work: Workspace) -> None:
    """Say which workflows of a module are called by others, and check what the others return."""
    functions = work.result.functions
    work.result.called = {node for node, one in functions.items() if work.program.is_called(one.place)}
    check_results(work)


def _all_functions(sources: Sources, common: Common) -> Classified:
    work = Workspace.of(Program(sources), common)
    for module in sources.project.modules.values():
        tree = sources.trees.module(module)
        functions = sorted((node for node, scope in tree.functions.items() if scope is tree.root), key=_line)
        work.result.workflows += [
            WorkflowFunction(module, one, one.name, one.name, None, {}) for one in functions
        ]
    _classify_workflows(work)
    return work.result


def _line(node: FunctionNode) -> int:
    return node.lineno


def _classify_workflows(work: Workspace) -> None:
    for workflow in work.result.workflows:
        find_nested(work, workflow)
    for workflow in list(work.result.workflows):
        _classify_workflow(work, workflow)
    work.result.runs = {
        target.place
        for info in work.result.calls.values()
        if info.kind is CallKind.WORKFLOW or info.scoped
        for target in info.targets
        if isinstance(target, ProjectFunction)
    }


def _classify_workflow(work: Workspace, workflow: WorkflowFunction) -> None:
    scope = work.names.scope(workflow.node)
    if scope.too_deep is not None:
        work.report(TooDeep, workflow.module, scope.too_deep, what=f"the workflow {workflow.name}")
        return
    classify_calls(work, workflow)
    find_forgotten(work, workflow)
    settle_durable(work, workflow)
    settle_callbacks(work, workflow)
    check_function_values(work, workflow)
    check_awaits(work, workflow)
    check_options(work, workflow)
    check_concurrency(work, workflow)
    check_state(work, workflow)
    check_body(work, workflow)
    review_workflow(work, workflow)
    find_immutable(work, workflow)
    find_iterators(work, workflow)
