"""Names that are surely bound where code stands, by the statements in line before it."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from flopod_compiler.analyse.index import Index
from flopod_compiler.analyse.liveness import Loop
from flopod_compiler.analyse.scopes import FUNCTIONS
from flopod_compiler.model import FunctionNode


def surely_bound(function: FunctionNode, loop: Loop, index: Index) -> set[str]:
    """The names that statements have bound whenever the loop starts."""
    before = map(bound_by, _dominators(function, loop))
    around = map(_entered, _holders(function, loop, index))
    return set().union(*before, *around)


def bound_by(statement: ast.stmt) -> set[str]:
    """The names that a statement has surely bound when it has run."""
    match statement:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return {statement.name}
        case ast.Import() | ast.ImportFrom():
            return {alias.asname or alias.name.split(".")[0] for alias in statement.names}
        case ast.Assign():
            return _stored(statement.targets)
        case ast.AnnAssign(value=ast.expr()):
            return _stored([statement.target])
    return set()


def _entered(statement: ast.AST) -> set[str]:
    """The names that a `with` or a loop binds before its body."""
    match statement:
        case ast.With() | ast.AsyncWith():
            return _stored(item.optional_vars for item in statement.items if item.optional_vars is not None)
        case ast.For() | ast.AsyncFor():
            return _stored([statement.target])
    return set()


def _stored(targets: Iterable[ast.expr]) -> set[str]:
    return {
        one.id
        for target in targets
        for one in ast.walk(target)
        if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)
    }


def _dominators(function: FunctionNode, loop: Loop) -> list[ast.stmt]:
    """The statements that have surely run when `loop` starts: its elder siblings, and its ancestors'."""
    found: list[ast.stmt] = []

    def search(body: list[ast.stmt]) -> bool:
        for position, statement in enumerate(body):
            if statement is loop or any(search(block) for block in _inner_blocks(statement)):
                found.extend(body[:position])
                return True
        return False

    search(function.body)
    return found


def _inner_blocks(statement: ast.stmt) -> list[list[ast.stmt]]:
    if isinstance(statement, (*FUNCTIONS, ast.ClassDef)):
        return []
    blocks = [getattr(statement, field, []) for field in ("body", "orelse", "finalbody")]
    blocks += [handler.body for handler in getattr(statement, "handlers", [])]
    blocks += [case.body for case in getattr(statement, "cases", [])]
    return [block for block in blocks if block]


def _holders(function: FunctionNode, loop: Loop, index: Index) -> Iterator[ast.AST]:
    """The compound statements of the function in whose bodies a loop stands."""
    node: ast.AST = loop
    while (parent := index.parents.get(node)) is not None and node is not function:
        body = getattr(parent, "body", [])
        if isinstance(body, list) and node in body:
            yield parent
        node = parent
