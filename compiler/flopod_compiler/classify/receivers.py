"""Methods that are leaves and change their object: called by their class, with the object as an argument."""

from __future__ import annotations

import ast

from flopod_compiler.classify.workspace import Workspace
from flopod_compiler.diagnostics import Related
from flopod_compiler.diagnostics.rules.state import LeafChangesReceiver
from flopod_compiler.model import External, ProjectClass, ProjectFunction, ProjectModule, WorkflowFunction
from flopod_compiler.names import How, Scope
from flopod_compiler.parse import shortened
from flopod_compiler.purity.target import Target

BY_TYPE = "type"
"""Stands for `type(receiver)` where the class has no name in sight, or several."""


def holder_of_method(
    work: Workspace, workflow: WorkflowFunction, call: ast.Call, scope: Scope, target: Target, reason: str
) -> str:
    """The class that a method leaf is called by, empty when it can be called on its object.

    Only arguments of a leaf are recorded: an object that the method changes has to be one.
    """
    func = call.func
    if not _changes_receiver(work, call, scope, target):
        return ""
    receiver, holder = func, ""
    if isinstance(func, ast.Attribute):
        receiver = func.value
        holder = "" if _is_classmethod(target) else _holder(work, func, scope, target)
    if not holder:
        work.report(
            LeafChangesReceiver, workflow.module, call, _way(work, target),
            method=target.callee.replace(":", "."), reason=reason,
            function=target.name if receiver is not func else f"use_{target.name}",
            receiver=shortened(receiver),
        )  # fmt: skip
    return holder


def _changes_receiver(work: Workspace, call: ast.Call, scope: Scope, target: Target) -> bool:
    if not target.bound or target.constructs or target.value:
        return False
    receiver = call.func.value if isinstance(call.func, ast.Attribute) else target.receiver
    edge = work.purity.finder.edge(target, call, scope)
    return any(
        expr is receiver
        for run in target.runs or _functions(target)
        for expr in work.purity.changed_by(edge, run, work.purity.of(run))
    )


def _way(work: Workspace, target: Target) -> tuple[Related, ...]:
    first = next(iter(target.runs or _functions(target)), None)
    return work.places(work.purity.of(first).hops) if first is not None else ()


def _functions(target: Target) -> tuple[ProjectFunction, ...]:
    return (target.symbol,) if isinstance(target.symbol, ProjectFunction) else ()


def _is_classmethod(target: Target) -> bool:
    decorators = (one for run in target.runs or _functions(target) for one in run.node.decorator_list)
    return any(isinstance(one, ast.Name) and one.id == "classmethod" for one in decorators)


def _holder(work: Workspace, func: ast.Attribute, scope: Scope, target: Target) -> str:
    """The expression of the class: its name where it has one here, `type(x)` for an object with a name."""
    types = work.types.of(func.value, scope)
    if types is None or any(one.cls is None for one in types):
        return ""
    classes = [one.cls for one in types if one.cls is not None]
    if len(classes) == 1 and not target.choices:
        name = _name_of(work, classes[0], scope)
        if name:
            return name
    is_builtin = work.names.resolve(ast.Name(BY_TYPE, ast.Load()), scope) == External("builtins.type")
    return BY_TYPE if isinstance(func.value, ast.Name) and is_builtin else ""


def _name_of(work: Workspace, cls: ProjectClass, scope: Scope) -> str:
    """How the code at hand can name a class: as itself, or through the module it is imported with."""
    if "." in cls.qualname:
        return ""
    if work.names.resolve(ast.Name(cls.qualname, ast.Load()), scope) is cls:
        return cls.qualname
    for name, bindings in work.names.root(scope.module.name).bindings.items():
        if all(one.how in (How.IMPORT, How.IMPORT_FROM) for one in bindings):
            symbol = work.names.resolve(ast.Name(name, ast.Load()), scope)
            if symbol == ProjectModule(cls.module):
                return f"{name}.{cls.qualname}"
    return ""
