"""Side chains as the compiler emits them, of the kinds that replay finds hard."""

import asyncio
from typing import Any

from tests.workflow.programs import add, double, fail, slow


async def beside(wf: Any) -> list[Any]:
    """All of it in one main line."""
    value = wf.work("double", double, 2)
    wf.work("fail", fail, "x", name="report")
    wf.work("skipped", double, 1, when=False)
    wf.for_each("slow", slow_one, ["a", "b", "c"], connector=lambda text: text * 2, concurrency=2)
    found = await wf.activity("add", add, value, 1)
    early = await wf.wait_for_work("wait_for_work#early", timeout="1h")
    wf.work("late", double, found)
    tapped = await wf.tap("double#tapped", double, 7)
    return [value, found, tapped, *_counts(early), *_counts(await wf.wait_for_work("wait_for_work"))]


async def slow_one(text: str) -> int:
    return await slow(len(text), len(text))


async def late_timer(wf: Any) -> list[Any]:
    """The timeout comes first: the work rests, is waited for again, and fails the main line."""
    wf.work("naps", naps, 60, workflow=True)
    wf.work("fails_late", fails_late, "late", workflow=True)
    first = await wf.wait_for_work("wait_for_work#first", timeout=30, fail_on_error=True)
    try:
        await wf.wait_for_work("wait_for_work#second", fail_on_error=True)
    except ValueError as error:
        second = error.args
    return [*_counts(first), *second, *_counts(await wf.wait_for_work("wait_for_work#third"))]


async def naps(wf: Any, seconds: int) -> None:
    await wf.sleep("sleep", seconds)
    await wf.activity("double", double, seconds)


async def fails_late(wf: Any, text: str) -> None:
    await wf.sleep("sleep", 45)
    await wf.activity("fail", fail, text)


async def families(wf: Any) -> list[Any]:
    """Work of work, of a called workflow, of a nested function, of the arms of a fan-out."""

    async def nested(wf: Any, value: int) -> None:
        wf.work("double", double, value)

    async def arm(scope: Any, value: int) -> int:
        scope.work("naps", naps, value, workflow=True)
        return int(await scope.activity("double", double, value))

    await wf.call("nested", nested, 1)
    wf.work("queues", queues, 3, workflow=True)
    called = await wf.call("called", queues, 2)
    each = await wf.each("items", [1, 2], lambda scope, item, _: arm(scope, item), concurrency=2)
    await asyncio.gather(*(arm(scope, n) for scope, n in wf.each("range", range(2), keep=None)))
    return [called, each.results, *_counts(await wf.wait_for_work("wait_for_work"))]


async def queues(wf: Any, depth: int) -> int:
    """Work that queues work, and does not wait for it."""
    if depth:
        wf.work("queues", queues, depth - 1, workflow=True)
    await wf.activity("double", double, depth)
    return depth


async def fails_with_work(wf: Any) -> None:
    """The main line fails while its work is under way."""
    wf.work("queues", queues, 1, workflow=True)
    await wf.activity("fail", fail, "main")


async def in_a_loop(wf: Any, rounds: int, waits: bool) -> list[Any]:
    """Each iteration queues work, of which some fails; its number is carried by a variable."""
    total = wf.var("total", 0)
    for wf_i, i in wf.each("range", range(rounds)):
        wf_i.work("fail" if i % 3 == 2 else "double", fail if i % 3 == 2 else double, i)
        total.value += await wf_i.activity("add", add, i, 1)
        await wf_i.activity("slow#1", slow_one, "x" * 40)
        await wf_i.activity("slow#2", slow_one, "x" * 40)
        if waits:
            await wf_i.wait_for_work("wait_for_work")
    try:
        drained = await wf.wait_for_work("wait_for_work", fail_on_error=True)
    except ValueError as error:
        return [total.value, str(error)]
    return [total.value, *_counts(drained)]


async def always_open(wf: Any, rounds: int) -> list[Any]:
    """The work of each iteration is still open when the next one ends."""
    found = wf.list("found")
    for wf_i, i in wf.each("range", range(rounds)):
        wf_i.work("naps", naps, 2, workflow=True)
        found.append(await wf_i.activity("add", add, i, 1))
        await wf_i.sleep("sleep", 1)
    return [list(found), *_counts(await wf.wait_for_work("wait_for_work"))]


def _counts(drained: Any) -> list[int]:
    return [drained.done, drained.failed, drained.pending]
