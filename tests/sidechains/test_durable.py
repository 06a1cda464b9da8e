"""Side chains of a run: the same end from every prefix of its log, and what the log says of them."""

import asyncio
from typing import Any

import pytest

from flopod import activity
from flopod.errors import DuplicateId
from flopod.events import (
    ActivityCompleted,
    ActivityFailed,
    ActivityStarted,
    IterationCompleted,
    RunFailed,
    SleepStarted,
    StepError,
)
from flopod.workflow.commands import CallLogger
from tests.sidechains import durable
from tests.workflow.programs import double, fail
from tests.workflow.support import Body, Ran, Simulator, called, run, sweep

PROGRAMS: list[tuple[Body, tuple[Any, ...], Any]] = [
    (durable.beside, (), [2, 3, 7, 4, 1, 0, 1, 0, 0]),
    (durable.late_timer, (), [0, 0, 2, "late", 0, 0, 0]),
    (durable.families, (), [2, [2, 4], 6, 0, 0]),
    (durable.in_a_loop, (7, False), [28, "2"]),
    (durable.in_a_loop, (7, True), [28, 0, 0, 0]),
    (durable.in_a_loop, (2, False), [3, 2, 0, 0]),
    (durable.always_open, (4,), [[1, 2, 3, 4], 4, 0, 0]),
]


def named(value: Any) -> str:
    return getattr(value, "__name__", "")


@pytest.mark.parametrize(("body", "args", "expected"), PROGRAMS, ids=named)
def test_same_end_from_every_prefix(body: Body, args: tuple[Any, ...], expected: Any) -> None:
    """A run that is cut after any record, twice, ends as if it had not been, and repeats no recorded leaf."""
    first = sweep(body, *args)
    assert first.value == expected
    assert not first.core.open


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("body", [durable.beside, durable.families, durable.fails_with_work])
def test_same_end_when_completions_are_shuffled(body: Body, seed: int) -> None:
    """Whatever the order in which work ends, it is the log's order after a resume."""
    sweep(body, seed=seed, depth=1)


@pytest.mark.parametrize("body", [durable.beside, durable.late_timer])
def test_each_failure_is_one_event_in_every_log(body: Body) -> None:
    """`step_error` is written once, and logged once, wherever the run was cut."""
    first = run(body)
    expected = [(one.path, one.id) for one in first.of(StepError)]
    for cut in range(len(first.records) + 1):
        simulator = Recording(body, (), first.records[:cut])
        again = simulator.run()
        assert [(one.path, one.id) for one in again.of(StepError)] == expected, cut
        written = sum(isinstance(one.event, StepError) for one in first.records[:cut])
        assert simulator.logged == len(expected) - written, cut


class Recording(Simulator):
    """Counts what goes to the log of the program."""

    logged = 0

    def _commit(self, commit: Any) -> None:
        super()._commit(commit)
        self.logged += sum(isinstance(one, CallLogger) for one in commit.commands)


def test_a_failure_has_path_name_error_and_traceback() -> None:
    """And the leaf that failed is in the log as any other; the traceback has the author's lines only."""
    ran = run(durable.beside)
    (failed,) = ran.of(StepError)
    assert (failed.path, failed.id) == ("fail", "report")
    assert b"ValueError" in bytes(failed.error)
    assert "programs.py" in failed.traceback
    assert failed.traceback.strip().endswith("ValueError: x")
    assert "background.py" not in failed.traceback
    assert [one.path for one in ran.of(ActivityFailed)] == ["fail"]


def test_the_paths_of_work() -> None:
    """A leaf is at the path of its id, an item in a scope of its own, a workflow at the id's path."""
    assert {"double", "fail", "late", "slow[0]/slow", "slow[2]/slow", "double#tapped"} <= _begun(
        run(durable.beside)
    )
    begun = _begun(run(durable.families))
    assert {"nested/double", "called/queues/queues/double", "items[1]/double", "range[0]/double"} <= begun
    assert {one.path for one in run(durable.families).of(SleepStarted)} >= {"items[0]/naps/sleep"}


def _begun(ran: Ran) -> set[str]:
    return {one.path for one in ran.of(ActivityStarted)}


def test_an_id_is_used_once() -> None:
    """Also where nothing is done, so that the error does not depend on a condition."""

    async def body(wf: Any) -> None:
        wf.work("double", double, 1, when=False)
        wf.work("double", double, 1)

    assert isinstance(run(body).core.error, DuplicateId)


def test_the_end_of_the_run_comes_after_its_work() -> None:
    """On success and on failure, and the error is the main line's."""
    ran = run(durable.fails_with_work)
    assert isinstance(ran.events[-1], RunFailed)
    assert str(ran.core.error) == "main"
    assert {"queues/double", "queues/queues/double"} <= set(ran.calls)
    sweep(durable.fails_with_work)


def test_arguments_that_no_leaf_can_get_fail_the_work_alone() -> None:
    """Like any error of the block."""

    async def body(wf: Any) -> list[int]:
        wf.work("double", double, {"client": (x for x in "ab")}["client"], connector=lambda it: [it])
        drained = await wf.wait_for_work("wait_for_work")
        return [drained.done, drained.failed]

    ran = run(body)
    assert ran.value == [0, 1]
    assert "client" in ran.of(StepError)[0].traceback or "SerializableError" in ran.of(StepError)[0].traceback


def test_what_a_block_gives_is_no_part_of_the_run() -> None:
    """It need not be data, and is in no log, however large; what undoes the block gets it all the same."""
    undone: list[tuple[object, object]] = []

    async def undo(result: object, value: object) -> None:
        called()
        undone.append((result, value))

    async def gives_no_data(value: object) -> object:
        called()
        return (one for one in [value])

    booking = activity(double, compensate=undo)

    async def body(wf: Any) -> None:
        wf.work("queued", gives_no_data, 1)
        wf.work("booked", booking, 4)
        await wf.tap("tapped", gives_no_data, [2])
        drained = await wf.wait_for_work("wait_for_work")
        raise ValueError(drained.done)

    ran = sweep(body)
    assert str(ran.core.error) == "2"
    assert {one.path: bytes(one.result) for one in ran.of(ActivityCompleted)} == {
        "queued": b"null",
        "tapped": b"null",
        "booked": b"8",
        "booked/undo": b"null",
    }
    assert set(undone) == {(8, 4)}


def test_a_native_task_left_behind_is_cancelled_after_the_work() -> None:
    """It goes on while the work drains, as in plain Python, and no longer."""

    async def main(wf: Any) -> str:
        async def left() -> None:
            try:
                await wf.sleep("sleep", 3600)
            finally:
                wf.print("cancelled")

        task = asyncio.create_task(left())
        wf.work("naps", durable.naps, 60, workflow=True)
        await asyncio.sleep(0)
        assert not task.done()
        return "main"

    ran = sweep(main)
    assert (ran.value, ran.printed) == ("main", "cancelled\n")
    assert ran.calls == ["naps/double"]


# -- loops ---------------------------------------------------------------------------------------


def test_an_iteration_whose_work_is_open_is_not_complete() -> None:
    """No snapshot stands for it (fails if `joined_only` is not asked, or not true of open work)."""
    assert run(durable.always_open, 6).of(IterationCompleted) == []


def test_a_loop_that_waits_for_its_work_is_passed_over() -> None:
    """Its iterations have snapshots, and a resume runs none of them again."""
    first = run(durable.in_a_loop, 12, True)
    completed = first.of(IterationCompleted)
    assert len(completed) >= 3
    cut = next(i for i, one in enumerate(first.events) if one is completed[-1]) + 1
    asked: list[int] = []

    async def watched(wf: Any) -> Any:
        return await durable.in_a_loop(Watched(wf, asked), 12, True)

    assert run(watched, records=first.records[:cut]).value == first.value
    assert asked == list(range(completed[-1].index + 1, 12))


class Watched:
    """A scope that notes the iterations that are handed out."""

    def __init__(self, wf: Any, asked: list[int]) -> None:
        self._wf = wf
        self._asked = asked

    def __getattr__(self, name: str) -> Any:
        return getattr(self._wf, name)

    def each(self, *args: Any) -> Any:
        for scope, item in self._wf.each(*args):
            self._asked.append(item)
            yield scope, item


def test_what_became_of_work_is_in_the_snapshot() -> None:
    """Work that ended in an iteration that is passed over counts in the wait after the loop."""
    first = run(durable.in_a_loop, 7, False)
    completed = [one for one in first.of(IterationCompleted) if one.work is not None]
    assert completed, "some iteration ends with all of its work done"
    for one in completed:
        cut = first.events.index(one) + 1
        assert run(durable.in_a_loop, 7, False, records=first.records[:cut]).value == first.value
    assert run(durable.in_a_loop, 7, True).of(IterationCompleted)[-1].work is None


def test_a_loop_with_work_is_compacted() -> None:
    """What its completed iterations wrote can go, and what is left is enough."""
    first = run(durable.in_a_loop, 60, True, compact=40)
    assert len(first.records) < 120
    for cut in range(0, len(first.records), 7):
        again = run(durable.in_a_loop, 60, True, records=first.records[:cut], compact=40)
        assert again.value == first.value


def test_an_item_of_a_hand_written_each_with_open_work_is_replayed() -> None:
    """Its end does not stand for its work (fails if the record of the item is taken for all of it)."""
    ran = run(durable.families)
    assert not [one for one in ran.of(IterationCompleted) if one.path == "items"]


# -- leaving -------------------------------------------------------------------------------------


def test_a_fenced_run_queues_nothing() -> None:
    """After a divergence `work` gives its value, and a wait never returns."""
    trace: list[Any] = []

    async def before(wf: Any) -> None:
        wf.branch("if", True)

    async def after(wf: Any) -> None:
        wf.branch("if", False)
        trace.append(wf.work("double", double, 5))
        trace.append(wf.for_each("each", double, [5], connector=fail))
        await wf.wait_for_work("wait_for_work")
        trace.append("never")

    again = run(after, records=run(before).records[:-1])
    assert again.core.diverged is not None
    assert (trace, again.calls) == ([5, [5]], [])
