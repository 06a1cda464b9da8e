"""Leaves that are cancelled: they clean up, and what is called next waits for that."""

import asyncio
import contextlib
from typing import Any

import pytest

from tests.engine.support import real


def cleans_up(trace: list[str]) -> Any:
    """A leaf that is never done, and takes its time when it is cancelled."""

    async def forever() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            await asyncio.sleep(0.05)
            trace.append("cleaned up")

    return forever


def test_what_is_called_next_begins_when_a_cancelled_leaf_has_cleaned_up() -> None:
    """The `finally` of a leaf comes before the effects of the next one, whether it is plain or not."""
    for beside in (None, "sleep"):
        trace: list[str] = []

        async def next_one(trace: list[str] = trace) -> None:
            trace.append("next")

        def plain(trace: list[str] = trace) -> None:
            trace.append("plain")

        async def body(wf: Any, trace: list[str] = trace, beside: str | None = beside) -> None:
            for scope, _ in wf.each("rounds", [1, 2]):
                task = asyncio.create_task(scope.activity("slow", cleans_up(trace)))
                other = asyncio.create_task(scope.sleep("beside", 0.3)) if beside else None
                await scope.sleep("soon", 0.05)
                task.cancel()
                await asyncio.wait([task])
                await scope.activity("next", next_one)
                await scope.activity("plain", plain)
                if other is not None:
                    await other

        assert real(body).status == "completed"
        assert trace == ["cleaned up", "next", "plain"] * 2


def test_a_leaf_that_is_not_cancelled_by_a_cancel_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    """The run goes on as if it were; that the leaf returned or raised something else is said aloud."""

    async def stubborn() -> str:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(3600)
        return "kept"

    async def breaks() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            raise ValueError("broken")

    async def body(wf: Any) -> None:
        tasks = [asyncio.create_task(wf.activity(leaf.__name__, leaf)) for leaf in (stubborn, breaks)]
        await wf.sleep("soon", 0.05)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)

    assert real(body).status == "completed"
    told = capsys.readouterr().err
    assert "flopod: stubborn: it was cancelled, but returned a value, " in told
    assert "flopod: breaks: it was cancelled, but raised ValueError('broken'), " in told


def test_a_run_is_left_when_its_cancelled_leaves_have_cleaned_up() -> None:
    """At its end, and where nothing but a wait is left, no clean-up is cut short."""
    for ending in ("end", "wait"):
        trace: list[str] = []

        async def body(wf: Any, trace: list[str] = trace, ending: str = ending) -> None:
            task = asyncio.create_task(wf.activity("slow", cleans_up(trace)))
            await wf.sleep("soon", 0.05)
            task.cancel()
            await asyncio.wait([task])
            if ending == "wait":
                await wf.wait("approved")

        outcome = real(body, exit_when_waiting=True)
        assert outcome.status == ("completed" if ending == "end" else "waiting")
        assert trace == ["cleaned up"]


def test_cancelled_arms_cancel_their_leaves() -> None:
    """When the body ends, leaves in flight are cancelled and `finally` may do durable work."""
    trace: list[str] = []

    async def endless() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            trace.append("leaf cancelled")

    async def cleanup() -> None:
        trace.append("cleaned up")

    async def arm(wf: Any) -> None:
        try:
            await wf.activity("endless", endless)
        finally:
            await wf.activity("cleanup", cleanup)

    async def fails(wf: Any) -> None:
        await wf.activity("step", cleanup)
        raise ValueError("stop")

    async def body(wf: Any) -> None:
        await wf.parallel(arm(wf), fails(wf))

    outcome = real(body)
    assert repr(outcome.error) == "ValueError('stop')"
    assert sorted(trace) == ["cleaned up", "cleaned up", "leaf cancelled"]
