"""Random statements about functions as values, objects with methods, classes and imports."""

from __future__ import annotations

from collections.abc import Callable

from tests.differential.body import Body
from tests.differential.expressions import assignable, bool_expr, int_expr

Maker = Callable[[Body], None]


def _call(body: Body, function: str, argument: str) -> str:
    call = f"{function}({argument})"
    return f"await {call}" if body.is_async else call


def _functions(body: Body) -> list[str]:
    """Names of functions that take an integer: of leaves, or of nested functions."""
    if body.helpers and body.chance(0.4):
        return body.helpers
    return ["num", "other"] if body.is_async else ["snum", "sother"]


def chosen_function(body: Body) -> None:
    """A variable that holds one of two functions."""
    body.mark("function-value")
    name, functions = body.fresh("f"), _functions(body)
    one, two = body.rng.choice(functions), body.rng.choice(functions)
    body.text.add(f"{name} = {one} if {bool_expr(body)} else {two}")
    body.text.add(f"{assignable(body)} = {_call(body, name, int_expr(body))}")


def function_table(body: Body) -> None:
    """A call of an entry of a table, of the module or of the function."""
    body.mark("function-table")
    leaves = "TABLE" if body.is_async else "STABLE"
    functions = _functions(body)
    one, two = body.rng.choice(functions), body.rng.choice(functions)
    table = body.rng.choice([leaves, leaves, f"({one}, {two})", f"{{0: {one}, 1: {two}}}"])
    body.see(f"{_call(body, f'{table}[({int_expr(body)}) % 2]', int_expr(body))}")


def function_loop(body: Body) -> None:
    """A loop over functions."""
    body.mark("function-loop")
    name = body.fresh("f")
    choices = _functions(body)
    functions = ", ".join(body.rng.choice(choices) for _ in range(2))
    with body.text.block(f"for {name} in ({functions}):"):
        body.see(f"{_call(body, name, int_expr(body, 1))}")


def partial(body: Body) -> None:
    """A leaf with an argument bound before."""
    body.mark("partial")
    name = body.fresh("f")
    function = "num" if body.is_async else "snum"
    body.text.add(f"{name} = functools.partial({function}, b={int_expr(body)})")
    body.see(f"{_call(body, name, int_expr(body))}")


def attribute_by_name(body: Body) -> None:
    """`getattr` with a literal name."""
    body.mark("getattr")
    if body.is_async:
        body.see(f"await getattr(gate, 'pull')({int_expr(body)})")
    else:
        body.see(f"getattr(tally, 'total') + {int_expr(body)}")


def method_that_changes(body: Body) -> None:
    """A leaf that is a method of a local object and changes it."""
    body.mark("method-changes")
    body.changes_shared = True
    method = "add" if body.is_async else "sadd"
    body.text.add(f"{assignable(body)} = {_call(body, f'tally.{method}', int_expr(body))}")


def pure_method(body: Body) -> None:
    """A plain method of a local object, and an attribute that is set and deleted."""
    body.mark("pure-method")
    body.see(f"tally.bump({int_expr(body)})")
    body.text.add(f"tally.extra = {int_expr(body)}")
    body.see("tally.extra")
    body.text.add("del tally.extra")


def dataclass_value(body: Body) -> None:
    """An instance of a dataclass, changed and compared."""
    body.mark("dataclass")
    name = body.fresh("point")
    body.text.add(f"{name} = Point({int_expr(body)}, y={int_expr(body, 1)})")
    body.text.add(f"{name}.x += {int_expr(body)}")
    body.see(f"({name}, {name} == Point(1, 2), dataclasses.replace({name}, y=0))")


def enumeration(body: Body) -> None:
    """A member of an enumeration, by value and in a match."""
    body.mark("enum")
    name = body.fresh("colour")
    body.text.add(f"{name} = Colour(({int_expr(body)}) % 2)")
    with body.inside("match-value"), body.text.block(f"match {name}:"):
        with body.text.block("case Colour.RED:"):
            body.see(f"({name}, {int_expr(body)})")
        with body.text.block("case Colour.BLUE:"):
            body.see(f"{name}.name")


def local_class(body: Body) -> None:
    """A class statement with a method, a base and `super`."""
    body.mark("class")
    name, made = body.fresh("Local"), body.fresh("made")
    with body.text.block(f"class {name}(Point):"):
        body.text.add(f"step = {body.rng.randint(1, 5)}")
        with body.text.block("def total(self, more=1):"):
            body.text.add("return super().total(more) + self.step")
    body.text.add(f"{made} = {name}({int_expr(body)}, {int_expr(body, 1)})")
    body.see(f"({made}.total({int_expr(body)}), {name}.__name__)")
    body.text.add(f"del {made}, {name}")


def lambda_value(body: Body) -> None:
    """Lambdas with a default and a free variable, called later."""
    body.mark("lambda-value")
    name = body.fresh("g")
    body.text.add(f"{name} = lambda q, k={int_expr(body)}: (q * k + {assignable(body)}) % 9")
    body.text.add(f"{assignable(body)} = {int_expr(body)}")
    body.see(f"{name}({int_expr(body)})")


def local_import(body: Body) -> None:
    """Imports inside the function."""
    body.mark("local-import")
    name = body.fresh("m")
    body.text.add(f"import math as {name}")
    body.text.add(f"from json import dumps as {name}dumps")
    body.see(f"({name}.floor(2.5), {name}dumps({int_expr(body)}))")


def logged(body: Body) -> None:
    """A line of `logging`."""
    body.mark("logging")
    body.text.add(f"logging.getLogger('flow').warning('at %s', {int_expr(body)})")


def nap(body: Body) -> None:
    """`time.sleep` in a synchronous workflow, where no timeout can be over meanwhile."""
    body.mark("time-sleep")
    body.text.add(f"time.sleep({body.rng.choice(['0.5', '2', int_expr(body, 0) + ' % 3 + 4'])})")


def attempted(body: Body) -> None:
    """`attempt` with a policy."""
    body.mark("attempt")
    name = body.rng.choice(["num", "snum"])
    policy = "Retry(max_attempts=2, delay=1, jitter=False)"
    body.text.add(
        f"seen.append(await attempt({name}, {int_expr(body)}, b={int_expr(body, 1)}, retry={policy}))"
    )


def compensated(body: Body) -> None:
    """`compensate`, which acts if the run fails later on."""
    body.mark("compensate")
    name = body.rng.choice(["num", "snum"]) if body.is_async else "snum"
    body.text.add(f"compensate({name}, {int_expr(body)}, b={int_expr(body, 1)})")


def unreachable(body: Body) -> None:
    """Statements behind one that leaves."""
    body.mark("unreachable")
    with body.text.block(f"if {bool_expr(body)}:"):
        body.text.add(f"raise Oops({int_expr(body, 1)})")
        body.see(f"{int_expr(body, 1)}")


def walrus_in_comprehension(body: Body) -> None:
    """A walrus that leaves a comprehension, and is read behind it."""
    body.mark("walrus-comprehension")
    name, item = body.fresh("w"), body.fresh("v")
    body.text.add(f"{name} = {int_expr(body, 0)}")
    source = f"(*{body.rng.choice(body.lists)}[:2], 4)"
    body.text.add(
        f"seen.append([{item} + {name} for {item} in {source} if ({name} := {int_expr(body)} % 7)])"
    )
    body.see(f"{name}")


def delete_items(body: Body) -> None:
    """`del` of items and of keys."""
    body.mark("del-item")
    name = body.rng.choice(body.lists)
    body.text.add(f"{name}.append({int_expr(body)})")
    body.text.add(f"del {name}[len({name}) // 2]")
    body.text.add(f"{body.rng.choice(body.dicts)}['x'] = {int_expr(body)}")
    body.see(f"{body.rng.choice(body.dicts)}.pop('x', None)")


def decorated(body: Body) -> None:
    """A leaf behind a decorator, and a nested function behind one of the standard library."""
    body.mark("decorated")
    name = body.fresh("cached")
    body.text.add("@functools.lru_cache")
    with body.text.block(f"def {name}(p, /, *, k=2):"):
        body.text.add("return p * k % 11")
    call = "await twice" if body.is_async else "stwice"
    body.see(f"({name}({int_expr(body)}), {name}(3, k=1), {call}({int_expr(body)}))")


def recursion(body: Body) -> None:
    """A nested function that calls itself."""
    body.mark("recursion")
    name = body.fresh("down")
    keyword, wait = ("async def", "await ") if body.is_async else ("def", "")
    leaf = "num" if body.is_async else "snum"
    with body.text.block(f"{keyword} {name}(p):"):
        with body.text.block("if p <= 0:"):
            body.text.add(f"return {wait}{leaf}(p)")
        body.text.add(f"return ({wait}{leaf}(p)) + ({wait}{name}(p - 1))")
    body.see(f"{wait}{name}(({int_expr(body)}) % 3)")


def makers(body: Body) -> list[Maker]:
    """What may be written here."""
    found = [
        chosen_function, function_table, function_loop, partial, attribute_by_name, method_that_changes,
        method_that_changes, pure_method, dataclass_value, enumeration, lambda_value, local_import, logged,
        unreachable, walrus_in_comprehension, delete_items, decorated,
    ]  # fmt: skip
    if not body.in_loop:
        found += [local_class, compensated]
    elif body.rng.random() < 0.1:
        found.append(compensated)  # a loop with compensations is never fast-forwarded, and most should be
    if not body.is_helper:
        found += [recursion]
    found += [attempted] if body.is_async else [nap]
    return found
