"""Runs that park if their process is killed once more are tried one at a time, and hold up no others."""

import asyncio
import shutil
from pathlib import Path
from typing import Any

import pytest

from flopod.backends import FileBackend
from flopod.engine.engine import Engine
from flopod.engine.registry import HandWritten
from flopod.events import RunResumed
from tests.reliability.support import serve, status, until

SUSPECTS = 3
begun: list[int] = []
gates: dict[int, asyncio.Event] = {}


async def leaf(n: int) -> int:
    begun.append(n)
    if n in gates:
        await gates[n].wait()
    return n


async def one(wf: Any, n: int) -> int:
    return int(await wf.activity("leaf", leaf, n))


WORKFLOWS = {"one": one}


@pytest.fixture
def killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FileBackend:
    """Give the store of an engine that was killed twice with a leaf of each run under way; a third parks."""
    monkeypatch.setenv("FLOPOD_MAX_CRASHES", "3")
    begun.clear()
    store, copy = FileBackend(tmp_path / "runs"), tmp_path / "copy"

    async def use(engine: Engine) -> None:
        gates.update((n, asyncio.Event()) for n in range(SUSPECTS))
        for n in range(SUSPECTS):
            await engine.start("one", [n], run_id=f"run{n}")
        await until(lambda: len(begun) == SUSPECTS)
        shutil.copytree(tmp_path / "runs", copy)
        for gate in gates.values():
            gate.set()

    serve(store, WORKFLOWS, use)
    found = FileBackend(copy)
    for n in range(SUSPECTS):
        found.append(f"run{n}", len(found.load(f"run{n}")), [RunResumed(at=1, crashed=True)])
    found.close()
    begun.clear()
    return FileBackend(copy)


def test_suspects_go_one_at_a_time_and_others_beside_them(killed: FileBackend) -> None:
    """The next is let go when the leaf in question has ended; who waits for that takes nobody's place."""

    async def main() -> None:
        gates.update((n, asyncio.Event()) for n in range(SUSPECTS))
        async with Engine(killed, HandWritten(WORKFLOWS), concurrency=2) as engine:
            for n in range(SUSPECTS):
                await until(lambda n=n: n in begun)  # type: ignore[misc]
                fresh = await engine.start("one", [100 + n], run_id=f"fresh{n}")
                assert await fresh.result() == 100 + n
                assert [m for m in begun if m < 100] == list(range(n + 1))
                gates[n].set()
                assert (await engine.outcome(f"run{n}")).value == n

    asyncio.run(asyncio.wait_for(main(), 40))
    assert [status(killed, f"run{n}") for n in range(SUSPECTS)] == ["completed"] * SUSPECTS


def test_suspects_that_never_had_their_turn_leave_with_the_engine(killed: FileBackend) -> None:
    """Left while they stand in line they lose nothing: the next engine tries them one at a time again."""

    async def leave() -> None:
        gates.update((n, asyncio.Event()) for n in range(SUSPECTS))
        async with Engine(killed, HandWritten(WORKFLOWS), grace=10.0):
            await until(lambda: begun == [0])
            gates[0].set()

    asyncio.run(asyncio.wait_for(leave(), 20))
    assert begun == [0]
    gates.clear()

    async def use(engine: Engine) -> list[Any]:
        return [(await engine.outcome(f"run{n}")).value for n in range(SUSPECTS)]

    assert serve(killed, WORKFLOWS, use) == list(range(SUSPECTS))
