"""Interrupts: at once, but not in the middle of a commit, and only for the job itself."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.process

START = """
import os, signal, sys, time
from flopod.engine.signals import Interrupts
interrupts = Interrupts(lambda name: print(name, "leaves", flush=True))
interrupts.install()
"""


def _run(tmp_path: Path, code: str) -> tuple[int, list[str]]:
    script = tmp_path / "script.py"
    script.write_text(START + code)
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=30)
    assert done.stderr == ""
    return done.returncode, done.stdout.splitlines()


def test_a_signal_ends_the_process_without_unwinding(tmp_path: Path) -> None:
    """No `finally` block of the program runs."""
    code = (
        "try:\n    os.kill(os.getpid(), signal.SIGTERM)\n    time.sleep(9)\nfinally:\n    print('unwound')\n"
    )
    assert _run(tmp_path, code) == (143, ["SIGTERM leaves"])


def test_a_commit_is_finished_first(tmp_path: Path) -> None:
    """A signal during a write takes effect when the write has ended."""
    code = (
        "with interrupts.writing():\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
        "    print('written', flush=True)\n"
        "print('not reached')\n"
    )
    assert _run(tmp_path, code) == (130, ["written", "SIGINT leaves"])


def test_a_forked_child_is_not_the_job(tmp_path: Path) -> None:
    """A process that a leaf forks dies of the signal as any other, and leaves the run alone."""
    code = (
        "child = os.fork()\n"
        "if child == 0:\n"
        "    time.sleep(9)\n"
        "time.sleep(0.3)\n"
        "os.kill(child, signal.SIGTERM)\n"
        "print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))\n"
    )
    assert _run(tmp_path, code) == (0, ["-15"])
