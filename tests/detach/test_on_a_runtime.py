"""Detaches on a runtime or an engine, outside of any step: durable with the store that it has."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from flopod.backends import Backend, MemoryBackend
from flopod.backends.sqlite import SqliteBackend
from flopod.detach import (
    create_set_timeout_driver,
    flush_all_detached,
    immediate_driver,
    microtask_batch_driver,
)
from flopod.engine.clock import VirtualClock
from flopod.engine.engine import Engine
from flopod.engine.registry import HandWritten
from flopod.engine.runtime import create_runtime
from flopod.errors import SerializableError
from tests.detach import runs

SCRIPT = """
import asyncio, os, sys
from flopod import SqliteBackend, create_runtime
from flopod.detach import flush_all_detached, microtask_batch_driver

async def ship(order):
    print("ships", order, flush=True)
    if sys.argv[2] == "hang":
        await asyncio.sleep(60)
    print("shipped", order, flush=True)

async def main():
    runtime = create_runtime(run_id="r", backend=SqliteBackend(sys.argv[1]))
    if sys.argv[2] == "hang":
        runtime.detach_and_forget(microtask_batch_driver, ship, "A-1")
        print("detached", flush=True)
        await asyncio.sleep(60)
    async with runtime as wf:
        wf.result = 1

asyncio.run(main())
"""


def test_around_the_block() -> None:
    """Before, in and after it; ids count in the process, and nothing of it is in the log of the run."""
    backend = MemoryBackend()

    async def main() -> None:
        runtime = create_runtime(run_id="r", backend=backend)
        before = runtime.detach_and_join_later(microtask_batch_driver, runs.score, "ab")
        runtime.detach_and_forget(immediate_driver, runs.broken, "b")
        async with runtime as wf:
            await wf.activity("note", runs.note, 1)
            during = runtime.detach_and_join_later(immediate_driver, runs.score, "abc")
        assert (await before.wait(), await during.wait()) == (2, 3)
        after = runtime.detach_and_join_later(microtask_batch_driver, runs.unasked)
        assert await after.wait() == "unasked"
        numbers = [_number(one.id) for one in (before, during, after)]
        assert numbers == [numbers[0], numbers[0] + 2, numbers[0] + 3]
        await flush_all_detached(5)

    asyncio.run(asyncio.wait_for(main(), 20))
    assert sorted(_runs(backend)) == [
        ("main", "completed", None),
        ("tests.detach.runs:broken", "failed", "r"),
        ("tests.detach.runs:score", "completed", "r"),
        ("tests.detach.runs:score", "completed", "r"),
        ("tests.detach.runs:unasked", "completed", "r"),
    ]
    assert len(list(backend.load("r"))) == 4


def test_on_an_engine() -> None:
    """They belong to no run; the handle has what the child returned, and a delay is that of the driver."""
    backend = MemoryBackend()

    async def main() -> None:
        async with Engine(backend, HandWritten({"packing": runs.packing})) as engine:
            began = time.monotonic()
            late = engine.detach_and_join_later(create_set_timeout_driver(0.2), runs.score, "ab")
            packed = engine.detach_and_join_later(microtask_batch_driver, runs.packing, "p")
            assert await packed.wait() == "p packed"
            assert late.id.startswith("__executor__:detach:")
            assert await late.wait() == 2
            assert time.monotonic() - began >= 0.2
            with pytest.raises(TypeError, match="is no driver"):
                engine.detach_and_forget(runs.score, "ab")
            with pytest.raises(SerializableError):
                engine.detach_and_forget(microtask_batch_driver, runs.score, object())

    asyncio.run(asyncio.wait_for(main(), 20))
    assert sorted(_runs(backend)) == [
        ("packing", "completed", None),
        ("tests.detach.runs:score", "completed", None),
    ]


def test_what_a_driver_runs_begins_in_the_time_of_its_engine() -> None:
    """In virtual time it is as old as what detached it, not as the machine says."""
    backend = MemoryBackend()

    async def main() -> None:
        registry = HandWritten({"closing": runs.closing})
        async with Engine(backend, registry, clock=VirtualClock(5000)) as engine:
            handle = engine.detach_and_join_later(runs.traced_driver, runs.closing)
            assert await handle.wait() == ["traced", "the shop is closed"]

    asyncio.run(asyncio.wait_for(main(), 20))
    assert [one.started_at for one in backend.summaries()] == [5000, 5000]


def test_an_engine_finds_what_another_left(tmp_path: Path) -> None:
    """Whether or not it had begun."""

    async def leaves() -> None:
        engine = Engine(SqliteBackend(tmp_path / "runs.db"), HandWritten({}))
        engine.enter()
        engine.detach_and_forget(create_set_timeout_driver("100ms"), runs.score, "ab")
        engine.detach_and_forget(runs.traced_driver, runs.score, "abc")
        engine.drop()

    async def finds() -> list[Any]:
        backend = SqliteBackend(tmp_path / "runs.db")
        async with Engine(backend, HandWritten({})) as engine:
            while engine.has_runs:
                await asyncio.sleep(0.01)
        return _runs(backend)

    runs.traced.clear()
    asyncio.run(leaves())
    found = asyncio.run(asyncio.wait_for(finds(), 20))
    assert found == [("tests.detach.runs:score", "completed", None)] * 2
    assert runs.traced[-1] == "abc"


@pytest.mark.process
def test_a_kill_after_the_call_loses_nothing(tmp_path: Path) -> None:
    """SIGKILL when the call has returned: the next start of the runtime does it."""
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    command = [sys.executable, str(script), str(tmp_path / "runs.db")]
    killed = subprocess.Popen([*command, "hang"], stdout=subprocess.PIPE, text=True)
    assert killed.stdout is not None
    assert killed.stdout.readline() == "detached\n"
    os.kill(killed.pid, signal.SIGKILL)
    killed.communicate()
    done = subprocess.run([*command, "go"], capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout.splitlines() == ["ships A-1", "shipped A-1"]


def _number(id: str) -> int:
    return int(id.removeprefix("__executor__:detach:"))


def _runs(backend: Backend) -> list[Any]:
    return [(one.workflow, one.status, one.parent) for one in backend.summaries()]
