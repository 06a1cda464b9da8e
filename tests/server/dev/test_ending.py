"""How `flopod dev` ends and begins again: nothing is left over, and runs go on."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.server.dev.developing import Developed, is_alive

pytestmark = pytest.mark.process


def test_ctrl_c_leaves_runs_that_go_on_at_the_next_start(dev: Developed) -> None:
    """The signal reaches the worker too, as from a terminal; no word is lost about it, no process left."""
    dev.pace(0.2)
    dev.start_run("letters", "kept", names=["a", "b", "c", "d"])
    dev.wait_for(lambda: len(dev.calls()) == 2)
    worker = dev.worker
    dev.signal_all(signal.SIGINT)
    assert dev.process.wait(20) == 130
    dev.wait_for(lambda: not is_alive(worker))
    assert "Traceback" not in "".join(dev.log)
    dev.start()
    dev.until_ready()
    assert dev.until("kept", "completed")["result"] == [*(f"stamped {n}" for n in "abcd"), "sent 4 letters"]
    stamps = [call for call in dev.calls() if call.startswith("stamp")]
    assert sorted(set(stamps)) == [f"stamp {n}" for n in "abcd"]
    assert len(stamps) <= 5
    assert dev.run("kept")["run"]["crashes"] == 0


def test_a_second_ctrl_c_ends_it_too(dev: Developed) -> None:
    """Somebody is impatient: nothing stays, and no traceback is shown."""
    dev.pace(60)
    dev.start_run("letters", "long", names=["a"])
    dev.wait_for(dev.calls)
    worker = dev.worker
    dev.signal_all(signal.SIGINT)
    time.sleep(0.1)
    dev.signal_all(signal.SIGINT)
    assert dev.process.wait(20) == 130
    dev.wait_for(lambda: not is_alive(worker))
    assert "Traceback" not in "".join(dev.log)


def test_the_worker_ends_when_flopod_dev_is_killed(dev: Developed) -> None:
    """SIGKILL leaves no time for anything."""
    worker = dev.worker
    dev.kill()
    dev.wait_for(lambda: not is_alive(worker))


def test_a_worker_that_is_busy_ends_when_flopod_dev_is_killed(tmp_path: Path) -> None:
    """Even one that never comes back to its event loop."""
    with Developed(tmp_path) as dev:
        dev.until_ready()
        build = dev.build
        dev.edit(
            "desk/services.py",
            'await noted(f"stamp {text}")',
            "await noted(text)\n    while True:\n        pass",
        )
        dev.until_rebuilt(build)
        worker = dev.worker
        dev.pace(0.3)
        dev.start_run("echo", "busy", text="busy")
        dev.wait_for(dev.calls)
        time.sleep(0.5)
        dev.kill()
        assert is_alive(worker)
        dev.wait_for(lambda: not is_alive(worker))


def test_runs_from_before_are_there_and_go_on(dev: Developed) -> None:
    """What is over can be looked at, what waits can be answered."""
    over = dev.start_run("echo", text="x")
    dev.until(over, "completed")
    dev.start_run("asked", "open", question="when")
    dev.until("open", "waiting")
    dev.kill()
    dev.start()
    dev.until_ready()
    page = dev.ask("GET", "/").text
    assert f">{over}<" in page
    assert ">open<" in page
    assert "stamped x" in dev.ask("GET", f"/ui/runs/{over}").text
    dev.deliver("open", "answer", "now")
    assert dev.until("open", "completed")["result"] == "sent stamped when: now"


def test_a_port_that_is_taken_is_said_before_anything_is_done(tmp_path: Path) -> None:
    """With the port, and what to do."""
    (tmp_path / "flow.py").touch()
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "-m", "flopod_compiler.cli", "dev", str(tmp_path), "--port", str(port)],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env={**os.environ, "FLOPOD_DATA_DIR": str(tmp_path / "data")},
        )
    assert done.returncode == 2
    assert f"something listens at 127.0.0.1:{port} already" in done.stderr
    assert "--port 0" in done.stderr
    assert "Traceback" not in done.stderr
