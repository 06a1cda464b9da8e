"""Runs that detach, killed after each write and resumed by an edited build: they end rightly, or stop."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from flopod.errors import BuildMismatch
from flopod.events import RunCompleted
from flopod.testing import Flopod
from flopod_compiler.testing.source import Source

TEXT = """
import asyncio
from flopod import detach_and_forget, detach_and_join_later, work, workflow
from flopod.detach import immediate_driver, microtask_batch_driver

async def num(a: int) -> int:
    await asyncio.sleep(1)
    return a * 3

async def told(a: int) -> int:
    await asyncio.sleep(2)
    return a

async def hint(a: int) -> int:
    await asyncio.sleep(2)
    return a

@workflow
async def telling(a: int) -> int:
    return await told(a)

@workflow
async def flow(n: int) -> list[int]:
    detach_and_forget(microtask_batch_driver, told, n)
    asyncio.create_task(hint(n))
    seen = [await num(n)]
    handle = detach_and_join_later(microtask_batch_driver, telling, n)
    seen.append(await num(1))
    work(num, 7)
    seen.append(await handle.wait())
    seen.append(await num(2))
    return seen
"""
END = [15, 3, 5, 6]
FORGET = "    detach_and_forget(microtask_batch_driver, told, n)\n"
TASK = "    asyncio.create_task(hint(n))\n"
HINT = "async def hint(a: int) -> int:\n    await asyncio.sleep(2)\n    return a\n"
EDITS = {
    "insert a detach": (TASK, TASK + "    detach_and_forget(immediate_driver, hint, 9)\n"),
    "delete a forgotten task": (TASK, ""),
    "delete a forget": (FORGET, ""),
    "delete a side chain": ("    work(num, 7)\n", ""),
    "reorder": (FORGET + TASK, TASK + FORGET),
    "another input": ("told, n)", "told, n + 1)"),
    "another driver": ("microtask_batch_driver, told", "immediate_driver, told"),
    "another driver of a join": ("microtask_batch_driver, telling", "immediate_driver, telling"),
    "await what was forgotten": ("asyncio.create_task(hint(n))", "await hint(n)"),
    "rename a leaf that is forgotten": (TEXT, TEXT.replace("hint", "mail")),
    "rename a leaf that is detached and called": (TEXT, TEXT.replace("told", "said")),
    "forget to join": (
        FORGET,
        "    found = detach_and_join_later(microtask_batch_driver, told, n)\n    await found.wait()\n",
    ),
}
STOPPED = {"leaf to workflow": (HINT, "@workflow\n" + HINT.replace("asyncio.sleep(2)", "told(a)"))}


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Source]:
    (tmp_path / "flow.py").write_text(TEXT)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.delitem(sys.modules, "flow", raising=False)
    yield Source(tmp_path)
    sys.modules.pop("flow", None)


def ends(source: Source, old: str, new: str) -> Iterator[object]:
    """The result of a run for each write that it is killed after; None where the edited build refuses it."""
    flopod = Flopod(lambda: source)
    edited = source.edited("flow", old, new)
    writes = len(flopod.crash_matrix("flow", 5).log())
    for cut in range(1, writes):
        run = flopod.run("flow", 5, crash_after=cut).resume(edited)
        try:
            yield run.result()
            assert all(isinstance(run.log(child)[-1].event, RunCompleted) for child in run.children)
        except BuildMismatch:
            yield None
    flopod.close()


@pytest.mark.parametrize("edit", EDITS)
def test_a_run_goes_on_under_an_edited_build(source: Source, edit: str) -> None:
    """With the values that the edited workflow has, and each child that either build began ends."""
    assert set(map(str, ends(source, *EDITS[edit]))) == {str(END)}


@pytest.mark.parametrize("edit", STOPPED)
def test_what_became_another_kind_of_run_stops(source: Source, edit: str) -> None:
    """A run that has detached the leaf needs its own build: nothing is called twice, and nothing is lost."""
    found = list(ends(source, *STOPPED[edit]))
    assert found[0] is None  # the detaches are in the store with the first commit
    assert set(map(str, found)) == {str(END), "None"}
