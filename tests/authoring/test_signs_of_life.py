"""Heartbeat, progress and the idempotency key of a leaf in the plain run."""

import asyncio
import time

import pytest

from flopod import ActivityTimeout, Cancelled, HeartbeatTimeout, Retry, activity, current_activity, heartbeat

AGAIN = Retry(max_attempts=2, delay=0)


def test_a_plain_function_that_does_not_beat_has_failed() -> None:
    """It is left behind in its thread, where its next beat ends it."""
    ended: list[str] = []

    @activity(heartbeat=0.02)
    def slow() -> None:
        time.sleep(0.06)
        try:
            heartbeat()
        except Cancelled:
            ended.append("cancelled")

    with pytest.raises(HeartbeatTimeout, match=r"slow: no heartbeat within 0.02 s"):
        slow()
    time.sleep(0.15)
    assert ended == ["cancelled"]


def test_a_coroutine_that_beats_goes_on_and_one_that_stops_is_cancelled() -> None:
    """Each beat gives it its whole heartbeat anew."""
    ended: list[int] = []

    @activity(heartbeat=0.05)
    async def slow(beats: int) -> int:
        try:
            for _ in range(beats):
                heartbeat()
                await asyncio.sleep(0.02)
            if beats < 5:
                await asyncio.sleep(5)
        finally:
            ended.append(beats)
        return beats

    assert asyncio.run(slow(5)) == 5
    with pytest.raises(HeartbeatTimeout):
        asyncio.run(slow(1))
    assert ended == [5, 1]


def test_the_next_attempt_finds_progress_and_key_of_the_one_before() -> None:
    """As in a durable run; another call has another key."""
    seen: list[tuple[int, object, str]] = []

    @activity(retry=AGAIN)
    async def copy() -> None:
        context = current_activity()
        seen.append((context.attempt, context.progress, context.idempotency_key))
        if context.attempt == 1:
            heartbeat(("page", 3))
            raise OSError

    async def main() -> None:
        await copy()
        await copy()

    asyncio.run(main())
    first, second, third, _ = seen
    assert first[:2] == (1, None)
    assert second[:2] == (2, ("page", 3))
    assert first[2] == second[2] != third[2]


def test_a_leaf_inside_a_leaf_has_a_key_of_its_own() -> None:
    """It follows from the outer one's, so that it is the same again when the outer one is."""
    keys: list[str] = []

    @activity
    def inner() -> None:
        keys.append(current_activity().idempotency_key)

    @activity(retry=AGAIN)
    def outer() -> None:
        keys.append(current_activity().idempotency_key)
        inner()
        inner()
        if current_activity().attempt == 1:
            raise OSError

    outer()
    assert keys[1:3] == [f"{keys[0]}/inner#1", f"{keys[0]}/inner#2"]
    assert keys[3:] == keys[:3]


def test_at_most_once_does_not_follow_a_timeout() -> None:
    """Its own errors may be tried again; a timeout leaves open what it did."""
    calls: list[str] = []

    @activity(at_most_once=True, retry=AGAIN, timeout=0.02)
    async def charge(how: str) -> str:
        calls.append(how)
        if how == "slow":
            await asyncio.sleep(1)
        if current_activity().attempt == 1:
            raise ConnectionRefusedError
        return how

    assert asyncio.run(charge("refused")) == "refused"
    with pytest.raises(ActivityTimeout):
        asyncio.run(charge("slow"))
    assert calls == ["refused", "refused", "slow"]
