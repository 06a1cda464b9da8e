"""Hand-written workflows, `async def main(wf)`, and programs that open their run themselves."""

from typing import Any

import pytest

from flopod import Retry, activity, create_runtime
from flopod.testing import Flopod, TestFailure, never, takes

bare = Flopod()


@activity(retry=Retry(max_attempts=2, delay="1m", jitter=False))
async def ask(what: str) -> str:
    return f"{what}!"


async def main(wf: Any, name: str) -> list[Any]:
    first = await wf.activity("ask", ask, name)
    await wf.sleep("night", "8h")
    return [first, await wf.wait("answer", timeout="1h")]


async def program(name: str) -> list[Any]:
    async with create_runtime(run_id="p-1") as wf:
        found: list[Any] = await main(wf, name)
        wf.result = found
    return found


def test_a_hand_written_workflow_needs_no_project() -> None:
    """Neither a source nor a compiler: its function is enough."""
    run = bare.run(main, "Ada", leaves={"ask": [OSError(), "hello"]}, events={"answer": takes("10m", 1)})
    assert run.result() == ["hello", 1]
    assert run.elapsed.total_seconds() == 8 * 3600 + 11 * 60
    assert run.path("ask").attempts == 2
    bare.crash_matrix(run)


def test_its_events_are_delivered_and_its_crashes_survived() -> None:
    """As those of a compiled one."""
    run = bare.run(main, "Ada", crash_after="ask").resume().until_waiting()
    assert run.deliver("answer", {"by": "Bob"}).result() == ["Ada!", {"by": "Bob"}]
    assert len(run.calls("ask")) == 2


def test_a_program_finds_the_clock_and_the_store() -> None:
    """`create_runtime` needs no other arguments than in production."""
    run = bare.program(program, "Ada").until_waiting()
    assert (run.run_id, run.waiting, run.elapsed.total_seconds()) == ("p-1", ["answer"], 8 * 3600)
    assert run.advance("2h").result() == ["Ada!", None]
    assert run.events[-1].path == ""
    bare.crash_matrix(run)


def test_a_program_is_killed_and_started_again() -> None:
    """It is called anew, and goes on with its run."""
    run = bare.program(program, "Ada", leaves={"ask": [takes("1h", "slow")]}).advance("10m").crash()
    assert run.resume().deliver("answer", 2).result() == ["slow", 2]
    run = bare.program(program, "Ada").until("ask").crash().resume()
    assert run.result() == ["Ada!", None]
    assert len(run.calls()) == 1


def test_an_error_of_a_program_is_its_error() -> None:
    """What the body raises fails the run and the test sees it."""
    run = bare.program(program, "Ada", leaves={"ask": [OSError("a"), OSError("b")]})
    with pytest.raises(OSError, match="b"):
        run.result()
    assert run.status == "failed"


def test_what_is_no_workflow_is_an_error() -> None:
    """A function without a scope needs a project, and arguments have to fit."""
    with pytest.raises(TestFailure, match="no hand-written workflow"):
        bare.run(ask, "Ada")
    with pytest.raises(TestFailure, match=r"main\(wf: Any, name: str\).* does not take this input"):
        bare.run(main)
    with pytest.raises(TestFailure, match=r"the run does not end: the leaf at 'ask' does not return"):
        bare.run(main, "Ada", leaves={"ask": never}).result()
