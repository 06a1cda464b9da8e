"""Engines of two builds on one store: what does not fit the one is handed to the other."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from msgspec import Raw

from flopod.backends import Backend, MemoryBackend
from flopod.engine import control
from flopod.engine.engine import Engine
from flopod.engine.registry import HandWritten, Program
from flopod.errors import BuildMismatch
from flopod.events import RunStarted, RunSummary
from tests.engine.served import until
from tests.engine.support import note


async def gone(wf: Any, x: int) -> int:
    """A workflow that only the older build has; it waits twice."""
    await wf.wait("first")
    await wf.wait("second")
    return int(await wf.activity("note", note, x))


async def parent(wf: Any) -> int:
    return int(await wf.child("child", "child").wait())


async def child(wf: Any) -> int:
    await wf.wait("go")
    return 7


OLD = HandWritten({"gone": gone}, "b1")
NEW = HandWritten({"parent": parent, "child": child}, "b2")
NOBODY: Callable[[RunSummary], bool] = lambda _: False  # noqa: E731


async def _settled(store: Backend) -> None:
    """Let an engine of the older build begin a run, until it waits."""
    async with Engine(store, OLD) as old:
        await old.start("gone", [5], run_id="r")
        await until(lambda: _status(store, "r") == "waiting")


def _status(store: Backend, run_id: str) -> str:
    summary = store.summary(run_id)
    return "" if summary is None else summary.status


def test_what_does_not_fit_is_handed_to_an_engine_that_has_it(
    backend: Backend, caplog: pytest.LogCaptureFixture
) -> None:
    """A run of the older build is told of once for each thing that comes for it, and ends there."""
    told: list[tuple[str, str]] = []

    async def main() -> None:
        await _settled(backend)
        old = Engine(backend, OLD, adopts=NOBODY)

        def hand_over(run_id: str, error: BuildMismatch) -> None:
            told.append((run_id, error.needs))
            old.adopt(run_id)

        async with old, Engine(backend, NEW, on_misfit=hand_over) as new:
            assert new.load.asleep == 1
            new.deliver("r", "first", "first", Raw(b"1"))
            await until(lambda: bool(told))
            left = await new.outcome("r")
            assert isinstance(left.error, BuildMismatch)
            await until(lambda: "second" in (backend.summary("r") or RunSummary()).waits)
            await asyncio.sleep(0.2)
            assert told == [("r", "b1")]
            new.deliver("r", "second", "second", Raw(b"1"))
            await until(lambda: _status(backend, "r") == "completed")
            assert (await old.outcome("r")).value == 5

    asyncio.run(asyncio.wait_for(main(), 20))
    assert set(told) == {("r", "b1")}
    assert not caplog.records


class _Another(HandWritten):
    """A build that runs of others do not fit."""

    def program(self, workflow: str) -> Program:
        raise BuildMismatch("r", "b1", "b2", f"{workflow} was changed")


def test_a_run_that_does_not_fit_is_not_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    """As long as nothing comes for it, however often others look at it; a callback that fails is logged."""
    store = MemoryBackend()
    store.append("r", 0, [RunStarted(workflow="gone", input=Raw(b"[1]"), run_id="r", build="b1")])
    told: list[BuildMismatch] = []

    def refuse(_: str, error: BuildMismatch) -> None:
        told.append(error)
        raise LookupError("no such build")

    async def main() -> None:
        async with Engine(store, _Another({}, "b2"), on_misfit=refuse) as engine:
            await until(lambda: bool(told))
            for _ in range(5):
                engine.look()
                engine._look_at("r")
                await asyncio.sleep(0.01)
            assert len(told) == 1
            assert engine.load == (0, 0, 0, 0)
            store.deliver("r", "first", "first", b"1")
            await until(lambda: len(told) == 2)

    asyncio.run(asyncio.wait_for(main(), 20))
    assert [error.why for error in told] == ["gone was changed"] * 2
    assert {record.levelname for record in caplog.records} == {"ERROR"}
    assert all("nobody has taken r" in record.message for record in caplog.records)


def test_an_engine_takes_up_what_it_adopts_and_what_descends_from_that(backend: Backend) -> None:
    """Others stay as they are until they are given to it, and so do schedules."""

    async def main() -> None:
        async with Engine(backend, NEW) as before:
            for name in ("mine", "theirs", "given"):
                await before.start("parent", run_id=name)
            await until(lambda: backend.counts() == {"waiting": 6})
        for name in ("mine", "theirs"):
            backend.deliver(f"{name}.child", "go", "go", b"1")
        async with Engine(backend, NEW, adopts=lambda run: run.run_id == "mine") as engine:
            await until(lambda: _status(backend, "mine") == "completed")
            await asyncio.sleep(0.1)
            assert backend.counts() == {"completed": 2, "waiting": 4}
            engine.adopt("given")
            backend.deliver("given.child", "go", "go", b"1")
            await until(lambda: _status(backend, "given") == "completed")
            control.cancel(backend, "theirs.child", "for a try")
            await asyncio.sleep(0.1)
            assert backend.counts() == {"completed": 4, "waiting": 2}
            assert engine.load == (0, 0, 0, 0)

    asyncio.run(asyncio.wait_for(main(), 20))


def test_an_engine_says_how_much_it_has_to_do() -> None:
    """Runs under way, in line and put away are counted apart."""
    store = MemoryBackend()
    going = asyncio.Event()

    async def hangs(wf: Any) -> None:
        await wf.activity("hang", going.wait)

    async def waits(wf: Any) -> None:
        await wf.wait("go")

    async def main() -> None:
        registry = HandWritten({"hangs": hangs, "waits": waits})
        async with Engine(store, registry, concurrency=2, resting=0) as engine:
            await asyncio.gather(*(engine.start("waits") for _ in range(3)))
            await until(lambda: engine.load == (0, 0, 0, 3))
            begun = [await engine.start("hangs") for _ in range(5)]
            await until(lambda: engine.load == (2, 2, 3, 3))
            going.set()
            await asyncio.gather(*(handle.result() for handle in begun))
            await until(lambda: engine.load == (0, 0, 0, 3))

    asyncio.run(asyncio.wait_for(main(), 20))
