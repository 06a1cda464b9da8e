"""The kinds of edit of what runs beside the main line: detaches, forgets, side chains."""

from __future__ import annotations

import ast
import random
from collections.abc import Container

from tests.edits.registry import a_place, a_statement, edit, parsed
from tests.edits.tree import MARK, Draft, rename, walk_function

_NAMED = ("detach_and_forget", "detach_and_join_later")
OF_SEVERAL_RUNS = frozenset(
    {"insert_detach", "change_driver", "label_detach", "forget_to_join", "await_forgotten"}
)
"""Kinds of programs with several runs: these are resumed in `test_in_flight.py`."""

_BARE = ("detach_and_forget", "work", "asyncio.create_task")


def _called(node: ast.AST) -> str:
    return ast.unparse(node.func) if isinstance(node, ast.Call) else ""


def _a_call(draft: Draft, rng: random.Random, names: Container[str]) -> ast.Call | None:
    """A random call in the workflow of one of these names."""
    found = (one for one in walk_function(draft.workflow) if isinstance(one, ast.Call))
    calls = [one for one in found if _called(one) in names]
    return rng.choice(calls) if calls else None


def _insert(draft: Draft, rng: random.Random, text: str) -> bool:
    block, place = a_place(draft, rng)
    block.body.insert(place, parsed(text))
    return True


@edit
def insert_detach(draft: Draft, rng: random.Random) -> bool:
    """A leaf that is forgotten, by name or as a task."""
    leaf = rng.choice([draft.add_leaf("announce"), rng.choice(draft.leaves())])
    task = f"asyncio.create_task({leaf}(order))"
    named = f"detach_and_forget(microtask_batch_driver, {leaf}, order)"
    return _insert(draft, rng, rng.choice([task, named]))


@edit
def insert_work(draft: Draft, rng: random.Random) -> bool:
    """A side chain of a leaf that is called already."""
    return _insert(draft, rng, f"work({rng.choice(draft.leaves())}, limit)")


@edit
def delete_beside(draft: Draft, rng: random.Random) -> bool:
    """A forget or a side chain."""
    found = a_statement(draft, rng, lambda one: isinstance(one, ast.Expr) and _called(one.value) in _BARE)
    if found is None or len(found[0].body) < 2:
        return False
    del found[0].body[found[1]]
    return True


@edit
def move_beside(draft: Draft, rng: random.Random) -> bool:
    """A forget or a side chain, one statement further down."""
    found = a_statement(draft, rng, lambda one: isinstance(one, ast.Expr) and _called(one.value) in _BARE)
    if found is None or found[1] + 2 >= len(found[0].body):
        return False
    body, place = found[0].body, found[1]
    if isinstance(body[place + 1], ast.Return | ast.Continue):
        return False
    body[place], body[place + 1] = body[place + 1], body[place]
    return True


@edit
def change_input(draft: Draft, rng: random.Random) -> bool:
    """What a child is given."""
    call = _a_call(draft, rng, (*_NAMED, "work"))
    if call is None:
        return False
    call.args[-1] = ast.BinOp(call.args[-1], ast.Add(), ast.Constant(1))
    return True


@edit
def change_driver(draft: Draft, rng: random.Random) -> bool:
    """How a child is begun."""
    call = _a_call(draft, rng, _NAMED)
    if call is None:
        return False
    call.args[0] = ast.Name("immediate_driver", ast.Load())
    return True


@edit
def rename_detached(draft: Draft, rng: random.Random) -> bool:
    """The leaf of a detach, a side chain or an attempt, with all its calls."""
    call = _a_call(draft, rng, (*_NAMED, "work", "attempt", "compensate"))
    if call is None:
        return False
    function = call.args[1 if _called(call) in _NAMED else 0]
    assert isinstance(function, ast.Name)
    old, new = function.id, draft.fresh("perform")
    for tree in draft.program.trees.values():
        rename(tree, old, new)
    return True


@edit
def label_detach(draft: Draft, rng: random.Random) -> bool:
    """A name for the node in the graph."""
    call = _a_call(draft, rng, _NAMED)
    if call is None:
        return False
    call.keywords.append(ast.keyword("label", ast.Constant("in the picture")))
    return True


@edit
def forget_to_join(draft: Draft, rng: random.Random) -> bool:
    """The handle of what was forgotten, kept and waited for."""
    found = a_statement(draft, rng, lambda one: isinstance(one, ast.Expr) and _called(one.value) == _NAMED[0])
    if found is None:
        return False
    body, place = found[0].body, found[1]
    call, name = body[place].value, draft.fresh("handle")  # type: ignore[attr-defined]
    call.func = ast.Name(_NAMED[1], ast.Load())
    kept = ast.Assign([ast.Name(name, ast.Store())], call, lineno=1)
    body[place : place + 1] = [kept, parsed(f"await {name}.wait()")]
    return True


@edit
def await_forgotten(draft: Draft, rng: random.Random) -> bool:
    """A task that was forgotten, awaited: that is a call of the run itself now."""
    found = a_statement(draft, rng, lambda one: isinstance(one, ast.Expr) and _called(one.value) == _BARE[2])
    if found is None:
        return False
    node = found[0].body[found[1]]
    task = node.value  # type: ignore[attr-defined]
    setattr(task.args[0], MARK, getattr(task, MARK))
    node.value = ast.Await(task.args[0])  # type: ignore[attr-defined]
    return True
