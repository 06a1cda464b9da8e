"""Loops that never end, and loops that do nothing but look at the clock."""

from __future__ import annotations

import ast

from flopod_compiler.classify.review.places import Places, own
from flopod_compiler.classify.workspace import Workspace
from flopod_compiler.diagnostics.rules.loops import BusyLoop, EndlessLoop
from flopod_compiler.model import CallKind, WorkflowFunction
from flopod_compiler.parse import shortened

_CLOCKS = ("time.", "datetime.", "pendulum.", "arrow.")
_ACTING = (
    ast.Call,
    ast.Await,
    ast.Yield,
    ast.YieldFrom,
    ast.Return,
    ast.Raise,
    ast.Break,
    ast.Subscript,
    ast.Attribute,
)
_PLAIN = (
    ast.Name,
    ast.Constant,
    ast.Compare,
    ast.BoolOp,
    ast.UnaryOp,
    ast.expr_context,
    ast.cmpop,
    ast.boolop,
    ast.unaryop,
)


def review_loops(work: Workspace, workflow: WorkflowFunction, places: Places) -> None:
    """Look at every `while`."""
    for loop in places.all(ast.While):
        if loop in places.durable:
            continue
        clock = _clock(places, loop)
        if clock:
            work.report(BusyLoop, workflow.module, loop, clock=clock)
        elif _never_ends(loop):
            work.report(EndlessLoop, workflow.module, loop, text=shortened(loop.test))


def _clock(places: Places, loop: ast.While) -> str:
    """The clock that a loop without an `await` asks again and again."""
    inner = [loop.test, *own(loop.body)]
    if any(isinstance(node, ast.Await) for node in inner):
        return ""
    for node in own([loop.test, *loop.body]):
        info = places.calls.get(node) if isinstance(node, ast.Call) else None
        if info is not None and info.kind is CallKind.RECORDABLE and info.callee.startswith(_CLOCKS):
            return info.callee
    return ""


def _never_ends(loop: ast.While) -> bool:
    """Whether nothing in a loop can change its condition, or leave it."""
    test = list(own([loop.test]))
    if not all(isinstance(node, _PLAIN) for node in test):
        return False
    asked = {node.id for node in test if isinstance(node, ast.Name)}
    inside = list(own(loop.body))
    if any(isinstance(node, _ACTING) for node in inside):
        return False
    if isinstance(loop.test, ast.Constant) and not loop.test.value:
        return False
    return not any(
        isinstance(node, ast.Name) and node.id in asked and not isinstance(node.ctx, ast.Load)
        for node in inside
    )
