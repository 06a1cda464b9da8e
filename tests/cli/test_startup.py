"""A program that is interrupted before its run begins: the status is that of an interrupt all the same."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.flows import Job, clean_environment, interrupt

INTERRUPTS = pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)], ids=["SIGTERM", "SIGINT"]
)
SLOW = """
import os, pathlib, time
if {condition}:
    pathlib.Path({mark!r}).touch()
    time.sleep({seconds})
"""
FLOW = "from flopod import workflow\n\n@workflow\ndef main():\n    return 'done'\n"


def _slow(path: Path, mark: Path, condition: str = "True", seconds: float = 30) -> None:
    """Write a module that says when it is imported, and takes its time."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(SLOW.format(condition=condition, mark=str(mark), seconds=seconds))


def _reached(mark: Path) -> None:
    deadline = time.monotonic() + 30
    while not mark.exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _start(folder: Path, *command: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, *command],
        cwd=folder,
        env=clean_environment() | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _is_interrupted(process: subprocess.Popen[str], mark: Path, number: signal.Signals, status: int) -> None:
    """Check that nothing has begun when the process is interrupted where it sets its mark."""
    _reached(mark)
    assert interrupt(process, number) == (status, "interrupted; start it again and it goes on\n")


@pytest.mark.process
@INTERRUPTS
def test_a_bundle_that_still_imports_can_be_interrupted(
    bundle: Path, tmp_path: Path, number: signal.Signals, status: int
) -> None:
    """What it requires is being loaded: nothing is recorded, and the next start begins."""
    mark = tmp_path / "mark"
    _slow(tmp_path / "slow/msgspec.py", mark)
    process = _start(tmp_path, str(bundle), "names", PYTHONPATH=str(tmp_path / "slow"))
    _is_interrupted(process, mark, number, status)
    assert Job(bundle, tmp_path).run("names").returncode == 0


@pytest.mark.process
@INTERRUPTS
def test_an_interrupt_between_two_processes_is_not_lost(
    bundle: Path, tmp_path: Path, number: signal.Signals, status: int
) -> None:
    """A bundle starts itself again with its hash seed; a signal meanwhile is kept until it is heard."""
    mark = tmp_path / "mark"
    _slow(tmp_path / "slow/sitecustomize.py", mark, "'FLOPOD_HASH_SEED_ATTEMPT' in os.environ", 0.5)
    process = _start(tmp_path, str(bundle), "nap", PYTHONPATH=str(tmp_path / "slow"))
    _is_interrupted(process, mark, number, status)


@pytest.mark.process
@INTERRUPTS
def test_flopod_run_can_be_interrupted_while_it_compiles(
    tmp_path: Path, number: signal.Signals, status: int
) -> None:
    """So can the command that compiles first."""
    mark = tmp_path / "mark"
    (tmp_path / "flow.py").write_text(FLOW)
    _slow(tmp_path / "slow/libcst.py", mark)
    process = _start(
        tmp_path, "-m", "flopod_compiler.cli", "run", "flow.py", PYTHONPATH=str(tmp_path / "slow")
    )
    _is_interrupted(process, mark, number, status)


@pytest.mark.process
@INTERRUPTS
def test_the_import_of_the_authors_module_can_be_interrupted(
    tmp_path: Path, number: signal.Signals, status: int
) -> None:
    """The run is told about by its name, and no code of the author sees the end."""
    mark = tmp_path / "mark"
    slow = SLOW.format(condition="True", mark=str(mark), seconds=30)
    (tmp_path / "flow.py").write_text(
        f"try:{slow.replace(chr(10), chr(10) + '    ')}\nfinally:\n    print('unwound')\n{FLOW}"
    )
    process = _start(tmp_path, "-m", "flopod_compiler.cli", "run", "flow.py", "--run-id", "a")
    _reached(mark)
    code, error = interrupt(process, number)
    assert code == status
    assert error.splitlines()[-1] == "interrupted; resume with: flopod run flow.py --run-id a"
    assert "unwound" not in error


def _loaded(code: str, modules: str) -> str:
    """Which of these modules a process that ran `code` has loaded, as it prints them."""
    code += f"import sys\nprint([name for name in {modules.split()!r} if name in sys.modules])\n"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    return done.stdout.splitlines()[-1]


@pytest.mark.parametrize("words", ["--help", "--version", "build --help", "runs --help"])
def test_help_loads_nothing_but_click(words: str) -> None:
    """Compiler, templates, codec and stores are loaded by the commands that need them."""
    code = (
        "import sys\nfrom flopod_compiler.cli import main\n"
        f"sys.argv = ['flopod', *{words.split()!r}]\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
    )
    heavy = "libcst jinja2 msgspec asyncio sqlite3 flopod.codec flopod_compiler.build"
    assert _loaded(code, heavy) == "[]"


def test_a_bundle_shows_its_help_without_what_runs_it(bundle: Path, tmp_path: Path) -> None:
    """What steps a workflow, what plain runs use and what data files need is loaded when it is used."""
    done = _start(tmp_path, "-X", "importtime", str(bundle), "--help")
    imported = {line.rpartition("|")[2].strip() for line in done.communicate(timeout=60)[1].splitlines()}
    assert "flopod.engine.job" in imported
    assert not imported & {"asyncio", "flopod.authoring", "flopod.workflow.core", "importlib.resources"}


def test_what_authors_import_loads_no_runtime() -> None:
    """Neither the codec nor the stores, nor where a plain run finds its events."""
    heavy = "sqlite3 flopod.codec flopod.events flopod.localinbox flopod.workflow.core"
    assert _loaded("from flopod import sleep, workflow\n", heavy) == "[]"
