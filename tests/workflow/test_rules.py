"""The nine rules of the runtime's semantics: each has a test that fails when the rule is broken.

The docstrings say which change to the code makes the test fail.
"""

import gc
import subprocess
import sys
from typing import Any

from flopod.events import (
    ActivityCompleted,
    ActivityStarted,
    BranchTaken,
    IterationCompleted,
    Log,
    Record,
    RunPaused,
    RunResumed,
    SleepCompleted,
)
from flopod.workflow.commands import StartLeaf
from tests.workflow import programs
from tests.workflow.programs import Line, Order, add, annotate, double, slow
from tests.workflow.support import START, Ran, Simulator, called, run


def kinds(ran: Ran) -> list[str]:
    return [type(event).__name__ for event in ran.events]


def test_rule_1_stepped_without_asyncio() -> None:
    """A whole run needs no event loop (fails if anything in workflow/ asks asyncio for the loop)."""
    assert run(programs.gathered, 2).value == [0, 1, 2, 4]


def test_rule_2_outcomes_one_at_a_time() -> None:
    """The next outcome waits until all arms are blocked (fails if `step` delivers two before running)."""
    trace: list[str] = []

    async def arm(wf: Any, name: str) -> None:
        await wf.activity(f"a-{name}", double, 1)
        trace.append(f"{name} 1")
        await wf.parallel(_turn())
        trace.append(f"{name} 2")

    async def _turn() -> None:
        return None

    async def body(wf: Any) -> None:
        await wf.parallel(arm(wf, "x"), arm(wf, "y"))

    first = run(body)
    assert trace == ["x 1", "x 2", "y 1", "y 2"]
    trace.clear()
    run(body, records=first.records[:-1])
    assert trace == ["x 1", "x 2", "y 1", "y 2"]


def test_rule_2_no_leaf_before_the_last_recorded_outcome() -> None:
    """Leaves in flight start after replay (fails if an activity is started when it begins in replay)."""
    first = run(programs.gathered, 3, seed=1)
    cut = next(i for i, e in enumerate(first.events) if isinstance(e, ActivityCompleted)) + 1
    simulator = Simulator(programs.gathered, (3,), first.records[:cut])
    commit = simulator.core.step(START)
    assert sum(isinstance(command, StartLeaf) for command in commit.commands) == 2
    assert not simulator.core.history.replaying


def test_rule_2_due_timers_come_before_leaves() -> None:
    """A timer that is due is delivered before a leaf starts (fails if timers come after the commit)."""

    async def sleeper(wf: Any) -> None:
        await wf.sleep("sleep", 10)

    async def body(wf: Any) -> None:
        await wf.parallel(wf.activity("leaf", double, 1), sleeper(wf))

    first = run(body)
    cut = kinds(first).index("SleepStarted") + 1
    late = Simulator(body, (), first.records[:cut], now=START + 60_000)
    commit = late.core.step(late.now)
    assert any(isinstance(event, SleepCompleted) for event in commit.events)
    assert [type(command) for command in commit.commands] == [StartLeaf]


def test_rule_2_a_synchronous_leaf_holds_the_floor() -> None:
    """No other arm is stepped during a plain call (fails if `Activity.begin` does not take the floor)."""
    trace: list[str] = []

    def plain(name: str) -> None:
        called()
        trace.append(f"{name} called")

    async def arm(wf: Any, name: str) -> None:
        trace.append(f"{name} begins")
        await wf.activity(f"plain-{name}", plain, name)
        trace.append(f"{name} goes on")

    async def body(wf: Any) -> None:
        await wf.parallel(arm(wf, "x"), arm(wf, "y"))

    first = run(body)
    assert trace == ["x begins", "x called", "x goes on", "y begins", "y called", "y goes on"]
    for cut in range(len(first.records)):
        trace.clear()
        assert run(body, records=first.records[:cut]).core.diverged is None
        assert [line for line in trace if "called" not in line] == [
            "x begins",
            "x goes on",
            "y begins",
            "y goes on",
        ]


def test_rule_3_one_write_per_quiescence() -> None:
    """n sequential steps are n + 1 commits: outcome and next begin together (fails if each is flushed)."""
    ran = run(programs.sequential, 5)
    assert ran.commits == [2] * 7


def test_rule_3_nothing_leaves_before_the_write() -> None:
    """Leaves and prints are commands of the commit (fails if `Output.print` writes at once)."""

    async def body(wf: Any) -> None:
        wf.print("hello")
        await wf.activity("leaf", double, 1)

    stopped = run(body, stop=lambda _: True)
    assert (stopped.printed, stopped.calls, stopped.records) == ("", [], [])


def test_rule_3_values_are_encoded_when_they_happen() -> None:
    """A change after a call was asked for does not reach its record (fails if the commit encodes)."""

    async def body(wf: Any) -> list[int]:
        args = [1]

        async def change() -> None:
            args.append(2)

        got, _ = await wf.parallel(wf.activity("len", len, args), change())
        return [got, *args]

    assert run(body).value == [1, 1, 2]


def test_rule_4_the_body_gets_the_decoded_copy_live_too() -> None:
    """A result is not the leaf's own object (fails if `_deliver_leaf` hands out the live value)."""
    shared = [1]

    def leaf() -> dict[str, list[int]]:
        called()
        return {"a": shared, "b": shared}

    async def body(wf: Any) -> Any:
        got = await wf.activity("leaf", leaf)
        assert got["a"] is got["b"]
        assert got["a"] is not shared
        got["a"].append(2)
        return await wf.activity("again", leaf)

    assert run(body).value == {"a": [1], "b": [1]}


def test_rule_4_changed_arguments_are_restored_in_place() -> None:
    """What a call does to its argument shows, after a resume too (fails if `state` is not recorded)."""

    async def body(wf: Any) -> tuple[Any, ...]:
        order = Order("o", [Line("s", 1)])
        line, notes = order.lines[0], order.notes
        await wf.activity("annotate", annotate, order, "x")
        await wf.activity("price", programs.price, line)
        assert order.notes is notes
        assert order.lines[0] is line
        return order.notes, line.price

    first = run(body)
    assert str(first.value) == "(['x'], Decimal('1.50'))"
    assert run(body, records=first.records[:-1]).value == first.value


def test_rule_4_every_attempt_gets_the_same_arguments() -> None:
    """A failed attempt does not spoil the next one's arguments (fails if the copy is made once)."""
    seen: list[list[int]] = []

    def leaf(xs: list[int]) -> None:
        called()
        seen.append(list(xs))
        xs.append(9)
        if len(seen) < 3:
            raise OSError("not yet")

    async def body(wf: Any) -> list[int]:
        xs = [1]
        await wf.attempt("leaf", leaf, xs, retry=programs.Retry(max_attempts=3))
        return xs

    assert run(body).value == [1, 9]
    assert seen == [[1], [1], [1]]


def test_rule_5_completed_iterations_are_skipped() -> None:
    """A resume runs only the iterations after the snapshot (fails if `Each` never jumps)."""
    bodies: list[int] = []

    async def body(wf: Any, n: int) -> int:
        total = wf.var("total", 0)
        for scope, i in wf.each("xs", range(n)):
            bodies.append(i)
            total.value += await scope.activity("double", double, i)
        return int(total.value)

    first = run(body, 20)
    snapshots = first.of(IterationCompleted)
    assert snapshots
    cut = next(i for i, e in enumerate(first.events) if e is snapshots[-1]) + 1
    bodies.clear()
    assert run(body, 20, records=first.records[:cut]).value == first.value
    assert bodies == list(range(snapshots[-1].index + 1, 20))


def test_rule_5_restored_in_place() -> None:
    """Objects that were there at the entry stay themselves (fails if a snapshot makes new ones)."""

    async def body(wf: Any) -> list[Any]:
        order = Order("o")
        notes = order.notes
        inside = {"order": order}
        for scope, i in wf.each("xs", range(4), keep=(order,)):
            order.notes.append(str(await scope.activity("double", double, i)))
        assert inside["order"].notes is notes
        return notes

    first = run(body)
    assert first.of(IterationCompleted)
    for cut in range(len(first.records)):
        assert run(body, records=first.records[:cut]).value == ["0", "2", "4", "6"]


def test_rule_5_what_is_no_plain_data_is_replayed() -> None:
    """A loop that carries an iterator is replayed, with one warning that names it (fails if captured)."""
    bodies: list[int] = []

    async def body(wf: Any) -> list[int]:
        numbers = iter(range(10, 20))
        found = []
        for scope, i in wf.each("xs", range(4), keep=(numbers, found)):
            bodies.append(i)
            found.append(await scope.activity("add", add, i, next(numbers)))
        return found

    first = run(body)
    assert first.value == [10, 12, 14, 16]
    assert not first.of(IterationCompleted)
    warnings = [event for event in first.of(Log) if event.level == "WARNING"]
    assert len(warnings) == 1
    assert "iterator" in warnings[0].message
    bodies.clear()
    assert run(body, records=first.records[:-1]).value == first.value
    assert bodies == [0, 1, 2, 3]


def test_rule_5_an_open_operation_keeps_an_iteration_from_being_complete() -> None:
    """An iteration with an operation that is not over leaves no snapshot (fails without `_is_whole`)."""

    async def body(wf: Any) -> int:
        pending: list[Any] = []
        for scope, i in wf.each("xs", range(3)):
            await scope.activity("other", double, i)
            pending.append(scope.activity("double", double, i))
        return sum([await operation for operation in pending])

    first = run(body)
    assert first.value == 6
    assert not first.of(IterationCompleted)


def test_rule_5_a_loop_beside_a_running_arm_is_replayed() -> None:
    """While another arm runs nothing is captured (fails if `joined_only` is left out)."""

    async def looping(wf: Any, xs: list[int]) -> None:
        for scope, i in wf.each("xs", range(3), keep=(xs,)):
            xs.append(await scope.activity("double", double, i))

    async def changing(wf: Any, xs: list[int]) -> None:
        await wf.activity("slow", slow, 1, 9)
        xs.append(99)

    async def body(wf: Any) -> list[int]:
        xs: list[int] = []
        await wf.parallel(looping(wf, xs), changing(wf, xs))
        await wf.parallel(looping(wf.iteration("alone[0]"), xs))
        return xs

    first = run(body, seed=4)
    assert {event.path for event in first.of(IterationCompleted)} == {"alone[0]/xs"}
    for cut in range(len(first.records)):
        assert sorted(run(body, records=first.records[:cut], seed=4).value) == sorted(first.value)


def test_rule_5_a_left_iteration_is_not_complete() -> None:
    """`break` leaves no record of its iteration (fails if leaving the loop completes it)."""
    first = run(programs.break_and_return)
    assert max(event.index for event in first.of(IterationCompleted)) == 3


def test_rule_6_a_loop_that_cannot_be_captured_says_so_once() -> None:
    """The warning names loop and object, once over all resumes (fails if `warned` is not read back)."""

    async def body(wf: Any) -> None:
        lock = (x for x in "ab")
        for scope, i in wf.each("xs", range(3), keep=(lock,)):
            await scope.activity("double", double, i)
        for scope, i in wf.each("ys", range(2)):
            await scope.activity("double", double, i)

    first = run(body)
    for cut in range(len(first.records)):
        again = run(body, records=first.records[:cut])
        warnings = [event for event in again.of(Log) if event.level == "WARNING"]
        assert [event.path for event in warnings] == ["xs"]
        assert "generator" in warnings[0].message


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


def test_failures_carry_changed_arguments() -> None:
    """A leaf that raises leaves its changes to arguments, as in Python (fails if failures have no state)."""

    def leaf(xs: list[int]) -> None:
        called()
        xs.append(1)
        raise ValueError(xs)

    async def body(wf: Any) -> Any:
        xs: list[int] = []
        try:
            await wf.activity("leaf", leaf, xs)
        except ValueError as error:
            assert error.args[0] is xs
        return xs

    first = run(body)
    assert first.value == [1]
    assert run(body, records=first.records[:-1]).value == [1]
