"""--json: each command answers with one document on standard output, and its errors are objects, too."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from flopod_compiler.cli.deliver import flopod_run
from flopod_compiler.cli.group import flopod
from tests.cli.flows import clean_environment

pytestmark = pytest.mark.process

SOURCE = """\
from pathlib import Path

from flopod import wait_for, workflow


def charge(order_id: str) -> str:
    Path("charged").write_text(order_id)
    if order_id == "bad":
        raise OSError("no connection")
    return order_id


@workflow
async def order(order_id: str) -> str:
    if order_id == "waits":
        await wait_for("approved")
    return charge(order_id)
"""

RUNS = {"waits": 3, "good": 0, "bad": 1}

TEXT = {
    "run": "its result is JSON in any case",
    "completion": "it prints a script",
    "dev": "it serves until it is stopped",
}
"""The commands without --json, and why."""

CASES: dict[str, tuple[str, set[str]]] = {
    "init": ("hello", {"folder", "files", "next"}),
    "build": ("src", {"build", "workflows", "files", "plan", "next"}),
    "serve": ("src", {"build", "workflows", "files", "plan", "next"}),
    "check": ("src", set()),
    "graph": ("src -o order.svg", {"workflow", "format", "file", "next"}),
    "diff": ("src --runs sqlite", set()),
    "explain": (
        "FLP101",
        {"code", "title", "severity", "why", "instead", "examples", "suppressible", "text", "next"},
    ),
    "runs list": ("--limit 9", set()),
    "runs start": ("src --run-id new --input ['x']", {"run_id", "next"}),
    "runs show": ("good", {"run_id", "status", "input", "result", "waits", "variables", "next"}),
    "runs deliver": ("waits approved approved null", {"run_id", "path", "event", "number", "next"}),
    "runs cancel": ("waits", {"runs", "refused", "next"}),
    "runs pause": ("--status waiting --yes", {"runs", "refused", "next"}),
    "runs resume": ("waits", {"runs", "refused", "next"}),
    "runs retry": ("bad", {"runs", "refused", "next"}),
    "runs fork": ("good copy", {"run_id", "of", "from", "next"}),
    "runs replay": ("good src", {"run", "workflow", "build", "verdict", "at", "why", "next"}),
    "runs export": ("good -o good.jsonl", {"run_id", "file", "records", "next"}),
    "runs import": ("kept.jsonl --run-id copy", {"run_id", "next"}),
    "runs prune": ("--workflow order --yes", {"deleted", "stays", "next"}),
    "schedules list": ("", set()),
    "schedules add": ("hourly src --every 1h --input ['x']", {"schedule", "next"}),
    "schedules next": ("nightly", set()),
    "schedules pause": ("nightly", {"name", "done", "next"}),
    "schedules resume": ("nightly", {"name", "done", "next"}),
    "schedules remove": ("nightly", {"name", "done", "next"}),
}
"""What each command is given, and names in its document; that of a listing is an array."""

APART = {"diff", "runs replay"}
"""The commands that begin their process anew, with the hash seed of runs."""


def _leaves(group: click.Group, path: str = "") -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from _leaves(command, f"{path}{name} ")
        else:
            yield f"{path}{name}", command


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a source, a run of each kind, one that was exported, and a schedule."""
    folder = tmp_path_factory.mktemp("furnished")
    (folder / "src").mkdir()
    (folder / "src" / "shop.py").write_text(SOURCE)
    for run_id, status in RUNS.items():
        given = ("--run-id", run_id, "--input", json.dumps([run_id]), "--exit-when-waiting")
        assert _process("run", "src", *given, cwd=folder).returncode == status
    _process("runs", "export", "good", "-o", "kept.jsonl", cwd=folder)
    schedule = ("schedules", "add", "nightly", "src", "--cron", "0 3 * * *", "--input", '["x"]')
    assert _process(*schedule, cwd=folder).returncode == 0
    return folder


@pytest.fixture
def place(furnished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of that folder, which is the working directory."""
    shutil.copytree(furnished, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    for name in ("FLOPOD_BACKEND", "FLOPOD_DATA_DIR", "DATABASE_URL", "FLOPOD_RUN_ID"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def _process(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "flopod_compiler.cli", *arguments]
    return subprocess.run(
        command, cwd=cwd, env=clean_environment(), capture_output=True, text=True, timeout=60, check=False
    )


def _asked(line: str, group: click.Group = flopod) -> Result:
    words = [word.replace("'", '"') for word in line.split()]
    return CliRunner().invoke(group, [*words, "--json"])


def _error(result: Result) -> dict[str, Any]:
    """The error of a command that has said nothing else."""
    found: dict[str, Any] = json.loads(result.stderr)
    assert found["exit_code"] == result.exit_code != 0
    return found


def test_every_command_has_json() -> None:
    """A command is in the table below, or it is said why it prints text."""
    with_json = {name for name, command in _leaves(flopod) if any(p.name == "json" for p in command.params)}
    assert with_json == {*CASES, "runs events"}
    assert {name for name, _ in _leaves(flopod)} <= {*with_json, *TEXT}


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize("name", CASES)
def test_a_command_answers_with_one_document(name: str) -> None:
    """It has the names that scripts rely on, and nothing is said beside it."""
    arguments, names = CASES[name]
    line = f"{name} {arguments}"
    done = _process(*line.split(), "--json", cwd=Path.cwd()) if name in APART else _asked(line)
    assert done.stderr == ""
    document = json.loads(done.stdout)
    assert isinstance(document, dict if names else list)
    assert not names or names <= set(document)


@pytest.mark.usefixtures("place")
def test_a_delivery_answers_from_both_programs() -> None:
    """flopod-run deliver and flopod runs deliver are one command."""
    document = json.loads(_asked("deliver waits approved approved null", flopod_run).stdout)
    assert document == {
        "run_id": "waits",
        "path": "approved",
        "event": "approved",
        "number": 1,
        "next": "flopod runs show waits",
    }


@pytest.mark.usefixtures("place")
def test_a_graph_is_json_where_it_is_printed() -> None:
    """There the graph is the answer, and not a picture."""
    assert json.loads(_asked("graph src").stdout) == json.loads(
        CliRunner().invoke(flopod, ["graph", "src", "--format", "json"]).stdout
    )


@pytest.mark.usefixtures("place")
def test_events_are_an_object_a_line() -> None:
    """A stream is JSON lines."""
    lines = _asked("runs events good").stdout.splitlines()
    assert [json.loads(line)["seq"] for line in lines] == list(range(1, len(lines) + 1))


@pytest.mark.usefixtures("place")
def test_an_export_to_standard_output_is_the_export() -> None:
    """There the records are the data, and nothing is put between them."""
    assert _asked("runs export good").stdout == Path("kept.jsonl").read_text()


@pytest.mark.usefixtures("place")
def test_a_show_has_the_command_that_answers_its_wait() -> None:
    """What people are told on standard error is in the document."""
    shown = json.loads(_asked("runs show waits").stdout)
    assert shown["next"].startswith("flopod-run deliver waits approved approved ")


def test_what_is_done_to_many_runs_names_those_that_refuse(place: Path) -> None:
    """Each run is in one of two lists, with the reason if it refused; the status is 1."""
    assert place.is_dir()
    result = _asked("runs cancel --workflow order --yes")
    document = json.loads(result.stdout)
    assert (result.exit_code, result.stderr) == (1, "")
    assert document["runs"] == [{"run_id": "waits", "done": "told"}]
    assert {one["run_id"]: one["kind"] for one in document["refused"]} == {
        "good": "Conflict",
        "bad": "Conflict",
    }


@pytest.mark.usefixtures("place")
def test_a_page_says_that_there_is_more() -> None:
    """The cursor of the next page is an object on standard error, and it works."""
    first = _asked("runs list --limit 2")
    rest = _asked(f"runs list --cursor {json.loads(first.stderr)['more']['cursor']}")
    ids = [run["run_id"] for run in json.loads(first.stdout) + json.loads(rest.stdout)]
    assert ids == list(reversed(RUNS))


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("runs show nowhere", {"kind": "UnknownRun", "exit_code": 4, "next": "flopod runs list"}),
        (
            "runs deliver waits aproved approved null",
            {"kind": "UnknownPath", "near": ["approved"], "next": "flopod runs show waits"},
        ),
        (
            "runs cancel good --backend sqlite",
            {"kind": "Conflict", "next": "flopod runs show good --backend sqlite"},
        ),
        ("schedules pause never", {"kind": "UnknownSchedule", "next": "flopod schedules list"}),
        ("runs start src --input {'order':1}", {"kind": "BadInput", "field": "order", "exit_code": 2}),
        ("explain FLP10", {"kind": "UnknownCode", "field": "FLPnnn", "near": ["FLP010"]}),
        ("runs cancle", {"kind": "NoSuchCommand", "near": ["cancel"], "exit_code": 2}),
        ("build src --outptu x", {"kind": "NoSuchOption", "field": "--outptu", "near": ["--output"]}),
        ("runs list --limit many", {"kind": "BadParameter", "field": "limit", "exit_code": 2}),
        ("runs show", {"kind": "MissingParameter", "field": "run_id", "exit_code": 2}),
        ("build nowhere", {"exit_code": 2}),
    ],
)
def test_an_error_is_an_object(line: str, expected: dict[str, Any]) -> None:
    """What, of which kind, the status, and the field and the near misses where they are known."""
    result = _asked(line)
    found = _error(result)
    if "near" in expected:
        assert set(expected.pop("near")) <= set(found["near"])
    assert {name: found[name] for name in expected} == expected
    assert found["error"]
    assert result.stdout == ""


def test_errors_in_the_source_are_in_the_object(place: Path) -> None:
    """The diagnostics of a build are data, and the next command explains the first."""
    (place / "src" / "shop.py").write_text(
        SOURCE.replace("    return charge", "    async for x in y: pass\n    return charge")
    )
    found = _error(_asked("build src"))
    assert found["kind"] == "SourceErrors"
    first = found["diagnostics"][0]
    assert (first["path"], found["next"]) == ("src/shop.py", f"flopod explain {first['code']}")
    checked = _asked("check src")
    assert json.loads(checked.stdout) == found["diagnostics"]
    assert "diagnostics" not in _error(checked)


def test_a_locked_build_names_what_would_change(place: Path) -> None:
    """The plan is in the error that refuses it, and in the document of the build that does it."""
    assert _asked("build src").exit_code == 0
    source = place / "src" / "shop.py"
    source.write_text(
        SOURCE.replace("    return charge(order_id)", "    charge('deposit')\n    return charge(order_id)")
    )
    refused = _error(_asked("build src --locked"))
    assert (refused["kind"], refused["next"]) == ("LockChanged", "flopod build src")
    done = json.loads(_asked("build src").stdout)
    assert done["plan"] == refused["plan"]
    assert {change["sign"] for change in done["plan"]["changes"]} <= {"+", "-", "~"}


def test_warnings_are_data_beside_the_answer(place: Path) -> None:
    """A warning is an object on standard error, so that the answer is alone on standard output."""
    (place / "src" / "shop.py").write_text(SOURCE + "\n\nx = 1  # flopod: ignore[FLP101] nothing to ignore\n")
    result = _asked("build src")
    assert result.exit_code == 0
    assert json.loads(result.stderr)["diagnostics"][0]["severity"] == "warning"
    assert json.loads(result.stdout)["workflows"] == ["order"]


@pytest.mark.usefixtures("place")
def test_text_is_text_without_it() -> None:
    """A value of an option that looks like --json is none."""
    told = CliRunner().invoke(flopod, ["runs", "cancel", "good", "--reason", "--json"])
    assert told.stderr.startswith("error: the run 'good' is completed")
