"""Handlers that swallow the cancellation, `finally` that discards errors, asserts and code that vanish."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flopod_compiler.classify.review.places import Places, own
from flopod_compiler.classify.workspace import Workspace
from flopod_compiler.diagnostics.rules.errors import (
    AssertedCall,
    ReturnInFinally,
    SwallowedCancel,
    Unreachable,
)
from flopod_compiler.model import External, WorkflowFunction

_CANCELLED = frozenset({"asyncio.CancelledError", "asyncio.exceptions.CancelledError"})
_LEAVING = (ast.Return, ast.Raise, ast.Break, ast.Continue)


def review_errors(work: Workspace, workflow: WorkflowFunction, places: Places) -> None:
    """Look at every `try`, `assert` and statement that leaves its block."""
    for node in places.all(ast.Try):
        _handlers(work, workflow, places, node)
        _finally(work, workflow, places, node)
    for asserted in places.all(ast.Assert):
        if asserted in places.durable:
            work.report(AssertedCall, workflow.module, asserted)
    for kind in _LEAVING:
        for leaving in places.all(kind):
            _after(work, workflow, places, leaving)


def _handlers(work: Workspace, workflow: WorkflowFunction, places: Places, node: ast.Try) -> None:
    if not any(statement in places.durable for statement in node.body) or _cancels(node):
        return
    for handler in node.handlers:
        caught = _cancellation(work, places, handler)
        if caught and not any(isinstance(inner, ast.Raise) for inner in own(handler.body)):
            work.report(SwallowedCancel, workflow.module, handler, caught=caught)
            return
        if handler.type is not None and _reraises(handler) and caught:
            return


def _cancels(node: ast.Try) -> bool:
    """Whether the block itself cancels something, whose end it then waits for."""
    return any(isinstance(inner, ast.Attribute) and inner.attr == "cancel" for inner in own(node.body))


def _reraises(handler: ast.ExceptHandler) -> bool:
    return any(isinstance(inner, ast.Raise) for inner in own(handler.body))


def _cancellation(work: Workspace, places: Places, handler: ast.ExceptHandler) -> str:
    """The words with which a handler catches the cancellation of the run; empty if it does not."""
    if handler.type is None:
        return "except:"
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    scope = work.names.tree(places.root).inner.get(handler.type, work.names.scope(places.root))  # type: ignore[arg-type]
    for kind in kinds:
        if isinstance(kind, ast.Name | ast.Attribute):
            symbol = work.names.resolve(kind, scope)
            if isinstance(symbol, External) and symbol.qualified in _CANCELLED | {"builtins.BaseException"}:
                return f"except {ast.unparse(kind)}"
    return ""


def _finally(work: Workspace, workflow: WorkflowFunction, places: Places, node: ast.Try) -> None:
    if not node.finalbody or node not in places.durable:
        return
    for statement in _leaving(node.finalbody):
        word = type(statement).__name__.lower()
        work.report(ReturnInFinally, workflow.module, statement, word=word)


def _leaving(block: list[ast.stmt], in_loop: bool = False) -> Iterator[ast.stmt]:
    """The statements that leave a block; `break` and `continue` of a loop inside do not."""
    stack: list[tuple[ast.AST, bool]] = [(statement, in_loop) for statement in block]
    while stack:
        node, looped = stack.pop()
        if isinstance(node, ast.Return) or (isinstance(node, ast.Break | ast.Continue) and not looped):
            yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.expr):
            inner = looped or isinstance(node, ast.For | ast.While | ast.AsyncFor)
            stack.extend((child, inner) for child in ast.iter_child_nodes(node))


def _after(work: Workspace, workflow: WorkflowFunction, places: Places, leaving: ast.AST) -> None:
    """Durable statements behind one that leaves the block."""
    block = places.block(leaving)
    if not block or block[-1] is leaving:
        return
    for statement in block[block.index(leaving) + 1 :]:  # type: ignore[arg-type]
        if statement in places.durable:
            word = type(leaving).__name__.lower()
            work.report(Unreachable, workflow.module, statement, word=word, line=leaving.lineno)  # type: ignore[attr-defined]
            return
