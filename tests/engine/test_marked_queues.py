"""`@workflow(queue=...)`: the queue of a workflow's runs, where a start names no other."""

from __future__ import annotations

import asyncio
from typing import Any

from flopod.authoring import workflow
from flopod.backends import Backend
from flopod.backends.memory import MemoryBackend
from flopod.engine.engine import Engine
from flopod.engine.limits import Limit, Queue
from flopod.engine.registry import HandWritten
from flopod.engine.schedule import Schedule
from flopod_compiler.build import compile_project

most: list[int] = []
under_way = [0]


async def busy() -> None:
    under_way[0] += 1
    most.append(under_way[0])
    await asyncio.sleep(0.01)
    under_way[0] -= 1


@workflow(queue="narrow")
async def step(wf: Any) -> None:
    await wf.activity("busy", busy)


async def parent(wf: Any) -> None:
    for handle in [scope.child("step", "step") for scope, _ in wf.each("ns", range(4))]:
        await handle.wait()


WORKFLOWS = HandWritten({"step": step, "parent": parent})
QUEUES = {"narrow": Queue(limit=Limit(concurrency=1))}


def test_the_limits_of_the_queue_hold_without_naming_it(store: Backend) -> None:
    """For runs that are started, and for children."""
    most.clear()

    async def main() -> None:
        async with Engine(store, WORKFLOWS, queues=QUEUES) as engine:
            handles = [await engine.start("step") for _ in range(4)]
            handles.append(await engine.start("parent", run_id="p"))
            for handle in handles:
                await handle.result()

    asyncio.run(asyncio.wait_for(main(), 30))
    assert len(most) == 8
    assert max(most) == 1
    assert {one.queue for one in store.summaries() if one.workflow == "step"} == {"narrow"}


def test_a_start_and_a_schedule_may_name_another() -> None:
    """What is said last counts."""
    store = MemoryBackend()

    async def main() -> None:
        async with Engine(store, WORKFLOWS, queues=QUEUES) as engine:
            await (await engine.start("step", queue="wide", run_id="wide")).result()
            for name, queue in (("own", "nightly"), ("marked", "")):
                engine.schedules.put(Schedule(name=name, workflow="step", every="1s", queue=queue))
            while len([one for one in store.summaries() if one.status == "completed"]) < 3:
                await asyncio.sleep(0.05)

    asyncio.run(asyncio.wait_for(main(), 30))
    queues = {one.run_id.partition("-")[0]: one.queue for one in store.summaries()}
    assert queues == {"wide": "wide", "own": "nightly", "marked": "narrow"}


def test_the_manifest_has_the_queue(tmp_path: Any) -> None:
    """So that an engine that runs a build knows it."""
    source = 'from flopod import workflow\n@workflow(queue="mail")\nasync def send(x: int) -> int: return x\n'
    (tmp_path / "shop.py").write_text(source)
    manifest = compile_project(tmp_path).manifest
    assert manifest is not None
    assert manifest.workflows["send"].queue == "mail"
