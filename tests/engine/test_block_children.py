"""Children that the block of `create_runtime` starts."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from flopod.backends import Backend
from flopod.engine.runtime import create_runtime
from flopod.errors import Unsupported
from tests.engine.support import calls, note


async def pack(wf: Any, x: int) -> int:
    return int(await wf.activity("note", note, x)) * 2


async def asks(wf: Any) -> Any:
    return await wf.wait("answer")


WORKFLOWS = {"pack": pack, "asks": asks}


def test_a_block_awaits_its_children(store: Backend) -> None:
    """They are runs of their own, and a second start calls nothing again."""

    async def main() -> None:
        async with create_runtime(run_id="r", backend=store, workflows=WORKFLOWS) as wf:
            one, other = wf.child("one", "pack", 1), wf.child("other", pack, 2)
            wf.result = [await other.wait(), await one.wait()]
            assert wf.result == [4, 2]

    asyncio.run(asyncio.wait_for(main(), 20))
    assert sorted(calls) == [1, 2]
    asyncio.run(asyncio.wait_for(main(), 20))
    assert sorted(calls) == [1, 2]
    assert {one.run_id: one.status for one in store.summaries()} == dict.fromkeys(
        ("r", "r.one", "r.other"), "completed"
    )


def test_a_child_that_is_left_behind_ends_or_waits(store: Backend) -> None:
    """A detached one goes on to its end before the process leaves, one that waits is left in the store."""

    async def main() -> None:
        async with create_runtime(run_id="r", backend=store, workflows=WORKFLOWS) as wf:
            wf.child("pack", "pack", 1, detached=True)
            wf.child("asks", "asks", detached=True)
            await wf.activity("note", note, "parent")

    asyncio.run(asyncio.wait_for(main(), 20))
    assert sorted(map(str, calls)) == ["1", "parent"]
    assert {one.run_id: one.status for one in store.summaries()} == {
        "r": "completed",
        "r.pack": "completed",
        "r.asks": "waiting",
    }


def test_a_block_that_is_cut_off_finds_its_children_again(store: Backend) -> None:
    """The child goes on in the next process, beside the block."""

    async def main(cut: bool) -> None:
        async with create_runtime(run_id="r", backend=store, workflows=WORKFLOWS) as wf:
            child = wf.child("asks", "asks")
            await wf.activity("note", note, "parent")
            await wf.sleep("settle", "10ms")
            if cut:
                raise asyncio.CancelledError
            store.deliver("r.asks", "answer", "answer", _yes())
            wf.result = await child.wait()

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(main(True))
    asyncio.run(asyncio.wait_for(main(False), 20))
    assert calls == ["parent"]
    assert {one.status for one in store.summaries()} == {"completed"}


def test_without_workflows_it_says_how_to_have_children(store: Backend) -> None:
    """The error names the argument."""

    async def main() -> None:
        async with create_runtime(run_id="r", backend=store) as wf:
            wf.child("one", "pack", 1)

    with pytest.raises(Unsupported, match=r"create_runtime\(workflows="):
        asyncio.run(asyncio.wait_for(main(), 20))


def _yes() -> Any:
    from msgspec import Raw

    return Raw(b'"yes"')
