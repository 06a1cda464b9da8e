"""What may be deleted of runs that are over."""

from __future__ import annotations

import asyncio
from typing import Any

from flopod.backends import Backend
from flopod.engine.engine import Engine
from flopod.engine.pruning import awaited, needed
from flopod.engine.registry import HandWritten
from flopod.events import FINAL, RunCompleted, RunStarted


async def quick(_: Any, x: int) -> int:
    return x


async def parent(wf: Any) -> int:
    first = wf.child("first", "quick", 1)
    await first.wait()
    second = wf.child("second", "quick", 2, detached=True)
    await wf.wait("later")
    return int(await second.wait())


async def joins(wf: Any) -> int:
    other = wf.child("other", "quick", 3, run_id="shared")
    await wf.wait("later")
    return int(await other.wait())


WORKFLOWS = HandWritten({"quick": quick, "parent": parent, "joins": joins})


def over(store: Backend) -> list[Any]:
    return [one for one in store.summaries() if one.status in FINAL]


def test_a_child_stays_as_long_as_a_live_run_waits_for_it(store: Backend) -> None:
    """One whose end the parent has recorded may go, and all once it is over."""

    async def main() -> None:
        async with Engine(store, WORKFLOWS) as engine:
            handle = await engine.start("parent", run_id="p")
            while len(over(store)) < 2 or store.summary("p").status != "waiting":  # type: ignore[union-attr]
                await asyncio.sleep(0.01)
            assert awaited(store, over(store)) == {"p.second": "p"}
            engine.deliver("p", "later", "later", _null())
            assert await handle.result() == 2

    asyncio.run(main())
    assert awaited(store, over(store)) == {}


def test_a_run_that_another_than_its_parent_waits_for_stays(store: Backend) -> None:
    """It was started by its id."""

    async def main() -> None:
        async with Engine(store, WORKFLOWS) as engine:
            await (await engine.start("quick", [3], run_id="shared")).result()
            await engine.start("joins", run_id="j")
            while store.summary("j").status != "waiting":  # type: ignore[union-attr]
                await asyncio.sleep(0.01)
            found = awaited(store, over(store))
            assert found in ({"shared": "j"}, {})
            assert ("shared" in found) == ("shared" in store.summary("j").children.values())  # type: ignore[union-attr]

    asyncio.run(main())


def test_a_run_stays_as_long_as_one_goes_on_that_it_has_begun(store: Backend) -> None:
    """That of its child, too: by it a job finds them."""
    for run_id, above, detached in (("a", None, False), ("a.b", "a", False), ("a.b.c", "a.b", True)):
        opening = RunStarted(run_id=run_id, workflow="w", input=_null(), parent=above, detached=detached)
        store.append(run_id, 0, [opening])
    for run_id in ("a", "a.b"):
        store.append(run_id, 1, [RunCompleted(result=_null())])
    assert needed(store, over(store)) == {"a": "a.b.c", "a.b": "a.b.c"}
    assert needed(store, [one for one in over(store) if one.run_id == "a"]) == {"a": "a.b.c"}
    store.append("a.b.c", 1, [RunCompleted(result=_null())])
    assert needed(store, over(store)) == {}


def _null() -> Any:
    from msgspec import Raw

    return Raw(b"null")
