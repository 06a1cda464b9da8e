"""What a bundle detaches: killed, resumed, and told to end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from flopod_compiler.build import compile_project
from flopod_compiler.bundle.link import link

pytestmark = pytest.mark.process

NOTES = """
import os

def note(line: str) -> None:
    with open(os.environ["NOTES"], "a") as file:
        file.write(line + "\\n")
"""
DRIVERS = """
import os
from flopod.detach import Child, create_microtask_batch_driver, create_worker_driver
from shop.notes import note

async def _traced(child: Child, order: str) -> str:
    note(f"traced {order}")
    return f"traced {await child(order)}"

traced = create_microtask_batch_driver(_traced)
own = {one: create_worker_driver(workers=1, context=one) for one in ("fork", "spawn", "forkserver")}
fork, spawn, forkserver = own.values()
"""
ORDERS = """
import asyncio
import os

from flopod import activity, current_activity, detach_and_forget, detach_and_join_later, workflow
from flopod.detach import microtask_batch_driver
from shop.drivers import fork, forkserver, spawn, traced
from shop.notes import note

async def ship(order: str) -> str:
    note(f"ships {order} {current_activity().idempotency_key}")
    await asyncio.sleep(float(os.environ.get("LASTS", "0")))
    note(f"shipped {order}")
    return order.lower()

async def report(order: str) -> None:
    await asyncio.sleep(0.5)
    note(f"reported {order}")

@activity
async def tell(order: str) -> None:
    detach_and_forget(microtask_batch_driver, report, order)

async def mourn(order: str) -> None:
    await asyncio.sleep(float(os.environ.get("LASTS", "0")))

def elsewhere(x: int) -> str:
    note(f"pid {os.getpid()}")
    return f"{x * x}"

@workflow
async def forgets(order: str) -> str:
    asyncio.create_task(ship(order))
    return "ended"

@workflow
async def joins(order: str) -> str:
    handle = detach_and_join_later(traced, ship, order)
    await mourn(order)
    return f"{handle.id} {await handle.wait()}"

@workflow
async def tells(order: str) -> None:
    await tell(order)
    await mourn(order)

@workflow
async def works(x: int) -> list[str]:
    handles = [detach_and_join_later(one, elsewhere, x) for one in (fork, spawn, forkserver)]
    return [await handle.wait() for handle in handles]
"""

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    source = tmp_path_factory.mktemp("source")
    (source / "shop").mkdir()
    for name, text in {"__init__": "", "notes": NOTES, "drivers": DRIVERS, "orders": ORDERS}.items():
        (source / "shop" / f"{name}.py").write_text(text)
    compilation = compile_project(source)
    assert compilation.manifest is not None, compilation.diagnostics
    path = tmp_path_factory.mktemp("dist") / "bundle.py"
    path.write_bytes(link(compilation).content)
    return path


@pytest.fixture
def start(bundle: Path, tmp_path: Path) -> Start:
    def started(workflow: str, given: str, lasts: float = 0) -> subprocess.Popen[str]:
        what = [workflow, given] if workflow.startswith("--") else [workflow, "--input", f"[{given}]"]
        env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        env |= {
            "NOTES": str(tmp_path / "notes"),
            "LASTS": str(lasts),
            "FLOPOD_DATA_DIR": str(tmp_path / "data"),
        }
        command = [sys.executable, str(bundle), *what]
        return subprocess.Popen(
            command, env=env, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    return started


def test_what_is_forgotten_outlives_a_kill(start: Start, tmp_path: Path) -> None:
    """The run is over and its process dead: the next start ends the work, under the same key."""
    killed = start("forgets", '"A-1"', lasts=60)
    _until(tmp_path, "ships A-1")
    killed.kill()
    killed.communicate()
    out, _ = start("forgets", '"A-1"').communicate(timeout=30)
    assert out == '"ended"\n'
    first, again, end = _notes(tmp_path)
    assert first == again == "ships A-1 main-run.ship/ship"
    assert end == "shipped A-1"


def test_a_detached_function_is_no_run_of_a_job(start: Start) -> None:
    """It says by which run it goes on."""
    start("forgets", '"A-1"').communicate(timeout=30)
    alone = start("--run-id", "main-run.ship")
    _, err = alone.communicate(timeout=30)
    assert alone.returncode == 2
    assert "it goes on with the run that detached it: --run-id main-run" in err


def test_a_handle_survives_a_kill_and_the_runner_is_used_again(start: Start, tmp_path: Path) -> None:
    """The child had ended, and the parent was under way: nothing of the child is done again."""
    killed = start("joins", '"A-1"', lasts=2)
    _until(tmp_path, "ships A-1")
    killed.kill()
    killed.communicate()
    again = start("joins", '"A-1"', lasts=0.2)
    out, _ = again.communicate(timeout=30)
    assert out == '"joins:detach:1 traced a-1"\n'
    assert [line.split()[0] for line in _notes(tmp_path)] == ["traced", "ships", "traced", "ships", "shipped"]


def test_each_start_method_works_from_a_bundle(start: Start, tmp_path: Path) -> None:
    """Each child has a process of its own, which knows the modules of the bundle."""
    out, _ = start("works", "7").communicate(timeout=60)
    assert out == '["49", "49", "49"]\n'
    assert len(set(_notes(tmp_path))) == 3


@pytest.mark.parametrize("workflow, line", [("forgets", "shipped A-1"), ("tells", "reported A-1")])
def test_a_sigterm_waits_for_what_is_detached(start: Start, tmp_path: Path, workflow: str, line: str) -> None:
    """Whether it is a run of its own, or a leaf has detached it and it is in no log."""
    told = start(workflow, '"A-1"', lasts=1.5 if workflow == "forgets" else 5)
    if workflow == "forgets":
        _until(tmp_path, "ships A-1")
    else:
        _until_logged(told, "starting tells")
        time.sleep(0.3)
    told.send_signal(signal.SIGTERM)
    _, err = told.communicate(timeout=20)
    assert line in _notes(tmp_path)
    assert told.returncode in (0, 143), err


def test_a_second_sigterm_does_not_wait(start: Start, tmp_path: Path) -> None:
    """It ends the process at once, and what was detached goes on with the next start."""
    told = start("forgets", '"A-1"', lasts=60)
    _until(tmp_path, "ships A-1")
    told.send_signal(signal.SIGTERM)
    time.sleep(0.3)
    assert told.poll() is None
    told.send_signal(signal.SIGTERM)
    _, err = told.communicate(timeout=5)
    assert told.returncode == 143
    assert "resume with" in err
    assert start("forgets", '"A-1"').communicate(timeout=30)[0] == '"ended"\n'
    assert _notes(tmp_path)[-1] == "shipped A-1"


def _notes(tmp_path: Path) -> list[str]:
    notes = tmp_path / "notes"
    return notes.read_text().splitlines() if notes.exists() else []


def _until(tmp_path: Path, line: str) -> None:
    end = time.monotonic() + 20
    while not any(one.startswith(line) for one in _notes(tmp_path)):
        assert time.monotonic() < end, f"nobody noted {line!r}"
        time.sleep(0.01)


def _until_logged(process: subprocess.Popen[str], text: str) -> None:
    assert process.stderr is not None
    while text not in (line := process.stderr.readline()):
        assert line, f"it ended, and never said {text!r}"


def test_the_work_of_a_detach_is_no_run_to_be_started(start: Start, bundle: Path, tmp_path: Path) -> None:
    """Asked for by its own id, it says which run goes on with it."""
    start("forgets", '"A-1"').communicate(timeout=30)
    env = os.environ | {"FLOPOD_DATA_DIR": str(tmp_path / "data")}
    command = [sys.executable, str(bundle), "--run-id", "main-run.ship"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 2
    assert "is work that was detached (shop.orders:ship)" in done.stderr
    assert "--run-id main-run" in done.stderr
