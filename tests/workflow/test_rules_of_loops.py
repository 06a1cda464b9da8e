"""Rules 5 and 6 of the runtime: which iterations are skipped, and what keeps one from being skipped.

The docstrings say which change to the code makes the test fail.
"""

from typing import Any

from flopod.events import IterationCompleted, Log
from tests.workflow import programs
from tests.workflow.programs import Order, add, double, slow
from tests.workflow.support import run


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
