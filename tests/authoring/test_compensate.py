"""Compensations in the plain run."""

import asyncio
from functools import partial
from typing import Any

import pytest

from flopod import Retry, UsageError, activity, attempt, compensate, workflow

done: list[Any] = []


@pytest.fixture(autouse=True)
def _nothing_done() -> None:
    done.clear()


async def undo(what: str) -> None:
    if what == "broken":
        raise LookupError(what)
    done.append(what)


def give_back(result: str, what: str, *, where: str = "here") -> None:
    done.append((result, what, where))


@activity(compensate=give_back)
async def take(what: str, *, where: str = "here") -> str:
    await asyncio.sleep(0)
    return what.upper() if where else ""


@workflow
async def inner(what: str) -> None:
    compensate(undo, what)


@workflow
async def outer(end: str) -> str:
    compensate(undo, "first")
    await inner("second")
    compensate(undo, what="broken")
    await asyncio.gather(take("third", where="there"), take("fourth"))
    await attempt(take, "fifth")
    if end == "wait":
        await asyncio.sleep(60)
    if end:
        raise ValueError(end)
    return "done"


UNDONE = [
    ("FIFTH", "fifth", "here"),
    ("FOURTH", "fourth", "here"),
    ("THIRD", "third", "there"),
    "second",
    "first",
]


def test_a_workflow_that_raises_is_undone_backwards() -> None:
    """The workflow that was started counts; a compensation that fails is a note of the error."""
    with pytest.raises(ValueError, match="no more") as found:
        asyncio.run(outer("no more"))
    assert done == UNDONE
    assert found.value.__notes__ == ["the compensation undo() failed: LookupError: broken"]


def test_a_workflow_that_is_cancelled_is_undone() -> None:
    """The cancelled task has undone it when it ends."""

    async def main() -> None:
        running = asyncio.create_task(outer("wait"))
        await asyncio.sleep(0.01)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    asyncio.run(main())
    assert done == UNDONE


def test_a_workflow_that_returns_undoes_nothing() -> None:
    """Nor does what it registered count for the next one."""
    assert asyncio.run(outer("")) == "done"
    with pytest.raises(ValueError, match="x"):
        asyncio.run(outer("x"))
    assert done == UNDONE


def test_a_plain_function_may_be_a_workflow_with_compensations() -> None:
    """They are plain functions then."""

    @workflow
    def flow() -> None:
        compensate(partial(done.append, "second"))
        compensate(activity(flaky, retry=Retry(max_attempts=2, delay=0)))
        raise ValueError("end")

    def flaky() -> None:
        done.append("flaky")
        if len(done) == 1:
            raise OSError

    with pytest.raises(ValueError, match="end"):
        flow()
    assert done == ["flaky", "flaky", "second"]


def test_a_leaf_outside_of_a_workflow_is_just_called() -> None:
    """There is nothing that could fail later; `compensate` itself says where it belongs."""
    assert asyncio.run(take("x")) == "X"
    with pytest.raises(UsageError, match="mark the function that calls it with @workflow"):
        compensate(undo, "x")


def test_what_a_leaf_calls_itself_is_not_registered() -> None:
    """A leaf is done or not done as a whole."""

    @activity
    async def whole() -> None:
        await take("inside")

    @workflow
    async def flow() -> None:
        compensate(undo, "outside")
        await whole()
        raise ValueError("end")

    with pytest.raises(ValueError, match="end"):
        asyncio.run(flow())
    assert done == ["outside"]


def test_a_workflow_whose_compensations_cannot_be_foreseen_says_so() -> None:
    """The plain run never leaves one out in silence."""
    table = {"take": take}

    @workflow
    async def flow() -> None:
        await table["take"]("x")

    with pytest.raises(UsageError, match=r"the workflow that calls take\(\) has to name it"):
        asyncio.run(flow())
