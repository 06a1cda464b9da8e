"""Values that cannot be written to a log, by their annotations: inputs of workflows and results of leaves."""

from __future__ import annotations

import ast

from flopod_compiler.classify.review.places import Places
from flopod_compiler.classify.workspace import Workspace
from flopod_compiler.diagnostics import Related
from flopod_compiler.diagnostics.rules.state import NoCodec
from flopod_compiler.knowledge.unwritable import is_unwritable
from flopod_compiler.model import CallKind, ProjectFunction, WorkflowFunction
from flopod_compiler.names import How
from flopod_compiler.parse import span
from flopod_compiler.types.concurrency import lives
from flopod_compiler.types.model import Type, Types

_DEPTH = 4


def review_values(work: Workspace, workflow: WorkflowFunction, places: Places) -> None:
    """Look at the parameters of a workflow, and at what its leaves say they return.

    A workflow that takes tasks can only be called inside of a run, where no argument is recorded.
    """
    scope = work.names.scope(workflow.node)
    for name, bindings in scope.bindings.items():
        first = bindings[0]
        if first.how is How.PARAMETER and first.annotation is not None:
            types = work.types.annotations.read(first.annotation, scope)
            found = _unwritable(work, types, name)
            if found and not lives(types):
                what = f"the parameter {name} of the workflow {workflow.name}"
                work.report(NoCodec, workflow.module, first.node, what=what, place=found[0], type=found[1])
    for call in places.all(ast.Call):
        info = places.calls.get(call)
        if info is not None and info.kind is CallKind.LEAF and isinstance(info.target, ProjectFunction):
            _result(work, workflow, call, info.target, info.name)


def _result(
    work: Workspace, workflow: WorkflowFunction, call: ast.Call, leaf: ProjectFunction, name: str
) -> None:
    returns = leaf.node.returns
    if returns is None:
        return
    types = work.types.annotations.read(returns, work.names.scope(leaf.node))
    found = _unwritable(work, types, "result")
    if found:
        module = work.names.source(leaf)
        declared = (Related(module.relpath, span(returns, module), "declared here"),)
        what = f"the result of the leaf {name}"
        work.report(NoCodec, workflow.module, call, declared, what=what, place=found[0], type=found[1])


def _unwritable(work: Workspace, types: Types, place: str, depth: int = 0) -> tuple[str, str] | None:
    """The place and the name of a type that no log can hold, if every value of these types has one."""
    if types is None or len(types) != 1 or depth > _DEPTH:
        return None
    (one,) = types
    if is_unwritable(one.name):
        return place, one.name
    if one.cls is not None:
        return _field(work, one, place, depth)
    for argument in one.args:
        found = _unwritable(work, argument, f"{place}[...]", depth + 1)
        if found:
            return found
    return None


def _field(work: Workspace, one: Type, place: str, depth: int) -> tuple[str, str] | None:
    """A field of a data class."""
    assert one.cls is not None
    if not work.types.classes.is_data(one.cls) or work.types.classes.is_enum(one.cls):
        return None
    scope = work.names.class_scope(one.cls)
    for name, bindings in scope.bindings.items():
        annotation = bindings[0].annotation
        if annotation is not None:
            types = work.types.annotations.read(annotation, scope)
            found = _unwritable(work, types, f"{place}.{name}", depth + 1)
            if found:
                return found
    return None
