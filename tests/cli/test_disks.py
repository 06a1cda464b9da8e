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
