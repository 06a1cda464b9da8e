"""Each command ends with the next one to type, also after an error; what is mistyped is suggested."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from msgspec import Raw

from flopod.backends.choose import choose
from flopod.events import RunCompleted, RunStarted, WaitStarted
from flopod_compiler.cli.answer import with_backend
from flopod_compiler.cli.group import flopod
from tests.cli.flows import clean_environment
from tests.cli.lines import accepted, on_terminal

SOURCE = """\
from flopod import workflow


@workflow
async def order(order_id: str) -> str:
    return order_id
"""


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a source, a run that has ended, and one that waits."""
    monkeypatch.chdir(tmp_path)
    for name in ("FLOPOD_BACKEND", "FLOPOD_DATA_DIR", "DATABASE_URL", "FLOPOD_RUN_ID"):
        monkeypatch.delenv(name, raising=False)
    for folder in ("src", "my src"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "shop.py").write_text(SOURCE)
    (tmp_path / "broken.py").write_text(
        "from flopod import workflow\n\n@worklfow\nasync def f() -> None: ...\n"
    )
    with choose("sqlite") as made:
        started = [
            RunStarted(workflow="order", input=Raw(b"{}"), run_id=run_id) for run_id in ("good", "waits")
        ]
        made.append("good", 0, [started[0], RunCompleted(result=Raw(b"1"))])
        made.append("waits", 0, [started[1], WaitStarted(path="approved", event="approved")])
    return tmp_path


def _said(line: str) -> list[str]:
    return CliRunner().invoke(flopod, shlex.split(line)).stderr.splitlines()


@pytest.mark.parametrize(
    ("line", "following"),
    [
        ("init hello", "flopod dev hello/src"),
        ("check src", "flopod build src"),
        ("check 'my src'", "flopod build 'my src'"),
        ("build 'my src' -o 'my dist'", "python 'my dist/bundle.py' --input '{\"order_id\": ...}'"),
        ("serve src", "python dist/server.py"),
        ("graph src", "flopod run src"),
        ("graph src -o order.svg", "flopod run src"),
        ("explain", "flopod explain FLP001"),
        ("explain FLP101", "flopod check SRC"),
        ("runs list", "flopod runs show waits"),
        ("runs list --backend file", "flopod run SRC --backend file"),
        ("runs list --status paused", "flopod runs list"),
        ("runs show waits", "flopod-run deliver waits approved approved '{}'"),
        ("runs show good", "flopod runs events good"),
        ("runs show good --backend sqlite", "flopod runs events good --backend sqlite"),
        ("runs start src --input '[\"x\"]'", "flopod run src --run-id main-run"),
        ("runs cancel waits", "flopod runs show waits"),
        ("runs fork good copy", "flopod run SRC --run-id copy"),
        ("runs export good -o 'a b.jsonl'", "flopod runs import 'a b.jsonl' --run-id COPY"),
        ("runs prune --status completed --yes", "flopod runs list"),
        ("schedules list", "flopod schedules add NAME SRC --every 1h"),
        ("schedules add often src --every 1h --input '[\"x\"]'", "flopod schedules next often"),
        ("schedules next", "flopod schedules list"),
    ],
)
def test_a_command_ends_with_the_next_one(line: str, following: str) -> None:
    """It is the last line on standard error, and one that can be typed."""
    assert _said(line)[-1] == f"next: {following}"
    if following.startswith("flopod"):
        (Path.cwd() / "a b.jsonl").touch()
        assert accepted(following)


@pytest.mark.process
def test_the_events_of_a_run_end_with_it_on_a_terminal() -> None:
    """What reads them from a pipe would have it in its own words."""
    assert on_terminal("runs", "events", "good").splitlines()[-1] == "next: flopod runs show good"
    assert _said("runs events good") == []


@pytest.mark.parametrize(
    ("line", "following"),
    [
        ("check broken.py", "flopod explain FLP003"),
        ("build broken.py", "flopod explain FLP003"),
        ("runs start broken.py", "flopod explain FLP003"),
        ("runs show nowhere", "flopod runs list"),
        ("runs show nowhere --backend file:here", "flopod runs list --backend file:here"),
        ("runs events nowhere", "flopod runs list"),
        ("runs deliver waits aproved approved 1", "flopod runs show waits"),
        ("runs deliver waits approved aproved 1", "flopod runs show waits"),
        ("runs deliver good approved approved 1", "flopod runs show good"),
        ("runs cancel good", "flopod runs show good"),
        ("schedules pause never", "flopod schedules list"),
    ],
)
def test_an_error_ends_with_what_shows_more(line: str, following: str) -> None:
    """Where it is clear what one would look at next."""
    assert _said(line)[-1] == f"next: {following}"
    assert accepted(following)


def test_a_password_is_not_repeated() -> None:
    """What is told to be typed next may be read by others."""
    there = "postgresql://me:secret@127.0.0.1:1/none"
    assert "secret" not in "\n".join(_said(f"runs show x --backend {there}"))
    told = with_backend("flopod runs list", there)
    assert told == "flopod runs list --backend postgresql://me:PASSWORD@127.0.0.1:1/none"


@pytest.mark.process
@pytest.mark.parametrize(
    ("more", "last"),
    [
        ((), "next: flopod runs show main-run"),
        (("--backend", "file:my runs"), "next: flopod runs show main-run --backend 'file:my runs'"),
        (("--quiet",), None),
    ],
)
def test_a_run_that_has_completed_is_shown_by_the_next_command(
    more: tuple[str, ...], last: str | None
) -> None:
    """After its result, unless nothing is to be said."""
    command = [sys.executable, "-m", "flopod_compiler.cli", "run", "src", "--input", '["x"]', *more]
    done = subprocess.run(command, env=clean_environment(), capture_output=True, text=True, check=True)
    assert done.stdout == '"x"\n'
    assert next(reversed(done.stderr.splitlines()), None) == last


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("biuld src", "build"),
        ("chekc src", "check"),
        ("runs cancle x", "cancel"),
        ("runs lsit", "list"),
        ("schedules pasue x", "pause"),
        ("schedule list", "schedules"),
        ("build src --lokced", "--locked"),
        ("runs list --jsn", "--json"),
        ("runs list --statsu failed", "--status"),
    ],
)
def test_a_typo_gets_a_suggestion(line: str, meant: str) -> None:
    """Status 2, and the word that was meant."""
    result = CliRunner().invoke(flopod, shlex.split(line))
    assert result.exit_code == 2
    assert (
        f"Did you mean '{meant}'?" in result.stderr
        or f"'{meant}'" in result.stderr.partition("Did you mean")[2]
    )
