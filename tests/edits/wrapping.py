"""The kinds of edit that put statements into a block, take them out of one, or add a clause."""

from __future__ import annotations

import ast
import random

from tests.edits.registry import a_node, a_statement, edit, parsed
from tests.edits.tree import Draft, Function, has_calls, unmark, used


def _wrap(draft: Draft, rng: random.Random, header: str, *, keeps: bool = True) -> bool:
    block = draft.top() if rng.random() < 0.6 else rng.choice(draft.blocks())
    places = [
        place
        for place, one in enumerate(block.body)
        if has_calls(one) and not isinstance(one, ast.Return | Function)
    ]
    if not places:
        return False
    start = rng.choice(places)
    end = min(start + rng.randint(1, 3), len(block.body) - 1) if block.owner is draft.workflow else start + 1
    inner = block.body[start : max(end, start + 1)]
    if any(isinstance(one, ast.Return | ast.Continue | Function) for one in inner):
        return False
    if not keeps and any(_calls_helper(draft, one) for one in inner):
        return False
    outer = parsed(header)
    outer.body = inner  # type: ignore[attr-defined]
    if not keeps:
        for one in inner:
            unmark(one)
    block.body[start : start + len(inner)] = [outer]
    return True


def _calls_helper(draft: Draft, statement: ast.stmt) -> bool:
    """Whether calls in another function run as often as this statement."""
    helpers = {one.name for one in [*draft.workflow.body, *draft.flow.body] if isinstance(one, Function)}
    return bool(used(statement) & helpers)


@edit
def wrap_in_if(draft: Draft, rng: random.Random) -> bool:
    """Some statements, under a condition."""
    return _wrap(draft, rng, "if limit > -1:\n    pass")


@edit
def wrap_in_try(draft: Draft, rng: random.Random) -> bool:
    """Some statements, guarded."""
    return _wrap(draft, rng, "try:\n    pass\nexcept KeyError:\n    out.append('missing')")


@edit
def wrap_in_with(draft: Draft, rng: random.Random) -> bool:
    """Some statements, in a context."""
    return _wrap(draft, rng, "with contextlib.nullcontext():\n    pass")


@edit
def wrap_in_loop(draft: Draft, rng: random.Random) -> bool:
    """Some statements, several times: these are other calls now."""
    return _wrap(draft, rng, "for turn in range(2):\n    pass", keeps=False)


@edit
def unwrap(draft: Draft, rng: random.Random) -> bool:
    """A decision without `else`, or a context, taken away."""
    found = a_statement(
        draft, rng, lambda one: isinstance(one, ast.If | ast.With) and not getattr(one, "orelse", None)
    )
    if found is None:
        return False
    node = found[0].body[found[1]]
    assert isinstance(node, ast.If | ast.With)
    if any(isinstance(one, ast.Continue) for one in node.body):
        return False
    found[0].body[found[1] : found[1] + 1] = node.body
    return True


@edit
def guard_clause(draft: Draft, rng: random.Random) -> bool:
    """A way out at the beginning, with a call of its own."""
    leaf = draft.add_leaf("refuse")
    draft.top().body.insert(rng.choice([0, 1]), parsed(f"if limit < -1:\n    return [await {leaf}(order)]"))
    return True


@edit
def add_else(draft: Draft, rng: random.Random) -> bool:
    """An `else` for a decision that has none."""
    node = a_node(draft, rng, ast.If, lambda one: not one.orelse)
    if node is None:
        return False
    node.orelse = [parsed(f"await {draft.add_leaf('otherwise')}(order)")]
    return True


@edit
def add_finally(draft: Draft, rng: random.Random) -> bool:
    """A `finally` with a call for a `try`."""
    node = a_node(draft, rng, ast.Try, lambda one: not one.finalbody)
    if node is None:
        return False
    node.finalbody = [parsed(f"await {draft.add_leaf('cleanup')}(order)")]
    return True
