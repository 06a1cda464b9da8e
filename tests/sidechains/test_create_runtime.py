"""Side chains of a hand-written program, whose body asyncio steps."""

import asyncio
from typing import Any

import pytest

from flopod.backends.memory import MemoryBackend
from flopod.engine import control
from flopod.engine.runtime import create_runtime
from flopod.errors import DivergenceError, RunPaused
from flopod.events import RunCompleted, RunFailed
from tests.engine.support import RUN, kinds
from tests.engine.test_handwritten import run, session
from tests.sidechains.blocks import called, fail, note, slow


async def program(wf: Any) -> list[Any]:
    async def block(scope: Any, value: int) -> None:
        scope.work("note", note, value)
        await scope.sleep("nap", "10m")

    value = wf.work("block", block, 1, workflow=True)
    wf.work("fail", fail, "x", name="report")
    wf.for_each("note", note, ["a", "b", "c"], concurrency=2)
    early = await wf.wait_for_work("early", timeout="5m")
    found = await wf.tap("note#tapped", note, "tapped")
    late = await wf.wait_for_work("late", timeout="1h")
    wf.work("note#last", note, "last")
    return [value, found, early.pending, late.done, late.failed]


EXPECTED = [1, "tapped", 1, 4, 1]


def test_a_program_from_every_prefix() -> None:
    """The same from every prefix; recorded leaves are not repeated; the block is over when its work is."""
    backend = MemoryBackend()
    assert run(backend, program) == EXPECTED
    assert isinstance(backend.load(RUN)[-1].event, RunCompleted)
    assert kinds(backend).count("StepError") == 1
    every = len(called)
    for cut in range(len(backend.lines(RUN)) + 1):
        copy = backend.prefix(RUN, cut, crashed=False)
        done = sum(kind in ("ActivityCompleted", "ActivityFailed") for kind in kinds(copy))
        called.clear()
        assert run(copy, program) == EXPECTED, cut
        assert len(called) == every - done, cut
        assert kinds(copy).count("StepError") == 1, cut


def test_a_block_that_fails_ends_when_its_work_has() -> None:
    """Its error goes on to the caller."""

    async def body(wf: Any) -> None:
        wf.work("slow", slow, "a")
        await wf.activity("note", note, "main")
        raise LookupError("main")

    backend = MemoryBackend()
    with pytest.raises(LookupError, match="main"):
        run(backend, body)
    assert isinstance(backend.load(RUN)[-1].event, RunFailed)
    assert called[-1] == "a ends"


async def endless(value: str) -> None:
    called.append(value)
    await asyncio.sleep(60)


async def left(wf: Any) -> str:
    wf.work("endless", endless, "leaf")
    return "result"


def test_a_cancelled_task_leaves_a_resumable_run() -> None:
    """While the work drains it neither completes nor fails it, and no task of it is left."""
    backend = MemoryBackend()

    async def main() -> None:
        before = asyncio.all_tasks()
        task = asyncio.create_task(session(backend, left))
        while not called:
            await asyncio.sleep(0.001)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
        assert asyncio.all_tasks() == before

    asyncio.run(asyncio.wait_for(main(), 20))
    assert kinds(backend) == ["RunStarted", "ActivityStarted"]


def test_a_paused_run_leaves_its_block() -> None:
    """The work that rests is cancelled in this process only: it goes on when the run is resumed."""
    backend = MemoryBackend()

    async def body(wf: Any) -> str:
        wf.work("waits", waits, "b", workflow=True)
        await wf.activity("note", note, "main")
        return "result"

    async def waits(scope: Any, value: str) -> None:
        await scope.sleep("sleep", 0.3)
        await scope.activity("note", note, value)

    async def real() -> None:
        async with create_runtime(run_id=RUN, backend=backend) as wf:
            wf.result = await body(wf)

    async def main() -> None:
        before = asyncio.all_tasks()
        running = asyncio.create_task(real())
        while "SleepStarted" not in kinds(backend):
            await asyncio.sleep(0.001)
        control.pause(backend, RUN)
        with pytest.raises(RunPaused):
            await running
        assert asyncio.all_tasks() == before

    asyncio.run(asyncio.wait_for(main(), 20))
    control.resume(backend, RUN)
    asyncio.run(asyncio.wait_for(real(), 20))
    assert called == ["main", "b"]
    assert kinds(backend)[-1] == "RunCompleted"


def test_a_divergence_in_work_reaches_the_caller() -> None:
    """Work that asks for something else than recorded stops the run."""

    async def before(wf: Any) -> None:
        wf.work("note", note, 1)

    async def after(wf: Any) -> None:
        wf.work("note", note, 2)

    backend = MemoryBackend()
    run(backend, before)
    with pytest.raises(DivergenceError, match="note"):
        run(backend.prefix(RUN, 3, crashed=False), after)
