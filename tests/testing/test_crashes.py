"""Crashes: a run is killed where a test says, and goes on in another process, store or build."""

from collections.abc import Callable
from pathlib import Path

import pytest

from flopod import FileBackend, MemoryBackend, SqliteBackend
from flopod.backends.base import Backend
from flopod.errors import BuildMismatch
from flopod.events import RunResumed
from flopod.testing import Flopod, TestFailure, takes


def test_a_leaf_in_flight_runs_again(flopod: Flopod) -> None:
    """Killed after the leaf has run and before that is recorded, it runs again, with the same arguments."""
    run = flopod.run("collecting", 3, crash_after="range[1]/fetch")
    assert (run.status, run.paths) == ("crashed", ["range[0]/fetch", "range[1]/fetch"])
    assert run.resume().result() == ["0", "1", "2"]
    assert [call.path for call in run.calls("fetch")] == [
        "range[0]/fetch",
        "range[1]/fetch",
        "range[1]/fetch",
        "range[2]/fetch",
    ]


def test_a_recorded_leaf_does_not_run_again(flopod: Flopod) -> None:
    """`until` stops when the outcome is recorded and nothing else has begun."""
    run = flopod.run("collecting", 3).until("range[1]/fetch")
    assert run.paths == ["range[0]/fetch", "range[1]/fetch"]
    assert run.crash().resume().result() == ["0", "1", "2"]
    assert len(run.calls("fetch")) == 3


def test_a_script_goes_on_where_it_was(flopod: Flopod) -> None:
    """The attempt that was in flight gets its outcome once more, the next one the next."""
    leaves = {"fetch": ["first", "second", "third"]}
    run = flopod.run("collecting", 3, leaves=leaves, crash_after="range[1]/fetch").resume()
    assert run.result() == ["first", "second", "third"]


def test_a_slow_leaf_ends_when_it_would_have(flopod: Flopod) -> None:
    """The time that a leaf takes counts from when it was begun first."""
    run = flopod.run("fetching", "u", leaves={"fetch": takes("8m", "slow")}).advance("5m").crash()
    assert run.resume().result() == "slow"
    assert run.elapsed.total_seconds() == 8 * 60


@pytest.mark.parametrize("count", range(1, 7))
def test_it_is_killed_after_a_write(flopod: Flopod, count: int) -> None:
    """A number is that of a record; the log has it, and those of the same commit."""
    run = flopod.run("approving", "A-1", events={"yes": True}, crash_after=count)
    assert (run.status, len(run.events) >= count) == ("crashed", True)
    assert run.resume().result() == "A-1 approved"


def test_a_crash_is_recorded_as_one(flopod: Flopod) -> None:
    """The next process finds that the one before was killed."""
    run = flopod.run("approving", "A-1").until_waiting().crash().resume().deliver("yes", True)
    run.result()
    assert [event.crashed for event in run.events if isinstance(event, RunResumed)] == [True]


@pytest.mark.parametrize(
    "store",
    [
        lambda _: MemoryBackend(),
        lambda folder: FileBackend(folder),
        lambda folder: SqliteBackend(folder / "runs.db"),
    ],
    ids=["memory", "file", "sqlite"],
)
def test_any_backend_can_be_tested(flopod: Flopod, tmp_path: Path, store: Callable[[Path], Backend]) -> None:
    """The run is in the store that is given, and resumed from there."""
    backend = store(tmp_path)
    run = flopod.run("counting", backend=backend, run_id="r-1", events={"tick": [1, takes("2h", 2)]})
    run.advance("1h").crash().resume()
    assert backend.summary("r-1") is not None
    assert flopod.crash_matrix(run.deliver("loop[2]/tick", 4)).result() == 7
    assert any(event.crashed for event in run.events if isinstance(event, RunResumed))


def test_an_edited_source_goes_on_with_a_run(flopod: Flopod) -> None:
    """A call that is new is made, a recorded one is kept; the classes of the test stay the same."""
    run = flopod.run("approving", "A-1").until_waiting().crash()
    edited = flopod.edited(
        "flows", '    await send("yes")', '    await send("really")\n    await send("yes")'
    )
    assert run.resume(edited).deliver("yes", True).result() == "A-1 approved"
    assert [call.args[0] for call in run.calls("send")] == ["A-1", "really", "yes"]
    assert flopod.run("approving", "A-1", events={"yes": True}).result() == "A-1 approved"


def test_an_edit_that_does_not_fit_stops_the_run(flopod: Flopod) -> None:
    """As it would in production: the error says what the log has and what the code asks for."""
    run = flopod.run("collecting", 2).until("fetch").crash()
    edited = flopod.edited(
        "flows", "in range(count):\n        found", "in range(7, count + 7):\n        found"
    )
    with pytest.raises(BuildMismatch, match=r"range\[0\]/fetch"):
        run.resume(edited).result()


def test_an_edit_that_cannot_be_made_is_an_error(flopod: Flopod) -> None:
    """The text must be there, once; the module must exist; the result must compile."""
    with pytest.raises(TestFailure, match=r"the text to replace is 0 times in flows\.py"):
        flopod.edited("flows", "nowhere", "")
    with pytest.raises(TestFailure, match="no module 'flow'; did you mean 'flows'"):
        flopod.edited("flow", "a", "b")
    with pytest.raises(TestFailure, match=r"(?s)does not compile.*flows.py:\d+:\d+"):
        flopod.edited("flows", '    await send("yes")', "    eval(order)")


def test_a_crash_that_never_comes_is_an_error(flopod: Flopod) -> None:
    """The run ends before, and that is said, with what it did."""
    with pytest.raises(TestFailure) as found:
        flopod.run("fetching", "u", crash_after=99)
    assert str(found.value) == (
        "the run is not killed after 99: it is completed, with 'U'; it has 4 records, and called fetch"
    )


def test_a_killed_run_does_nothing(flopod: Flopod) -> None:
    """It has to be resumed; one that is not killed cannot be."""
    run = flopod.run("fetching", "u", crash_after="fetch")
    with pytest.raises(TestFailure, match=r"was killed, so nothing goes on; call resume\(\)"):
        run.result()
    run.resume().result()
    with pytest.raises(TestFailure, match=r"the run has a process: it is completed, with 'U'; call crash"):
        run.resume()
