"""Random expressions: integers, truths, lists and iterables, with durable calls anywhere in them."""

from __future__ import annotations

from collections.abc import Callable

from tests.differential.body import Body


def int_expr(body: Body, depth: int = 2) -> str:
    """An expression whose value is a small integer."""
    if depth <= 0:
        return _atom(body)
    makers: list[Callable[[Body, int], str]] = [
        _atom_deep, _atom_deep, leaf, leaf, leaf, _binary, _binary, _ternary, _and_or, _builtin, _subscript,
        _walrus, _format, _call_function, _call_function, _sum_of, _lambda, _unary, _tuple_of,
    ]  # fmt: skip
    return body.rng.choice(makers)(body, depth - 1)


def _atom(body: Body) -> str:
    if body.ints and body.chance(0.7):
        return body.rng.choice(body.ints)
    return str(body.rng.randint(0, 9))


def _atom_deep(body: Body, _: int) -> str:
    return _atom(body)


def leaf(body: Body, depth: int) -> str:
    """A call of a leaf that gives an integer, in one of the forms of a call."""
    a, b = int_expr(body, depth), int_expr(body, depth - 1)
    name, keyword = body.rng.choice([("num", "b"), ("num", "b"), ("snum", "b"), ("gate.pull", "b")])
    if not body.is_async and name != "snum":
        name = "snum"
    form = body.rng.randint(0, 5)
    body.mark(["leaf", "leaf", "leaf-keyword", "leaf-starred", "leaf-double-starred", "leaf"][form])
    forms = [a, f"{a}, {b}", f"{a}, {keyword}={b}", f"*[{a}, {b}]", f"{a}, **{{{keyword!r}: {b}}}", a]
    arguments = forms[form]
    body.mark("sync-leaf" if name == "snum" else "async-leaf")
    if name == "gate.pull":
        body.mark("method-leaf")
    return f"{name}({arguments})" if name == "snum" else f"await {name}({arguments})"


def parens(text: str) -> str:
    return f"({text})"


def _binary(body: Body, depth: int) -> str:
    body.mark("binary")
    operator = body.rng.choice(["+", "-", "*", "^", "%"])
    left, right = int_expr(body, depth), int_expr(body, depth)
    if operator == "%":
        return f"({left}) % (abs({right}) + 1)"
    if operator == "*":
        return f"({left}) % 7 * (({right}) % 5)"
    return f"({left}) {operator} ({right})"


def _unary(body: Body, depth: int) -> str:
    body.mark("unary")
    return f"{body.rng.choice(['-', '~', '+'])}({int_expr(body, depth)})"


def _ternary(body: Body, depth: int) -> str:
    with body.inside("ternary"):
        return f"({int_expr(body, depth)} if {bool_expr(body, depth)} else {int_expr(body, depth)})"


def _and_or(body: Body, depth: int) -> str:
    operator = body.rng.choice(["and", "or"])
    with body.inside(operator):
        return f"({int_expr(body, depth)} {operator} {int_expr(body, depth)})"


def _builtin(body: Body, depth: int) -> str:
    body.mark("pure-call")
    name = body.rng.choice(body.lists) if body.lists else "[]"
    kind = body.rng.randint(0, 3)
    if kind == 0:
        return f"max({int_expr(body, depth)}, {int_expr(body, depth)})"
    if kind == 1:
        return f"len({name})"
    if kind == 2:
        return f"sum({name}[:3], {int_expr(body, depth)})"
    return f"double({int_expr(body, depth)})"


def _subscript(body: Body, depth: int) -> str:
    body.mark("subscript")
    if body.dicts and body.chance(0.4):
        return f"{body.rng.choice(body.dicts)}.get({int_expr(body, depth)}, {int_expr(body, 0)})"
    return f"[{int_expr(body, depth)}, {int_expr(body, depth)}][{bool_expr(body, depth)}]"


def _walrus(body: Body, depth: int) -> str:
    if body.in_comprehension or not body.ints:
        return _atom(body)
    body.mark("walrus")
    return f"({captured(body)} := {int_expr(body, depth)})"


def _format(body: Body, depth: int) -> str:
    body.mark("f-string")
    return f'len(f"<{{{quoteless(int_expr(body, depth))}}}:{{{quoteless(int_expr(body, 0))}!r:>3}}>")'


def quoteless(text: str) -> str:
    """An expression that may stand inside an f-string of Python 3.11: no quotes, no backslashes."""
    return "7" if any(sign in text for sign in "\"'\\{}:") else text


def _call_function(body: Body, depth: int) -> str:
    names = [*body.helpers, *body.workflows]
    if not names:
        return leaf(body, depth)
    name = body.rng.choice(names)
    body.mark("sub-workflow" if name in body.workflows else "helper-call")
    call = f"{name}({int_expr(body, depth)})"
    return f"await {call}" if body.is_async else call


def _sum_of(body: Body, depth: int) -> str:
    if body.chance(0.3):
        body.mark("generator-expression")
        name = body.rng.choice(body.lists) if body.lists else "[3]"
        return f"sum(v % 4 for v in {name} if v != {_atom(body)})"
    return f"sum({list_expr(body, depth)})"


def _tuple_of(body: Body, depth: int) -> str:
    return f"max(({int_expr(body, depth)}, *{list_expr(body, 0)}))"


def _lambda(body: Body, depth: int) -> str:
    body.mark("lambda")
    name = body.rng.choice(body.lists) if body.lists else "[3]"
    return f"max({name}, key=lambda v: (v - {_atom(body)}) % 5, default={int_expr(body, depth)})"


def assignable(body: Body) -> str:
    """A name that may be assigned without changing a loop's fuel."""
    return body.rng.choice([name for name in body.ints if name in ("a", "b", "c", "x", "y")] or ["x"])


def captured(body: Body) -> str:
    """A name for a form that cannot bind a durable variable: a walrus, a capture pattern."""
    return body.fresh("w") if body.tame else assignable(body)


def bool_expr(body: Body, depth: int = 2) -> str:
    """An expression that is used for its truth."""
    kind = body.rng.randint(0, 7 if depth > 0 else 1)
    if kind == 0:
        return f"{int_expr(body, depth - 1)} % 2 == 0"
    if kind == 1:
        return f"{_atom(body)} > {_atom(body)}"
    if kind == 2:
        body.mark("leaf-condition")
        call = f"truth({int_expr(body, depth - 1)})"
        return f"await {call}" if body.is_async else f"struth({int_expr(body, depth - 1)})"
    if kind == 3:
        body.mark("comparison-chain")
        return f"{int_expr(body, depth - 1)} <= {_atom(body)} < {int_expr(body, depth - 1)}"
    if kind == 4:
        body.mark("not")
        return f"not {bool_expr(body, depth - 1)}"
    if kind == 5:
        operator = body.rng.choice(["and", "or"])
        with body.inside(operator):
            return f"({bool_expr(body, depth - 1)} {operator} {bool_expr(body, depth - 1)})"
    if kind == 6 and body.lists:
        return f"{int_expr(body, depth - 1)} in {body.rng.choice(body.lists)}"
    return f"({int_expr(body, depth - 1)}) % 3"


def list_expr(body: Body, depth: int = 2) -> str:
    """An expression whose value is a short list of integers."""
    kind = body.rng.randint(0, 8)
    if depth <= 0 or kind <= 1:
        return f"{body.rng.choice(body.lists)}[:3]" if body.lists else "[1, 2]"
    if kind == 2:
        return f"[{int_expr(body, depth - 1)}, {int_expr(body, depth - 1)}]"
    if kind == 3 and body.is_async:
        body.mark("leaf-list")
        return f"(await items({int_expr(body, depth - 1)}))"
    if kind == 4:
        return f"sorted({list_expr(body, depth - 1)}, reverse=True)"
    if kind == 5 and body.is_async:
        return f"(await {gather(body, depth - 1)})"
    if kind == 6:
        return f"[*{list_expr(body, depth - 1)}, {int_expr(body, depth - 1)}][-4:]"
    return comprehension(body, depth - 1)


def comprehension(body: Body, depth: int) -> str:
    """A list, set or dict comprehension; the last two as a list."""
    outer = body.in_comprehension
    variable = body.fresh("v")
    kind = body.rng.choice(["list", "list", "set", "dict"])
    with body.inside(f"{kind}-comprehension"):
        body.in_comprehension = True
        source = iterable(body, depth - 1)
        with body.holding(variable):
            condition = f" if {bool_expr(body, depth)}" if body.chance(0.4) else ""
            element = int_expr(body, max(depth, 1))
            value = int_expr(body, 1)
        body.in_comprehension = outer
    loop = f"for {variable} in {source}{condition}"
    if kind == "list":
        return f"[{element} {loop}]"
    if kind == "set":
        return f"sorted({{{element} {loop}}})"
    return f"list({{{variable}: {value} {loop}}}.values())"


def iterable(body: Body, depth: int = 1) -> str:
    """Something short to loop over, whose items are integers."""
    kind = body.rng.randint(0, 5)
    if kind == 0 or depth < 0:
        return f"range({body.rng.randint(0, 4)})"
    if kind == 1:
        return f"({int_expr(body, depth)}, {int_expr(body, 0)})"
    if kind == 2 and body.is_async:
        body.mark("leaf-iterable")
        return f"await items({int_expr(body, depth)})"
    if kind == 3:
        return f"sorted({{{int_expr(body, 0)}, {int_expr(body, 0)}}})"
    if kind == 4 and body.lists:
        return f"tuple({body.rng.choice(body.lists)}[:3])"
    return f"range(({int_expr(body, 0)}) % 4)"


def arm(body: Body, argument: str) -> str:
    """A coroutine of a leaf, a helper or a workflow, not awaited."""
    name = body.rng.choice(["num", "num", *body.arms, *body.workflows])
    if name in body.arms:
        body.mark("helper-arm")
    if name in body.workflows:
        body.mark("workflow-arm")
    return f"{name}({argument})"


def gather(body: Body, depth: int = 1) -> str:
    """A call of `asyncio.gather`, fixed or a fan-out."""
    if body.chance(0.5):
        with body.inside("gather-fixed"):
            arms = [arm(body, int_expr(body, depth)) for _ in range(body.rng.randint(1, 3))]
            return f"asyncio.gather({', '.join(arms)})"
    variable = body.fresh("g")
    form = body.rng.choice(["list", "generator"])
    with body.inside(f"gather-fan-out-{form}"):
        source = iterable(body, 0) if form == "list" else f"range({body.rng.randint(0, 4)})"
        made = arm(body, f"{variable} + {_atom(body)}")
    loop = f"{made} for {variable} in {source}"
    return f"asyncio.gather(*[{loop}])" if form == "list" else f"asyncio.gather(*({loop}))"
