"""What other durable engines leave pending for ever: slots that are lost, runs nobody goes on with."""

import asyncio
from typing import Any

import pytest
from msgspec import Raw

from flopod.backends import Backend
from flopod.backends.memory import MemoryBackend
from flopod.engine import control
from flopod.engine.copies import exported, fork, imported
from flopod.engine.engine import Engine
from flopod.engine.limits import Limit
from tests.contract.support import Place
from tests.engine.support import calls, note
from tests.reliability.support import broken, may_break, serve, status, until


async def steps(wf: Any, name: str) -> str:
    for n in range(3):
        await wf.activity(f"step#{n}", note, (name, n))
        await wf.sleep(f"nap#{n}", 0.001)
    return name


def test_a_run_that_was_killed_between_its_steps_does_not_block_its_queue() -> None:
    """With room for one run only, those behind it come to their end from wherever it was killed."""
    whole = MemoryBackend()

    async def alone(engine: Engine) -> None:
        await (await engine.start("steps", ["r"], run_id="r")).result()

    async def behind(engine: Engine) -> list[str]:
        handles = [await engine.start("steps", [name], run_id=name) for name in "ab"]
        return [await handle.result() for handle in handles] + [(await engine.outcome("r")).value]

    limits = {"steps": Limit(concurrency=1)}
    serve(whole, {"steps": steps}, alone)
    for count in range(1, len(whole.load("r")) + 1):
        store = whole.prefix("r", count)
        assert serve(store, {"steps": steps}, behind, limits=limits) == ["a", "b", "r"], count


async def parks(wf: Any, x: Any) -> Any:
    await wf.activity("before", note, x)
    return await wf.wait("go")


ONE_AT_A_TIME = {"parks": Limit(concurrency=1)}


@pytest.mark.parametrize("resting", [0, 8])
def test_a_paused_run_gives_its_slot_back_and_stands_in_line_when_it_is_resumed(
    store: Backend, resting: int
) -> None:
    """Whether it was driven or put away: it does not block its queue, and who waits for it hears of it."""

    async def use(engine: Engine) -> list[Any]:
        first = await engine.start("parks", ["first"], run_id="first")
        await until(lambda: status(store, "first") == "waiting")
        waiting = asyncio.create_task(first.outcome())
        control.pause(store, "first")
        assert (await waiting).status == "paused"
        second = await engine.start("parks", ["second"], run_id="second")
        await until(lambda: status(store, "second") == "waiting")
        control.resume(store, "first")
        engine.deliver("first", "go", "go", Raw(b"1"))
        await asyncio.sleep(0.1)
        assert status(store, "first") == "waiting"
        engine.deliver("second", "go", "go", Raw(b"2"))
        return [await first.result(), await second.result()]

    assert serve(store, {"parks": parks}, use, resting=resting, limits=ONE_AT_A_TIME) == [1, 2]
    assert calls == ["first", "second"]


def test_a_run_that_is_ended_by_force_gives_its_slot_back(store: Backend) -> None:
    """Put away when it happens, it does not block its queue, and who waits for it hears of it."""

    async def use(engine: Engine) -> None:
        first = await engine.start("parks", ["first"], run_id="first")
        await until(lambda: status(store, "first") == "waiting" and "first" not in engine._live)
        waiting = asyncio.create_task(first.outcome())
        await asyncio.sleep(0)
        assert control.cancel(store, "first", "enough", force=True) is control.Done.NOW
        assert (await waiting).status == "cancelled"
        await engine.start("parks", ["second"], run_id="second")
        await until(lambda: status(store, "second") == "waiting")

    serve(store, {"parks": parks}, use, resting=0, limits=ONE_AT_A_TIME)
    assert calls == ["first", "second"]


async def fragile(wf: Any) -> Any:
    await wf.activity("safe", note, "safe")
    return await wf.activity("fragile", may_break, "fragile")


def test_an_engine_goes_on_at_once_with_what_others_let_go_on(store: Backend, place: Place) -> None:
    """A run that is retried, forked or imported, by another process, is not left until the next start."""
    outside = place.open()
    broken[0] = True

    async def use(engine: Engine) -> None:
        failed = await engine.start("fragile", run_id="r")
        assert (await failed.outcome()).status == "failed"
        broken[0] = False
        control.retry(outside, "r")
        await until(lambda: status(store, "r") == "completed")
        fork(outside, "r", "forked", "fragile")
        await until(lambda: status(store, "forked") == "completed")
        imported(outside, exported(outside, "r"), "imported")
        waits = await engine.start("parks", [1], run_id="waits")
        await until(lambda: status(store, "waits") == "waiting")
        imported(outside, exported(outside, "waits"), "copy")
        outside.deliver("copy", "go", "go", b"5")
        await until(lambda: status(store, "copy") == "completed")
        engine.deliver("waits", "go", "go", Raw(b"6"))
        assert await waits.result() == 6

    serve(store, {"fragile": fragile, "parks": parks}, use)
    assert calls == ["safe", "fragile", "fragile", "fragile", 1]
    assert status(store, "imported") == "completed"
