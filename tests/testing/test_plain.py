"""The plain source with the same script: the oracle for what the compiled workflow does."""

from typing import Any

import pytest

from flopod.testing import Flopod, Mismatch, PlainRun, TestFailure, never, takes
from tests.testing.test_matrix import CASES

PLAIN = sorted(CASES.keys() - {"clocks"})  # plain, datetime.now() is the real one


@pytest.mark.parametrize("workflow", PLAIN)
def test_plain_and_compiled_are_the_same(flopod: Flopod, workflow: str) -> None:
    """Result or error, the calls in their order, and what is written."""
    args, options = CASES[workflow]
    compiled = flopod.same(workflow, *args, **options)
    plain = flopod.run(workflow, *args, **options, compiled=False)
    assert plain.outcome().status == compiled.status
    assert plain.elapsed == compiled.elapsed


def test_a_plain_run_is_led_like_a_compiled_one(flopod: Flopod) -> None:
    """It waits, time passes, events come, and its calls are seen."""
    run = flopod.run("approving", "A-1", compiled=False).until_waiting()
    assert (run.waiting, run.status) == (["yes"], "waiting")
    run.advance("47h").deliver("yes", True, after="30m")
    assert run.result() == "A-1 approved"
    assert run.elapsed.total_seconds() == 47.5 * 3600
    assert [call.args for call in run.calls("send")] == [("A-1",), ("yes",)]


def test_the_source_is_plain_between(flopod: Flopod) -> None:
    """Compiled and scripted code is in its place only while a run goes on."""
    import flows

    run = flopod.run("fetching", "u", leaves={"fetch": takes("1m", "scripted")}).advance("1s")
    plain = flopod.run("fetching", "u", leaves={"fetch": takes("1m", "scripted")}, compiled=False)
    plain.advance("1s")
    assert flows.doubled(2) == 4
    assert "wf" not in flows.fetching.__code__.co_varnames
    assert (run.result(), plain.result()) == ("scripted", "scripted")


def test_a_difference_is_shown(flopod: Flopod) -> None:
    """How both ended, or the calls that differ."""
    numbers = iter(range(100))
    with pytest.raises(
        Mismatch, match=r"(?s)ends otherwise:\n  plain:    .*\[0, 1\].*\n  compiled: .*\[2, 3\]"
    ):
        flopod.same("collecting", 2, leaves={"fetch": lambda: next(numbers)})
    flags = iter([True, False])
    with pytest.raises(Mismatch, match=r"(?s)leaf calls differ.*-flows:fetch \[\[\"first\"\],\{\}\]"):
        flopod.same("choosing", leaves={"flag": lambda: next(flags), "fetch": None})


def test_the_plain_run_has_no_paths(flopod: Flopod) -> None:
    """A script for it names leaves and events."""
    with pytest.raises(TestFailure, match=r"the script has 'range\[1\]/fetch'; name the leaf"):
        flopod.run("collecting", 2, leaves={"range[1]/fetch": 1}, compiled=False)
    with pytest.raises(TestFailure, match=r"the script has 'loop\[0\]/tick'; name the event"):
        flopod.run("counting", events={"loop[0]/tick": 1}, compiled=False)


@pytest.mark.parametrize(
    ("workflow", "options", "message"),
    [
        ("announcing", {}, "the run does not end: it waits for the event 'go' for ever"),
        ("adding", {"leaves": {"price": never}}, "flows:price is a plain function: where it never returns"),
        ("adding", {"leaves": {"price": [1]}}, "'price' is called once more than its script says"),
        ("adding", {"strict": True}, "the leaf flows:price is not in the script"),
    ],
)
def test_errors_of_a_plain_run(flopod: Flopod, workflow: str, options: dict[str, Any], message: str) -> None:
    """The harness says the same as for a compiled run."""
    run: PlainRun = flopod.run(workflow, "2" if workflow == "announcing" else 2, **options, compiled=False)
    with pytest.raises(TestFailure, match=message):
        run.result()


def test_a_hand_written_workflow_has_no_plain_source(flopod: Flopod) -> None:
    """It is written for the runtime."""

    async def main(wf: Any) -> None: ...

    with pytest.raises(TestFailure, match="'main' is written for the runtime; there is no plain source"):
        flopod.run(main, compiled=False)
