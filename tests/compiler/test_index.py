"""The index of a function's nodes: what is below one is what a walk of it gives."""

from __future__ import annotations

import ast

from flopod_compiler.analyse.index import Index

SOURCE = """
def f(a, *b, c=1, **d):
    for x in a:
        if x + 1 < c and (y := [z for z in b if z]):
            return {**d, "k": f"{x!r:>{c}}"}
    match a:
        case [1, *rest] if rest:
            pass
"""
_SHARED = (ast.expr_context, ast.operator, ast.cmpop, ast.boolop, ast.unaryop)


def test_below_is_what_a_walk_finds() -> None:
    """For every node, `below` has the nodes of `ast.walk` and `within` says so, and of no other."""
    tree = ast.parse(SOURCE)
    index = Index(tree)
    for node in index.nodes:
        walked = {one for one in ast.walk(node) if not isinstance(one, _SHARED)}
        assert set(index.below(node)) == walked
        assert {one for one in index.nodes if index.within(one, node)} == walked


def test_parents_hold_their_children() -> None:
    """Each node but the root has the parent that it is a child of."""
    tree = ast.parse(SOURCE)
    index = Index(tree)
    assert [one for one in index.nodes if one not in index.parents] == [tree]
    assert all(child in set(ast.iter_child_nodes(parent)) for child, parent in index.parents.items())
