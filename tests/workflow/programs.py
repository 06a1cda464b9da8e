"""Leaves and hand-written compiled-form programs, of the kinds that replay finds hard."""

import asyncio
from dataclasses import dataclass, field
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

from flopod.authoring import activity
from flopod.current import current_activity
from flopod.retry import Retry
from flopod.stop import STOP
from tests.workflow.support import called


@dataclass
class Line:
    """A line of an order."""

    sku: str
    qty: int
    price: Decimal | None = None


@dataclass
class Order:
    """An order with lines that leaves change."""

    id: str
    lines: list[Line] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


class Expired(Exception):
    """Raised by a workflow."""


failures: dict[str, int] = {}


async def double(x: int) -> int:
    called()
    return x * 2


def add(x: int, y: int) -> int:
    called()
    return x + y


async def slow(x: int, turns: int) -> int:
    called()
    for _ in range(turns):
        await asyncio.sleep(0)
    return x


async def price(line: Line) -> Line:
    called()
    line.price = Decimal("1.50") * line.qty
    return line


async def annotate(order: Order, text: str) -> None:
    called()
    order.notes.append(text)


async def fetch(id: str, count: int) -> Order:
    called()
    return Order(id, [Line(f"s{i}", i) for i in range(count)])


async def fail(text: str) -> None:
    called()
    raise ValueError(text)


async def flaky(name: str, times: int) -> str:
    called()
    failures[name] = failures.get(name, 0) + 1
    if failures[name] % (times + 1):
        raise ConnectionError(name)
    return name


def stop(value: Any) -> None:
    called()
    raise StopIteration(value)


def exit_now() -> None:
    called()
    raise SystemExit(3)


@activity(retry=Retry(max_attempts=2, delay=1))
async def release(name: str) -> str:
    called()
    if name == "stuck" and current_activity().attempt == 1:
        raise ConnectionError(name)
    if name == "broken":
        raise LookupError(name)
    return name


def give_back(result: int, x: int) -> None:
    called()
    assert result == x * 2


@activity(compensate=give_back)
async def take(x: int) -> int:
    called()
    return x * 2


async def saga(wf: Any, ending: str) -> list[Any]:
    names = ["first", "stuck", "broken", "last"]
    for wf_name, name in wf.each("names", names):
        await wf_name.activity("double", double, 1)
        wf_name.compensate("undo-release", release, name)
        wf_name.print("took", name)
    await wf.parallel(wf.activity("take#1", take, 1), wf.activity("take#2", take, 2))

    async def item(scope: Any, number: int, index: int) -> int:
        if number > 5:
            scope.compensate("undo-add", add, number, index)
        return int(await scope.activity("take", take, number))

    found = await wf.each("items", [3, 7], item, concurrency=2)
    if ending == "fails":
        await wf.activity("fail", fail, "no more")
    return [found.results, names]


async def sequential(wf: Any, n: int) -> list[int]:
    found = []
    for i in range(n):
        found.append(await wf.activity(f"double#{i}", double, i))
    return [*found, await wf.activity("add", add, found[0], y=found[-1])]


async def fulfil(wf: Any, order_id: str, count: int) -> tuple[Order, Decimal]:
    order = await wf.activity("fetch", fetch, order_id, count)
    total = wf.var("total", Decimal(0))
    for wf_line, line in wf.each("lines", order.lines, keep=(order,)):
        if line.qty == 1:
            continue
        wf_line.print("pricing", line.sku)
        priced = await wf_line.activity("price", price, line)
        assert priced is line, "a result that is an argument is that argument"
        total.value += line.price
        if wf_line.branch("if-dear", line.price > 5):
            await wf_line.activity("annotate", annotate, order, line.sku)
    return order, total.value


async def gathered(wf: Any, n: int) -> list[int]:
    first = await wf.parallel(*(wf.activity(f"slow#{i}", slow, i, n - i) for i in range(n)))
    wf.print("first round", first)
    second = await wf.parallel(*(_arm(wf.iteration(f"xs[{i}]"), i) for i in range(n)))
    return [*first, *second]


async def _arm(wf: Any, i: int) -> int:
    x = await wf.activity("slow", slow, i, 3 - i)
    y = await wf.activity("add", add, x, 1)
    wf.print("arm", i, x, y)
    return await wf.activity("double", double, y)


async def gather_fails(wf: Any) -> list[Any]:
    trace = wf.list("trace")

    async def good(scope: Any, turns: int) -> int:
        try:
            trace.append(await scope.activity("slow", slow, turns, turns))
            return await scope.activity("double", double, turns)
        finally:
            trace.append(f"left {turns}")
            await scope.activity("cleanup", add, turns, 100)

    async def bad(scope: Any) -> None:
        await scope.activity("slow", slow, 0, 1)
        await scope.activity("fail", fail, "no")

    try:
        await wf.parallel(
            good(wf.iteration("a[0]"), 5), bad(wf.iteration("a[1]")), good(wf.iteration("a[2]"), 1)
        )
    except ValueError as error:
        trace.append(repr(error))
    trace.append(await wf.activity("after", add, 1, 1))
    return list(trace)


async def nested(wf: Any, n: int) -> dict[str, list[int]]:
    seen = wf.map("seen", {})
    for outer, i in wf.each("outer", range(n)):
        row = outer.list("row")
        for inner, j in wf_inner(outer, i):
            row.append(await inner.activity("add", add, i, j))
        seen[str(i)] = row
        if outer.branch("if-odd", i % 2 == 1):
            row.append(await outer.activity("double", double, i))
    return dict(seen)


def wf_inner(scope: Any, i: int) -> Any:
    return scope.each("inner", enumerate_like(i), key=lambda j: f"k/{j}")


def enumerate_like(i: int) -> list[int]:
    return [i * 10 + j for j in range(3)]


async def aliases(wf: Any) -> tuple[Any, ...]:
    shared: list[int] = [1]
    box = {"a": shared, "b": shared}
    carried = wf.var("carried", shared)
    for scope, i in wf.each("xs", [1, 2, 3, 4], keep=(box, shared)):
        shared.append(await scope.activity("double", double, i))
        if i == 2:
            carried.value = {"fresh": shared}
        if i == 3:
            box["b"] = carried.value
    assert box["a"] is shared, "identity survives"
    return box, carried.value, shared, box["b"] is carried.value


async def unbound(wf: Any) -> str:
    last = wf.var("last")
    for scope, i in wf.each("xs", range(6)):
        if i == 3:
            last.value = await scope.activity("double", double, i)
        elif i == 5:
            del last.value
        else:
            await scope.activity("add", add, i, i)
    try:
        return str(last.value)
    except UnboundLocalError as error:
        return str(error)


async def while_loop(wf: Any, limit: int) -> tuple[int, int]:
    total, rounds = wf.var("total", 0), wf.var("rounds", 0)
    loop = wf.repeat("loop")
    while (scope := loop.next()) and scope.branch("while", total.value < limit):
        total.value += await scope.activity("add", add, total.value, 1)
        rounds.value += 1
        if rounds.value > 50:
            break
    else:
        await wf.activity("done", add, 0, 0)
    return total.value, rounds.value


async def waits(wf: Any) -> list[Any]:
    first = await wf.wait("approved", type=Line, timeout="48h")
    second = await wf.wait("approved#again", timeout="1h")
    both = await wf.parallel(wf.wait("left", "side", timeout=10), wf.wait("right", "side", timeout=5))
    await wf.sleep("sleep", 3600)
    return [first, second, both]


async def retries(wf: Any) -> list[Any]:
    policy = Retry(max_attempts=3, delay=10)
    found = [await wf.attempt("flaky", flaky, "a", 2, retry=policy)]
    found.append(await wf.attempt("given-up", fail, "for good", retry=policy))
    try:
        await wf.activity("fail", fail, "once")
    except ValueError as error:
        found.append(error.args)
    return found


async def stop_iteration(wf: Any) -> list[Any]:
    found: list[Any] = []
    for scope, i in wf.each("xs", range(3), keep=(found,)):
        try:
            await scope.activity("stop", stop, i)
        except StopIteration as error:
            found.append(("stopped", error.value))
    try:
        await wf.activity("exit", exit_now)
    except SystemExit as error:
        found.append(error.code)
    return found


async def raises(wf: Any) -> None:
    order = await wf.activity("fetch", fetch, "x", 2)
    try:
        await wf.activity("fail", fail, "inner")
    except ValueError as error:
        raise Expired(order.id) from error


async def calls_workflow(wf: Any, n: int) -> list[Any]:
    one = await wf.call("fulfil", fulfil, "o-1", n)
    two = await wf.call("fulfil#second", fulfil, "o-2", n + 1)
    return [one, two, await _factorial(wf, 4)]


async def _factorial(wf: Any, n: int) -> int:
    if n <= 1:
        return 1
    rest = await wf.call("factorial", _factorial, n - 1)
    return rest * await wf.activity("add", add, n, 0)


async def recorded(wf: Any) -> list[Any]:
    found = [wf.record("now", _tick), wf.record("now#2", _tick)]
    table = wf.constant("TABLE", {"limit": 3})
    again = wf.constant("TABLE", {"limit": 4})
    assert table is again
    table["limit"] += await wf.activity("add", add, 1, 1)
    try:
        wf.record("broken", _broken)
    except OSError as error:
        found.append(error.args)
    return [*found, again]


_ticks = iter(range(1, 1 << 30))
first_tick = SimpleNamespace(value=None)


def _tick() -> int:
    if first_tick.value is None:
        first_tick.value = next(_ticks)
    return int(first_tick.value)


def _broken() -> None:
    raise OSError(5, "broken")


async def break_and_return(wf: Any) -> list[Any]:
    found = wf.list("found", [])
    for scope, i in wf.each("xs", range(10)):
        found.append(await scope.activity("double", double, i))
        if i == 4:
            break
    else:
        found.append("never")
    for scope, i in wf.each("ys", iter([5, 6, 7])):
        try:
            if i == 6:
                return [*found, await scope.activity("double", double, i)]
        finally:
            found.append(await scope.activity("add", add, i, i))
    return list(found)


async def mutates_both(wf: Any) -> list[Any]:
    """Two leaves get one object; each changes it, and what both return is the object itself."""
    order = await wf.activity("fetch", fetch, "o", 2)
    for scope, text in wf.each("texts", ["a", "b", "c"], keep=(order,)):
        await scope.activity("annotate", annotate, order, text)
        got = await scope.activity("swap", swap, order, order.lines)
        assert got is order.lines
    try:
        await wf.activity("spoil", spoil, order)
    except ValueError as error:
        assert error.args[0] is order, "an argument in an exception is that argument"
    return [order, order.lines]


def swap(order: Order, lines: list[Line]) -> list[Line]:
    called()
    assert order.lines is lines
    lines.reverse()
    return lines


def spoil(order: Order) -> None:
    called()
    order.notes.append("spoilt")
    raise ValueError(order)


async def handwritten(wf: Any) -> list[Any]:
    async def one(scope: Any, item: int, index: int) -> int:
        x = await scope.activity("slow", slow, item, 3 - index % 3)
        if item == 2:
            await scope.activity("fail", fail, "two")
        return x + await scope.activity("add", add, index, 1)

    async def case(scope: Any) -> str:
        await scope.activity("in-case", add, 1, 2)
        return "taken"

    each = await wf.each("each", [0, 1, 2, 3, 4], one, concurrency=2)
    kept = wf.var("kept", 0)

    async def page(scope: Any, iteration: int) -> Any:
        await kept.update(lambda x: x + iteration)
        got = await scope.activity("double", double, iteration)
        return STOP if got >= 6 else None

    rounds = await wf.repeat("pages", page)
    taken = await wf.branch("status", "open", {"open": case})
    fan = await wf.parallel("fan", [lambda scope, i=i: scope.activity("double", double, i) for i in range(3)])
    return [each.results, [(e.index, str(e.error)) for e in each.errors], rounds, taken, fan, kept.value]


def join(text: str, number: int) -> str:
    called()
    return f"{text}{number}".upper()


async def twice(scope: Any, item: int, index: int) -> int:
    return int(await scope.activity("add", add, item, index))


async def handwritten_by_key(wf: Any) -> list[Any]:
    async def one(scope: Any, item: str, _: int) -> str:
        if item == "b":
            await scope.activity("fail", fail, item)
        return str(await scope.activity("join", join, item, 2))

    found = await wf.each("items", "abc", one, key=lambda item: item, concurrency=2)
    return [found.results, [one.index for one in found.errors], [str(one.error) for one in found.errors]]


async def handwritten_state(wf: Any) -> list[Any]:
    total = wf.var("total", 1)
    names = wf.list("names", ["a"])
    counts = wf.map("counts")

    async def page(scope: Any, iteration: int) -> Any:
        got = await scope.activity("add", add, iteration, 1)
        await total.update(lambda value: value + got)
        await names.push("bcde"[iteration])
        await counts.set("fire", got)
        if iteration == 1:
            await counts.set("ice", 1)
            await counts.set("water", 1)
        if iteration == 2:
            await counts.delete("water")
            await names.filter(lambda name: name != "a")
            return STOP
        return None

    rounds = await wf.repeat("pages", page)
    last = await wf.activity("add", add, rounds, 1)
    return [total.value, names.items, counts.map, last]


async def handwritten_races(wf: Any) -> list[Any]:
    async def first(scope: Any) -> str:
        await scope.activity("add", add, 1, 1)
        return "first"

    async def second(scope: Any) -> str:
        return str(await scope.activity("join", join, "second", 1))

    winner = await wf.race("race", timer=wf.sleep("sleep", "1s"), event=wf.wait("never"))
    taken = await wf.branch(
        "which", (await wf.activity("double", double, 1)) > 1, {True: first, False: second}
    )
    quick = await wf.race("quick", a=wf.activity("double#a", double, 2), b=wf.wait("later"))
    fan = await wf.parallel("fan", [lambda s, i=i: s.activity("slow", slow, i, 3 - i) for i in (1, 2)])
    named = await wf.parallel(a=wf.activity("slow#a", slow, 2, 2), b=wf.activity("slow#b", slow, "x", 1))
    return [winner.name, winner.value, taken, quick.value, fan, dict(named)]
