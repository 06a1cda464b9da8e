"""The kinds of edit that change what a call, its result or a condition looks like."""

from __future__ import annotations

import ast
import random

from tests.edits.registry import a_node, a_statement, edit, is_bare, leaf_call, parsed
from tests.edits.tree import Draft, Function, bound, used


@edit
def change_literal(draft: Draft, rng: random.Random) -> bool:
    """A constant argument."""
    calls = [call for call in draft.calls() if any(isinstance(one, ast.Constant) for one in call.args)]
    if not calls:
        return False
    call = rng.choice(calls)
    place = next(place for place, one in enumerate(call.args) if isinstance(one, ast.Constant))
    call.args[place] = ast.Constant(rng.choice(["late", "soon", 99]))
    return True


@edit
def add_argument(draft: Draft, rng: random.Random) -> bool:
    """One argument more."""
    rng.choice(draft.calls()).args.append(ast.Constant(rng.choice([1, "more"])))
    return True


@edit
def change_argument(draft: Draft, rng: random.Random) -> bool:
    """An argument that is another value now."""
    call = rng.choice(draft.calls())
    call.args[0] = ast.BinOp(ast.Name("limit", ast.Load()), ast.Add(), ast.Constant(1))
    return True


@edit
def name_argument(draft: Draft, rng: random.Random) -> bool:
    """An argument given by keyword."""
    call = rng.choice(draft.calls())
    call.keywords.append(ast.keyword("how", ast.Constant("quick")))
    return True


@edit
def change_callee(draft: Draft, rng: random.Random) -> bool:
    """Another leaf in the place of one: that is another call."""
    call = rng.choice(draft.calls())
    old = next(
        one for one in draft.services.body if isinstance(one, Function) and one.name == ast.unparse(call.func)
    )
    leaf = draft.add_leaf("instead", ast.unparse(old.returns or call.func))
    call.func = ast.Name(leaf, ast.Load())
    del call.mark  # type: ignore[attr-defined]
    return True


@edit
def bind_result(draft: Draft, rng: random.Random) -> bool:
    """The result of a bare call, kept in a variable."""
    found = a_statement(draft, rng, is_bare)
    if found is None:
        return False
    node = found[0].body[found[1]]
    assert isinstance(node, ast.Expr)
    found[0].body[found[1]] = ast.Assign([ast.Name(draft.fresh("kept"), ast.Store())], node.value, lineno=1)
    return True


@edit
def drop_result(draft: Draft, rng: random.Random) -> bool:
    """The result of a call that nobody uses, not kept any more."""
    names = used(draft.workflow)
    found = a_statement(
        draft,
        rng,
        lambda one: isinstance(one, ast.Assign) and leaf_call(one) is not None and not bound(one) & names,
    )
    if found is None:
        return False
    node = found[0].body[found[1]]
    assert isinstance(node, ast.Assign)
    found[0].body[found[1]] = ast.Expr(node.value)
    return True


@edit
def make_leaf_sync(draft: Draft, rng: random.Random) -> bool:
    """A leaf that is a plain function now."""
    alone = [call for call in draft.calls() if not _gathered(draft, call)]
    name = rng.choice(alone).func
    assert isinstance(name, ast.Name)
    if any(
        isinstance(call.func, ast.Name) and call.func.id == name.id and _gathered(draft, call)
        for call in draft.calls()
    ):
        return False
    for place, node in enumerate(draft.services.body):
        if isinstance(node, ast.AsyncFunctionDef) and node.name == name.id:
            head = f"def {node.name}(*args: object, **options: object)"
            text = f"{head} -> {ast.unparse(node.returns or name)}:\n    return len(open('x').read())"
            draft.services.body[place] = parsed(text)
    _Unawait(name.id).visit(draft.flow)
    return True


def _gathered(draft: Draft, call: ast.Call) -> bool:
    gathers = [
        node
        for node in ast.walk(draft.workflow)
        if isinstance(node, ast.Call) and "gather" in ast.unparse(node.func)
    ]
    return any(call is inner for node in gathers for inner in ast.walk(node))


class _Unawait(ast.NodeTransformer):
    def __init__(self, name: str) -> None:
        self.name = name

    def visit_Await(self, node: ast.Await) -> ast.expr:
        self.generic_visit(node)
        call = node.value
        named = isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == self.name
        return call if named else node


@edit
def change_condition(draft: Draft, rng: random.Random) -> bool:
    """What a decision depends on."""
    node = a_node(draft, rng, ast.If)
    if node is None:
        return False
    node.test = ast.BoolOp(ast.And(), [node.test, parsed("limit > -1").value])  # type: ignore[attr-defined]
    return True
