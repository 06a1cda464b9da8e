"""The crash button, step mode, and requests that come at the wrong moment."""

import os
import signal
import threading

import pytest

from tests.server.dev.developing import Developed

pytestmark = pytest.mark.process


def test_a_crash_is_survived(dev: Developed) -> None:
    """Another process goes on; what was recorded is not done again, what was under way is."""
    dev.pace(0.3)
    dev.start_run("letters", "crashed", names=["a", "b", "c"])
    dev.wait_for(lambda: len(dev.calls()) == 2)
    before = dev.worker
    dev.press("crash")
    said = dev.until_bar("ended by SIGKILL")
    assert f"{before} ended by SIGKILL" in said
    found = dev.until("crashed", "completed")
    assert found["result"] == ["stamped a", "stamped b", "stamped c", "sent 3 letters"]
    assert dev.calls() == ["stamp a", "stamp b", "stamp b", "stamp c", "send 3 letters"]
    assert found["run"]["crashes"] == 1
    assert dev.worker not in (0, before)


def test_many_crashes_are_survived(dev: Developed) -> None:
    """No run is parked for being watched."""
    dev.pace(0.4)
    dev.start_run("letters", "often", names=["a"])
    for _ in range(7):
        before = dev.until_ready()
        dev.press("crash")
        dev.until_other(before)
    dev.pace(0)
    assert dev.until("often", "completed")["result"] == ["stamped a", "sent 1 letters"]


def test_a_worker_that_somebody_else_kills_is_started_again(dev: Developed) -> None:
    """And the terminal says how it ended."""
    worker = dev.worker
    os.kill(worker, signal.SIGTERM)
    dev.until_other(worker)
    assert f"worker {worker} ended by SIGTERM" in "".join(dev.log)


def test_a_start_during_a_crash_is_not_lost(dev: Developed) -> None:
    """It waits for the next process."""
    dev.press("crash")
    run = dev.start_run("echo", text="late")
    assert dev.until(run, "completed")["result"] == "stamped late"


def test_a_crash_while_the_source_has_errors(dev: Developed) -> None:
    """The last good build goes on in the next process, whatever is on the disk."""
    dev.start_run("asked", "open", question="when")
    dev.until("open", "waiting")
    dev.edit("desk/services.py", "async def send(", "async def send((")
    dev.until_bar("the last good build runs")
    before = dev.worker
    dev.press("crash")
    dev.until_other(before)
    dev.deliver("open", "answer", "now")
    assert dev.until("open", "completed")["result"] == "sent stamped when: now"


def test_steps_wait_to_be_let_go(dev: Developed) -> None:
    """One at a time; a run goes on alone with "run on"; without step mode all do."""
    dev.press("step")
    dev.start_run("letters", "one", names=["a", "b"])
    dev.until_bar("one waits before names[0]/stamp")
    assert dev.calls() == []
    dev.press("go/one")
    dev.until_bar("one waits before names[1]/stamp")
    assert dev.calls() == ["stamp a"]
    dev.press("go-on/one")
    assert dev.until("one", "completed")["result"] == ["stamped a", "stamped b", "sent 2 letters"]
    dev.start_run("letters", "two", names=["c"])
    dev.until_bar("two waits before names[0]/stamp")
    dev.press("run")
    dev.until("two", "completed")
    assert "waits before" not in dev.bar()


def test_step_mode_survives_a_crash(dev: Developed) -> None:
    """Not a step is taken by the next process that nobody let go."""
    dev.press("step")
    dev.start_run("letters", "held", names=["a"])
    dev.until_bar("held waits before names[0]/stamp")
    before = dev.worker
    dev.press("crash")
    dev.until_other(before)
    dev.until_bar("held waits before names[0]/stamp")
    assert dev.calls() == []
    dev.press("go/held")
    dev.until_bar("held waits before send")
    assert dev.calls() == ["stamp a"]


def test_a_run_that_is_held_can_be_cancelled(dev: Developed) -> None:
    """Then its step is not taken."""
    dev.press("step")
    dev.start_run("letters", "held", names=["a"])
    dev.until_bar("held waits before")
    assert dev.ask("POST", "/runs/held/cancel", {}).status in (200, 202)
    dev.until("held", "cancelled")
    assert dev.calls() == []
    assert "waits before" not in dev.bar()


def test_starts_and_crashes_at_once(dev: Developed) -> None:
    """Every start is accepted, if need be by the next process, and every run completes, once."""
    accepted: list[str] = []

    def begin(number: int) -> None:
        answer = dev.ask(
            "POST", "/runs", {"workflow": "echo", "run_id": f"r{number}", "input": {"text": f"{number}"}}
        )
        if answer.status == 202:
            accepted.append(answer.json["run_id"])

    threads = [threading.Thread(target=begin, args=(number,)) for number in range(20)]
    for number, thread in enumerate(threads):
        thread.start()
        if number % 7 == 3:
            dev.press("crash")
    for thread in threads:
        thread.join()
    assert len(accepted) == 20
    for run in accepted:
        dev.until(run, "completed")
    assert sorted({*dev.calls()}) == sorted(f"stamp {number}" for number in range(20))
