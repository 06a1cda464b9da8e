"""The kinds of edit that rename."""

from __future__ import annotations

import ast
import random
from collections.abc import Sequence

from tests.edits.registry import edit
from tests.edits.tree import Draft, rename, walk_function


@edit
def rename_local(draft: Draft, rng: random.Random) -> bool:
    """A variable, wherever it is used."""
    names = [
        node.id
        for node in walk_function(draft.workflow)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    ]
    return _rename_one(draft, rng, names, "renamed")


def _rename_one(draft: Draft, rng: random.Random, names: Sequence[str], stem: str) -> bool:
    """Rename one of these names of the workflow, if there are any."""
    if not names:
        return False
    rename(draft.workflow, rng.choice(names), draft.fresh(stem))
    return True


@edit
def rename_leaf(draft: Draft, rng: random.Random) -> bool:
    """A leaf, with all its calls."""
    name, new = rng.choice(draft.calls()).func, draft.fresh("perform")
    assert isinstance(name, ast.Name)
    old = name.id
    for tree in draft.program.trees.values():
        rename(tree, old, new)
    return True


@edit
def rename_collection(draft: Draft, rng: random.Random) -> bool:
    """A variable that a loop goes over."""
    loops = [node for node in walk_function(draft.workflow) if isinstance(node, ast.For | ast.comprehension)]
    names = [node.iter.id for node in loops if isinstance(node.iter, ast.Name) and node.iter.id != "tags"]
    return _rename_one(draft, rng, names, "rows")


@edit
def rename_parameter(draft: Draft, rng: random.Random) -> bool:
    """A parameter of the workflow."""
    return _rename_one(draft, rng, ["order", "limit", "tags"], "given")


@edit
def rename_loop_variable(draft: Draft, rng: random.Random) -> bool:
    """The variable of a loop."""
    names = [
        node.target.id
        for node in walk_function(draft.workflow)
        if isinstance(node, ast.For) and isinstance(node.target, ast.Name)
    ]
    return _rename_one(draft, rng, names, "each_one")


@edit
def rename_helper(draft: Draft, rng: random.Random) -> bool:
    """A helper that is a workflow itself."""
    if not any(isinstance(node, ast.Name) and node.id == "settle" for node in ast.walk(draft.workflow)):
        return False
    rename(draft.flow, "settle", draft.fresh(rng.choice(["finish", "conclude"])))
    return True
