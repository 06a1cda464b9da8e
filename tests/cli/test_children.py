"""A bundle whose workflow starts others: they run in its process, and survive its being killed."""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from flopod.engine.samples import sample
from flopod.engine.seed import DEFAULT_SEED
from tests.cli.flows import Job, clean_environment

pytestmark = pytest.mark.process

SOURCE = """\
import asyncio

from flopod import start, wait_for, workflow


def note(text: str) -> str:
    with open("calls.txt", "a") as file:
        file.write(text + "\\n")
    return text


async def slow(text: str) -> str:
    note(text)
    await asyncio.sleep(0.1)
    return note(f"{text} ends")


@workflow
async def ship(parcel: str) -> str:
    await slow(f"pack {parcel}")
    return note(f"send {parcel}")


@workflow
async def order(parcels: list[str]) -> list[str]:
    handles = [start(ship, parcel) for parcel in parcels]
    note("bill")
    return await asyncio.gather(*handles)


@workflow
async def leave(detached: bool) -> str:
    start(ship, "it", detached=detached)
    return "left"


@workflow
async def approved(parcel: str) -> str:
    return await wait_for("approved", str)


@workflow
async def asks() -> str:
    return await start(approved, "it")
"""

KILLER = """\
import os, runpy, signal, sys
left, real = int(sys.argv[1]), os.fdatasync
def fdatasync(fd):
    global left
    left -= 1
    if left < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    real(fd)
os.fdatasync = fdatasync
sys.argv = sys.argv[2:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shop")
    (folder / "src").mkdir()
    (folder / "src" / "shop.py").write_text(SOURCE, "utf-8")
    build = "from flopod_compiler.cli import main; main()"
    command = [sys.executable, "-c", build, "build", str(folder / "src"), "-o", str(folder / "dist")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder / "dist" / "bundle.py"


@pytest.fixture
def job(bundle: Path, tmp_path: Path) -> Job:
    return Job(bundle, tmp_path)


def killed_at(bundle: Path, folder: Path, writes: int, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the bundle until it has written so often, and kill it then."""
    env = clean_environment() | {"PYTHONHASHSEED": str(DEFAULT_SEED)}
    command = [sys.executable, "-c", KILLER, str(writes), str(bundle), *arguments]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)


def test_children_run_in_the_process_of_their_parent(job: Job) -> None:
    """Their results are the parent's; a second start gives them again and runs nothing."""
    for _ in range(2):
        done = job.run("order", "--input", '[["a", "b"]]')
        assert (done.returncode, done.stdout) == (0, '["send a", "send b"]\n'), done.stderr
    each = ("pack {}", "pack {} ends", "send {}")
    assert sorted(job.calls()) == sorted(["bill", *(one.format(x) for one in each for x in "ab")])


@pytest.mark.parametrize("detached", [True, False])
def test_killed_at_any_write_a_child_surely_starts(bundle: Path, tmp_path: Path, detached: bool) -> None:
    """A parent that ends in the step that starts it; a detached child ends, the other one is cancelled."""
    for writes in range(100):
        folder = tmp_path / str(writes)
        folder.mkdir()
        arguments = ["leave", "--input", json.dumps([detached]), "--backend", f"file:{folder / 'runs'}"]
        first = killed_at(bundle, folder, writes, *arguments)
        again = killed_at(bundle, folder, 10_000, *arguments)
        assert (again.returncode, again.stdout) == (0, '"left"\n'), (writes, again.stderr)
        child = next((folder / "runs" / "events").glob("main-run.*")).read_text("utf-8")
        assert ('"run_completed"' if detached else '"run_cancelled"') in child, (writes, first.stderr)
        if first.returncode == 0:
            assert writes > 3
            return
        assert first.returncode == -signal.SIGKILL
    pytest.fail("it never came to its end")


def test_killed_at_any_write_a_parent_gets_the_results_of_its_children(bundle: Path, tmp_path: Path) -> None:
    """What is recorded of the one and of the others fits, whenever the process dies."""
    for writes in range(100):
        folder = tmp_path / str(writes)
        folder.mkdir()
        arguments = ["order", "--input", '[["a", "b"]]', "--backend", f"file:{folder / 'runs'}"]
        first = killed_at(bundle, folder, writes, *arguments)
        again = killed_at(bundle, folder, 10_000, *arguments)
        assert (again.returncode, again.stdout) == (0, '["send a", "send b"]\n'), (writes, again.stderr)
        if first.returncode == 0:
            return
    pytest.fail("it never came to its end")


def test_it_leaves_when_its_children_only_wait(job: Job) -> None:
    """It says what the child waits for and how to deliver it, and goes on from there."""
    done = job.run("asks", "--exit-when-waiting")
    assert (done.returncode, done.stdout) == (3, ""), done.stderr
    assert "main-run.approved is waiting for 'approved'" in done.stderr
    assert "not over yet, though started by main-run: main-run.approved (waiting)" in done.stderr
    payload = shlex.quote(json.dumps(sample({"type": "string"})))
    assert f"main-run.approved approved approved {payload}\n" in done.stderr
    told = job.run("--run-id", "main-run.approved", "--deliver", "approved", "approved", '"yes"')
    assert told.returncode == 0, told.stderr
    again = job.run("--exit-when-waiting")
    assert (again.returncode, again.stdout) == (0, '"yes"\n'), again.stderr


def test_other_runs_of_the_store_are_left_alone(job: Job) -> None:
    """The process runs its own descendants only."""
    job.run("asks", "--run-id", "other", "--exit-when-waiting")
    done = job.run("order", "--input", '[["a"]]')
    assert done.returncode == 0
    assert "other" not in done.stderr
