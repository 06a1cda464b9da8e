"""Makes a failing program small: statements are dropped or unwrapped as long as it fails alike."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator

Fails = Callable[[str], str]
Place = tuple[list[ast.stmt], int]


def shrink(text: str, fails: Fails, limit: int = 400) -> str:
    """The smallest program found that fails like `text`; `fails` names the kind of failure, "" for none."""
    kind = fails(text)
    best = ast.unparse(ast.parse(text))
    if not kind or fails(best) != kind:
        return text
    tries = 0
    progress = True
    while progress and tries < limit:
        progress = False
        for candidate in _candidates(best):
            tries += 1
            if len(candidate) < len(best) and _valid(candidate) and fails(candidate) == kind:
                best, progress = candidate, True
                break
            if tries >= limit:
                break
    return best


def _valid(text: str) -> bool:
    try:
        compile(text, "shrunk", "exec")
    except SyntaxError:
        return False
    return True


def _candidates(text: str) -> Iterator[str]:
    """The program with one statement less, or with a compound statement replaced by one of its blocks."""
    tree = ast.parse(text)
    count = sum(1 for _ in _places(tree))
    for number in reversed(range(count)):
        yield from _without(tree, number)
    yield from _simpler(tree)


def _without(tree: ast.Module, number: int) -> Iterator[str]:
    fresh = copy.deepcopy(tree)
    block, index = next(place for at, place in enumerate(_places(fresh)) if at == number)
    statement = block[index]
    for inner in _blocks(statement):
        block[index : index + 1] = inner
        yield ast.unparse(fresh)
        block[index : index + len(inner)] = [statement]
    del block[index]
    if block:
        yield ast.unparse(fresh)


def _places(tree: ast.Module) -> Iterator[Place]:
    stack: list[list[ast.stmt]] = [
        [one for one in tree.body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)]
    ]
    for function in stack.pop():
        if function.decorator_list:  # type: ignore[attr-defined]
            yield from _inner(function.body)  # type: ignore[attr-defined]


def _inner(block: list[ast.stmt]) -> Iterator[Place]:
    for index, statement in enumerate(block):
        yield block, index
        for inner in _blocks(statement):
            yield from _inner(inner)


def _blocks(statement: ast.stmt) -> list[list[ast.stmt]]:
    blocks = [getattr(statement, name, []) for name in ("body", "orelse", "finalbody")]
    blocks += [handler.body for handler in getattr(statement, "handlers", [])]
    blocks += [case.body for case in getattr(statement, "cases", [])]
    return [block for block in blocks if block]


def _simpler(tree: ast.Module) -> Iterator[str]:
    """The program with one expression replaced by one of its parts."""
    count = sum(isinstance(node, ast.expr) for node in ast.walk(tree))
    for number in range(count):
        fresh = copy.deepcopy(tree)
        found = [node for node in ast.walk(fresh) if isinstance(node, ast.expr)][number]
        for part in ast.iter_child_nodes(found):
            if isinstance(part, ast.expr) and not isinstance(getattr(part, "ctx", None), ast.Store | ast.Del):
                yield ast.unparse(_Replace(found, part).visit(copy.copy(fresh)))
                break


class _Replace(ast.NodeTransformer):
    def __init__(self, old: ast.expr, new: ast.expr) -> None:
        self.old = old
        self.new = new

    def visit(self, node: ast.AST) -> ast.AST:
        return self.new if node is self.old else super().generic_visit(node)
