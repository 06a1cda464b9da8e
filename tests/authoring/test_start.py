"""`start` without a compiler: the same meaning, in tasks of one process."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from flopod import Cancelled, SerializableError, start

seen: list[Any] = []


@pytest.fixture(autouse=True)
def _fresh() -> None:
    seen.clear()


async def ship(parcel: Any) -> Any:
    await asyncio.sleep(0.01)
    seen.append(parcel)
    return parcel


async def broken() -> None:
    raise LookupError("gone")


async def endless(name: str = "it") -> None:
    try:
        await asyncio.sleep(60)
    finally:
        seen.append(f"{name} cleans up")


async def gathers() -> None:
    await asyncio.gather(ship("a"), ship("b"))
    seen.append("gathered")


def run(body: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    return asyncio.run(body())


def test_the_result_can_be_had_more_than_once() -> None:
    """And the child gets copies of its arguments."""

    async def main() -> list[Any]:
        given = ["x"]
        handle = start(ship, given, run_id="mine")
        given.append("y")
        return [handle.id, await handle.wait(), await handle]

    assert run(main) == ["mine", ["x"], ["x"]]


def test_its_error_is_raised_at_each_wait() -> None:
    """Nothing is raised where it is started."""

    async def main() -> int:
        handle, caught = start(broken), 0
        for _ in range(2):
            try:
                await handle.wait()
            except LookupError:
                caught += 1
        return caught

    assert run(main) == 2


def test_a_cancelled_child_raises_cancelled() -> None:
    """With the reason; the one that waits is not cancelled by it."""

    async def main() -> str:
        handle = start(endless)
        await asyncio.sleep(0)
        handle.cancel("enough")
        with pytest.raises(Cancelled, match="enough") as caught:
            await handle.wait()
        return caught.value.reason

    assert run(main) == "enough"
    assert seen == ["it cleans up"]


@pytest.mark.parametrize("detached", [True, False])
def test_a_wait_that_is_cancelled_cancels_the_child_unless_it_is_detached(detached: bool) -> None:
    """As in a compiled run."""

    async def main() -> list[Any]:
        handle = start(ship, 1, detached=detached)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(handle.wait(), 0.001)
        await asyncio.sleep(0.05)
        return list(seen)

    assert run(main) == ([1] if detached else [])


def test_children_end_with_the_workflow_that_started_them() -> None:
    """Also with one that is a child itself."""

    async def parent() -> str:
        start(endless, "inner")
        await asyncio.sleep(0)
        return "over"

    async def main() -> str:
        result: str = await start(parent).wait()
        await asyncio.sleep(0.01)
        assert seen == ["inner cleans up"]
        start(endless, "outer")
        await asyncio.sleep(0)
        return result

    assert run(main) == "over"
    assert seen == ["inner cleans up", "outer cleans up"]


def test_a_detached_child_goes_on_when_all_else_is_over() -> None:
    """With the tasks that it has; `asyncio.run` waits for it."""

    async def main() -> None:
        start(gathers, detached=True)
        await asyncio.sleep(0)

    run(main)
    assert seen == ["a", "b", "gathered"]


def test_what_cannot_be_recorded_is_refused() -> None:
    """Where it is started, as in a compiled run."""

    async def main() -> None:
        with pytest.raises(SerializableError):
            start(ship, object())

    run(main)
