"""`Engine`: many runs in one process; what is started surely runs, what waits is put away and comes back."""

import asyncio
import gc
import os
import signal
import subprocess
import sys
import time
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec import Raw

from flopod.backends.base import Backend
from flopod.backends.memory import MemoryBackend
from flopod.engine.engine import Engine
from flopod.engine.registry import HandWritten
from flopod.errors import InputChanged, RunHeld, UnknownRun, UnknownWorkflow
from flopod.events import RunStarted
from tests.contract.support import Place
from tests.engine.served import serve, until
from tests.engine.support import calls, note


def test_runs_started_together_all_end_with_their_own_result(backend: Backend) -> None:
    """Two hundred runs, more than may be under way at a time."""

    async def use(engine: Engine) -> list[Any]:
        handles = await asyncio.gather(*(engine.start("one", [n]) for n in range(200)))
        return await asyncio.gather(*(handle.result() for handle in handles))

    assert serve(backend, use, concurrency=16) == list(range(200))
    assert sorted(calls) == list(range(200))
    assert {summary.status for summary in backend.summaries()} == {"completed"}


class Broken(MemoryBackend):
    """A store with a mistake in it."""

    def watch_inbox(self, run_id: str, wake: Callable[[], None]) -> Callable[[], None]:
        if run_id == "r":
            raise ZeroDivisionError(run_id)
        return super().watch_inbox(run_id, wake)


def test_who_waits_for_a_run_hears_of_an_error_of_the_program(caplog: pytest.LogCaptureFixture) -> None:
    """One that flopod does not know is raised and logged, and the engine goes on."""
    store = Broken()
    store.append("r", 0, [RunStarted(workflow="one", input=Raw(b"[1]"), run_id="r")])

    async def use(engine: Engine) -> Any:
        outcome = await engine.outcome("r")
        assert isinstance(outcome.error, ZeroDivisionError)
        return await (await engine.start("one", [2])).result()

    assert serve(store, use) == 2
    assert "run r is left as it is" in caplog.text


def test_a_failed_run_raises_its_error(backend: Backend) -> None:
    """`result` raises what the workflow raised, at once and of a run that was over before."""

    async def use(engine: Engine) -> None:
        handle = await engine.start("fails", run_id="f")
        for _ in range(2):
            with pytest.raises(LookupError, match="gone"):
                await handle.result()

    serve(backend, use)


def test_the_same_start_twice_is_one_run(backend: Backend) -> None:
    """A start is idempotent by its run id; another input under it is refused."""

    async def use(engine: Engine) -> None:
        first, second = await asyncio.gather(*(engine.start("one", [7], run_id="same") for _ in range(2)))
        assert [await first.result(), await second.result()] == [7, 7]
        assert await (await engine.start("one", [7], run_id="same")).result() == 7
        with pytest.raises(InputChanged):
            await engine.start("one", [8], run_id="same")
        with pytest.raises(UnknownWorkflow):
            await engine.start("two")
        with pytest.raises(UnknownRun):
            await engine.outcome("nobody")

    serve(backend, use)
    assert calls == [7]


@pytest.mark.parametrize("resting", [0, 10])
def test_a_waiting_run_goes_on_with_its_event(backend: Backend, resting: int) -> None:
    """Whether it rests in memory or was put away, nothing that was recorded runs again."""

    async def use(engine: Engine) -> Any:
        handles = [await engine.start("approval", [n], run_id=f"run{n}") for n in range(5)]
        await until(lambda: sum(one.status == "waiting" for one in backend.summaries()) == 5)
        for n in range(5):
            engine.deliver(f"run{n}", "approved", "approved", Raw(str(n).encode()))
        return [await handle.result() for handle in handles]

    assert serve(backend, use, resting=resting) == [("after", n, n) for n in range(5)]
    assert sorted(map(str, calls)) == sorted(
        str(call) for n in range(5) for call in (("before", n), ("after", n, n))
    )


def test_timers_wake_runs_that_were_put_away(backend: Backend) -> None:
    """A sleep ends although nobody holds the run in memory."""

    async def use(engine: Engine) -> list[Any]:
        handles = [await engine.start("naps", [0.2]) for _ in range(20)]
        return [await handle.result() for handle in handles]

    assert serve(backend, use, resting=0) == ["awake"] * 20


def test_what_an_engine_leaves_the_next_one_takes_up(backend: Backend) -> None:
    """Runs that wait, and runs that had not begun, go on in another engine."""

    async def first(engine: Engine) -> None:
        await engine.start("approval", [1], run_id="waits")
        await until(lambda: any(one.status == "waiting" for one in backend.summaries()))

    async def second(engine: Engine) -> Any:
        engine.deliver("waits", "approved", "approved", Raw(b'"yes"'))
        return (await engine.outcome("waits")).value

    serve(backend, first)
    assert serve(backend, second) == ("after", 1, "yes")
    assert calls == [("before", 1), ("after", 1, "yes")]


def test_a_drain_lets_leaves_end_and_starts_no_other(backend: Backend) -> None:
    """What was under way is recorded; what comes after it runs in the next engine, once."""

    async def slow(x: int) -> int:
        calls.append(x)
        await asyncio.sleep(0.1)
        return x

    async def two(wf: Any) -> int:
        return int(await wf.activity("a", slow, 1) + await wf.activity("b", slow, 2))

    async def main(wait: bool) -> Any:
        async with Engine(backend, HandWritten({"two": two})) as engine:
            handle = await engine.start("two", run_id="r")
            await until(lambda: bool(calls))
            return await handle.result() if wait else None

    asyncio.run(main(wait=False))
    assert calls == [1]
    assert asyncio.run(main(wait=True)) == 3
    assert calls == [1, 2]
    assert backend.summary("r").crashes == 0  # type: ignore[union-attr]


def test_a_run_that_another_process_holds_is_left_alone(backend: Backend) -> None:
    """It is not executed twice."""

    async def use(engine: Engine) -> None:
        with backend.hold("mine"), pytest.raises(RunHeld):
            await engine.start("one", [1], run_id="mine")

    serve(backend, use)
    assert calls == []


# -- memory and processes ------------------------------------------------------------------------


@pytest.mark.usefixtures("small_heap")
def test_runs_that_were_put_away_are_out_of_memory() -> None:
    """Nothing of their bodies stays: neither the frames nor what they hold."""
    alive: weakref.WeakSet[Any] = weakref.WeakSet()

    class Heavy:
        pass

    async def holds(wf: Any) -> None:
        heavy = Heavy()
        alive.add(heavy)
        try:
            await wf.wait("never")
        finally:
            calls.append("finally")
            await wf.activity("cleanup", note, "cleanup")
            del heavy

    async def main() -> None:
        async with Engine(MemoryBackend(), HandWritten({"holds": holds}), resting=2) as engine:
            for _ in range(20):
                await engine.start("holds")
            await until(lambda: gc.collect() >= 0 and len(alive) <= 2)

    asyncio.run(main())


SERVER = """
import asyncio, os, sys
from flopod.backends import FileBackend, PostgresBackend, SqliteBackend
from flopod.engine.engine import Engine
from flopod.engine.registry import HandWritten

async def work(n, i):
    with open(sys.argv[1], "a") as journal:
        journal.write(f"{{n}}.{{i}}\\n")
        journal.flush()
    await asyncio.sleep(0.001)
    return i

async def steps(wf, n):
    total = 0
    for i in range(5):
        total += await wf.activity(f"work#{{i}}", work, n, i)
        await wf.sleep(f"nap#{{i}}", 0.001)
    return total

async def main():
    async with Engine({store}, HandWritten({{"steps": steps}})) as engine:
        handles = [await engine.start("steps", [n], run_id=f"run{{n}}") for n in range(30)]
        print("started", flush=True)
        for handle in handles:
            assert await handle.result() == 10
        print("done", flush=True)

asyncio.run(main())
"""


def lines_of(journal: Path) -> list[str]:
    """What leaves have written."""
    return journal.read_text().splitlines() if journal.exists() else []


def test_an_engine_that_is_killed_loses_nothing(shared: Place, tmp_path: Path) -> None:
    """Killed at many moments; at the end every run has its result, and only leaves in flight ran again."""
    journal = tmp_path / "journal"
    program = tmp_path / "server.py"
    program.write_text(SERVER.format(store=shared.expression))
    command = [sys.executable, str(program), str(journal)]
    environment = {**os.environ, "FLOPOD_MAX_CRASHES": "1000"}
    kills = 0
    for attempt in range(60):
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
        )
        wanted = len(lines_of(journal)) + 1 + 15 * attempt
        while process.poll() is None and len(lines_of(journal)) < wanted:
            time.sleep(0.001)
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
        out, talk = process.communicate(timeout=60)
        if process.returncode == -signal.SIGKILL:
            kills += 1
            continue
        assert process.returncode == 0, talk
        assert "done" in out
        break
    lines = lines_of(journal)
    assert set(lines) == {f"{n}.{i}" for n in range(30) for i in range(5)}
    assert kills > 0
    assert len(lines) - len(set(lines)) <= 30 * kills


def test_another_process_delivers_and_starts(shared: Place) -> None:
    """What another process puts into the store is noticed without a restart."""
    store = shared.open()
    program = (
        "from flopod.backends import FileBackend, PostgresBackend, SqliteBackend\n"
        "from flopod.events import RunStarted; from msgspec import Raw\n"
        f"store = {shared.expression}\n"
        "store.deliver('here', 'approved', 'approved', Raw(b'1'))\n"
        "store.append('other', 0, [RunStarted(workflow='one', input=Raw(b'[5]'), run_id='other')])\n"
        "store.announce('other')\n"
    )

    async def use(engine: Engine) -> None:
        handle = await engine.start("approval", [1], run_id="here")
        await until(lambda: store.summary("here").status == "waiting")  # type: ignore[union-attr]
        await asyncio.to_thread(subprocess.run, [sys.executable, "-c", program], check=True)
        await handle.result()
        await until(lambda: store.summary("other") is not None)
        assert (await engine.outcome("other")).value == 5

    serve(store, use)
