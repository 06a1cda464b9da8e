"""Random loops over what is not a list: generators, iterators partly consumed, collections that change."""

from __future__ import annotations

from collections.abc import Callable

from tests.differential.body import Body
from tests.differential.expressions import bool_expr, int_expr, leaf

Write = Callable[[Body], None]


def loop(body: Body, header: str, construct: str, write: Write) -> None:
    """Write a loop; in its body it may be left and gone on with."""
    body.loops -= 1
    outer, body.in_loop = body.in_loop, True
    outer_finally, body.in_finally = body.in_finally, False
    with body.inside(construct), body.text.block(header):
        write(body)
    body.in_loop, body.in_finally = outer, outer_finally
    body.loops += 1


def _counting(body: Body, variable: str, header: str, construct: str, write: Write) -> None:
    """Write a loop whose variable is a number."""

    def inside(body: Body) -> None:
        with body.holding(variable):
            write(body)

    loop(body, header, construct, inside)


def async_for(body: Body, write: Write) -> None:
    """`async for` over an asynchronous generator of plain code."""
    variable = body.fresh("i")
    header = f"async for {variable} in count({int_expr(body, 1)}):"
    _counting(body, variable, header, "async-for", write)


def generator(body: Body, write: Write) -> None:
    """A loop over a generator, a generator expression, or something of itertools."""
    variable = body.fresh("i")
    sources = [
        f"evens({int_expr(body, 1)})",
        f"(v % 5 for v in {body.rng.choice(body.lists)}[:3])",
        f"itertools.islice(itertools.count({int_expr(body, 0)}), {body.rng.randint(0, 3)})",
        f"map(double, {body.rng.choice(body.lists)}[:2])",
        f"reversed({body.rng.choice(body.lists)}[:3])",
    ]
    header = f"for {variable} in {body.rng.choice(sources)}:"
    _counting(body, variable, header, "for-generator", write)


def shared_iterator(body: Body, write: Write) -> None:
    """An iterator that several loops take from, with what is left of it at the end."""
    source, variable = body.fresh("it"), body.fresh("i")
    made = body.rng.choice(["iter([5, 1, 4, 2, 3])", "evens(9)", "itertools.count(3)"])
    body.text.add(f"{source} = {made}")

    def inside(body: Body) -> None:
        with body.text.block(f"if {variable} > 5 or {bool_expr(body)}:"):
            body.text.add("break")
        body.see(f"({variable}, next({source}, None))")
        write(body)

    loop(body, f"for {variable} in itertools.islice({source}, 4):", "shared-iterator", inside)
    body.see(f"list(itertools.islice({source}, 2))")


def changing(body: Body, _: Write) -> None:
    """The items of a collection are changed while a loop goes over it."""
    name, at, value = body.rng.choice(body.lists), body.fresh("at"), body.fresh("v")
    form = body.rng.randint(0, 2)
    if form == 0:

        def inside(body: Body) -> None:
            body.text.add(f"{name}[{at} - 1] = {value} % 5 + {leaf(body, 1)}")

        loop(body, f"for {at}, {value} in enumerate({name}):", "changed-while-iterated", inside)
    elif form == 1:
        rows = body.fresh("rows")
        body.text.add(f"{rows} = [[1], {name}[:2], [3]]")

        def inside(body: Body) -> None:
            body.text.add(f"{value}.append({leaf(body, 1)})")
            body.text.add(f"{rows}[-1].append(len({value}))")

        loop(body, f"for {value} in {rows}:", "changed-while-iterated", inside)
        body.see(f"{rows}")
    else:
        table = body.fresh("table")
        body.text.add(f"{table} = {{0: {int_expr(body, 0)}, 1: 2}}")

        def inside(body: Body) -> None:
            body.text.add(f"{table}[1 - {at}] = {value} + {leaf(body, 1)}")

        loop(body, f"for {at}, {value} in {table}.items():", "changed-while-iterated", inside)
        body.see(f"{table}")
