"""The kinds of edit. Each changes a draft at a random place and says whether it could.

What stays the same call keeps its mark; new calls have none, and calls that became many or others lose it.
"""

from __future__ import annotations

import ast
import copy
import random
from collections.abc import Callable

from tests.edits.tree import Block, Draft, Function, bound, has_calls, rename, unmark, used, walk_function

Edit = Callable[[Draft, random.Random], bool]
EDITS: dict[str, Edit] = {}


def edit(function: Edit) -> Edit:
    """List a kind of edit under its name."""
    EDITS[function.__name__] = function
    return function


def parsed(text: str) -> ast.stmt:
    return ast.parse(text).body[0]


def _place(draft: Draft, rng: random.Random, *, deep: bool = True) -> tuple[Block, int]:
    """A place to insert at: not before the first statement nor after the last one."""
    block = rng.choice(draft.blocks()) if deep else draft.top()
    last = len(block.body) - (isinstance(block.body[-1], ast.Return | ast.Continue))
    first = 1 if block.owner is draft.workflow else 0
    return block, rng.randint(first, max(first, last))


def _statements(
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


def _is_bare(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Await)


def _leaf_call(statement: ast.stmt) -> ast.Call | None:
    value = getattr(statement, "value", None)
    call = value.value if isinstance(value, ast.Await) else None
    return call if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) else None


# -- inserting and deleting


@edit
def insert_new_leaf(draft: Draft, rng: random.Random) -> bool:
    """A call of a leaf that was not there."""
    block, place = _place(draft, rng)
    block.body.insert(place, parsed(f"await {draft.add_leaf(draft.fresh('remember'))}(order, limit)"))
    return True


@edit
def insert_known_leaf(draft: Draft, rng: random.Random) -> bool:
    """Another call of a leaf that is called already."""
    call = rng.choice(draft.calls())
    block, place = _place(draft, rng)
    block.body.insert(place, parsed(f"await {ast.unparse(call.func)}(limit, order, 'again')"))
    return True


@edit
def insert_known_leaf_assigned(draft: Draft, rng: random.Random) -> bool:
    """Another call of a leaf, for a variable."""
    call = rng.choice(draft.calls())
    block, place = _place(draft, rng)
    block.body.insert(place, parsed(f"{draft.fresh('extra')} = await {ast.unparse(call.func)}(limit)"))
    return True


@edit
def insert_plain_code(draft: Draft, rng: random.Random) -> bool:
    """A statement without a call."""
    block, place = _place(draft, rng)
    block.body.insert(place, parsed(f"{draft.fresh('note')} = order + limit"))
    return True


@edit
def add_print(draft: Draft, rng: random.Random) -> bool:
    """A line that says what happens."""
    block, place = _place(draft, rng)
    block.body.insert(place, parsed("print('order', order, 'limit', limit)"))
    return True


@edit
def annotate_variable(draft: Draft, rng: random.Random) -> bool:
    """A type for a variable."""
    found = _statements(
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
    leaf = draft.add_leaf(draft.fresh("explain"))
    block, place = _place(draft, rng)
    text = f"if limit > order:\n    await {leaf}(order)\nelse:\n    await {leaf}(limit)"
    block.body.insert(place, parsed(text))
    return True


@edit
def insert_loop(draft: Draft, rng: random.Random) -> bool:
    """A second loop over a collection."""
    leaf = draft.add_leaf(draft.fresh("visit"))
    block, place = _place(draft, rng, deep=False)
    block.body.insert(place, parsed(f"for tag in tags:\n    await {leaf}(tag)"))
    return True


@edit
def delete_call(draft: Draft, rng: random.Random) -> bool:
    """A call whose result nobody uses."""
    found = _statements(draft, rng, _is_bare)
    if found is None or len(found[0].body) < 2:
        return False
    del found[0].body[found[1]]
    return True


@edit
def delete_block(draft: Draft, rng: random.Random) -> bool:
    """A decision or a context, with the calls in it."""
    blocks = (ast.If, ast.With, ast.Match)
    found = _statements(draft, rng, lambda one: isinstance(one, blocks) and has_calls(one))
    if found is None or len(found[0].body) < 2:
        return False
    del found[0].body[found[1]]
    return True


@edit
def duplicate_here(draft: Draft, rng: random.Random) -> bool:
    """The same line twice."""
    found = _statements(draft, rng, _is_bare)
    return found is not None and _insert_copy(found[0].body[found[1]], found[0], found[1] + 1)


@edit
def duplicate_elsewhere(draft: Draft, rng: random.Random) -> bool:
    """The same line again at the end."""
    found = _statements(
        draft, rng, lambda one: _is_bare(one) and used(one) <= {"order", "limit", *draft.leaves()}
    )
    top = draft.top()
    return found is not None and _insert_copy(found[0].body[found[1]], top, len(top.body) - 1)


def _insert_copy(statement: ast.stmt, block: Block, place: int) -> bool:
    again = copy.deepcopy(statement)
    unmark(again)
    block.body.insert(place, again)
    return True


# -- reordering


@edit
def swap_neighbours(draft: Draft, rng: random.Random) -> bool:
    """Two statements that do not need each other."""
    found = _statements(draft, rng, has_calls)
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
    places = [place for place, one in enumerate(top.body[:-3]) if _is_bare(one)]
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
    found = _statements(draft, rng, lambda one: isinstance(one, ast.If) and bool(one.orelse))
    if found is None:
        return False
    node = found[0].body[found[1]]
    assert isinstance(node, ast.If)
    node.test = ast.UnaryOp(ast.Not(), node.test)
    node.body, node.orelse = node.orelse, node.body
    return True


# -- names


@edit
def rename_local(draft: Draft, rng: random.Random) -> bool:
    """A variable, wherever it is used."""
    names = [
        node.id
        for node in walk_function(draft.workflow)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    ]
    rename(draft.workflow, rng.choice(names), draft.fresh("renamed"))
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
    if not names:
        return False
    rename(draft.workflow, rng.choice(names), draft.fresh("rows"))
    return True


@edit
def rename_parameter(draft: Draft, rng: random.Random) -> bool:
    """A parameter of the workflow."""
    old = rng.choice(["order", "limit", "tags"])
    rename(draft.workflow, old, draft.fresh("given"))
    return True


@edit
def rename_loop_variable(draft: Draft, rng: random.Random) -> bool:
    """The variable of a loop."""
    names = [
        node.target.id
        for node in walk_function(draft.workflow)
        if isinstance(node, ast.For) and isinstance(node.target, ast.Name)
    ]
    if not names:
        return False
    rename(draft.workflow, rng.choice(names), draft.fresh("each_one"))
    return True


@edit
def rename_helper(draft: Draft, rng: random.Random) -> bool:
    """A helper that is a workflow itself."""
    if not any(isinstance(node, ast.Name) and node.id == "settle" for node in ast.walk(draft.workflow)):
        return False
    rename(draft.flow, "settle", draft.fresh(rng.choice(["finish", "conclude"])))
    return True


# -- wrapping


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
    found = _statements(
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
    leaf = draft.add_leaf(draft.fresh("refuse"))
    draft.top().body.insert(rng.choice([0, 1]), parsed(f"if limit < -1:\n    return [await {leaf}(order)]"))
    return True


@edit
def add_else(draft: Draft, rng: random.Random) -> bool:
    """An `else` for a decision that has none."""
    found = _statements(draft, rng, lambda one: isinstance(one, ast.If) and not one.orelse)
    if found is None:
        return False
    node = found[0].body[found[1]]
    assert isinstance(node, ast.If)
    node.orelse = [parsed(f"await {draft.add_leaf(draft.fresh('otherwise'))}(order)")]
    return True


@edit
def add_finally(draft: Draft, rng: random.Random) -> bool:
    """A `finally` with a call for a `try`."""
    found = _statements(draft, rng, lambda one: isinstance(one, ast.Try) and not one.finalbody)
    if found is None:
        return False
    node = found[0].body[found[1]]
    assert isinstance(node, ast.Try)
    node.finalbody = [parsed(f"await {draft.add_leaf(draft.fresh('cleanup'))}(order)")]
    return True


# -- what a call looks like


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
    leaf = draft.add_leaf(draft.fresh("instead"), ast.unparse(old.returns or call.func))
    call.func = ast.Name(leaf, ast.Load())
    del call.mark  # type: ignore[attr-defined]
    return True


@edit
def bind_result(draft: Draft, rng: random.Random) -> bool:
    """The result of a bare call, kept in a variable."""
    found = _statements(draft, rng, _is_bare)
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
    found = _statements(
        draft,
        rng,
        lambda one: isinstance(one, ast.Assign) and _leaf_call(one) is not None and not bound(one) & names,
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
    found = _statements(draft, rng, lambda one: isinstance(one, ast.If))
    if found is None:
        return False
    node = found[0].body[found[1]]
    assert isinstance(node, ast.If)
    node.test = ast.BoolOp(ast.And(), [node.test, parsed("limit > -1").value])  # type: ignore[attr-defined]
    return True
