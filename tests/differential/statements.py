"""Random simple statements: assignments, mutations, calls, output, ways to leave a block."""

from __future__ import annotations

from collections.abc import Callable

from tests.differential import detaches, values
from tests.differential.body import Body
from tests.differential.expressions import (
    arm,
    assignable,
    bool_expr,
    comprehension,
    gather,
    int_expr,
    list_expr,
)


def simple(body: Body) -> None:
    """Write one statement that has no block of its own."""
    makers: list[Callable[[Body], None]] = [
        _assign, _assign, _augment, _augment, _unpack, _chain, _swap,
        _list_assign, _list_change, _list_change, _dict_change, _mutating_leaf, _mutating_leaf,
        _alias, _print, _assert, _note, _delete, _item_augment, _annotated, _comprehension,
        _expression,
    ]  # fmt: skip
    if body.is_async:
        makers += [_gather, _gather, _gather_errors, _sleep]
        if not (body.tame and body.in_loop):
            makers += [_tasks, _deferred]
    if body.in_loop or body.is_helper or len(body.stack) > 1:
        makers += [leave, leave, leave, leave]
    if body.chance(0.3):
        makers = values.makers(body)
    elif body.detaches and body.chance(0.3):
        makers = detaches.simple_makers(body)
    body.rng.choice(makers)(body)


def _assign(body: Body) -> None:
    body.mark("assign")
    body.text.add(f"{assignable(body)} = ({int_expr(body, 3)}) % 23")


def _annotated(body: Body) -> None:
    body.mark("annotated-assign")
    name = body.fresh("n")
    body.text.add(f"{name}: int = {int_expr(body)}")
    body.see(f"{name}")


def _augment(body: Body) -> None:
    body.mark("augmented-assign")
    operator = body.rng.choice(["+=", "-=", "^=", "|="])
    body.text.add(f"{assignable(body)} {operator} {int_expr(body)}")


def _item_augment(body: Body) -> None:
    body.mark("augmented-item")
    name = body.rng.choice(body.lists)
    body.text.add(f"{name}[len({name}) // 2] += {int_expr(body)}")


def _unpack(body: Body) -> None:
    body.mark("unpack")
    form = body.rng.randint(0, 3)
    left, right = assignable(body), assignable(body)
    if form == 0:
        body.text.add(f"{left}, {right} = {int_expr(body)}, {int_expr(body)}")
    elif form == 1:
        body.mark("starred-target")
        body.text.add(f"{left}, *rest = [{int_expr(body)}, *{list_expr(body, 1)}]")
        body.see("rest")
    elif form == 2:
        name = body.rng.choice(body.lists)
        body.text.add(f"[{left}, ({name}[0], {right})] = {int_expr(body)}, (4, {int_expr(body)})")
    else:
        body.text.add(f"({left}), = [{int_expr(body)}]")


def _chain(body: Body) -> None:
    body.mark("chained-assign")
    name = body.rng.choice(body.dicts)
    body.text.add(f"{assignable(body)} = {name}['k'] = {assignable(body)} = {int_expr(body)}")


def _swap(body: Body) -> None:
    body.mark("swap")
    left, right = assignable(body), assignable(body)
    body.text.add(f"{left}, {right} = {right}, {left}")


def _list_assign(body: Body) -> None:
    body.mark("list-rebind")
    name = body.rng.choice(body.lists)
    body.text.add(f"{name} = [{int_expr(body, 1)}, *{list_expr(body)}][:6]")


def _list_change(body: Body) -> None:
    body.mark("list-change")
    name = body.rng.choice(body.lists)
    changes = ["append({})", "insert(0, {})", "extend([{}, 1])"]
    kind = body.rng.randint(0, 6)
    value = int_expr(body)
    if kind <= 2:
        body.text.add(f"{name}.{changes[kind].format(value)}")
    elif kind == 3:
        body.text.add(f"{name} += [{value}]")
    elif kind == 4:
        body.text.add(f"{name}[1:2] = [{value}, {value}]" if body.chance(0.5) else f"{name}.sort()")
    elif kind == 5:
        body.text.add(f"del {name}[2:]")
    else:
        body.text.add(f"{name}[-1] = {value}")


def _dict_change(body: Body) -> None:
    body.mark("dict-change")
    name = body.rng.choice(body.dicts)
    row = body.rng.choice(body.lists)
    kind = body.rng.randint(0, 5)
    value = int_expr(body)
    lines = [
        f"{name}[{int_expr(body, 1)}] = {value}",
        f"{name}.setdefault('row', {row}).append({value})",
        f"{name}.update(z={value})",
        f"{name}['row'] = {row}",
        f"seen.append({name}.pop('z', {value}))",
        f"{name} |= {{'n': {value}}}",
    ]
    body.text.add(lines[kind])


def _mutating_leaf(body: Body) -> None:
    body.mark("mutating-leaf")
    body.changes_shared = True
    row, table = body.rng.choice(body.lists), body.rng.choice(body.dicts)
    value = int_expr(body, 1)
    if not body.is_async or body.chance(0.3):
        body.text.add(f"{assignable(body)} = sgrow({row}, {value})")
    elif body.chance(0.5):
        body.text.add(f"{assignable(body)} = await grow({row}, {value})")
    else:
        body.text.add(f"await put({table}, {value}, row={row})")


def _alias(body: Body) -> None:
    body.mark("alias")
    left, right = body.rng.choice(body.lists), body.rng.choice(body.lists)
    table = body.rng.choice(body.dicts)
    lines = [f"{left} = {right}", f"{table}['row'] = {right}", f"{left} = {table}.get('row', {right})"]
    body.text.add(body.rng.choice(lines))
    body.see(f"{left} is {right}")


def _print(body: Body) -> None:
    body.mark("print")
    text = f"print('at', {body.rng.choice(body.ints)}, {body.rng.choice(body.lists)}"
    body.text.add(text + body.rng.choice([")", ", sep='-')", ", end=';')", f", {int_expr(body, 1)})"]))


def _assert(body: Body) -> None:
    body.mark("assert")
    body.text.add(f"assert {int_expr(body)} != 1000, {int_expr(body, 1)}")


def _note(body: Body) -> None:
    body.see(f"{int_expr(body)}")


def _expression(body: Body) -> None:
    body.mark("expression-statement")
    body.text.add(f"({int_expr(body)}, {int_expr(body, 1)})")


def _comprehension(body: Body) -> None:
    body.see(f"{comprehension(body, 2)}")


def _delete(body: Body) -> None:
    body.mark("del")
    name = body.fresh("t")
    body.text.add(f"{name} = {int_expr(body)}")
    with body.text.block(f"if {bool_expr(body, 1)}:"):
        body.text.add(f"del {name}")
    with body.text.block("try:"):
        body.see(f"{name}")
    with body.text.block("except UnboundLocalError as unbound:"):
        body.see("str(unbound)")


def _gather(body: Body) -> None:
    form = body.rng.randint(0, 2)
    if form == 0:
        with body.inside("gather-unpacked"):
            made = f"asyncio.gather({arm(body, int_expr(body))}, {arm(body, int_expr(body))})"
        body.text.add(f"{assignable(body)}, {assignable(body)} = await {made}")
    else:
        body.see(f"await {gather(body)}")


def _gather_errors(body: Body) -> None:
    body.mark("gather-return-exceptions")
    made = gather(body)
    name = body.fresh("e")
    body.text.add(f"{name} = await {made[:-1]}, return_exceptions=True)")
    body.see(f"[item.args if isinstance(item, Oops) else item for item in {name}]")


def _tasks(body: Body) -> None:
    name = body.fresh("tasks")
    with body.inside("tasks-then-gather"):
        body.text.add(f"{name} = [{arm(body, int_expr(body, 1))}, {arm(body, int_expr(body, 1))}]")
        if body.chance(0.5):
            body.text.add(f"{name}.append({arm(body, int_expr(body, 1))})")
    body.text.add(f"{body.rng.choice(body.lists)} = await asyncio.gather(*{name})")


def _deferred(body: Body) -> None:
    name = body.fresh("later")
    with body.inside("deferred-await"):
        body.text.add(f"{name} = {arm(body, int_expr(body, 1))}")
        body.text.add(f"{assignable(body)} = {int_expr(body)}")
    body.see(f"await {name}")


def _sleep(body: Body) -> None:
    body.mark("sleep")
    body.text.add(f"await asyncio.sleep({body.rng.choice(['0', '5', '0.25'])})")


def leave(body: Body) -> None:
    """Leave the loop, the function or the block, under a condition."""
    choices = ["return", "raise"]
    if body.in_loop and not body.in_finally:
        choices += ["break", "continue", "break", "continue"]
    if body.in_loop and body.in_finally:
        choices += ["break"] * 4
    how = body.rng.choice(choices)
    body.mark(how + ("-in-finally" if body.in_finally else ""))
    with body.text.block(f"if {bool_expr(body)}:"):
        if how == "return":
            body.text.add(
                f"return {int_expr(body)}" if body.is_helper else f"return [seen, {int_expr(body)}]"
            )
        elif how == "raise":
            body.text.add(f"raise Oops({int_expr(body, 1)})")
        else:
            body.text.add(how)
