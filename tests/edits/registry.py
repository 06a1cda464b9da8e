"""The list of the kinds of edit, and the random places and statements that they choose."""

from __future__ import annotations

import ast
import random
from collections.abc import Callable
from typing import TypeVar

from tests.edits.tree import Block, Draft

Edit = Callable[[Draft, random.Random], bool]
Node = TypeVar("Node", bound=ast.stmt)
EDITS: dict[str, Edit] = {}


def edit(function: Edit) -> Edit:
    """List a kind of edit under its name."""
    EDITS[function.__name__] = function
    return function


def parsed(text: str) -> ast.stmt:
    return ast.parse(text).body[0]


def a_place(draft: Draft, rng: random.Random, *, deep: bool = True) -> tuple[Block, int]:
    """A place to insert at: not before the first statement nor after the last one."""
    block = rng.choice(draft.blocks()) if deep else draft.top()
    last = len(block.body) - (isinstance(block.body[-1], ast.Return | ast.Continue))
    first = 1 if block.owner is draft.workflow else 0
    return block, rng.randint(first, max(first, last))


def a_statement(
    draft: Draft, rng: random.Random, fits: Callable[[ast.stmt], bool]
) -> tuple[Block, int] | None:
    """A random statement that `fits`."""
    found = [
        (block, place)
        for block in draft.blocks()
        for place, statement in enumerate(block.body)
        if fits(statement)
    ]
    return rng.choice(found) if found else None


def is_bare(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Await)


def leaf_call(statement: ast.stmt) -> ast.Call | None:
    value = getattr(statement, "value", None)
    call = value.value if isinstance(value, ast.Await) else None
    return call if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) else None


def a_node(
    draft: Draft, rng: random.Random, kind: type[Node], fits: Callable[[Node], bool] = lambda _: True
) -> Node | None:
    """A random statement of a kind that `fits`."""
    found = a_statement(draft, rng, lambda one: isinstance(one, kind) and fits(one))
    if found is None:
        return None
    node = found[0].body[found[1]]
    assert isinstance(node, kind)
    return node
