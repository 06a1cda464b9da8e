"""Random compound statements: branches, loops, handlers, nested functions."""

from __future__ import annotations

from collections.abc import Callable

from tests.differential import detaches, loops, tasks
from tests.differential.body import Body
from tests.differential.expressions import (
    assignable,
    bool_expr,
    captured,
    int_expr,
    iterable,
    leaf,
    list_expr,
)
from tests.differential.statements import leave, simple


def statements(body: Body, least: int = 1, most: int = 3) -> None:
    """Write some statements at the current indentation."""
    for _ in range(body.rng.randint(least, most)):
        statement(body)


def later_clause(body: Body, least: int = 1, most: int = 2) -> None:
    """Write the statements of a clause after the first, which would otherwise find the budget spent."""
    if body.chance(0.4):
        body.work = max(body.work, 3)
    statements(body, least, most)


def statement(body: Body) -> None:
    """Write one statement, with blocks while the budget lasts."""
    body.work -= 1
    if body.work <= 0 or body.text.indent > 5:
        simple(body)
        return
    makers: list[Callable[[Body], None]] = [simple, simple, simple, _if, _if, _try, _try, _match, _with]
    if body.loops > 0:
        makers += [_for, _for, _for, _while, _while, _long_loop, _generator, _changing]
        if body.is_async:
            makers += [_async_for, _async_for]
        if not (body.tame and body.in_loop):
            makers.append(_shared_iterator)
    if body.is_async:
        makers += [_try_star, _async_with, *[_tasks] * 5]
    if body.detaches:
        makers += [_detach] * 6
    if not body.is_helper and body.text.indent <= 3:
        makers += [_helper, _helper]
    body.rng.choice(makers)(body)


def _if(body: Body) -> None:
    with body.inside("if"):
        with body.text.block(f"if {bool_expr(body, 3)}:"):
            statements(body)
        while body.chance(0.3):
            with body.inside("elif"), body.text.block(f"elif {bool_expr(body)}:"):
                later_clause(body)
        if body.chance(0.5):
            with body.inside("else"), body.text.block("else:"):
                later_clause(body)


def _for(body: Body) -> None:
    variable = body.fresh("i")
    target, source, bound = _for_header(body, variable)
    body.loops -= 1
    outer, body.in_loop = body.in_loop, True
    outer_finally, body.in_finally = body.in_finally, False
    with body.inside("for"):
        with body.text.block(f"for {target} in {source}:"):
            body.ints += bound
            statements(body, 1, 3)
            for name in bound:
                body.ints.remove(name)
        body.in_loop, body.in_finally = outer, outer_finally
        _loop_else(body, "for-else")
    body.loops += 1
    if body.chance(0.3):
        _use_after(body, variable)


def _long_loop(body: Body) -> None:
    """More iterations with little in each, so that a snapshot is worth its bytes."""
    variable = body.fresh("i")

    def inside(body: Body) -> None:
        with body.holding(variable):
            body.text.add(f"{assignable(body)} += ({leaf(body, 1)}) % 7")
            for _ in range(body.rng.randint(1, 2)):
                simple(body)

    loops.loop(body, f"for {variable} in range({body.rng.randint(4, 7)}):", "long-for", inside)


def _for_header(body: Body, variable: str) -> tuple[str, str, list[str]]:
    form = body.rng.randint(0, 5)
    if form == 0:
        body.mark("enumerate")
        return f"at, {variable}", f"enumerate({list_expr(body, 1)}[:3])", [variable, "at"]
    if form == 1:
        body.mark("zip")
        return f"{variable}, (at, _)", f"zip({list_expr(body, 1)}, [(1, 2), (3, 4)])", [variable, "at"]
    if form == 2:
        body.mark("dict-items")
        return f"_, {variable}", f"list({{1: {int_expr(body, 1)}, 2: 5}}.items())", [variable]
    if form == 3 and body.chance(0.5):
        body.mark("loop-rebinds-name")
        return assignable(body), iterable(body), []
    return variable, iterable(body), [variable]


def _async_for(body: Body) -> None:
    loops.async_for(body, later_clause)


def _generator(body: Body) -> None:
    loops.generator(body, later_clause)


def _shared_iterator(body: Body) -> None:
    loops.shared_iterator(body, later_clause)


def _changing(body: Body) -> None:
    loops.changing(body, statements)


def _use_after(body: Body, variable: str) -> None:
    body.mark("loop-variable-after")
    with body.text.block("try:"):
        body.see(f"{variable}")
    with body.text.block("except UnboundLocalError as unbound:"):
        body.see("str(unbound)")


def _loop_else(body: Body, name: str) -> None:
    if body.chance(0.35):
        with body.inside(name), body.text.block("else:"):
            later_clause(body)


def _while(body: Body) -> None:
    fuel, form = body.fresh("k"), body.rng.randint(0, 3)
    limit = body.rng.randint(1, 3)
    start = body.rng.choice([0, 0, 1])
    body.text.add(f"{fuel} = {start}")
    headers = [
        f"while {fuel} < {limit} and {bool_expr(body)}:",
        f"while ({fuel} := {fuel} + 1) <= {limit}:",
        "while True:",
        f"while {fuel} < {limit}:",
    ]
    body.loops -= 1
    outer, body.in_loop = body.in_loop, True
    outer_finally, body.in_finally = body.in_finally, False
    with body.inside(["while", "while-walrus", "while-true", "while"][form]):
        with body.text.block(headers[form]):
            if form != 1:
                body.text.add(f"{fuel} += 1")
            if form == 2:
                with body.text.block(f"if {fuel} > {limit}:"):
                    body.text.add("break")
            with body.holding(fuel):
                statements(body, 1, 3)
        body.in_loop, body.in_finally = outer, outer_finally
        _loop_else(body, "while-else")
    body.loops += 1


def _try(body: Body) -> None:
    name, form = body.fresh("error"), body.rng.randint(0, 4)
    with body.inside("try"):
        with body.text.block("try:"):
            statements(body, 1, 3)
        if form != 4:
            _handlers(body, name)
            if body.chance(0.3):
                with body.inside("try-else"), body.text.block("else:"):
                    later_clause(body)
        if form >= 3:
            outer, body.in_finally = body.in_finally, True
            with body.inside("finally"), body.text.block("finally:"):
                later_clause(body)
                if body.chance(0.5):
                    leave(body)
            body.in_finally = outer


def _handlers(body: Body, name: str) -> None:
    if body.chance(0.3):
        with (
            body.inside("except-tuple"),
            body.text.block(f"except (KeyError, IndexError, TypeError) as {name}:"),
        ):
            body.see(f"type({name}).__name__")
            statements(body, 1, 1)
    with body.inside("except"), body.text.block(f"except Oops as {name}:"):
        body.see(f"{name}.args")
        later_clause(body)
        if body.chance(0.2):
            body.mark("re-raise")
            with body.text.block(f"if {bool_expr(body)}:"):
                body.text.add(body.rng.choice(["raise", f"raise {name}", f"raise Oops('again') from {name}"]))


def _try_star(body: Body) -> None:
    """Clauses of `except*`; none may be left by break, continue or return."""
    name = body.fresh("group")
    with body.inside("try-star"):
        with body.text.block("try:"):
            body.see(f"await several({int_expr(body)})")
            statements(body, 1, 2)
        for kind in ("Oops", "(KeyError, IndexError)")[: body.rng.randint(1, 2)]:
            with body.inside("except-star-clause"), body.text.block(f"except* {kind} as {name}:"):
                body.see(f"[type(one).__name__ for one in {name}.exceptions]")
                body.text.add(f"{assignable(body)} = {int_expr(body)}")
        if body.chance(0.3):
            with body.inside("try-star-else"), body.text.block("else:"):
                later_clause(body)
        if body.chance(0.3):
            outer, body.in_finally = body.in_finally, True
            with body.inside("try-star-finally"), body.text.block("finally:"):
                later_clause(body)
            body.in_finally = outer


def _match(body: Body) -> None:
    with body.inside("match"):
        form = body.rng.randint(0, 2)
        subject = [int_expr(body), f"({int_expr(body)}, {int_expr(body)})", f"{list_expr(body)}[:3]"][form]
        with body.text.block(f"match {subject}:"):
            [_match_int, _match_pair, _match_list][form](body)


def _arm(body: Body, pattern: str, construct: str) -> None:
    with body.inside(construct), body.text.block(f"case {pattern}:"):
        later_clause(body)


def _guarded_arm(body: Body, pattern: str, construct: str) -> None:
    with body.inside(construct):
        _arm(body, f"{pattern} if {bool_expr(body)}", "match-guard")


def _match_int(body: Body) -> None:
    _arm(body, "0 | 1 | 2", "match-or")
    _arm(body, f"{captured(body)} if {bool_expr(body)}", "match-guard")
    _arm(body, "_", "match-wildcard")


def _match_pair(body: Body) -> None:
    _arm(body, f"(0, {captured(body)})", "match-sequence")
    _guarded_arm(body, f"(int({captured(body)}), _)", "match-class")
    if body.chance(0.5):
        _arm(body, "_ as pair", "match-as")
        body.text.lines.append("    " * (body.text.indent + 1) + "seen.append(pair)")


def _match_list(body: Body) -> None:
    _arm(body, "[]", "match-sequence")
    name = body.rng.choice(body.lists)
    _guarded_arm(body, f"[{captured(body)}, *tail]", "match-star")
    body.text.lines.append("    " * (body.text.indent + 1) + f"{name} = [*tail, 1]")


def _with(body: Body) -> None:
    if body.chance(0.5):
        with body.inside("with-suppress"), body.text.block("with contextlib.suppress(Oops):"):
            statements(body, 1, 3)
    else:
        _holding_value(body, "with-nullcontext", "with")


def _async_with(body: Body) -> None:
    _holding_value(body, "async-with", "async with")


def _holding_value(body: Body, construct: str, keyword: str) -> None:
    value = body.fresh("held")
    header = f"{keyword} contextlib.nullcontext({int_expr(body)}) as {value}:"
    with body.inside(construct), body.text.block(header), body.holding(value):
        statements(body, 1, 2)


def _tasks(body: Body) -> None:
    tasks.write_one(body, later_clause)


def _detach(body: Body) -> None:
    detaches.write_one(body, later_clause)


def _helper(body: Body) -> None:
    """A nested function: closures, `nonlocal`, its own loops; called by later expressions."""
    name = body.fresh("helper")
    plain = body.chance(0.2)
    inner = Body(
        rng=body.rng, text=body.text, coverage=body.coverage, is_async=body.is_async, ints=["p", "x"],
        lists=list(body.lists), dicts=list(body.dicts), helpers=[], arms=[],
        workflows=list(body.workflows),
        work=4, loops=1, is_helper=True, tame=body.tame, detaches=body.detaches,
        stack=["helper"], counter=body.counter,
    )  # fmt: skip
    keyword = "async def" if body.is_async else "def"
    with body.inside("pure-helper" if plain else "helper"):
        if plain:
            with body.text.block(f"def {name}(p):"):
                body.text.add(f"return (p + a) % 5 + len({body.rng.choice(body.lists)})")
            body.see(f"{name}({int_expr(body)})")
            return
        default = int_expr(body, 1) if body.chance(0.2) else str(body.rng.randint(0, 9))
        with body.text.block(f"{keyword} {name}(p, x={default}):"):
            _closure(inner)
            statements(inner, 1, 3)
            body.text.add(f"return {int_expr(inner)} % 19")
    body.helpers.append(name)
    if not inner.changes_shared:
        body.arms.append(name)


def _closure(inner: Body) -> None:
    inner.mark("nonlocal")
    shared = inner.lists + inner.dicts
    if inner.chance(0.6):
        inner.ints += ["a", "b"]
        shared = ["a", "b", *shared]
    inner.text.add(f"nonlocal {', '.join(shared)}")
