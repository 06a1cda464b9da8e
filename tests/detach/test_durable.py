"""What a run detaches, in the log and in the store: begun surely, once, and joined as often as one likes."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from flopod.backends import Backend, MemoryBackend
from flopod.backends.file import FileBackend
from flopod.backends.sqlite import SqliteBackend
from flopod.detach import (
    immediate_driver,
    microtask_batch_driver,
    registry,
    worker_driver,
)
from flopod.engine.engine import Engine
from flopod.engine.registry import HandWritten
from flopod.errors import DuplicateId, SerializableError
from flopod.events import Detached, DetachEnded, RunCompleted, RunStarted
from flopod.testing import Flopod
from tests.detach import runs


@pytest.fixture
def harness() -> Iterator[Flopod]:
    with contextlib.closing(Flopod()) as harness:
        yield harness


@pytest.mark.parametrize(
    "flow, args",
    [
        (runs.fan_out, [["a", "bb", "ccc"]]),
        (runs.all_ways, ["A-1"]),
        (runs.polls, [3]),
        (runs.forgets_and_ends, ["A-1"]),
        (runs.delayed, []),
    ],
)
def test_a_kill_after_any_write_changes_nothing(
    harness: Flopod, flow: Callable[..., Any], args: list[Any]
) -> None:
    """It ends the same, and nothing whose outcome is recorded is called again."""
    harness.crash_matrix(flow, *args)


def test_what_is_seen_of_handles(harness: Flopod) -> None:
    """Queued until the driver has it, running at once with the immediate one; ids are those of the scope."""
    run = harness.run(runs.all_ways, "A-1")
    assert run.result() == [
        *("queued", "running", "between"),
        *(("A-1", 7), "failed", True),
        *(["traced", 3], ["traced", 3], "unasked"),
        *(["traced", 3], "done", "all_ways:detach:2", "all_ways:detach:4"),
    ]


def test_what_is_in_the_log(harness: Flopod) -> None:
    """Each detach, with its driver, its mode and the run that does the work; the end of what is joined."""
    run = harness.run(runs.all_ways, "A-1")
    run.result()
    begun = [event for event in run.events if isinstance(event, Detached)]
    assert [(one.path, one.mode, one.driver, one.workflow) for one in begun] == [
        ("ship", "forget", "microtask-batch", "tests.detach.runs:ship"),
        ("score", "join", "tests.detach.runs:traced_driver", "tests.detach.runs:score"),
        ("broken", "join", "microtask-batch", "tests.detach.runs:broken"),
        ("named", "join", "immediate", "tests.detach.runs:unasked"),
    ]
    ended = {event.path for event in run.events if isinstance(event, DetachEnded)}
    assert ended == {"score", "broken", "named"}
    summary = run.backend.summary(begun[0].child)
    assert summary is not None
    assert (summary.status, summary.parent, summary.detach) == ("completed", run.run_id, begun[0].id)


def test_numbers_count_in_each_scope(harness: Flopod) -> None:
    """An iteration has its own, with its path before them."""
    run = harness.run(runs.fan_out, ["a", "b"])
    run.result()
    ids = [event.id for event in run.events if isinstance(event, Detached)]
    assert ids == ["variants[0]:detach:1", "variants[1]:detach:1"]


def test_the_delay_of_a_driver_is_a_durable_timer(harness: Flopod) -> None:
    """It counts from the detach, whatever happens to the process meanwhile."""
    run = harness.run(runs.delayed)
    run.advance("4m")
    run.crash()
    run.resume()
    assert run.result() == "4 done"
    assert run.elapsed.total_seconds() == 600


def test_an_id_is_taken_once(harness: Flopod) -> None:
    """As any other id of a scope."""

    async def twice(wf: Any) -> None:
        wf.detach_and_forget("ship", microtask_batch_driver, runs.ship, {"order": 1})
        wf.detach_and_forget("ship", microtask_batch_driver, runs.ship, {"order": 2})

    with pytest.raises(DuplicateId):
        harness.run(twice).result()


def test_an_input_that_is_no_data(harness: Flopod) -> None:
    """It fails the handle at once; where there is none, the caller hears of it."""

    async def joins(wf: Any) -> Any:
        handle = wf.detach_and_join_later("score", microtask_batch_driver, runs.note, threading.Lock())
        assert handle.status == "failed"
        with pytest.raises(SerializableError, match="score"):
            await handle.wait()
        with pytest.raises(SerializableError, match="ship"):
            wf.detach_and_forget("ship", microtask_batch_driver, runs.note, threading.Lock())
        return [handle.id, handle.error is not None]

    run = harness.run(joins)
    assert run.result() == ["joins:detach:1", True]
    assert not any(isinstance(event, Detached) for event in run.events)


@pytest.mark.parametrize("driver", [None, "", object(), type(microtask_batch_driver)])
def test_what_is_no_driver_is_refused_at_the_call(harness: Flopod, driver: Any) -> None:
    """By the call, before anything is recorded."""

    async def wrong(wf: Any) -> None:
        wf.detach_and_join_later("id", driver, runs.note, 1)

    with pytest.raises(TypeError, match="is no driver"):
        harness.run(wrong).result()


def test_a_failed_child_reaches_nobody(harness: Flopod) -> None:
    """Neither the one that forgot it, nor the others."""

    async def forgets(wf: Any) -> str:
        wf.detach_and_forget("broken", microtask_batch_driver, runs.broken, "b")
        handle = wf.detach_and_join_later("score", microtask_batch_driver, runs.score, "abc")
        return f"{await handle.wait()} fine"

    run = harness.run(forgets)
    assert run.result() == "3 fine"
    assert {run_id: _status(run.backend, run_id) for run_id in run.children} == {
        "test.broken": "failed",
        "test.score": "completed",
    }


def test_options_ride_on_what_is_detached(harness: Flopod) -> None:
    """A retry is that of a leaf: durable, with its delays."""
    runs.tries.clear()

    async def retries(wf: Any) -> Any:
        return await wf.detach_and_join_later("stubborn", microtask_batch_driver, runs.stubborn, 5).wait()

    run = harness.run(retries)
    assert run.result() == 5
    assert len(runs.tries) == 3
    assert run.elapsed.total_seconds() == 3


def test_a_child_may_detach_in_its_turn() -> None:
    """A workflow that is detached is a run like others."""

    async def main(engine: Engine) -> Any:
        handle = await engine.start("ships_parcels", ["p"], run_id="r")
        return (await handle.outcome()).value

    runs.traced.clear()
    backend = MemoryBackend()
    workflows = {"ships_parcels": runs.ships_parcels, "packing": runs.packing}
    assert _serve(backend, workflows, main) == ["p packed", ["traced", "p packed"]]
    assert runs.traced == ["p"]
    kinds = {one.run_id: (one.workflow, one.status) for one in backend.summaries()}
    assert kinds == {
        "r": ("ships_parcels", "completed"),
        "r.packing": ("packing", "completed"),
        "r.traced": ("tests.detach.runs:packing", "completed"),
        "r.traced.packing": ("packing", "completed"),
    }


def test_a_plain_function_does_not_stop_the_event_loop() -> None:
    """It runs in a thread, beside the other runs of an engine."""

    async def where(wf: Any) -> Any:
        return await wf.detach_and_join_later("t", microtask_batch_driver, runs.threaded).wait()

    assert _run(MemoryBackend(), where) is True


@pytest.mark.process
def test_a_worker_has_a_process_of_its_own() -> None:
    """In a run as outside of one."""

    async def works(wf: Any) -> Any:
        return await wf.detach_and_join_later("w", worker_driver, runs.elsewhere, 1).wait()

    assert _run(MemoryBackend(), works) != os.getpid()


@pytest.mark.parametrize("store", ["file", "sqlite"])
def test_the_work_is_in_the_store_whenever_the_detach_is_in_the_log(tmp_path: Path, store: str) -> None:
    """Seen after every write, by a parent that ends in the very step that detaches."""
    backend: Any = FileBackend(tmp_path) if store == "file" else SqliteBackend(tmp_path / "runs.db")
    seen: list[bool] = []
    append_many = backend.append_many

    def noted(batches: Any) -> Any:
        result = append_many(batches)
        kinds = {type(event) for _, event in backend.load("r")}
        if Detached in kinds:
            seen.append(isinstance(backend.first("r.ship").event, RunStarted))
        return result

    backend.append_many = noted
    assert _run(backend, runs.forgets_and_ends, "A-1") == "ended"
    assert seen
    assert all(seen)


def test_it_goes_on_from_every_state_of_parent_and_child() -> None:
    """Each prefix of the one log with each of the other, in any order of what was written last."""
    whole = MemoryBackend()
    expected = _run(whole, runs.fan_out, ["ab"])
    child = next(one.run_id for one in whole.summaries() if one.parent == "r")
    logs = {run_id: [event for _, event in whole.load(run_id)] for run_id in ("r", child)}
    for parent in range(1, len(logs["r"]) + 1):
        for length in range(1, len(logs[child]) + 1):
            has = {type(event) for event in logs["r"][:parent]}
            if (DetachEnded in has and length < len(logs[child])) or (Detached not in has and length > 1):
                continue
            backend = MemoryBackend()
            backend.append("r", 0, logs["r"][:parent])
            if Detached in has or length:
                backend.append(child, 0, logs[child][:length])
            assert _run(backend, runs.fan_out) == expected, (parent, length)
            assert _status(backend, child) == "completed"


def test_a_forgotten_child_outlives_its_parent() -> None:
    """Whose process ended with it: the next one finds the work in the store."""
    backend = MemoryBackend()

    async def leaves(engine: Engine) -> None:
        handle = await engine.start("r", ["A-1"], run_id="r")
        assert (await handle.outcome()).value == "ended"
        engine.drop()

    _serve(backend, {"r": runs.forgets_and_ends}, leaves, closes=False)
    assert _status(backend, "r") == "completed"

    async def looks(_: Engine) -> None:
        while _status(backend, "r.ship") != "completed":
            await asyncio.sleep(0.01)

    _serve(backend, {"r": runs.forgets_and_ends}, looks)


LOCAL = """
import asyncio, sys
from flopod import SqliteBackend, create_runtime
from flopod.detach import create_microtask_batch_driver

async def main():
    async def runner(child, given):
        print("runs", given, flush=True)
        await asyncio.sleep(float(sys.argv[2]))
        return ["mine", await child(given)]

    async def doubled(x):
        return x * 2

    async with create_runtime(run_id="r", backend=SqliteBackend(sys.argv[1])) as wf:
        handle = wf.detach_and_join_later("d", create_microtask_batch_driver(runner), doubled, 4)
        wf.result = await handle.wait()
    print(wf.result)

asyncio.run(main())
"""


@pytest.mark.process
def test_a_local_driver_and_a_local_child_are_known_to_this_process(tmp_path: Path) -> None:
    """They work as others do; after a kill the block hands them over again."""
    script = tmp_path / "script.py"
    script.write_text(LOCAL)
    command = [sys.executable, str(script), str(tmp_path / "runs.db")]
    killed = subprocess.Popen([*command, "60"], stdout=subprocess.PIPE, text=True)
    assert killed.stdout is not None
    assert killed.stdout.readline() == "runs 4\n"
    killed.kill()
    killed.communicate()
    done = subprocess.run([*command, "0"], capture_output=True, text=True, timeout=30, check=False)
    assert done.stdout == "runs 4\n['mine', 8]\n", done.stderr


def test_work_whose_function_is_gone_is_left_and_said(caplog: pytest.LogCaptureFixture) -> None:
    """It keeps its place in the store for a process that has the function."""
    backend = MemoryBackend()
    _run(backend, runs.forgets_and_ends, "A-1")
    (first,) = [event for _, event in backend.load("r.ship")][:1]
    assert isinstance(first, RunStarted)
    store = MemoryBackend()
    store.append("r.ship", 0, [replace(first, workflow="tests.detach.runs:sunk")])

    async def looks(engine: Engine) -> None:
        while engine.has_runs:
            await asyncio.sleep(0.005)

    _serve(store, {}, looks)
    assert _status(store, "r.ship") == "pending"
    assert "'tests.detach.runs:sunk' is not in the modules that are loaded" in caplog.text


def test_the_registry_knows_what_is_under_way_by_run_and_id() -> None:
    """From the begin of the work until it is over."""

    async def main(engine: Engine) -> Any:
        handle = await engine.start("r", run_id="r")
        while registry.look_up("r:detach:1", "r") is None:
            await asyncio.sleep(0)
        assert [one for one in registry.ids() if one[0] == "r"] == [("r", "r:detach:1")]
        go.set()
        assert (await handle.outcome()).value == "went"
        while registry.look_up("r:detach:1", "r") is not None:
            await asyncio.sleep(0)

    go = threading.Event()

    async def held(_: Any) -> str:
        await asyncio.to_thread(go.wait, 20)
        return "went"

    async def flow(wf: Any) -> Any:
        return await wf.detach_and_join_later("held", immediate_driver, held, 1).wait()

    _serve(MemoryBackend(), {"r": flow}, main)


def _run(backend: Backend, flow: Callable[..., Any], *args: Any) -> Any:
    """Run a workflow in an engine until all is over."""

    async def main(engine: Engine) -> Any:
        if backend.first("r") is None:
            await engine.start("r", args, run_id="r")
        value = (await engine.outcome("r")).value
        while engine.has_runs:
            await asyncio.sleep(0.005)
        return value

    return _serve(backend, {"r": flow}, main)


def _serve(backend: Backend, workflows: Any, use: Callable[[Engine], Any], *, closes: bool = True) -> Any:
    async def main() -> Any:
        engine = Engine(backend, HandWritten(workflows))
        engine.enter()
        try:
            return await asyncio.wait_for(use(engine), 20)
        finally:
            if closes:
                await engine.drain()

    return asyncio.run(main())


def _status(backend: Backend, run_id: str) -> str:
    summary = backend.summary(run_id)
    return "" if summary is None else summary.status


def test_a_completed_run_detaches_nothing_anew() -> None:
    """Its result is given again, and its work is left alone."""
    backend = MemoryBackend()
    for _ in range(2):
        assert _run(backend, runs.forgets_and_ends, "A-1") == "ended"
    assert sum(isinstance(event, RunCompleted) for _, event in backend.load("r.ship")) == 1
