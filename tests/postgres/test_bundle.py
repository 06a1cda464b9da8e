"""A bundle that keeps its runs in Postgres: killed, resumed, interrupted, delivered to."""

import signal

import pytest

from tests.cli.flows import Job, interrupt

pytestmark = pytest.mark.process


def test_a_killed_run_goes_on(job: Job, dsn: str) -> None:
    """After SIGKILL the step in flight runs again at once, the recorded one does not."""
    process = job.start("nap", "--input", "[0.5]", DATABASE_URL=dsn)
    job.wait_for_call("slow begins")
    process.kill()
    process.communicate()
    done = job.run(DATABASE_URL=dsn)
    assert (done.returncode, done.stdout) == (0, '"rested"\n'), done.stderr
    assert job.calls() == ["add 1 1", "slow begins", "slow begins", "slow ends"]
    assert "in postgres 127.0.0.1:" in done.stderr


def test_two_processes_cannot_run_one_run(job: Job, dsn: str) -> None:
    """The second one names the first and ends."""
    process = job.start("nap", "--input", "[300]", DATABASE_URL=dsn)
    job.wait_for_call("slow begins")
    held = job.run(DATABASE_URL=dsn)
    assert (held.returncode, str(process.pid) in held.stderr) == (7, True), held.stderr
    process.kill()
    process.communicate()


def test_an_interrupted_run_was_not_killed(job: Job, dsn: str) -> None:
    """SIGTERM is an orderly end: five of them do not park the run."""
    for times in range(1, 7):
        process = job.start("nap", "--input", "[300]", "--backend", dsn)
        job.wait_for_call("slow begins", times)
        status, error = interrupt(process, signal.SIGTERM)
        assert status == 143, error
    assert f"--backend {dsn}" in error


def test_a_leaf_that_kills_the_process_is_parked(job: Job, dsn: str) -> None:
    """After five crashes in the same leaf the run is paused, also when they are counted in Postgres."""
    statuses = [job.run("poison", FLOPOD_BACKEND=dsn).returncode for _ in range(6)]
    assert statuses == [9] * 5 + [3]


def test_an_event_from_another_process(job: Job, dsn: str) -> None:
    """A waiting bundle gets what another process delivers."""
    process = job.start("approve", "--input", '["A"]', "--backend", dsn)
    job.wait_for_call("add 1 2")
    told = job.run("--backend", dsn, "--deliver", "approved", "approved", '{"by": "ann"}')
    assert told.returncode == 0, told.stderr
    out, error = process.communicate(timeout=60)
    assert (process.returncode, out) == (0, '["A", 3, "ann"]\n'), error
