"""What a detach calls in a run, and by which driver: also what takes nothing, what is called wrongly."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest
from msgspec import Raw

from flopod.backends import Backend, MemoryBackend
from flopod.detach import immediate_driver
from flopod.engine.engine import Engine
from flopod.engine.programs import Programs
from flopod.engine.registry import HandWritten
from flopod.events import Detached, RunCompleted
from flopod.testing import Flopod
from flopod.workflow.detaching import Given, opening_of
from tests.detach import runs


def test_a_driver_in_a_table_keeps_its_runner() -> None:
    """Its name is that of a standard driver, which is another one."""

    async def joins(wf: Any) -> Any:
        return await wf.detach_and_join_later(runs.by_name["traced"], runs.note, "x").wait()

    assert Flopod().run(joins).result() == ["traced", "x"]


def test_a_workflow_that_takes_nothing_is_given_nothing() -> None:
    """But its scope, whichever driver runs it."""
    workflows = {"closes": runs.closes, "closing": runs.closing}
    closed = "the shop is closed"
    assert _ended(MemoryBackend(), workflows, "closes") == [closed, ["traced", closed]]


def test_a_mapper_is_called_for_a_child_that_takes_nothing() -> None:
    """As outside of runs: what it raises is the caller's."""

    async def maps(wf: Any) -> Any:
        with pytest.raises(LookupError, match="mapped"):
            wf.detach_and_join_later(immediate_driver, runs.unasked, "x", input_mapper=_raise)

    Flopod().run(maps).result()


def test_a_workflow_that_is_called_wrongly_fails_its_handle(caplog: pytest.LogCaptureFixture) -> None:
    """It is no run that nobody can begin, and that its parent waits for."""
    backend = MemoryBackend()
    workflows = {"misfits": runs.misfits, "ships_two": runs.ships_two}
    missing = "ships_two() missing 1 required positional argument: 'other'"
    assert _ended(backend, workflows, "misfits", "p") == [missing, "failed"]
    assert {one.run_id: one.status for one in backend.summaries()} == {
        "r": "completed",
        "r.forgotten": "failed",
        "r.joined": "failed",
    }
    assert not caplog.records


def test_a_task_that_is_called_wrongly_is_the_caller_s_error() -> None:
    """`asyncio.create_task(note())` raises where it stands."""

    async def forgets(wf: Any) -> str:
        with pytest.raises(TypeError, match="missing 1 required positional argument: 'x'"):
            wf.forget("note", runs.note)
        wf.forget("other", runs.note, x=1)
        return "on"

    assert Flopod().run(forgets).result() == "on"


@pytest.mark.parametrize(
    "child, workflow",
    [
        (runs.noted, "<tests.detach.runs:note>"),
        (runs.parcel.send, "<tests.detach.runs:Parcel.send>"),
        (runs.stubborn, "tests.detach.runs:stubborn"),
        (str.upper, "builtins:str.upper"),
    ],
)
def test_a_name_leads_to_the_very_function(child: Any, workflow: str) -> None:
    """That of a partial or of a method leads to another one, which a later process must not call instead."""

    async def forgets(wf: Any) -> None:
        wf.detach_and_forget("id", immediate_driver, child, "x")

    backend = MemoryBackend()
    _ended(backend, {"forgets": forgets}, "forgets")
    summary = backend.summary("r.id")
    assert summary is not None
    assert summary.workflow == workflow


def test_what_no_name_leads_to_any_more_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """It is left as it is, and somebody may wait for it."""
    backend = MemoryBackend()

    async def local(_: Any) -> None:
        await asyncio.sleep(60)

    async def forgets(wf: Any) -> None:
        wf.detach_and_forget("local", immediate_driver, local, 1)

    async def dropped() -> None:
        engine = Engine(backend, HandWritten({"forgets": forgets}))
        engine.enter()
        await (await engine.start("forgets", run_id="r")).outcome()
        engine.drop()

    async def another() -> None:
        async with Engine(backend, HandWritten({"forgets": forgets})):
            await asyncio.sleep(0.1)

    asyncio.run(dropped())
    with caplog.at_level(logging.ERROR, "flopod"):
        asyncio.run(another())
    assert [one.message.partition(":")[0] for one in caplog.records] == ["run r.local is left as it is"]


def test_a_function_that_was_renamed_goes_on_under_its_old_name() -> None:
    """Its parent has taken it over, and gives it: its run is in the log by the name that it had."""
    backend = MemoryBackend()
    detached = Detached(
        path="gone",
        id="r:detach:1",
        driver="immediate",
        mode="join",
        child="r.gone",
        workflow="m:gone",
        input=Raw(b"[1]"),
    )

    async def main(child: Any, *, cut: bool) -> None:
        programs = Programs(HandWritten({}))
        programs.give(detached, Given(immediate_driver, child))
        engine = Engine(backend, programs)
        engine.enter()
        await asyncio.sleep(0.05)
        if cut:
            engine.drop()
        else:
            await engine.drain()

    async def gone(_: Any) -> None:
        await asyncio.sleep(60)

    opening = opening_of(detached, "r", 0, Programs(HandWritten({})).opening)
    backend.append("r.gone", 0, [opening])
    asyncio.run(main(gone, cut=True))
    asyncio.run(main(runs.note, cut=False))
    assert {one.event.path for one in backend.load("r.gone")} == {"", "gone"}
    last = backend.load("r.gone")[-1].event
    assert isinstance(last, RunCompleted)
    assert bytes(last.result) == b"1"


def _raise(given: Any) -> None:
    raise LookupError("mapped", given)


def _ended(backend: Backend, workflows: Any, name: str, *args: Any) -> Any:
    async def main() -> Any:
        async with Engine(backend, HandWritten(workflows)) as engine:
            handle = await engine.start(name, args, run_id="r")
            return (await asyncio.wait_for(handle.outcome(), 20)).value

    return asyncio.run(main())
