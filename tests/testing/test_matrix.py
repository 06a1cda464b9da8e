"""The crash matrix: every write of a run's log is one to be killed after, and the run ends the same."""

from typing import Any

import pytest

from flopod.testing import Flopod, Mismatch, never, takes
from flopod.testing.life import Life
from flopod.testing.matrix import crash_matrix, differing_calls

CASES: dict[str, tuple[tuple[Any, ...], dict[str, Any]]] = {
    "fetching": (("u",), {"leaves": {"fetch": [ConnectionError("line"), never, "third"]}}),
    "approving": (("A-1",), {"events": {"yes": takes("3h", True)}}),
    "racing": ((), {"leaves": {"fetch": takes("4m", "r")}, "events": {"human": takes("3m", "h")}}),
    "adding": ((3,), {"leaves": {"price": [takes("1h", 1), 2, ...]}}),
    "parent": ((3,), {}),
    "clocks": ((), {}),
    "undoing": (("x",), {}),
    "collecting": ((4,), {"leaves": {"fetch": ["a", OSError("b"), "c", "d", "e"]}}),
    "counting": ((), {"events": {"tick": [takes("23h", 1), takes("2h", 2), 3]}}),
    "both": ((), {"leaves": {"fetch": [takes("9m", "slow"), takes("1m", "fast")]}, "events": {"last": "l"}}),
    "beats": ((), {}),
    "pouring": ((3,), {}),
    "asking": ((["ann", "bob"],), {"events": {"answer": ["yes", takes("2d", "no")]}}),
}


@pytest.mark.parametrize("workflow", CASES)
def test_every_workflow_survives_every_crash(flopod: Flopod, workflow: str) -> None:
    """Values, errors, retries, races, children, timers, compensations: the same end after each write."""
    args, options = CASES[workflow]
    run = flopod.crash_matrix(workflow, *args, **options)
    assert run.is_proven


def test_a_run_of_the_test_goes_through_it(flopod: Flopod) -> None:
    """What the test delivered is delivered again, as long after its wait began."""
    run = flopod.run("counting").until_waiting().advance("23h").deliver("tick", 1)
    run.until_waiting().deliver("tick", 2, after="90m").advance("2h").crash().resume().deliver("tick", 4)
    assert flopod.crash_matrix(run).result() == 7


def test_a_compacted_run_goes_through_it(flopod: Flopod, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was removed from the log was there when the process was killed before."""
    monkeypatch.setenv("FLOPOD_COMPACT", "10")
    run = flopod.crash_matrix("collecting", 8)
    assert len(run.events) > len(run.backend.load("test"))
    assert run.variables["found"] == [str(number) for number in range(8)]


def test_a_cancelled_run_goes_through_it(flopod: Flopod) -> None:
    """It is cancelled again, where it was."""
    run = flopod.run("approving", "A-1").until_waiting().advance("1h").cancel("enough")
    assert flopod.crash_matrix(run).status == "cancelled"


def test_a_run_that_is_not_over_goes_through_it(flopod: Flopod) -> None:
    """It must come to stand where it stands."""
    flopod.run("approving", "A-1").until_waiting()
    flopod.run("both", leaves={"fetch": never}).advance("5m")
    flopod.run("fetching", "u")
    flopod.crash_all()


def test_the_write_is_named_at_which_it_differs(flopod: Flopod) -> None:
    """A leaf that gives something else when it runs again changes the result."""
    numbers = iter(range(100))
    with pytest.raises(Mismatch) as found:
        flopod.crash_matrix("collecting", 2, leaves={"fetch": lambda: next(numbers)})
    assert str(found.value) == (
        "killed after write 1 of 12 (run_started) and resumed, the run differs:\n"
        "  ends, uninterrupted: completed with [0, 1] ([0,1])\n"
        "  ends, resumed:       completed with [2, 3] ([2,3])"
    )


def test_a_workflow_that_looks_at_the_process_differs(flopod: Flopod) -> None:
    """A hand-written body that is not the same in the next process diverges, and the write is named."""
    lives = iter("aaaab")

    async def main(wf: Any) -> None:
        life = next(lives)
        await wf.activity("first", _nothing)
        await wf.activity(f"second-{life}", _nothing)

    with pytest.raises(Mismatch, match=r"killed after write 4 of 6 \(activity_started second-a\)") as found:
        flopod.crash_matrix(main)
    assert "second-a" in str(found.value)


def test_a_body_that_calls_more_the_second_time_differs(flopod: Flopod) -> None:
    """The same result is not enough: the calls are compared with their arguments."""
    lives = iter([1, 2, 2, 2, 2, 2, 2])

    async def main(wf: Any) -> None:
        life = next(lives)
        await wf.activity("first", _nothing)
        for _ in range(life):
            await wf.activity(f"more-{_}", _nothing)

    with pytest.raises(Mismatch, match=r"  called: more-1: .*_nothing \[\[\],\{\}\]"):
        flopod.crash_matrix(main)


def test_output_is_written_once(flopod: Flopod) -> None:
    """What was printed before the crash and after it is what is printed without one."""
    run = flopod.crash_matrix("announcing", "x", events={"go": None})
    assert run.output == "announcing x\n"


def test_what_was_detached_goes_through_it(flopod: Flopod, monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends in the next process as it did, and calls nothing again; one that is left lying is missed."""
    run = flopod.crash_matrix("detaching", "x")
    assert len(run.children) == 2
    monkeypatch.setattr(Life, "_open_kin", lambda _: [])
    with pytest.raises(
        Mismatch, match=r"ends, uninterrupted: completed with .*\n.* ends, resumed: +run_started"
    ):
        flopod.crash_matrix("detaching", "x")


def test_it_may_be_killed_at_some_writes_only(flopod: Flopod) -> None:
    """The matrix says how often it killed a run."""
    run = flopod.run("collecting", 3)
    run.outcome()
    assert (crash_matrix(run, [2, 5]), crash_matrix(run)) == (2, len(run.log()))


def test_calls_in_flight_may_be_missing_and_others_not() -> None:
    """The rule of the comparison, without a log: nothing is recorded, so everything must be called."""
    first = [("a", "f [1]"), ("b", "f [2]")]
    assert differing_calls(first, first, []) == ([], [])
    assert differing_calls(first, [("a", "f [1]")], []) == (["b: f [2]"], [])
    assert differing_calls(first, [("a", "f [1]"), ("b", "f [3]")], []) == (["b: f [2]"], ["b: f [3]"])


async def _nothing() -> None:
    return None
