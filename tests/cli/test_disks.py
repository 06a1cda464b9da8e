"""Disks that refuse: read-only and full file systems, mounted for the test where that is allowed."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.flows import Job, clean_environment, make_bundle


def _can_mount() -> bool:
    command = ["unshare", "-rm", "mount", "-t", "tmpfs", "none", "/mnt"]
    try:
        return subprocess.run(command, capture_output=True, timeout=10).returncode == 0
    except OSError:
        return False


FLOPOD = shlex.join([sys.executable, "-m", "flopod_compiler.cli"])
pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(not _can_mount(), reason="a file system cannot be mounted here"),
]


@pytest.mark.parametrize("backend", ["file", "sqlite"])
@pytest.mark.parametrize(
    ("options", "words"), [("ro", "cannot be written"), ("size=256k", "resumes when there is room")]
)
def test_a_disk_that_refuses_is_a_storage_error(
    tmp_path: Path, backend: str, options: str, words: str
) -> None:
    """Status 6, the place and the reason, no traceback; elsewhere the same command works."""
    job = Job(make_bundle(tmp_path / "dist"), tmp_path)
    disk = tmp_path / "disk"
    disk.mkdir()
    command = [sys.executable, str(job.bundle), "approve", "--backend", backend, "--input", "-"]
    mounted = f"mount -t tmpfs -o {options} none {shlex.quote(str(disk))} && exec {shlex.join(command)}"
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", mounted],
        input=json.dumps(["x" * 300_000]),
        env={**clean_environment(), "FLOPOD_DATA_DIR": str(disk)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (6, ""), done.stderr[-500:]
    assert words in done.stderr
    assert str(disk) in done.stderr
    assert "Traceback" not in done.stderr
    again = job.run("order", "--backend", backend, "--input", '["A"]')
    assert again.returncode == 0


FILL = """
import os
from flopod import workflow

def fill():
    ballast = os.environ.get("BALLAST")
    if ballast:
        with open(ballast, "wb", buffering=0) as file:
            try:
                while file.write(b"x" * 4096):
                    pass
            except OSError:
                pass
    return "y" * 9000

@workflow
def main():
    return len(fill())
"""


def _in_mounted(folder: Path, script: str, **environment: str) -> list[str]:
    """What a shell prints that has a small file system of its own in `folder/disk`, line by line."""
    (folder / "disk").mkdir()
    mounted = f"mount -t tmpfs -o size=1m none disk && alias flopod={shlex.quote(FLOPOD)}\n{script}"
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", mounted],
        cwd=folder,
        env={**clean_environment(), "FLOPOD_DATA_DIR": "disk", **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize("backend", ["file", "sqlite"])
def test_a_full_disk_shows_in_the_status(tmp_path: Path, backend: str) -> None:
    """Not a byte is left, and still the listing says so, until the run goes on."""
    (tmp_path / "flow.py").write_text(FILL)
    script = """
        BALLAST=disk/ballast flopod run flow.py -q; echo status $?
        flopod runs list --status storage_error --json | grep -c '"run_id": "main-run"'
        flopod runs list --status running
        flopod runs show main-run | grep ^status
        flopod runs show main-run | grep ^error
        rm disk/ballast
        flopod run flow.py -q; echo status $?
        flopod runs show main-run | grep ^status
    """
    said = _in_mounted(tmp_path, script, FLOPOD_BACKEND=backend)
    assert said[:3] == ["status 6", "1", "status    storage_error"]
    assert "resumes when" in said[3]
    assert said[4:] == ["9000", "status 0", "status    completed"]


@pytest.mark.parametrize("killed", [False, True])
@pytest.mark.parametrize("backend", ["file", "sqlite"])
def test_a_store_that_can_only_be_read_gives_what_it_has(tmp_path: Path, backend: str, killed: bool) -> None:
    """Results and listings need no writing, also after a crash; to go on with a run does."""
    job = Job(make_bundle(tmp_path / "dist"), tmp_path)
    start = shlex.join([sys.executable, str(job.bundle)])
    begins = "until grep -q begins calls.txt; do sleep 0.05; done"
    crash = f"{start} nap --run-id open & {begins}; kill -9 $!; wait"
    script = f"""
        {start} order --input '["A"]' --run-id done
        {crash if killed else ""}
        mount -o remount,ro disk
        {start} order --input '["A"]' --run-id done; echo status $?
        flopod runs list --json | grep '"run_id"'
        flopod runs show done | grep ^status
        flopod runs events done | tail -n 1
        {start} order --input '["A"]' --run-id new; echo status $?
        ls disk
    """
    first, again, status, *said = _in_mounted(tmp_path, script, FLOPOD_BACKEND=backend)
    assert (json.loads(first)["order"], again, status) == ("A", first, "status 0")
    names = [line.split('"')[3] for line in said if "run_id" in line]
    assert names == (["open", "done"] if killed else ["done"])
    assert "status    completed" in said
    assert any("run_completed" in line for line in said)
    assert "status 6" in said
    assert ("flopod.db-wal" in said) == (killed and backend == "sqlite")
