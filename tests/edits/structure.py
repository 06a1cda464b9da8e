"""The kinds of edit that take calls to another function, loop or module."""

from __future__ import annotations

import ast
import copy
import random
from itertools import pairwise

from tests.edits.programs import SERVICES
from tests.edits.registry import edit, parsed
from tests.edits.tree import MARK, Draft, Function, bound, has_calls, unmark, used

# -- helpers


def _run(draft: Draft, rng: random.Random) -> tuple[int, list[ast.stmt]] | None:
    """Some statements of the workflow that can become a helper."""
    body = draft.top().body
    places = [
        place
        for place, one in enumerate(body[1:-1], start=1)
        if has_calls(one) and isinstance(one, ast.Expr | ast.Assign | ast.If | ast.With)
    ]
    if not places:
        return None
    start = rng.choice(places)
    some = [body[start]]
    for one in body[start + 1 : min(start + 3, len(body) - 1)]:
        if isinstance(one, ast.Expr | ast.Assign) and has_calls(one):
            some.append(one)
        else:
            break
    return start, some


def _extract(draft: Draft, rng: random.Random, *, nested: bool) -> bool:
    found = _run(draft, rng)
    if found is None:
        return False
    start, some = found
    body = draft.top().body
    inside = set().union(*map(bound, some))
    later = set().union(*map(used, body[start + len(some) :])) if body[start + len(some) :] else set()
    given = sorted((set().union(*map(used, some)) & _locals(draft)) - _bound_first(some) - _clauses(some))
    results = sorted(inside & later)
    if len(results) > 1 or not all(_surely_binds(some, name) for name in results):
        return False
    name = draft.fresh("part")
    parameters = "" if nested else ", ".join(f"{one}: object" for one in given)
    helper = parsed(f"async def {name}({parameters}) -> object:\n    pass")
    assert isinstance(helper, ast.AsyncFunctionDef)
    helper.body = [*some, parsed(f"def f():\n    return {results[0] if results else 'None'}").body[0]]  # type: ignore[attr-defined]
    call = f"await {name}({'' if nested else ', '.join(given)})"
    calling = parsed(f"{results[0]} = {call}" if results else call)
    body[start : start + len(some)] = [helper, calling] if nested else [calling]
    if not nested:
        helper.decorator_list = [ast.Name("workflow", ast.Load())]
        draft.flow.body.insert(draft.flow.body.index(draft.workflow), helper)
    return True


def _locals(draft: Draft) -> set[str]:
    parameters = {one.arg for one in draft.workflow.args.args}
    return parameters | bound(draft.workflow)


def _bound_first(some: list[ast.stmt]) -> set[str]:
    """The names that are bound before they are read."""
    found: set[str] = set()
    read: set[str] = set()
    for one in some:
        read |= used(one) - found
        found |= bound(one) if isinstance(one, ast.Assign) else set()
    return found - read


def _clauses(some: list[ast.stmt]) -> set[str]:
    """The variables of comprehensions."""
    clauses = [one for each in some for one in ast.walk(each) if isinstance(one, ast.comprehension)]
    return set().union(*(bound(one.target) for one in clauses)) if clauses else set()


def _surely_binds(some: list[ast.stmt], name: str) -> bool:
    return any(isinstance(one, ast.Assign) and name in bound(one) for one in some)


@edit
def extract_nested(draft: Draft, rng: random.Random) -> bool:
    """Some statements, as a function nested in the workflow."""
    return _extract(draft, rng, nested=True)


@edit
def extract_marked(draft: Draft, rng: random.Random) -> bool:
    """Some statements, as a workflow of their own."""
    return _extract(draft, rng, nested=False)


@edit
def inline(draft: Draft, rng: random.Random) -> bool:
    """A helper that is called once, put where it was called."""
    body = draft.top().body
    nested = [one for one in body if isinstance(one, ast.AsyncFunctionDef)]
    rng.shuffle(nested)
    for helper in nested:
        places = [place for place, one in enumerate(body) if _calls(one, helper.name) and one is not helper]
        last = helper.body[-1]
        if len(places) == 1 and isinstance(body[places[0]], ast.Assign) and isinstance(last, ast.Return):
            calling = body[places[0]]
            assert isinstance(calling, ast.Assign)
            call = next(one for one in ast.walk(calling) if isinstance(one, ast.Call))
            binds = [
                ast.Assign([ast.Name(parameter.arg, ast.Store())], value, lineno=1)
                for parameter, value in zip(helper.args.args, call.args, strict=True)
            ]
            calling.value = last.value or ast.Constant(None)
            body[places[0] : places[0] + 1] = [*binds, *helper.body[:-1], calling]
            body.remove(helper)
            return True
    return False


def _calls(statement: ast.stmt, name: str) -> bool:
    return any(isinstance(one, ast.Name) and one.id == name for one in ast.walk(statement))


# -- loops


def _loops(draft: Draft) -> list[tuple[list[ast.stmt], int, ast.For]]:
    return [
        (block.body, place, one)
        for block in draft.blocks()
        for place, one in enumerate(block.body)
        if isinstance(one, ast.For) and isinstance(one.target, ast.Name)
    ]


@edit
def split_loop(draft: Draft, rng: random.Random) -> bool:
    """A loop with two statements, as two loops."""
    loops = [one for one in _loops(draft) if len(one[2].body) == 2 and _splits(one[2])]
    if not loops:
        return False
    body, place, loop = rng.choice(loops)
    second = copy.deepcopy(loop)
    second.body = [loop.body.pop()]
    for one in (loop, second):
        vars(one).pop(MARK, None)
    body.insert(place + 1, second)
    return True


def _splits(loop: ast.For) -> bool:
    first, second = loop.body
    simple = all(isinstance(one, ast.Expr | ast.AugAssign) and has_calls(one) for one in loop.body)
    return simple and not bound(first) & used(second)


@edit
def merge_loops(draft: Draft, rng: random.Random) -> bool:
    """Two loops over one collection, made one."""
    body = draft.top().body
    pairs = [
        (place, one, other)
        for place, (one, other) in enumerate(pairwise(body))
        if isinstance(one, ast.For)
        and isinstance(other, ast.For)
        and ast.unparse(one.iter) == ast.unparse(other.iter)
    ]
    if not pairs:
        return False
    place, one, other = rng.choice(pairs)
    assert isinstance(other.target, ast.Name)
    for name in ast.walk(other):
        if isinstance(name, ast.Name) and name.id == other.target.id and name is not other.target:
            name.id = one.target.id  # type: ignore[attr-defined]
    one.body += other.body
    del body[place + 1]
    return True


@edit
def loop_to_comprehension(draft: Draft, rng: random.Random) -> bool:
    """A loop that only appends, as a comprehension."""
    loops = [
        one
        for one in _loops(draft)
        if len(one[2].body) == 1 and isinstance(one[2].body[0], ast.Expr) and has_calls(one[2].body[0])
    ]
    if not loops:
        return False
    body, place, loop = rng.choice(loops)
    element = loop.body[0]
    assert isinstance(element, ast.Expr)
    made = parsed(f"{draft.fresh('made')} = [0 for x in y]")
    clause = made.value.generators[0]  # type: ignore[attr-defined]
    clause.target, clause.iter = loop.target, loop.iter
    setattr(clause, MARK, getattr(loop, MARK))
    made.value.elt = element.value  # type: ignore[attr-defined]
    body[place] = made
    return True


@edit
def comprehension_to_loop(draft: Draft, rng: random.Random) -> bool:
    """A comprehension, as a loop that appends."""
    found = [
        (block.body, place, one)
        for block in draft.blocks()
        for place, one in enumerate(block.body)
        if isinstance(one, ast.Assign) and isinstance(one.value, ast.ListComp) and has_calls(one)
    ]
    if not found:
        return False
    body, place, made = rng.choice(found)
    target, value = made.targets[0], made.value
    assert isinstance(target, ast.Name) and isinstance(value, ast.ListComp)
    clause = value.generators[0]
    loop = ast.For(clause.target, clause.iter, [parsed(f"{target.id}.append(0)")], [])
    loop.body[0].value.args = [value.elt]  # type: ignore[attr-defined]
    setattr(loop, MARK, getattr(clause, MARK))
    body[place : place + 1] = [parsed(f"{target.id} = []"), loop]
    return True


@edit
def number_the_items(draft: Draft, rng: random.Random) -> bool:
    """`for x in xs` as `for place, x in enumerate(xs)`."""
    loops = [one[2] for one in _loops(draft) if isinstance(one[2].iter, ast.Name)]
    if not loops:
        return False
    loop = rng.choice(loops)
    place = ast.Name(draft.fresh("place"), ast.Store())
    loop.target = ast.Tuple([place, loop.target], ast.Store())
    loop.iter = ast.Call(ast.Name("enumerate", ast.Load()), [loop.iter], [])
    return True


# -- modules


@edit
def move_leaf(draft: Draft, rng: random.Random) -> bool:
    """A leaf, to another module."""
    name = rng.choice(draft.calls()).func
    assert isinstance(name, ast.Name)
    leaf = next(one for one in draft.services.body if isinstance(one, Function) and one.name == name.id)
    draft.services.body.remove(leaf)
    draft.program.trees["shop.more"] = ast.Module([parsed("import asyncio"), leaf], [])
    wanted = draft.imports(SERVICES)
    wanted.names = [one for one in wanted.names if one.name != name.id]
    draft.imports("shop.more").names.append(ast.alias(name.id))
    return True


@edit
def move_workflow(draft: Draft, rng: random.Random) -> bool:
    """The module of the workflow, under another name."""
    name = rng.choice(["shop.handling", "shop.flows.handle"])
    draft.program.trees[name] = draft.program.trees.pop(draft.program.flow)
    draft.program.flow = name
    return True


@edit
def move_helper(draft: Draft, rng: random.Random) -> bool:
    """A helper that is a workflow itself, to another module."""
    if not any(_calls(one, "settle") for one in draft.workflow.body):
        return False
    helper = draft.function("settle")
    draft.flow.body.remove(helper)
    leaves = sorted(used(helper) & set(draft.leaves()))
    head = f"from flopod import workflow\nfrom {SERVICES} import {', '.join(leaves)}"
    name = rng.choice(["shop.settling", "shop.parts"])
    draft.program.trees[name] = ast.Module([*ast.parse(head).body, helper], [])
    draft.imports(name).names.append(ast.alias("settle"))
    return True


@edit
def wrap_whole_body(draft: Draft, rng: random.Random) -> bool:
    """Nearly everything, in a `try` that only cleans up."""
    body = draft.top().body
    outer = parsed(f"try:\n    pass\nfinally:\n    out.append({rng.randint(0, 9)})")
    assert isinstance(outer, ast.Try)
    outer.body = body[1:]
    body[1:] = [outer]
    return True


@edit
def double_loop(draft: Draft, rng: random.Random) -> bool:
    """A loop, once more behind itself."""
    loops = [one for one in _loops(draft) if has_calls(one[2])]
    if not loops:
        return False
    body, place, loop = rng.choice(loops)
    again = copy.deepcopy(loop)
    unmark(again)
    body.insert(place + 1, again)
    return True
