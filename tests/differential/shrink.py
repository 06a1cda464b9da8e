"""Makes a failing program small: statements are dropped or unwrapped as long as it fails alike."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from functools import partial

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
    """The program with one statement less, or with a compound statement replaced by one of its blocks.

    The tree is changed for each and changed back: to copy it costs more than all else.
    """
    tree = ast.parse(text)
    for block, index in reversed(list(_places(tree))):
        for _ in _without(block, index):
            yield ast.unparse(tree)
    for _ in _simpler(tree):
        yield ast.unparse(tree)


def _without(block: list[ast.stmt], index: int) -> Iterator[None]:
    statement = block[index]
    for inner in _blocks(statement):
        block[index : index + 1] = inner
        yield
        block[index : index + len(inner)] = [statement]
    if len(block) > 1:
        del block[index]
        yield
        block.insert(index, statement)


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


def _simpler(tree: ast.Module) -> Iterator[None]:
    """Replace one expression by one of its parts."""
    for put, found in [place for node in ast.walk(tree) for place in _expressions(node)]:
        for part in ast.iter_child_nodes(found):
            if isinstance(part, ast.expr) and not isinstance(getattr(part, "ctx", None), ast.Store | ast.Del):
                put(part)
                yield
                put(found)
                break


def _expressions(owner: ast.AST) -> Iterator[tuple[Callable[[ast.expr], None], ast.expr]]:
    """The expressions right below a node, with what puts another in the place of each."""
    for name, value in ast.iter_fields(owner):
        if isinstance(value, ast.expr):
            yield partial(setattr, owner, name), value
        elif isinstance(value, list):
            for index, one in enumerate(value):
                if isinstance(one, ast.expr):
                    yield partial(value.__setitem__, index), one
