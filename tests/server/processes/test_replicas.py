"""Several servers on one store: each run has one of them, and another one when that is killed."""

from pathlib import Path

import pytest

from tests.server.processes.serving import Served

pytestmark = pytest.mark.process


@pytest.mark.parametrize("backend", ["sqlite", "file"])
def test_a_server_takes_over_the_runs_of_one_that_was_killed(
    server_script: Path, tmp_path: Path, backend: str
) -> None:
    """Those begun after it had opened the store, too: one that sleeps, one in a step, one that waits."""
    first = Served(server_script, tmp_path, "--backend", backend)
    other = Served(server_script, tmp_path, "--backend", backend)
    with first, other:
        first.start_run("nap", "naps", name="naps", seconds=1.0)
        first.start_run("work", "works", name="works", seconds=1.0)
        first.start_run("approve", "asks", name="asks")
        first.until("naps", "waiting")
        first.until("asks", "waiting")
        first.wait_for(lambda: "works:before" in first.calls())
        first.kill()
        other.until("naps", "completed")
        other.until("works", "completed")
        other.ask("POST", "/runs/asks/deliver", {"path": "word", "event": "word", "payload": "yes"})
        other.until("asks", "completed")
        assert sorted(other.calls()) == [
            "asks:yes",
            "naps:after",
            "naps:before",
            "works:after",
            "works:before",
        ]
