"""Effects of importing a module that a workflow reaches: they happen at each start of a process."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flopod_compiler.classify.workspace import Workspace
from flopod_compiler.diagnostics.rules.importing import EffectAtImport, WorkflowAtImport
from flopod_compiler.knowledge.io import does_io
from flopod_compiler.model import External, ProjectFunction, SourceModule
from flopod_compiler.names import Scope
from flopod_compiler.parse import shortened
from flopod_compiler.purity.engine import Hop


def review_import(work: Workspace, module: SourceModule) -> None:
    """Report calls of workflows at the top level of a module, and statements that talk to the world."""
    tree = work.names.module(module.name)
    assert tree is not None
    for statement in _unguarded(module.tree.body):
        for call in _calls(statement):
            symbol = work.names.resolve(call.func, tree.root)
            if isinstance(symbol, ProjectFunction) and work.program.workflow(symbol):
                work.report(WorkflowAtImport, module, call, name=symbol.node.name)
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
            _effect(work, module, statement.value, tree.root)


def _unguarded(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements that run at import, blocks of `if __name__ == "__main__"` left out."""
    for statement in body:
        if isinstance(statement, ast.If) and _asks_for_main(statement.test):
            yield from _unguarded(statement.orelse)
        elif isinstance(statement, ast.If | ast.Try | ast.With | ast.For | ast.While):
            for name in ("body", "orelse", "finalbody"):
                yield from _unguarded(getattr(statement, name, []))
        elif not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield statement


def _asks_for_main(test: ast.expr) -> bool:
    return any(isinstance(node, ast.Name) and node.id == "__name__" for node in ast.walk(test))


def _calls(statement: ast.stmt) -> Iterator[ast.Call]:
    stack: list[ast.AST] = [statement]
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
            yield node
        if not isinstance(node, ast.Lambda):
            stack.extend(ast.iter_child_nodes(node))


def _effect(work: Workspace, module: SourceModule, call: ast.Call, scope: Scope) -> None:
    symbol = work.names.resolve(call.func, scope) if isinstance(call.func, ast.Name | ast.Attribute) else None
    hops: tuple[Hop, ...] = ()
    if isinstance(symbol, ProjectFunction):
        hops = work.purity.of(symbol).hops
        effect = hops[-1].text.rpartition("calls ")[2] if hops else ""
    else:
        effect = symbol.qualified if isinstance(symbol, External) else ""
    if does_io(effect):
        what = effect.removeprefix("builtins.")
        work.report(
            EffectAtImport,
            module,
            call,
            work.places(hops),
            text=shortened(call),
            module=module.name,
            what=what,
        )
