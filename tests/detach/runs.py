"""Workflows that detach, and what they detach: functions and drivers at the top level of a module."""

import asyncio
import functools
import os
import threading
from typing import Any

from flopod import Retry, activity
from flopod.detach import (
    Child,
    create_microtask_batch_driver,
    create_set_timeout_driver,
    immediate_driver,
    microtask_batch_driver,
)
from flopod.detach.running import run_child

traced: list[Any] = []
tries: list[int] = []


async def score(variant: str) -> int:
    """A leaf whose result is wanted later."""
    await asyncio.sleep(0)
    return len(variant)


async def ship(event: dict[str, Any]) -> str:
    """A leaf that nobody waits for."""
    await asyncio.sleep(0)
    return str(event["order"])


def unasked() -> str:
    """A plain function without an input."""
    return "unasked"


def threaded() -> bool:
    """Whether a plain function leaves the event loop alone."""
    return threading.current_thread() is not threading.main_thread()


def elsewhere(_: int) -> int:
    """A plain function that tells which process it is in."""
    return os.getpid()


async def broken(what: str) -> None:
    raise LookupError(what, 7)


@activity(retry=Retry(max_attempts=3, delay="1s", jitter=False))
async def stubborn(x: int) -> int:
    """A leaf with options: they ride on what is detached, too."""
    tries.append(x)
    if len(tries) < 3:
        raise LookupError(x)
    return x


async def note(x: Any) -> Any:
    return x


async def packing(wf: Any, parcel: str) -> str:
    """A workflow that is detached as a whole."""
    packed = await wf.activity("note", note, parcel)
    await wf.sleep("dry", "10ms")
    return f"{packed} packed"


async def _trace(child: Child, given: Any) -> Any:
    traced.append(given)
    return ["traced", await run_child(child, given)]


traced_driver = create_microtask_batch_driver(_trace)
by_name = {"traced": create_microtask_batch_driver(_trace)}
later_driver = create_set_timeout_driver("10m")


async def fan_out(wf: Any, variants: list[str]) -> list[int]:
    """Detaches in a loop, joined after it."""
    handles = [
        wf_one.detach_and_join_later(microtask_batch_driver, score, one)
        for wf_one, one in wf.each("variants", variants)
    ]
    await wf.activity("note", note, "between")
    return [await handle.wait() for handle in handles]


async def all_ways(wf: Any, order: str) -> list[Any]:
    """Join and forget, by several drivers, and a child that fails."""
    wf.detach_and_forget("ship", microtask_batch_driver, ship, {"order": order})
    scored = wf.detach_and_join_later("score", traced_driver, score, order)
    failed = wf.detach_and_join_later("broken", microtask_batch_driver, broken, order)
    named = wf.detach_and_join_later("named", immediate_driver, unasked)
    seen: list[Any] = [scored.status, named.status, await wf.activity("note", note, "between")]
    try:
        await failed.wait()
    except LookupError as error:
        seen += [error.args, failed.status, failed.error is error]
    seen += [await scored.wait(), await scored.wait(), await named.wait()]
    return [*seen, scored.result, scored.status, scored.id, named.id]


async def ships_parcels(wf: Any, parcel: str) -> list[Any]:
    """Detaches a workflow: by a standard driver, and by one with a runner of its own."""
    packed = wf.detach_and_join_later("packing", immediate_driver, packing, parcel)
    traced = wf.detach_and_join_later("traced", traced_driver, packing, parcel)
    return [await packed.wait(), await traced.wait()]


async def closing(wf: Any) -> str:
    """A workflow that takes nothing."""
    return f"{await wf.activity('note', note, 'the shop')} is closed"


async def closes(wf: Any) -> list[Any]:
    """Detaches a workflow that takes nothing: by a standard driver, and by one with a runner of its own."""
    closed = wf.detach_and_join_later("closing", immediate_driver, closing)
    traced = wf.detach_and_join_later("traced", traced_driver, closing)
    return [await closed.wait(), await traced.wait()]


async def misfits(wf: Any, parcel: str) -> list[Any]:
    """Detaches a workflow that takes something else."""
    wf.detach_and_forget("forgotten", immediate_driver, ships_two, parcel)
    handle = wf.detach_and_join_later("joined", immediate_driver, ships_two, parcel)
    try:
        await handle.wait()
    except TypeError as error:
        return [str(error), handle.status]
    return []


async def ships_two(_: Any, one: str, other: str) -> str:
    return f"{one} {other}"


async def polls(wf: Any, count: int) -> list[Any]:
    """Reads the status of handles, and never waits for one."""
    handles = [
        wf_one.detach_and_join_later(microtask_batch_driver, score, "x" * one)
        for wf_one, one in wf.each("xs", range(count))
    ]
    loop, looks = wf.repeat("loop"), 0
    while scope := loop.next():
        if all(handle.status == "done" for handle in handles):
            break
        looks += 1
        await scope.sleep("nap", 0.005)
    return [[handle.result for handle in handles], looks > 0]


async def forgets_and_ends(wf: Any, order: str) -> str:
    """Ends in the very step that detaches."""
    wf.detach_and_forget("ship", microtask_batch_driver, ship, {"order": order})
    return "ended"


async def delayed(wf: Any) -> str:
    """Waits for what a driver keeps back."""
    handle = wf.detach_and_join_later("score", later_driver, score, "late")
    return f"{await handle.wait()} {handle.status}"


class Parcel:
    """Something with methods."""

    def __init__(self, to: str) -> None:
        self.to = to

    async def send(self, by: str) -> str:
        return f"{self.to} by {by}"


parcel = Parcel("Ada")
noted = functools.partial(note)
