"""Rules 1 to 4 of the runtime: the order of steps, what a commit holds, and the values that the body gets.

The docstrings say which change to the code makes the test fail.
"""

from typing import Any

from flopod.events import ActivityCompleted, SleepCompleted
from flopod.workflow.commands import StartLeaf
from tests.workflow import programs
from tests.workflow.programs import Line, Order, annotate, double
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
