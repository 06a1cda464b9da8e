"""The kinds of edit that insert, delete and reorder statements."""

from __future__ import annotations

import ast
import copy
import random

from tests.edits.registry import a_node, a_place, a_statement, edit, is_bare, parsed
from tests.edits.tree import Block, Draft, bound, has_calls, unmark, used


@edit
def insert_new_leaf(draft: Draft, rng: random.Random) -> bool:
    """A call of a leaf that was not there."""
    return _insert(draft, rng, f"await {draft.add_leaf('remember')}(order, limit)")


def _insert(draft: Draft, rng: random.Random, text: str, *, deep: bool = True) -> bool:
    block, place = a_place(draft, rng, deep=deep)
    block.body.insert(place, parsed(text))
    return True


@edit
def insert_known_leaf(draft: Draft, rng: random.Random) -> bool:
    """Another call of a leaf that is called already."""
    call = rng.choice(draft.calls())
    return _insert(draft, rng, f"await {ast.unparse(call.func)}(limit, order, 'again')")


@edit
def insert_known_leaf_assigned(draft: Draft, rng: random.Random) -> bool:
    """Another call of a leaf, for a variable."""
    call = rng.choice(draft.calls())
    return _insert(draft, rng, f"{draft.fresh('extra')} = await {ast.unparse(call.func)}(limit)")


@edit
def insert_plain_code(draft: Draft, rng: random.Random) -> bool:
    """A statement without a call."""
    return _insert(draft, rng, f"{draft.fresh('note')} = order + limit")


@edit
def add_print(draft: Draft, rng: random.Random) -> bool:
    """A line that says what happens."""
    return _insert(draft, rng, "print('order', order, 'limit', limit)")


@edit
def annotate_variable(draft: Draft, rng: random.Random) -> bool:
    """A type for a variable."""
    found = a_statement(
        draft, rng, lambda one: isinstance(one, ast.Assign) and isinstance(one.targets[0], ast.Name)
    )
    if found is None:
        return False
    node = found[0].body[found[1]]
    assert isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    target, kind = node.targets[0], ast.Name("object", ast.Load())
    found[0].body[found[1]] = ast.AnnAssign(target, kind, node.value, 1)
    return True


@edit
def insert_block(draft: Draft, rng: random.Random) -> bool:
    """A decision with calls in both arms."""
    leaf = draft.add_leaf("explain")
    return _insert(draft, rng, f"if limit > order:\n    await {leaf}(order)\nelse:\n    await {leaf}(limit)")


@edit
def insert_loop(draft: Draft, rng: random.Random) -> bool:
    """A second loop over a collection."""
    return _insert(draft, rng, f"for tag in tags:\n    await {draft.add_leaf('visit')}(tag)", deep=False)


@edit
def delete_call(draft: Draft, rng: random.Random) -> bool:
    """A call whose result nobody uses."""
    found = a_statement(draft, rng, is_bare)
    if found is None or len(found[0].body) < 2:
        return False
    del found[0].body[found[1]]
    return True


@edit
def delete_block(draft: Draft, rng: random.Random) -> bool:
    """A decision or a context, with the calls in it."""
    blocks = (ast.If, ast.With, ast.Match)
    found = a_statement(draft, rng, lambda one: isinstance(one, blocks) and has_calls(one))
    if found is None or len(found[0].body) < 2:
        return False
    del found[0].body[found[1]]
    return True


@edit
def duplicate_here(draft: Draft, rng: random.Random) -> bool:
    """The same line twice."""
    found = a_statement(draft, rng, is_bare)
    return found is not None and _insert_copy(found[0].body[found[1]], found[0], found[1] + 1)


@edit
def duplicate_elsewhere(draft: Draft, rng: random.Random) -> bool:
    """The same line again at the end."""
    found = a_statement(
        draft, rng, lambda one: is_bare(one) and used(one) <= {"order", "limit", *draft.leaves()}
    )
    top = draft.top()
    return found is not None and _insert_copy(found[0].body[found[1]], top, len(top.body) - 1)


def _insert_copy(statement: ast.stmt, block: Block, place: int) -> bool:
    again = copy.deepcopy(statement)
    unmark(again)
    block.body.insert(place, again)
    return True


@edit
def swap_neighbours(draft: Draft, rng: random.Random) -> bool:
    """Two statements that do not need each other."""
    found = a_statement(draft, rng, has_calls)
    if found is None or found[1] + 1 >= len(found[0].body):
        return False
    block, place = found
    first, second = block.body[place : place + 2]
    if isinstance(second, ast.Return | ast.Continue) or not _independent(first, second):
        return False
    block.body[place : place + 2] = [second, first]
    return True


@edit
def move_down(draft: Draft, rng: random.Random) -> bool:
    """A call, past several statements."""
    top = draft.top()
    places = [place for place, one in enumerate(top.body[:-3]) if is_bare(one)]
    if not places:
        return False
    place = rng.choice(places)
    target = rng.randint(place + 1, len(top.body) - 2)
    if not all(_independent(top.body[place], one) for one in top.body[place + 1 : target + 1]):
        return False
    top.body.insert(target, top.body.pop(place))
    return True


def _independent(first: ast.stmt, second: ast.stmt) -> bool:
    return not (bound(first) & (used(second) | bound(second)) or bound(second) & used(first))


@edit
def swap_arms(draft: Draft, rng: random.Random) -> bool:
    """`if a: b else: c` as `if not a: c else: b`."""
    node = a_node(draft, rng, ast.If, lambda one: bool(one.orelse))
    if node is None:
        return False
    node.test = ast.UnaryOp(ast.Not(), node.test)
    node.body, node.orelse = node.orelse, node.body
    return True
