"""Where nobody reads what is said, the run goes on; where its result cannot be written, it is not lost."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import IO, Any

import pytest

from tests.cli.flows import Job, clean_environment

pytestmark = pytest.mark.process

SOURCE = """from flopod import workflow

def shout(text):
    print("leaf", text, flush=True)
    return text.upper()

@workflow
def main(text):
    print("body", flush=True)
    return shout(text)
"""


def _flopod(*arguments: str, out: IO[str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "flopod_compiler.cli", *arguments]
    return subprocess.run(command, stdout=out, stderr=subprocess.PIPE, text=True, timeout=60)


def _run(job: Job, **streams: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(job.bundle), "order", "--input", '["A"]', "--backend", "file"],
        cwd=job.folder,
        env=clean_environment(),
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        **streams,
    )


def test_a_leaf_that_prints_to_a_full_device_does_not_fail(tmp_path: Path) -> None:
    """A dead log pipe must not become the recorded failure of a leaf."""
    (tmp_path / "flow.py").write_text(SOURCE, encoding="utf-8")
    command = [sys.executable, "-m", "flopod_compiler.cli", "run", str(tmp_path), "--input", '["a"]']
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = subprocess.run(
            [*command, "--backend", "memory"], stdout=subprocess.PIPE, stderr=full, check=False
        )
    assert (done.returncode, done.stdout) == (0, b'"A"\n')


def test_a_result_that_does_not_fit_is_kept(bundle: Path, tmp_path: Path) -> None:
    """A full device ends with status 6 and one line; the same command gives the result again."""
    job = Job(bundle, tmp_path)
    with Path("/dev/full").open("w") as full:
        done = _run(job, stdout=full)
    assert done.returncode == 6, done.stderr
    assert done.stderr.splitlines()[-2:] == [
        "run main-run is completed",
        "error: the result could not be written to standard output: No space left on device; the run "
        "keeps it, and the same command gives it again",
    ]
    assert json.loads(job.run("--backend", "file").stdout)["order"] == "A"
    assert job.calls() == ["add 1 2.50"]


def test_a_closed_standard_output_gets_no_file_of_the_store(bundle: Path, tmp_path: Path) -> None:
    """The result goes nowhere, and not into what happens to be opened as number 1."""
    job = Job(bundle, tmp_path)
    done = _run(job, preexec_fn=lambda: os.close(1))
    assert done.returncode == 6, done.stderr
    assert "the result could not be written to standard output: Bad file descriptor" in done.stderr
    assert json.loads(job.run("--backend", "file").stdout)["order"] == "A"


_FULL = "standard output cannot be written: No space left on device"


@pytest.mark.parametrize("arguments", [["--help"], ["explain"], ["runs", "list", "--json"]])
def test_a_command_whose_output_does_not_fit_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    """One line, or one object, and status 6, no traceback of the interpreter."""
    monkeypatch.chdir(tmp_path)
    with Path("/dev/full").open("w") as full:
        done = _flopod(*arguments, out=full)
    as_object = json.dumps({"error": _FULL, "kind": "StorageError", "exit_code": 6})
    message = as_object if "--json" in arguments else f"error: {_FULL}"
    assert (done.returncode, done.stderr) == (6, f"{message}\n")
