"""Color is for terminals, unless the environment says otherwise; and never in data."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from msgspec import Raw

from flopod.backends.choose import choose
from flopod.engine.console import Console
from flopod.events import RunCompleted, RunFailed, RunStarted
from flopod.terminal import color_wanted
from flopod_compiler.cli.group import flopod
from tests.cli.flows import clean_environment
from tests.cli.lines import on_terminal

ESCAPE = re.compile(r"\x1b\[[0-9;]*m")
BROKEN = """\
from flopod import workflow


@workflow
async def f() -> None:
    async for x in y:
        pass
"""


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a source that does not compile, on a terminal that can do color."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    monkeypatch.delenv("FLOPOD_BACKEND", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "broken.py").write_text(BROKEN)
    return tmp_path


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [
        ({}, None),
        ({"TERM": "xterm"}, None),
        ({"TERM": "dumb"}, False),
        ({"NO_COLOR": "1"}, False),
        ({"NO_COLOR": ""}, None),
        ({"FORCE_COLOR": "1"}, True),
        ({"FORCE_COLOR": ""}, None),
        ({"FORCE_COLOR": "1", "TERM": "dumb"}, True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
    ],
)
def test_the_environment_is_read_as_python_reads_it(environment: dict[str, str], wanted: bool | None) -> None:
    """An empty variable says nothing; NO_COLOR comes first, TERM last."""
    assert color_wanted(environment) is wanted


@pytest.mark.process
@pytest.mark.parametrize(
    ("environment", "colored"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)]
)
def test_a_terminal_gets_color(environment: dict[str, str], colored: bool) -> None:
    """Place, code and carets of a diagnostic stand out, unless color is not wanted."""
    told = on_terminal("check", "src", **environment)
    assert bool(ESCAPE.search(told)) is colored
    assert "src/broken.py:6:20: FLP" in ESCAPE.sub("", told)
    assert ("\x1b[1;31m^\x1b[0m" in told) is colored


@pytest.mark.parametrize("arguments", [["check", "src"], ["build", "src"], ["runs", "list"]])
def test_a_pipe_gets_none(arguments: list[str]) -> None:
    """Text that is piped is plain, on both streams."""
    _record()
    assert not ESCAPE.search(CliRunner().invoke(flopod, arguments).output)


def test_color_can_be_forced(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a log of CI that shows it; the words are those of the plain text."""
    _record()
    for arguments in (["check", "src"], ["build", "src"], ["runs", "list"], ["runs", "show", "good"]):
        plain = CliRunner().invoke(flopod, arguments)
        monkeypatch.setenv("FORCE_COLOR", "1")
        forced = CliRunner().invoke(flopod, arguments)
        monkeypatch.delenv("FORCE_COLOR")
        assert ESCAPE.search(forced.output), arguments
        assert ESCAPE.sub("", forced.output) == plain.output


@pytest.mark.parametrize("command", ["check", "build"])
def test_diagnostics_are_in_color_wherever_they_are_told(
    monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """Where they are the answer, and where they are told beside it."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[1;31mFLP603\x1b[0m" in CliRunner().invoke(flopod, [command, "src"]).output


def test_columns_stand_under_their_headings(monkeypatch: pytest.MonkeyPatch) -> None:
    """What colors a cell takes no room."""
    _record()
    monkeypatch.setenv("FORCE_COLOR", "1")
    lines = ESCAPE.sub("", CliRunner().invoke(flopod, ["runs", "list"]).stdout).splitlines()
    assert {line.index(word) for line, word in zip(lines, ("WORKFLOW", "f  ", "f  "), strict=True)} == {17}


class Terminal(io.StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("variable", "value"), [("NO_COLOR", "1"), ("TERM", "dumb"), ("", "")])
def test_a_plain_terminal_has_no_live_line(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    """Nothing is written over, and nothing is painted."""
    if variable:
        monkeypatch.setenv(variable, value)
    stream = Terminal()
    console = Console(1, stream)
    console.status("1 done")
    console.say("it is done", "good")
    assert ("\x1b" in stream.getvalue()) is (not variable)
    assert ("1 done" in stream.getvalue()) is (not variable)


def test_what_a_job_says_into_a_pipe_is_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a live line, even if color is forced."""
    stream = io.StringIO()
    Console(1, stream).say("it is done", "good")
    assert stream.getvalue() == "it is done\n"
    monkeypatch.setenv("FORCE_COLOR", "1")
    console = Console(1, stream)
    console.status("1 done")
    console.say("it is done", "good")
    assert stream.getvalue() == "it is done\n\x1b[32mit is done\x1b[0m\n"


def test_a_status_has_its_color(monkeypatch: pytest.MonkeyPatch) -> None:
    """What went well is green, what did not is red."""
    _record()
    monkeypatch.setenv("FORCE_COLOR", "1")
    listed = CliRunner().invoke(flopod, ["runs", "list"]).stdout
    assert "\x1b[32mcompleted\x1b[0m" in listed
    assert "\x1b[1;31mfailed\x1b[0m" in listed


@pytest.mark.parametrize(
    "arguments",
    [
        ["runs", "list", "--json"],
        ["runs", "show", "good", "--json"],
        ["check", "src", "--json"],
        ["check", "src", "--format", "github"],
        ["check", "src", "--format", "sarif"],
        ["build", "src", "--json"],
        ["runs", "show", "nowhere", "--json"],
    ],
)
def test_data_is_never_in_color(monkeypatch: pytest.MonkeyPatch, arguments: list[str]) -> None:
    """Programs read it, whatever the environment wants for people."""
    _record()
    monkeypatch.setenv("FORCE_COLOR", "1")
    result = CliRunner().invoke(flopod, arguments)
    text = result.output if "--json" in arguments else result.stdout
    assert text
    assert "\x1b" not in text
    assert "\\u001b" not in text


@pytest.mark.process
def test_the_end_of_a_run_is_in_color(place: Path) -> None:
    """On standard error; the result stays as it is."""
    (place / "src" / "broken.py").write_text(
        "from flopod import workflow\n\n\n@workflow\nasync def f() -> int:\n    return 1\n"
    )
    command = [sys.executable, "-m", "flopod_compiler.cli", "run", "src"]
    env = {**clean_environment(), "FORCE_COLOR": "1"}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == 1
    assert "\x1b[32mrun main-run is completed\x1b[0m\n" in done.stderr


def _record() -> None:
    """A run that completed, and one that failed."""
    with choose("sqlite") as made:
        for run_id, event in (("good", RunCompleted(result=Raw(b"1"))), ("bad", RunFailed(error=Raw(b"{}")))):
            if made.summary(run_id) is None:
                made.append(run_id, 0, [RunStarted(workflow="f", input=Raw(b"{}"), run_id=run_id), event])
