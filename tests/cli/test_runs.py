"""Looking at runs: listings, details, events, and delivery by the installed command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from msgspec import Raw

from flopod.backends import FileBackend, SqliteBackend
from flopod.backends.choose import choose
from flopod.events import ActivityCompleted, ActivityProgress, ActivityStarted, RunStarted
from flopod_compiler.cli.deliver import flopod_run
from flopod_compiler.cli.group import flopod
from tests.cli.flows import Job, make_bundle

pytestmark = [pytest.mark.process, pytest.mark.usefixtures("place")]


@pytest.fixture(scope="module", params=["sqlite", "file"])
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a waiting, a completed and a failed run, kept by each backend in turn."""
    folder = tmp_path_factory.mktemp("runs")
    job = Job(make_bundle(folder / "dist"), folder)
    backend = {"FLOPOD_BACKEND": request.param}
    job.run("approve", "--input", '["A"]', "--run-id", "waits", "--exit-when-waiting", **backend)
    job.run("order", "--input", '["A"]', "--run-id", "done", **backend)
    job.run("fail", "--run-id", "broken", **backend)
    before = Path.cwd()
    os.chdir(folder)
    os.environ.update(backend)
    yield folder
    os.chdir(before)
    del os.environ["FLOPOD_BACKEND"]


def _flopod(*arguments: str) -> Result:
    return CliRunner().invoke(flopod, arguments)


def test_runs_are_listed_youngest_first() -> None:
    """The table has a line for each run with its status; standard error says what to type next."""
    result = _flopod("runs", "list")
    lines = result.stdout.splitlines()
    assert [line.split()[:2] for line in lines[1:]] == [
        ["broken", "failed"],
        ["done", "completed"],
        ["waits", "waiting"],
    ]
    assert "ZeroDivisionError" in lines[1]
    assert "waits for approved" in lines[3]
    assert result.stderr == "next: flopod runs show broken\n"


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (["--status", "failed"], ["broken"]),
        (["--workflow", "order"], ["done"]),
        (["--limit", "1"], ["broken"]),
        (["--status", "paused"], []),
    ],
)
def test_listings_are_filtered_and_are_data(filters: list[str], expected: list[str]) -> None:
    """`--json` prints one document."""
    result = _flopod("runs", "list", "--json", *filters)
    assert [run["run_id"] for run in json.loads(result.stdout)] == expected


@pytest.mark.parametrize("command", [["list"], ["show", "done"], ["events", "done"]])
def test_to_look_at_a_run_is_not_to_load_it(command: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is shown of a run, its log is never in memory as a whole."""

    def load(*_: object) -> None:
        raise AssertionError("the log was loaded")

    monkeypatch.setattr(FileBackend, "load", load)
    monkeypatch.setattr(SqliteBackend, "load", load)
    result = _flopod("runs", *command)
    assert result.exit_code == 0, result.exception
    assert "done" in result.stdout or "activity_completed" in result.stdout


def test_a_run_is_shown_with_what_it_waits_for() -> None:
    """Input, open waits, and the command that delivers, which works as printed."""
    found = json.loads(_flopod("runs", "show", "waits", "--json").stdout)
    assert (found["status"], found["input"]) == ("waiting", {"order_id": "A"})
    (wait,) = found["waits"]
    assert wait["deliver"].startswith(
        f"FLOPOD_BACKEND={os.environ['FLOPOD_BACKEND']} flopod-run deliver waits "
    )
    assert "waits     'approved' at 'approved'" in _flopod("runs", "show", "waits").stdout


def test_the_progress_of_a_running_leaf_is_shown(tmp_path: Path) -> None:
    """What it told last; of a leaf that is over nothing."""
    events = [
        RunStarted(run_id="copies", workflow="copy", input=Raw(b"[]")),
        ActivityStarted(path="first", callee="flows:copy", fingerprint=""),
        ActivityProgress(path="first", attempt=1, progress=Raw(b"9")),
        ActivityCompleted(path="first", result=Raw(b"null")),
        ActivityStarted(path="second", callee="flows:copy", fingerprint=""),
        ActivityProgress(path="second", attempt=1, progress=Raw(b'{"page":1}')),
        ActivityProgress(path="second", attempt=1, progress=Raw(b'{"page":2}')),
    ]
    where = f"file:{tmp_path}"
    with choose(where, os.environ) as store:
        store.append("copies", 0, events)
    found = json.loads(_flopod("runs", "show", "copies", "--json", "--backend", where).stdout)
    assert found["progress"] == {"second": {"page": 2}}
    assert 'progress  second: {"page": 2}' in _flopod("runs", "show", "copies", "--backend", where).stdout


def test_a_failed_run_is_shown_with_its_traceback() -> None:
    """The author's frames come from the log."""
    shown = _flopod("runs", "show", "broken").stdout
    assert 'File "flows.py", line 37, in divide' in shown
    assert "status    failed" in shown


def test_values_are_shown_without_their_types() -> None:
    """A Decimal in a result reads as a number in a text."""
    assert json.loads(_flopod("runs", "show", "done", "--json").stdout)["result"]["total"] == "3.50"


def test_events_are_printed_in_order() -> None:
    """One line an event, as a table or as JSON."""
    lines = [json.loads(line) for line in _flopod("runs", "events", "done", "--json").stdout.splitlines()]
    kinds = ["run_started", "activity_started", "activity_completed", "run_completed"]
    assert [line["kind"] for line in lines] == kinds
    assert [line["seq"] for line in lines] == [1, 2, 3, 4]
    table = _flopod("runs", "events", "done").stdout.splitlines()
    assert "activity_completed add result=3.50" in " ".join(table[2].split())


def test_events_are_followed_to_the_end() -> None:
    """`--follow` ends when the run does."""
    lines = _flopod("runs", "events", "broken", "--follow", "--json").stdout.splitlines()
    assert json.loads(lines[-1])["kind"] == "run_failed"


@pytest.mark.parametrize("command", ["show", "events"])
def test_an_unknown_run_is_an_error_with_a_near_miss(command: str) -> None:
    """The status is 4 and the message names the run that was meant."""
    result = _flopod("runs", command, "brokn")
    assert (result.exit_code, result.stdout) == (4, "")
    assert "did you mean 'broken'?" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["wait", "approved", "approved", "{}"], 4, "did you mean 'waits'?"),
        (["waits", "aproved", "approved", "{}"], 4, "did you mean 'approved'?"),
        (["waits", "approved", "approvd", "{}"], 4, "did you mean 'approved'?"),
        (["waits", "approved", "approved", '{"by": []}'], 2, "by"),
        (["waits", "approved", "approved", "yes"], 2, "not JSON"),
        (["done", "approved", "approved", "{}"], 4, "is completed"),
    ],
)
def test_a_wrong_delivery_is_refused(arguments: list[str], status: int, words: str) -> None:
    """Both commands check run, path, event and payload alike."""
    for result in (
        CliRunner().invoke(flopod_run, ["deliver", *arguments]),
        _flopod("runs", "deliver", *arguments),
    ):
        assert (result.exit_code, result.stdout) == (status, "")
        assert words in result.stderr
        assert "Traceback" not in result.stderr


def test_the_printed_command_finishes_the_run(place: Path) -> None:
    """What `runs show` proposes is typed into a shell, and the run completes."""
    (wait,) = json.loads(_flopod("runs", "show", "waits", "--json").stdout)["waits"]
    binaries = str(Path(sys.executable).parent)
    shell = {**os.environ, "PATH": f"{binaries}:{os.environ['PATH']}"}
    done = subprocess.run(wait["deliver"], shell=True, env=shell, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    job = Job(place / "dist" / "bundle.py", place)
    result = job.run("--run-id", "waits", FLOPOD_BACKEND=os.environ["FLOPOD_BACKEND"])
    assert json.loads(result.stdout) == ["A", 3, "text"]


def test_no_runs_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty place lists nothing."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FLOPOD_BACKEND", raising=False)
    result = _flopod("runs", "list", "--backend", "file:here")
    assert (result.exit_code, result.stdout, result.stderr) == (
        0,
        "",
        "no runs\nnext: flopod run SRC --backend file:here\n",
    )
