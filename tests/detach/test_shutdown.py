"""A bundle that is told to end: what is detached comes to its end first."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.examples.support import COMMANDS, clean_environment

pytestmark = pytest.mark.process

SOURCE = """\
import asyncio
from pathlib import Path

from flopod import detach_and_forget, wait_for, workflow
from flopod.detach import microtask_batch_driver


def note(line: str) -> None:
    with Path("effects.txt").open("a") as out:
        out.write(line + "\\n")


async def ship(number: int) -> None:
    note(f"begun {number}")
    await asyncio.sleep(1)
    note(f"shipped {number}")


@workflow
async def burst() -> None:
    for number in range(3):
        detach_and_forget(microtask_batch_driver, ship, number)
    await wait_for("never")
"""


def test_a_sigterm_waits_for_what_is_detached(tmp_path: Path) -> None:
    """Children that have begun end and are recorded; the run goes on with the next process."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "flow.py").write_text(SOURCE, "utf-8")
    build = [str(COMMANDS / "flopod"), "build", "src", "-o", "out"]
    subprocess.run(build, cwd=tmp_path, env=clean_environment(), check=True, capture_output=True)
    effects = tmp_path / "effects.txt"
    process = subprocess.Popen(
        [sys.executable, "out/bundle.py"],
        cwd=tmp_path,
        env=clean_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    end = time.monotonic() + 30
    while not effects.exists() or effects.read_text().count("begun") < 3:
        assert time.monotonic() < end and process.poll() is None, process.communicate()
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 143, said
    assert effects.read_text().count("shipped") == 3
