"""A bundle whose store is in trouble: torn and damaged logs, places that cannot be written, full disks."""

from __future__ import annotations

import json
import resource
import subprocess
import sys

import pytest

from tests.cli.flows import Job, clean_environment

pytestmark = pytest.mark.process


def test_a_torn_last_line_is_recovered(job: Job) -> None:
    """Half a record at the end of a log is what a crash leaves behind."""
    job.run("approve", "--input", '["A"]', "--exit-when-waiting", "--backend", "file")
    log = job.folder / ".flopod/events/main-run.jsonl"
    log.write_bytes(log.read_bytes() + b'{"seq":99,"kind":"activ')
    job.run("--backend", "file", "--deliver", "approved", "approved", '{"by": "ada"}')
    done = job.run("--backend", "file")
    assert (done.returncode, json.loads(done.stdout)) == (0, ["A", 3, "ada"]), done.stderr


def test_a_damaged_log_is_refused_and_not_touched(job: Job) -> None:
    """The error has file, line and offset; the file stays as it is."""
    job.run("approve", "--input", '["A"]', "--exit-when-waiting", "--backend", "file")
    log = job.folder / ".flopod/events/main-run.jsonl"
    lines = log.read_bytes().splitlines(keepends=True)
    lines[1] = lines[1].replace(b'"add"', b'"adx"')
    log.write_bytes(b"".join(lines))
    done = job.run("--backend", "file")
    assert (done.returncode, done.stdout) == (6, "")
    assert "main-run.jsonl" in done.stderr
    assert "line 2" in done.stderr
    assert log.read_bytes() == b"".join(lines)


def test_a_copied_log_is_not_another_run(job: Job) -> None:
    """It is refused with both names, and nothing is executed."""
    job.run("order", "--input", '["A"]', "--backend", "file")
    events = job.folder / ".flopod/events"
    (events / "b.jsonl").write_bytes((events / "main-run.jsonl").read_bytes())
    done = job.run("order", "--backend", "file", "--run-id", "b")
    assert (done.returncode, done.stdout) == (6, "")
    assert "the log of the run 'main-run', not of 'b'" in done.stderr


@pytest.mark.parametrize("backend", ["file", "sqlite"])
def test_a_place_that_cannot_be_written_is_a_storage_error(job: Job, backend: str) -> None:
    """A data directory that cannot exist ends the job with status 6 and its name."""
    (job.folder / "taken").write_text("a file")
    done = job.run("order", "--input", '["A"]', "--backend", backend, FLOPOD_DATA_DIR="taken/data")
    assert done.returncode == 6, done.stderr
    assert "taken" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("backend", ["file", "sqlite"])
def test_a_full_disk_keeps_the_run_resumable(job: Job, backend: str) -> None:
    """A write that does not fit ends the job with status 6; with room it goes on."""
    done = subprocess.run(
        [sys.executable, str(job.bundle), "approve", "--backend", backend, "--input", "-"],
        input=json.dumps(["x" * 200_000]),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000)),
        cwd=job.folder,
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 6, done.stderr[-500:]
    assert "Traceback" not in done.stderr
    again = job.run("approve", "--backend", backend, "--input", '["A"]', "--exit-when-waiting")
    assert again.returncode == 3, again.stderr
