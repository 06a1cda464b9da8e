"""Completion by shells: commands, options, and what is in the store; quick, and never a word too much."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from msgspec import Raw

from flopod.backends.base import Backend
from flopod.backends.choose import choose
from flopod.backends.glance import glance
from flopod.engine.schedule import Schedule
from flopod.engine.scheduling import Schedules
from flopod.events import RunStarted, WaitStarted
from flopod_compiler.cli.completion import SHELLS
from flopod_compiler.cli.deliver import flopod_run
from flopod_compiler.cli.group import flopod

SOURCE = """\
from flopod import workflow
import flopod


@workflow
async def order(order_id: str) -> str:
    return order_id


@flopod.workflow(name="returns", retries=3)
# of what was ordered
async def take_back(order_id: str) -> str:
    return order_id


async def plain() -> None: ...
"""

SYNTAX = {"bash": ["bash", "-n"], "zsh": ["zsh", "-n"], "fish": ["fish", "--no-execute"]}


def asked(line: str, *, program: str = "flopod", shell: str = "powershell", **environment: str) -> str:
    """What the program answers when the cursor is at the end of `line`."""
    words = line.split(" ")
    result = CliRunner().invoke(
        flopod if program == "flopod" else flopod_run,
        prog_name=program,
        env={
            f"_{program.replace('-', '_').upper()}_COMPLETE": f"{shell}_complete",
            "COMP_WORDS": line.rstrip(" "),
            "COMP_CWORD": str(len(words) - 1),
            "COMP_LINE": line,
            **environment,
        },
    )
    assert (result.exit_code, result.stderr) == (0, "")
    return result.stdout


def values(line: str, **environment: str) -> dict[str, str]:
    """What is offered, with the words beside it."""
    lines = asked(line, **environment).splitlines()
    return {
        value: "" if what == "_" else what
        for kind, value, what in zip(lines[::3], lines[1::3], lines[2::3], strict=True)
        if kind == "plain"
    }


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory, and an environment that says nothing of stores."""
    monkeypatch.chdir(tmp_path)
    for name in [one for one in os.environ if one.startswith(("FLOPOD_", "DATABASE_URL"))]:
        monkeypatch.delenv(name)
    return tmp_path


@pytest.fixture(params=["sqlite", "file", "sqlite:runs.db", "file:runs"])
def store(request: pytest.FixtureRequest) -> Iterator[str]:
    """A store with three runs, of which one waits, and a schedule."""
    with choose(request.param) as made:
        _furnish(made)
    yield request.param


def _furnish(made: Backend) -> None:
    for at, run_id in enumerate(("alpha-1", "alpha-2", "beta"), 1):
        made.append(run_id, 0, [RunStarted(at=at, run_id=run_id, workflow="order", input=Raw(b"{}"))])
    made.append("beta", 1, [WaitStarted(at=9, path="lines[3]/approved", event="approval")])
    Schedules(made).add(Schedule(name="nightly", workflow="order", input=Raw(b"{}"), every="1h"))


def _snapshot(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {
        str(path.relative_to(folder)): (path.stat().st_mtime_ns, path.read_bytes() if path.is_file() else b"")
        for path in folder.rglob("*")
    }


def test_commands_are_offered_with_what_they_do() -> None:
    """In the order in which they are used, with the beginning of their help."""
    offered = values("flopod runs ")
    assert list(offered)[:3] == ["list", "start", "show"]
    assert offered["list"] == "List runs, the youngest first."
    assert set(values("flopod b")) == {"build"}
    assert {"--locked", "--json"} <= set(values("flopod build --"))


def test_values_of_choices_are_offered() -> None:
    """A status, a format, a shell."""
    assert set(values("flopod runs list --status pa")) == {"paused"}
    assert set(values("flopod completion ")) == set(SHELLS)


def test_runs_are_offered(store: str) -> None:
    """Those of the store that the command means, which begin with what is typed."""
    for command in ("runs show", "runs cancel", "runs fork", "runs export", "run src --run-id"):
        line = f"flopod {command.replace(' src ', f' --backend {store} src ')} "
        line = line if "src" in line else f"flopod {command} --backend {store} "
        assert set(values(line)) == {"alpha-1", "alpha-2", "beta"}, command
    assert set(values(f"flopod runs show --backend {store} al")) == {"alpha-1", "alpha-2"}
    assert set(values(f"flopod runs show --backend={store} b")) == {"beta"}
    assert set(values("flopod runs show ", FLOPOD_BACKEND=store)) == {"alpha-1", "alpha-2", "beta"}


def test_the_youngest_runs_of_a_database_come_first_with_their_status() -> None:
    """What a person looks for is at the top."""
    with choose("sqlite") as made:
        _furnish(made)
    assert list(values("flopod runs show ").items()) == [
        ("beta", "waiting order"),
        ("alpha-2", "pending order"),
        ("alpha-1", "pending order"),
    ]


def test_how_values_are_kept_does_not_matter() -> None:
    """None is looked at, so that neither keys nor a limit are needed."""
    with choose("sqlite") as made:
        _furnish(made)
    for more in ({"FLOPOD_ENCRYPTION_KEYS": "no key"}, {"FLOPOD_LARGE_VALUES": "many"}):
        assert len(values("flopod runs show ", **more)) == 3


@pytest.mark.parametrize("kind", ["sqlite", "file"])
def test_at_most_fifty_runs_are_offered(kind: str) -> None:
    """A store of many does not fill the screen."""
    with choose(kind) as made:
        for number in range(60):
            run_id = f"run-{number:02}"
            made.append(run_id, 0, [RunStarted(at=number, run_id=run_id, workflow="order", input=Raw(b"{}"))])
    assert len(values(f"flopod runs show --backend {kind} ")) == 50
    assert set(values(f"flopod runs show --backend {kind} run-59")) == {"run-59"}


def test_waits_are_offered_to_a_delivery(store: str) -> None:
    """First where the run waits, then what for."""
    line = f"runs deliver --backend {store} beta "
    assert values(f"flopod {line}") == {"lines[3]/approved": "waits for approval"}
    assert set(values(f"flopod {line}lines[3]/approved ")) == {"approval"}
    assert values(f"flopod {line}elsewhere ") == {}
    offered = asked(f"flopod-run deliver --backend {store} al", program="flopod-run")
    assert "alpha-1" in offered


def test_schedules_are_offered(store: str) -> None:
    """To the commands that mean one that there is; a new one has a new name."""
    for command in ("next", "pause", "resume", "remove"):
        assert set(values(f"flopod schedules {command} --backend {store} ")) == {"nightly"}
    assert values(f"flopod schedules add --backend {store} ") == {}


def test_workflows_of_the_source_are_offered(place: Path) -> None:
    """Those that are marked, by the names that they have; and those that the lock knows."""
    (place / "src").mkdir()
    (place / "src" / "shop.py").write_text(SOURCE)
    for line in ("run src ", "runs start src ", "schedules add hourly src "):
        assert set(values(f"flopod {line}")) == {"order", "returns"}, line
    assert set(values("flopod run src/shop.py o")) == {"order"}
    (place / "flopod.lock").write_text(
        'format = 1\ngenerations = []\n[workflows]\n"listed" = "shop:listed"\n'
    )
    assert set(values("flopod run src l")) == {"listed"}


def test_codes_backends_and_zones_are_offered() -> None:
    """Also in small letters; a place on the disk is left to the shell."""
    assert values("flopod explain flp101") == {"FLP101": "An async call that is not awaited"}
    assert set(values("flopod runs list --backend s")) == {"sqlite", "sqlite:"}
    assert asked("flopod diff src --runs sqlite:x").split()[0] == "file"
    assert asked("flopod diff src --runs file:x").split()[0] == "dir"
    assert "Europe/Berlin" in values("flopod schedules add a src --timezone Europe/Be")


LINES = [
    "flopod runs show ",
    "flopod runs deliver beta ",
    "flopod runs deliver beta approved ",
    "flopod schedules pause ",
    "flopod run src ",
    "flopod runs export -o out.jsonl ",
    "flopod runs import ",
    "flopod init ",
]


@pytest.mark.parametrize(
    "backend", ["sqlite", "file", "sqlite:a/b.db", "file:a/b", "postgresql://nowhere/x", "x:"]
)
def test_nothing_is_created(place: Path, backend: str) -> None:
    """No folder and no database comes to be where none is."""
    for line in LINES:
        assert values(line, FLOPOD_BACKEND=backend) == {}, line
    assert list(place.iterdir()) == []
    if backend != "x:":
        assert glance(backend, {}) is None


def test_a_store_is_left_as_it_is(place: Path, store: str) -> None:
    """Not a byte changes, and no file is put beside it."""
    for folder in place.rglob("*.db.locks"):
        shutil.rmtree(folder)
    before = _snapshot(place)
    for line in LINES:
        asked(line, FLOPOD_BACKEND=store)
    assert _snapshot(place) == before


def test_runs_of_a_store_in_use_are_offered() -> None:
    """Also what is only in the write-ahead log, while another process may be writing."""
    with choose("sqlite") as made:
        _furnish(made)
        holder = sqlite3.connect(".flopod/flopod.db", isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        assert len(values("flopod runs show ")) == 3
        holder.close()


@pytest.mark.parametrize("content", [b"", b"not a database" * 100, b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_damaged_store_offers_nothing(place: Path, content: bytes) -> None:
    """There is no word of it: the command that is typed will say it."""
    (place / "x.db").write_bytes(content)
    for line in LINES:
        assert values(line, FLOPOD_BACKEND="sqlite:x.db") == {}
    assert (place / "x.db").read_bytes() == content
    (place / "documents" / "schedules").mkdir(parents=True)
    (place / "summaries").mkdir()
    (place / "summaries" / "beta.json").write_bytes(content)
    assert values("flopod runs deliver beta ", FLOPOD_BACKEND="file:.") == {}


@pytest.mark.parametrize(
    "environment",
    [
        {"COMP_CWORD": "many"},
        {"COMP_WORDS": "flopod 'runs"},
        {"FLOPOD_DATA_SCOPE": "world"},
        {"_FLOPOD_COMPLETE": "tcsh_complete"},
        {"_FLOPOD_COMPLETE": "zsh"},
        {"_FLOPOD_COMPLETE": "1"},
        {"_FLOPOD_COMPLETE": "bash_complete", "COMP_LINE": ""},
    ],
)
def test_nothing_that_a_shell_sends_is_an_error(environment: dict[str, str]) -> None:
    """It is asked again at the next key, so that nobody would read it."""
    asked("flopod runs show ", **environment)


def test_a_broken_project_offers_nothing(place: Path) -> None:
    """A lock in the middle of a merge, a folder without sources, bytes that are no text."""
    (place / "src").mkdir()
    assert values("flopod run src ") == {}
    (place / "src" / "shop.py").write_bytes(b"\xff\xfe@workflow\n")
    (place / "flopod.lock").write_text("<<<<<<< ours\n")
    assert values("flopod run src ") == {}
    assert values("flopod run nowhere ") == {}


@pytest.mark.parametrize("line", ["flopod runs show ", "flopod run src ", "flopod runs "])
def test_no_compiler_is_loaded(place: Path, line: str) -> None:
    """A key that is pressed is answered before libcst, the engine or the server could be imported."""
    (place / "src").mkdir()
    (place / "src" / "shop.py").write_text(SOURCE)
    with choose("sqlite") as made:
        _furnish(made)
    code = (
        "import atexit, sys\n"
        "atexit.register(lambda: print(sorted(sys.modules), file=sys.stderr))\n"
        "from flopod_compiler.cli import main\nmain()"
    )
    sent = {"_FLOPOD_COMPLETE": "zsh_complete", "COMP_WORDS": line, "COMP_CWORD": str(line.count(" "))}
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **sent}, capture_output=True, text=True, check=True
    )
    assert done.stdout
    heavy = ("libcst", "jinja2", "starlette", "asyncio", "flopod.engine.engine", "flopod_compiler.lower")
    assert [name for name in heavy if f"'{name}'" in done.stderr] == []


@pytest.mark.parametrize("program", ["flopod", "flopod-run"])
@pytest.mark.parametrize("shell", SHELLS)
def test_scripts_name_the_program_and_its_variable(shell: str, program: str) -> None:
    """Each asks the program that it is for."""
    script = CliRunner().invoke(flopod, ["completion", shell, "--program", program]).stdout
    assert f"_{program.replace('-', '_').upper()}_COMPLETE" in script
    assert re.search(rf"\b{program}\b", script)


@pytest.mark.parametrize("shell", [shell for shell in SYNTAX if shutil.which(shell)])
def test_scripts_are_scripts(shell: str) -> None:
    """The shells that are here can read them."""
    script = CliRunner().invoke(flopod, ["completion", shell]).stdout
    done = subprocess.run(SYNTAX[shell], input=script, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.fixture
def bash(place: Path) -> Iterator[str]:
    """The beginning of a script in which `flopod` is on the path and `t LINE` prints what is offered."""
    (place / "bin").mkdir()
    program = place / "bin" / "flopod"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m flopod_compiler.cli "$@"\n')
    program.chmod(0o755)
    yield f"""
    PATH={place}/bin:$PATH
    eval "$(flopod completion bash)"
    compopt() {{ echo "$2"; }}
    t() {{
        COMP_LINE=$1 COMP_POINT=${{2:-${{#1}}}}
        $(complete -p flopod | sed 's/.*-F \\([^ ]*\\).*/\\1/') flopod
        echo "${{COMPREPLY[*]}}"
    }}
    """


@pytest.mark.process
@pytest.mark.parametrize(
    ("call", "offered"),
    [
        ("t 'flopod ru'", "run runs"),
        ("t 'flopod ru x' 9", "run runs"),
        ("t 'flopod runs show be'", "beta"),
        ("t 'flopod runs show --backend sqlite:.flopod/flopod.db be'", "beta"),
        ("t 'flopod runs list --backend=sq'", "sqlite sqlite:"),
        ("t 'flopod runs list --backend post'", "nospace\npostgresql://"),
        ("t 'flopod runs list --backend postgresql:'", "nospace\n//"),
        ("t 'flopod runs list --backend sqlite:x'", "default\n"),
        ("t 'flopod runs deliver beta '", r"lines\[3\]/approved"),
        ("t 'flopod build s'", "default\n"),
        ("COMP_WORDBREAKS=' '; t 'flopod runs list --backend postgresql:'", "nospace\npostgresql://"),
        ("""t "flopod runs show 'nowhere" """, ""),
    ],
)
def test_bash_completes(bash: str, call: str, offered: str) -> None:
    """The script, the shell and the program together: also where bash cuts words at colons."""
    with choose("sqlite") as made:
        _furnish(made)
    done = subprocess.run(["bash", "--norc", "-c", bash + call], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == (f"{offered}\n", "")
