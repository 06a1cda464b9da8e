"""Failed work as `flopod runs` shows it."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from flopod.backends import FileBackend
from flopod_compiler.cli.group import flopod
from tests.engine.controlled import go
from tests.sidechains.blocks import fail, note


async def main(wf: Any) -> str:
    wf.work("fail", fail, "no route", name="report")
    wf.work("note", note, "fine")
    await wf.wait_for_work("wait_for_work")
    return "done"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    go(FileBackend(tmp_path), main)
    return tmp_path


def _flopod(folder: Path, *arguments: str) -> str:
    result = CliRunner().invoke(flopod, [*arguments, "--backend", f"file:{folder}"])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_events_name_the_task_and_the_error(folder: Path) -> None:
    """On one line, after the failed attempt of its leaf, and without the traceback."""
    lines = [line for line in _flopod(folder, "runs", "events", "r").splitlines() if "step_error" in line]
    assert len(lines) == 1
    words = lines[0].split()
    assert words[words.index("step_error") :] == [
        "step_error",
        "fail",
        "id=report",
        "error=LookupError:",
        "no",
        "route",
    ]


def test_events_as_json_have_all_of_it(folder: Path) -> None:
    """The error as it is recorded, and the traceback with the author's lines."""
    records = [json.loads(line) for line in _flopod(folder, "runs", "events", "r", "--json").splitlines()]
    (failed,) = [record for record in records if record["kind"] == "step_error"]
    assert (failed["path"], failed["id"], failed["error"]["args"]) == ("fail", "report", ["no route"])
    assert "blocks.py" in failed["traceback"]


def test_show_lists_failed_work(folder: Path) -> None:
    """Of a run that has completed all the same."""
    shown = _flopod(folder, "runs", "show", "r")
    assert "work      'report' at 'fail': LookupError: no route" in shown
    assert "status    completed" in shown
