"""Drivers of detaches that a module makes: they are no data, so that no log can hold them."""

from __future__ import annotations

import ast

from flopod_compiler.classify.workspace import Workspace
from flopod_compiler.knowledge.beside import DETACHES, is_driver_factory
from flopod_compiler.model import External, ModuleValue, ProjectFunction, WorkflowFunction

_CHOOSING = (ast.IfExp, ast.BoolOp)


def is_driver(
    work: Workspace, workflow: WorkflowFunction, expr: ast.Name | ast.Attribute, value: ModuleValue
) -> bool:
    """Whether a value of a module is a driver: made by flopod, of a class that can drive, or used as one."""
    return _is_made(work, value) or _can_drive(work, value) or _drives(work, workflow, expr)


def _is_made(work: Workspace, value: ModuleValue) -> bool:
    tree = work.names.module(value.module)
    if tree is None or not isinstance(value.value, ast.Call):
        return False
    made = work.names.resolve(value.value.func, tree.root)
    return isinstance(made, External) and is_driver_factory(made.qualified)


def _can_drive(work: Workspace, value: ModuleValue) -> bool:
    types = work.types.symbol(value)
    return bool(types) and all(
        one.cls is not None and isinstance(work.names.class_member(one.cls, "schedule"), ProjectFunction)
        for one in types or ()
    )


def _drives(work: Workspace, workflow: WorkflowFunction, expr: ast.expr) -> bool:
    """Whether an expression stands where a detach takes its driver."""
    parents = work.parents(workflow)
    node: ast.AST = expr
    parent = parents.get(node)
    while isinstance(parent, _CHOOSING) and not (isinstance(parent, ast.IfExp) and node is parent.test):
        node, parent = parent, parents.get(parent)
    if not isinstance(parent, ast.Call) or node not in parent.args[:1]:
        return False
    info = work.result.calls.get(parent)
    return info is not None and info.callee in DETACHES
