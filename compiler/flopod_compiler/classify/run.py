"""The public function of the pass: it runs the steps of classification in their order."""

from __future__ import annotations

from flopod_compiler.classify.awaits import check_awaits
from flopod_compiler.classify.calls import classify_calls
from flopod_compiler.classify.checks import check_body
from flopod_compiler.classify.concurrency import check_concurrency
from flopod_compiler.classify.delays import check_delays
from flopod_compiler.classify.immutable import find_immutable, find_iterators
from flopod_compiler.classify.locals import check_results
from flopod_compiler.classify.nested import find_nested, settle_durable
from flopod_compiler.classify.reach import reachable_modules
from flopod_compiler.classify.review import review_modules, review_workflow
from flopod_compiler.classify.state import check_state
from flopod_compiler.classify.values import check_function_values
from flopod_compiler.classify.workflows import find_workflows
from flopod_compiler.classify.workspace import Workspace
from flopod_compiler.diagnostics.rules.discovery import TooDeep
from flopod_compiler.garbage import collector_paused
from flopod_compiler.model import CallKind, Classified, Project, ProjectFunction, WorkflowFunction


def classify(project: Project, *, all_functions: bool = False) -> Classified:
    """Classify every call in the workflows of a project.

    With `all_functions` every function at the top level of a module is taken as a workflow, by itself: one
    that calls another calls a leaf, or what is pure. All findings, those of discovery included, are in
    `diagnostics`, not settled yet; nothing is raised for any source.
    """
    with collector_paused():
        return _classified(Workspace.over(project), all_functions)


def _classified(work: Workspace, all_functions: bool) -> Classified:
    project = work.result.project
    work.result.diagnostics.extend(project.diagnostics)
    find_workflows(work, all_functions=all_functions)
    for workflow in work.result.workflows:
        find_nested(work, workflow)
    for workflow in list(work.result.workflows):
        _classify_workflow(work, workflow)
    work.result.reachable = reachable_modules(work)
    work.result.called = {
        target.node
        for info in work.result.calls.values()
        if info.kind is CallKind.WORKFLOW
        for target in info.targets
        if isinstance(target, ProjectFunction)
    }
    if not all_functions:
        check_results(work)
        review_modules(work)
    return work.result


def _classify_workflow(work: Workspace, workflow: WorkflowFunction) -> None:
    scope = work.names.scope(workflow.node)
    if scope.too_deep is not None:
        work.report(TooDeep, workflow.module, scope.too_deep, what=f"the workflow {workflow.name}")
        return
    classify_calls(work, workflow)
    settle_durable(work, workflow)
    check_function_values(work, workflow)
    check_awaits(work, workflow)
    check_delays(work, workflow)
    check_concurrency(work, workflow)
    check_state(work, workflow)
    check_body(work, workflow)
    review_workflow(work, workflow)
    find_immutable(work, workflow)
    find_iterators(work, workflow)
