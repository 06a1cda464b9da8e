"""A parent that is retried: the children that it waits for go on, too."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from flopod.backends import Backend
from flopod.engine import control
from flopod.engine.engine import Engine
from flopod.engine.outcome import RunOutcome
from flopod.engine.registry import HandWritten

calls: list[str] = []
broken: set[str] = set()


@pytest.fixture(autouse=True)
def _fresh() -> None:
    calls.clear()
    broken.clear()


async def note(text: str) -> str:
    calls.append(text)
    if text in broken:
        raise LookupError(text)
    return text


async def leaf(wf: Any, name: str) -> str:
    return str(await wf.activity("note", note, name))


async def middle(wf: Any, name: str) -> str:
    await wf.activity("before", note, "before")
    return str(await wf.child("leaf", "leaf", name).wait())


async def top(wf: Any, name: str) -> str:
    return str(await wf.child("middle", "middle", name).wait())


async def sleeper(wf: Any) -> str:
    return str(await wf.wait("answer"))


async def two(wf: Any) -> str:
    slow = wf.child("slow", "sleeper")
    await wf.activity("charge", note, "charge")
    return str(await slow.wait())


async def tidies(wf: Any) -> str:
    slow = wf.child("slow", "sleeper")
    try:
        await wf.activity("charge", note, "charge")
    except LookupError:
        slow.cancel()
        await asyncio.wait([asyncio.ensure_future(slow.wait())])
        raise
    return "charged"


async def forgets(wf: Any) -> str:
    wf.child("leaf", "leaf", "left", detached=True)
    return str(await wf.activity("charge", note, "charge"))


WORKFLOWS = HandWritten(
    {
        "leaf": leaf,
        "middle": middle,
        "top": top,
        "sleeper": sleeper,
        "two": two,
        "tidies": tidies,
        "forgets": forgets,
    }
)


def go(store: Backend, workflow: str = "", *args: Any, deliver: str = "", also: str = "") -> RunOutcome:
    """Start the run `r`, or go on with what is open, until it is over."""

    async def main() -> RunOutcome:
        async with Engine(store, WORKFLOWS) as engine:
            if workflow:
                await engine.start(workflow, args, run_id="r")
            if deliver:
                store.deliver(deliver, "answer", "answer", _yes())
            if also:
                await engine.outcome(also)
            return await engine.outcome("r")

    return asyncio.run(main())


def _yes() -> Any:
    from msgspec import Raw

    return Raw(b'"yes"')


def statuses(store: Backend) -> dict[str, str]:
    return {one.run_id: one.status for one in store.summaries()}


def test_the_child_that_failed_is_tried_again_with_its_parent(store: Backend) -> None:
    """However deep it is; what was done before is not done again."""
    broken.add("x")
    assert go(store, "top", "x").status == "failed"
    assert set(statuses(store).values()) == {"failed"}
    control.retry(store, "r")
    assert sorted(statuses(store).values()) == ["running", "waiting", "waiting"]
    assert go(store).status == "failed"
    broken.clear()
    control.retry(store, "r")
    assert go(store).value == "x"
    assert set(statuses(store).values()) == {"completed"}
    assert calls == ["before", "x", "x", "x"]


def test_a_child_that_ended_with_its_parent_goes_on_with_it(store: Backend) -> None:
    """It was cancelled only because the parent had failed."""
    broken.add("charge")
    assert go(store, "two").status == "failed"
    assert statuses(store) == {"r": "failed", "r.slow": "cancelled"}
    broken.clear()
    control.retry(store, "r")
    assert go(store, deliver="r.slow").value == "yes"
    assert statuses(store) == {"r": "completed", "r.slow": "completed"}


def test_a_leaf_that_failed_is_found_behind_a_child_that_was_cancelled_for_it(store: Backend) -> None:
    """The cancel is a consequence: the leaf is tried again."""
    broken.add("charge")
    assert go(store, "tidies").status == "failed"
    broken.clear()
    control.retry(store, "r")
    assert go(store).value == "charged"


def test_a_child_that_is_left_to_itself_stays_as_it_ended(store: Backend) -> None:
    """Nobody waits for it."""
    broken.update(("charge", "left"))
    assert go(store, "forgets", also="r.leaf").status == "failed"
    broken.clear()
    control.retry(store, "r")
    assert go(store).value == "charge"
    assert statuses(store) == {"r": "completed", "r.leaf": "failed"}


def test_a_retry_that_was_cut_off_can_be_repeated(store: Backend) -> None:
    """The children are first: one that goes on already is left alone."""
    broken.add("x")
    go(store, "middle", "x")
    broken.clear()
    control.retry(store, "r.leaf")
    control.retry(store, "r")
    assert go(store).value == "x"


def test_a_run_that_was_told_to_end_goes_on_from_before_it_was(store: Backend) -> None:
    """The order is taken back with what it caused; a later one counts again."""

    async def main() -> None:
        async with Engine(store, WORKFLOWS) as engine:
            await engine.start("sleeper", run_id="r")
            for _ in range(2):
                await rests(engine)
                control.cancel(store, "r", "enough")
                assert (await engine.outcome("r")).status == "cancelled"
                control.retry(store, "r")
            await rests(engine)
            store.deliver("r", "answer", "answer", _yes())
            assert (await engine.outcome("r")).value == "yes"

    async def rests(engine: Engine) -> None:
        while engine._live.busy or not engine.drives("r"):
            await asyncio.sleep(0.01)

    asyncio.run(asyncio.wait_for(main(), 20))
