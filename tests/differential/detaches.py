"""Random statements that let something run for itself: forgets, joins, handles that are awaited."""

from __future__ import annotations

from collections.abc import Callable

from tests.differential.body import Body
from tests.differential.expressions import int_expr

Write = Callable[[Body], None]

FORGOTTEN = frozenset({"told", "telling"})
"""Functions of the programs whose tasks nobody awaits; all other tasks somebody does."""

PARTS = """
from flopod import detach_and_forget, detach_and_join_later
from flopod.detach import create_set_timeout_driver, immediate_driver, microtask_batch_driver

LATER = create_set_timeout_driver("50ms")


async def told(a, b=0):
    await asyncio.sleep(0)
    if (a * 3 + b) % 7 == 2:
        raise Oops("told", a)
    return a + b


def stold(a):
    time.sleep(0)
    if a % 5 == 3:
        raise Oops("stold", a)


@workflow
async def telling(a):
    total = await told(a)
    for part in range(a % 3):
        total += await num(part, b=total)
    return total
"""


def detaches(text: str) -> bool:
    """Whether a program has several runs."""
    return "from flopod.detach import" in text


def _driver(body: Body) -> str:
    return body.rng.choice(["microtask_batch_driver", "microtask_batch_driver", "immediate_driver", "LATER"])


def _options(body: Body) -> str:
    mapped = body.rng.choice(["", "", ", input_mapper=lambda given: given + 1", ", input_mapper=double"])
    return mapped + body.rng.choice(["", "", f", label='{body.rng.choice(['bell', 'drum'])}'"])


def forgotten_task(body: Body) -> None:
    """A task that nobody awaits, of a leaf or of a workflow."""
    body.mark("forgotten-task")
    child = body.rng.choice(["told", "told", "telling"])
    more = f", b={int_expr(body, 0)}" if child == "told" and body.chance(0.3) else ""
    task = f"asyncio.{body.rng.choice(['create_task', 'ensure_future'])}({child}({int_expr(body, 1)}{more}))"
    body.text.add(body.rng.choice(["", "", "_ = ", f"{body.fresh('unread')}: asyncio.Task = "]) + task)


def forget(body: Body) -> None:
    """A child that is left alone."""
    body.mark("detach-and-forget")
    child = body.rng.choice(["told", "stold", "telling", "num"])
    body.text.add(f"detach_and_forget({_driver(body)}, {child}, {int_expr(body, 1)}{_options(body)})")


def join(body: Body, write: Write) -> None:
    """A child whose handle is looked at, and awaited after other work."""
    handle = body.fresh("handle")
    with body.inside("detach-and-join"):
        body.text.add(f"{handle} = {_detached(body, int_expr(body, 1))}")
        body.see(f"{handle}.status")
        if body.chance(0.8):
            write(body)
    if body.chance(0.3):
        body.mark("handle-status")
        with body.text.block(f"while {handle}.status in ('queued', 'running'):"):
            body.text.add("await asyncio.sleep(0.5)")
    if body.chance(0.9):
        _awaited(body, handle)
        body.see(f"({handle}.status, {handle}.result, str({handle}.error))")


def join_all(body: Body, _: Write) -> None:
    """Children whose handles are in a list, joined one after the other or together."""
    body.mark("handles-in-list")
    handles, item = body.fresh("handles"), body.fresh("item")
    kept = body.rng.choice(["append", "on_handle"])
    body.text.add(f"{handles} = []")
    with body.text.block(f"for {item} in range({body.rng.randint(0, 3)}):"):
        given = f"{item} + {int_expr(body, 1)}"
        if kept == "append":
            body.text.add(f"{handles}.append({_detached(body, given)})")
        else:
            body.text.add(_detached(body, given, f", on_handle={handles}.append"))
    if body.chance(0.5):
        one = body.fresh("one")
        with body.text.block(f"for {one} in {handles}:"):
            _awaited(body, one)
    else:
        waits = f"asyncio.gather(*[one.wait() for one in {handles}], return_exceptions=True)"
        body.see(f"[str(one) for one in await {waits}]")
    body.see(f"[one.status for one in {handles}]")


def _detached(body: Body, given: str, more: str = "") -> str:
    child = body.rng.choice(["num", "told", "telling"])
    return f"detach_and_join_later({_driver(body)}, {child}, {given}{_options(body)}{more})"


def _awaited(body: Body, handle: str) -> None:
    body.mark("handle-wait")
    with body.text.block("try:"):
        body.see(f"await {handle}.wait()")
    with body.text.block("except Oops as late:"):
        body.see("late.args")


def may_join(body: Body) -> bool:
    """Whether nothing runs beside: when a child ends among other tasks nobody can say."""
    beside = {"create-task", "task-group", "work"} & set(body.stack)
    return not (body.is_helper or beside or (body.tame and body.in_loop))


def simple_makers(body: Body) -> list[Callable[[Body], None]]:
    """Statements that leave something alone; a task of an inner function is that function's own."""
    return [forget, forget] if "helper" in body.stack else [forgotten_task, forgotten_task, forget, forget]


def write_one(body: Body, write: Write) -> None:
    """Write a join, or something simpler where it may not stand."""
    makers = [join, join, join_all] if may_join(body) else [lambda one, _: forget(one)]
    body.rng.choice(makers)(body, write)
