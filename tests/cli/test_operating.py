"""Operating runs by commands: cancel, pause, resume, retry, fork, replay, export, import and prune."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from flopod_compiler.cli.group import flopod

pytestmark = pytest.mark.process

SOURCE = """\
import asyncio
from pathlib import Path

from flopod import wait_for, workflow


def note(text: str) -> str:
    with Path("calls.txt").open("a") as file:
        file.write(text + "\\n")
    return text


async def slow(seconds: float) -> str:
    note("slow")
    await asyncio.sleep(seconds)
    return note("slow ended")


def charge(order_id: str) -> str:
    if Path("broken").exists():
        raise OSError("no connection")
    return note(f"charge {order_id}")


@workflow
async def order(order_id: str, pause: float = 0) -> str:
    try:
        if pause:
            await slow(pause)
        note(f"reserve {order_id}")
        if order_id.startswith("wait"):
            await wait_for("approved")
        return charge(order_id)
    finally:
        note(f"release {order_id}")
"""


@pytest.fixture(params=["sqlite", "file"])
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder with a source, which is the working directory."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "shop.py").write_text(SOURCE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FLOPOD_BACKEND", request.param)
    return tmp_path


def command(*arguments: str) -> Result:
    """Run a command in this process."""
    return CliRunner().invoke(flopod, arguments)


def go(*arguments: str, **options: str) -> subprocess.CompletedProcess[str]:
    """Drive a run in a process of its own."""
    words = [sys.executable, "-m", "flopod_compiler.cli", "run", "src", *arguments]
    for name, value in options.items():
        words += [f"--{name.replace('_', '-')}", value]
    return subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)


def apart(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a process of its own: it starts itself again with the hash seed of the runs."""
    words = [sys.executable, "-m", "flopod_compiler.cli", *arguments]
    return subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)


def begun(*arguments: str) -> subprocess.Popen[str]:
    """A process that drives a run, whose leaf is under way."""
    words = [sys.executable, "-m", "flopod_compiler.cli", "run", "src", *arguments]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    end = time.monotonic() + 30
    while not Path("calls.txt").exists():
        assert time.monotonic() < end, process.communicate()
        time.sleep(0.02)
    return process


def calls() -> list[str]:
    """What the leaves noted, in order."""
    return Path("calls.txt").read_text().splitlines()


def status(run_id: str) -> str:
    """The status of a run."""
    return str(json.loads(command("runs", "show", run_id, "--json").stdout)["status"])


@pytest.mark.usefixtures("place")
def test_a_running_process_obeys_a_cancel() -> None:
    """The leaf under way is cancelled, the clean-up runs, the process ends with the status for that."""
    process = begun("--run-id", "r", "--input", '["a", 30]')
    result = command("runs", "cancel", "r", "--reason", "enough")
    assert result.exit_code == 0, result.output
    _, err = process.communicate(timeout=30)
    assert process.returncode == 8, err
    assert "cancelled: enough" in err
    assert calls() == ["slow", "release a"]
    assert status("r") == "cancelled"
    assert command("runs", "cancel", "nobody").exit_code == 4


@pytest.mark.usefixtures("place")
def test_a_pause_and_a_resume() -> None:
    """The leaf under way ends; nothing else starts before the resume, and nothing twice."""
    process = begun("--run-id", "r", "--input", '["a", 1]')
    assert command("runs", "pause", "r", "--reason", "lunch").exit_code == 0
    _, err = process.communicate(timeout=30)
    assert (process.returncode, "paused: lunch" in err) == (3, True), err
    assert calls() == ["slow", "slow ended"]
    assert go("--run-id", "r").returncode == 3
    assert command("runs", "resume", "r").exit_code == 0
    assert json.loads(go("--run-id", "r").stdout) == "charge a"
    assert calls() == ["slow", "slow ended", "reserve a", "charge a", "release a"]
    assert command("runs", "resume", "r").exit_code == 2


def test_a_failed_run_is_tried_again_and_copied(place: Path) -> None:
    """Retry goes on from the leaf that failed; a fork, an export and an import each have its past."""
    (place / "broken").touch()
    assert go("--run-id", "r", "--input", '["a"]').returncode == 1
    assert apart("runs", "replay", "r", "src").returncode == 0
    assert command("runs", "export", "r", "-o", "r.jsonl").exit_code == 0
    (place / "broken").unlink()
    assert command("runs", "retry", "r").exit_code == 0
    assert json.loads(go("--run-id", "r").stdout) == "charge a"
    assert calls() == ["reserve a", "release a", "charge a", "release a"]
    assert command("runs", "fork", "r", "copy", "--from", "charge").exit_code == 0
    assert json.loads(go("--run-id", "copy").stdout) == "charge a"
    imported = command("runs", "import", "r.jsonl", "--run-id", "old")
    assert (imported.exit_code, imported.stdout) == (0, "old\n")
    assert status("old") == "failed"
    assert command("runs", "import", "r.jsonl").exit_code == 2
    assert command("runs", "fork", "r", "other", "--from", "nowhere").exit_code == 4


def test_another_source_does_not_fit(place: Path) -> None:
    """Replay says where it differs, with the status for that, and changes nothing."""
    go("--run-id", "r", "--input", '["wait"]', "--exit-when-waiting")
    before = command("runs", "events", "r").stdout
    source = place / "src" / "shop.py"
    source.write_text(SOURCE.replace('note(f"reserve {order_id}")', 'note("reserved")'))
    (place / "flopod.lock").unlink(missing_ok=True)
    (place / "src" / "flopod.lock").unlink(missing_ok=True)
    result = apart("runs", "replay", "r", "src", "--json")
    assert (result.returncode, json.loads(result.stdout)["verdict"]) == (5, "stays")
    assert command("runs", "events", "r").stdout == before


@pytest.mark.usefixtures("place")
def test_many_runs_at_once() -> None:
    """A filter names the runs; without --yes they are only listed."""
    for run_id in ("one", "two"):
        go("--run-id", run_id, "--input", '["wait"]', "--exit-when-waiting")
    go("--run-id", "done", "--input", '["a"]')
    refused = command("runs", "cancel", "--status", "waiting", "--force")
    assert refused.exit_code == 2
    assert "2 runs" in refused.output
    assert status("one") == "waiting"
    assert command("runs", "cancel", "--status", "waiting", "--force", "--yes").exit_code == 0
    assert [status("one"), status("two"), status("done")] == ["cancelled", "cancelled", "completed"]
    assert command("runs", "cancel").exit_code == 2
    assert command("runs", "prune").exit_code == 2
    assert command("runs", "prune", "--ended-before", "1d", "--yes").exit_code == 0
    assert "3 runs" in command("runs", "prune", "--started-after", "1d").stderr
    assert command("runs", "prune", "--workflow", "order", "--yes").exit_code == 0
    assert command("runs", "list").stderr == "no runs\nnext: flopod run SRC\n"


@pytest.mark.usefixtures("place")
def test_listings_go_on_after_a_cursor() -> None:
    """Each page ends with the place of the next."""
    for run_id in ("a", "b", "c"):
        command("runs", "start", "src", "--run-id", run_id, "--input", '["x"]')
        time.sleep(0.002)
    first = command("runs", "list", "--limit", "2")
    cursor = first.stderr.split("--cursor ")[1].split()[0]
    rest = command("runs", "list", "--limit", "2", "--cursor", cursor, "--json")
    assert [run["run_id"] for run in json.loads(rest.stdout)] == ["a"]
    assert command("runs", "list", "-q", "nothing like it").stderr == "no runs\nnext: flopod runs list\n"
    assert command("runs", "list", "--started-after", "yesterdayish").exit_code == 2
    assert command("runs", "list", "--attribute", "customer").exit_code == 2
