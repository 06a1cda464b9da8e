"""Events from outside: delivered now or later, by a script or by the test; refused when they do not fit."""

import pytest

from flopod.errors import BadInput, Cancelled
from flopod.testing import Flopod, TestFailure, never, takes


def test_a_delivered_event_ends_the_wait(flopod: Flopod) -> None:
    """The run goes on with the payload, when the test lets it."""
    run = flopod.run("approving", "A-1").until_waiting()
    run.deliver("yes", True)
    assert run.result() == "A-1 approved"
    assert run.elapsed.total_seconds() == 0


def test_an_event_comes_later(flopod: Flopod) -> None:
    """It is delivered when the clock has come so far, also after a crash before that."""
    run = flopod.run("approving", "A-1").until_waiting().deliver("yes", True, after="3h")
    run.advance("2h").crash().resume()
    assert run.result() == "A-1 approved"
    assert run.elapsed.total_seconds() == 3 * 3600


def test_an_event_that_is_too_late_changes_nothing(flopod: Flopod) -> None:
    """The timeout of the wait comes first."""
    run = flopod.run("approving", "A-1").deliver("yes", True, after="49h")
    assert type(run.error).__name__ == "Denied"


def test_an_event_before_its_wait_is_kept(flopod: Flopod) -> None:
    """What is delivered to a run that has just begun is there when it comes to wait."""
    assert flopod.run("approving", "A-1").deliver("yes", True).result() == "A-1 approved"


def test_events_are_scripted_like_leaves(flopod: Flopod) -> None:
    """One for each wait, in their order and their time."""
    run = flopod.run("counting", events={"tick": [takes("23h", 3), 4, never]})
    assert run.result() == 7
    assert run.elapsed.total_seconds() == (23 + 24) * 3600


def test_a_wait_is_meant_by_its_path(flopod: Flopod) -> None:
    """Where several are for one event, the path says which."""
    run = flopod.run("counting").until_waiting()
    assert [(wait.path, wait.event) for wait in run.waits] == [("loop[0]/tick", "tick")]
    run.deliver("loop[0]/tick", 3).deliver("loop[1]/tick", 4)
    assert run.result() == 7


def test_an_unknown_event_is_an_error(flopod: Flopod) -> None:
    """Delivered or scripted, with the near miss."""
    run = flopod.run("approving", "A-1").until_waiting()
    with pytest.raises(
        TestFailure, match="the workflow 'approving' never waits for 'yess'; did you mean 'yes'"
    ):
        run.deliver("yess", True)
    with pytest.raises(TestFailure, match="never waits for 'yess'"):
        flopod.run("approving", "A-1", events={"yess": True})


def test_events_one_after_the_other(flopod: Flopod) -> None:
    """Each goes to the wait that is open when the one before is taken."""
    run = flopod.run("counting").until_waiting()
    assert run.deliver("tick", 1).deliver("tick", 2).deliver("tick", 3).result() == 6


def test_an_event_without_a_place_is_an_error(flopod: Flopod) -> None:
    """Before the wait begins it is not guessed which one of a loop is meant."""
    run = flopod.run("asking", ["ann", "bob"])
    run.advance(0)
    with pytest.raises(TestFailure) as found:
        run.deliver("answer", 1)
    assert str(found.value) == (
        "it does not wait for 'answer' yet, and can at 'names[*]/answer'; deliver to a path, or call "
        "until_waiting('answer') before"
    )
    run.deliver("names[1]/answer", "later").until_waiting().deliver("answer", "now")
    assert run.result() == ["now", "later"]


def test_a_payload_that_does_not_fit_is_an_error(flopod: Flopod) -> None:
    """As `flopod runs deliver` refuses it; also when a script gives it."""
    run = flopod.run("approving", "A-1").until_waiting()
    with pytest.raises(BadInput, match="the payload does not fit what 'yes' waits for"):
        run.deliver("yes", "perhaps")
    with pytest.raises(BadInput, match="does not fit"):
        flopod.run("approving", "A-1", events={"yes": "perhaps"}).result()


def test_a_run_that_waits_for_ever_says_for_what(flopod: Flopod) -> None:
    """`result` fails and names the event and what to write."""
    run = flopod.run("announcing", "x")
    with pytest.raises(TestFailure) as found:
        run.result()
    assert str(found.value) == (
        "the run does not end: it waits for the event 'go' for ever; give it one with "
        "run.deliver('go', ...) or events={'go': ...}"
    )


def test_a_run_that_does_not_come_to_wait_says_how_it_stands(flopod: Flopod) -> None:
    """It is over, or a leaf never returns, or it waits for something else."""
    with pytest.raises(TestFailure, match="does not come to wait for an event: it is completed, with 'U'"):
        flopod.run("fetching", "u").until_waiting()
    with pytest.raises(TestFailure, match=r"for an event: the leaf at 'send#\(order\)' does not return"):
        flopod.run("approving", "A-1", leaves={"send": never}).until_waiting()
    with pytest.raises(TestFailure, match="to wait for 'ja': it failed with Denied"):
        flopod.run("approving", "A-1").until_waiting("ja")


def test_a_run_is_cancelled_and_paused(flopod: Flopod) -> None:
    """A cancelled run raises Cancelled; a paused one goes on when it is resumed."""
    run = flopod.run("approving", "A-1").until_waiting().cancel("changed my mind")
    with pytest.raises(Cancelled, match="changed my mind"):
        run.result()
    run = flopod.run("approving", "A-1").until_waiting().pause("lunch")
    assert run.status == "paused"
    with pytest.raises(TestFailure, match="the run has no result: it is paused: lunch; resume"):
        run.result()
    assert run.resume().deliver("yes", True).result() == "A-1 approved"


def test_what_needs_a_begun_run_says_so(flopod: Flopod) -> None:
    """Before it goes on for the first time there is nothing to cancel."""
    with pytest.raises(TestFailure, match="the run has not begun, so nothing can cancel it"):
        flopod.run("approving", "A-1").cancel()


def test_a_child_waits_too(flopod: Flopod) -> None:
    """What a run waits for in a child is given to it by the same name, also after a crash."""
    run = flopod.run("delegating", "A-1").until_waiting()
    assert run.waiting == ["yes"]
    run.advance("1h").crash().resume().until_waiting().deliver("yes", True)
    assert run.result() == "A-1 approved"
    assert [call.args for call in run.calls("send", run_id="child-A-1")] == [("A-1",), ("yes",)]
    assert (
        flopod.crash_matrix("delegating", "A-2", events={"yes": takes("5h", True)}).result() == "A-2 approved"
    )
    flopod.crash_matrix(run)
