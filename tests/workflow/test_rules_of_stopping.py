"""Rules 7 to 9 of the runtime: a run that is left, one that differs from its log, one that is parked.

The docstrings say which change to the code makes the test fail.
"""

import gc
import subprocess
import sys
from typing import Any

from flopod.events import ActivityStarted, BranchTaken, Record, RunPaused, RunResumed
from flopod.workflow.commands import StartLeaf
from tests.workflow.programs import double
from tests.workflow.support import START, Ran, run

_LEFT = """
import sys
from tests.workflow.support import Simulator
from tests.workflow.programs import double

async def arm(wf):
    try:
        await wf.sleep("sleep", 1e6)
    finally:
        print("unwound", file=sys.stderr)

async def body(wf):
    try:
        await wf.parallel(arm(wf), wf.wait("never"))
    finally:
        print("unwound", file=sys.stderr)

simulator = Simulator(body, ())
simulator.core.step(0)
simulator.core.abandon()
del simulator
import gc; gc.collect()
"""


def test_rule_7_leaving_never_unwinds() -> None:
    """No `finally` runs in an abandoned run, nor at exit (fails if `fence.abandon` keeps no reference)."""
    done = subprocess.run([sys.executable, "-c", _LEFT], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_rule_7_a_fenced_run_does_nothing() -> None:
    """After a divergence primitives return their argument or never return (fails without the fence)."""
    trace: list[str] = []

    async def before(wf: Any) -> None:
        wf.branch("if", True)
        await wf.activity("double", double, 1)

    async def after(wf: Any) -> None:
        wf.branch("if", False)
        trace.append("goes on to the next await")
        wf.print("nothing")
        assert wf.record("r", len, "abc") == 3
        assert wf.branch("other", "argument") == "argument"
        assert wf.constant("c", "argument") == "argument"
        loop = wf.repeat("loop")
        assert loop.next()
        try:
            await wf.activity("double", double, 1)
        finally:
            trace.append("unwound")

    first = run(before)
    again = run(after, records=first.records[:-1])
    gc.collect()
    assert "a condition that is true" in str(again.diverged)
    assert trace == ["goes on to the next await"]
    assert len(again.records) == len(first.records) - 1
    assert (again.printed, again.calls) == ("", [])


def test_rule_8_conditions_are_compared_and_not_imposed() -> None:
    """A recorded condition that differs stops the run (fails if `branch` returns the record)."""
    state = {"dear": True}

    async def body(wf: Any) -> str:
        if wf.branch("if-dear", state["dear"]):
            await wf.activity("double", double, 1)
        return "end"

    first = run(body)
    assert bytes(first.of(BranchTaken)[0].key) == b"true"
    state["dear"] = False
    assert run(body, records=first.records[:-1]).core.diverged is not None


def test_rule_8_the_truth_is_recorded_and_the_value_returned() -> None:
    """`and`/`or` get the operand back (fails if `branch` returns a bool)."""

    async def body(wf: Any) -> Any:
        return wf.branch("or", []) or wf.branch("or#2", "text")

    assert run(body).value == "text"


def test_rule_9_poison_parks_the_run() -> None:
    """A leaf in flight at five crashes in a row is not started again (fails if crashes are not counted)."""

    async def body(wf: Any) -> None:
        await wf.activity("fine", double, 1)
        await wf.activity("deadly", double, 2)

    records = run(body).records[:4]
    assert isinstance(records[-1].event, ActivityStarted)
    for _ in range(4):
        killed = run(body, records=records, crashed=True, stop=_started_leaf)
        records = [*killed.records, *_opening(killed)]
    parked = run(body, records=records, crashed=True)
    assert isinstance(parked.events[-1], RunPaused)
    assert "deadly" in (parked.core.paused or "")
    assert parked.calls == []
    fine = run(body, records=records, crashed=False)
    assert fine.calls == ["deadly"]


def _started_leaf(commit: Any) -> bool:
    return any(isinstance(command, StartLeaf) for command in commit.commands)


def _opening(killed: Ran) -> list[Record]:
    return [Record(len(killed.records) + 1, RunResumed(at=START, crashed=True))]


def test_rule_9_an_outcome_resets_the_count() -> None:
    """Only crashes since the leaf's begin or last failure count (fails if all crashes are counted)."""

    async def body(wf: Any) -> None:
        await wf.activity("first", double, 1)
        await wf.activity("second", double, 2)

    first = run(body)
    records = list(first.records[:3])
    for seq in range(4, 9):
        records.append(Record(seq, RunResumed(at=START, crashed=True)))
    again = run(body, records=records, crashed=True)
    assert again.core.paused is None or "second" not in again.core.paused
    assert again.calls == ["second"]
