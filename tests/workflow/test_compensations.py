"""Compensations: the last one first, each once, whatever the crashes."""

import asyncio
from typing import Any

import pytest

from flopod.errors import SerializableError
from flopod.events import Compensated, IterationCompleted, RunCancelled
from tests.workflow import programs
from tests.workflow.support import Simulator, called, run, sweep

UNDONE = ["items[1]/take/undo", "items[0]/take/undo", "items[1]/undo-add"]
UNDONE += ["take#2/undo", "take#1/undo", *(f"names[{n}]/undo-release" for n in (3, 2, 1, 0))]


def undone(ran: Any) -> list[str]:
    """The paths of the compensations that are over, in their order."""
    return [event.path for event in ran.events if isinstance(event, Compensated)]


def test_a_run_that_fails_is_undone_from_every_prefix() -> None:
    """LIFO over loops, arms and leaves with an undo of their own; what is recorded is never done again."""
    first = sweep(programs.saga, "fails")
    assert undone(first) == UNDONE
    assert isinstance(first.core.error, ValueError)
    assert first.core.error.__notes__ == ["the compensation release() failed: LookupError: broken"]


def test_the_order_is_kept_when_completions_are_shuffled() -> None:
    """What completed last is undone first."""
    for seed in range(2):
        sweep(programs.saga, "fails", seed=seed, depth=1)


def test_a_run_that_completes_undoes_nothing() -> None:
    """Nor is anything of it written."""
    first = sweep(programs.saga, "completes", depth=1)
    assert not undone(first)
    assert not [path for path in first.calls if path.rpartition("/")[2].startswith("undo")]


def test_a_loop_that_registers_compensations_is_not_skipped_on_resume() -> None:
    """A snapshot would lose them; other loops keep theirs."""

    async def body(wf: Any) -> None:
        total = wf.var("total", 0)
        for wf_n, n in wf.each("plain", range(12)):
            total.value += await wf_n.activity("double", programs.double, n)
        for wf_n, n in wf.each("taken", range(12)):
            total.value += await wf_n.activity("take", programs.take, n)
        await wf.activity("fail", programs.fail, "end")

    first = sweep(body, depth=1)
    assert {event.path for event in first.events if isinstance(event, IterationCompleted)} == {"plain"}
    assert undone(first) == [f"taken[{n}]/take/undo" for n in reversed(range(12))]


def test_a_cancelled_run_is_undone() -> None:
    """The body may clean up first; then what it registered is undone, and the run is cancelled."""
    done: list[str] = []

    async def undo(name: str) -> None:
        called()
        done.append(name)

    async def body(wf: Any) -> None:
        wf.compensate("undo-a", undo, "a")
        try:
            await wf.sleep("sleep", "1h")
        finally:
            await wf.activity("tidy", undo, "tidied")

    simulator = Simulator(body, ())
    simulator._commit(simulator.core.step(simulator.now))
    simulator.core.cancel("enough")
    first = simulator.run()
    assert done == ["tidied", "a"]
    assert first.core.ending.was_cancelled
    cancelled = next(n for n, event in enumerate(first.events, 1) if isinstance(event, RunCancelled))
    for cut in range(cancelled, len(first.records) + 1):
        again = run(body, records=first.records[:cut])
        assert again.core.ending.was_cancelled
        assert undone(again) == ["undo-a"]


def test_an_error_that_is_caught_undoes_nothing() -> None:
    """It is the run that counts, not the workflow inside it."""

    async def inner(wf: Any) -> None:
        wf.compensate("undo", programs.release, "x")
        await wf.activity("fail", programs.fail, "inner")

    async def body(wf: Any) -> str:
        try:
            await wf.call("inner", inner)
        except ValueError:
            return "caught"
        return "not"

    first = sweep(body)
    assert first.value == "caught"
    assert not undone(first)


def test_a_compensation_that_cannot_be_called_is_refused_when_it_is_registered() -> None:
    """Not when it is needed."""

    async def body(wf: Any) -> None:
        await asyncio.sleep(0)
        wf.compensate("undo", programs.release, {"name": [(x for x in "ab")]})

    with pytest.raises(SerializableError, match="undo"):
        raise run(body).core.error or AssertionError
