"""Debuggers, coverage and tracebacks see the author's files and lines, not what the compiler made of them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.flows import clean_environment

pytestmark = pytest.mark.process

SOURCE = '''\
"""Workflows that fail where a failure is told to."""

import asyncio

from flopod import workflow


async def half(n: int) -> int:
    await asyncio.sleep(0)
    if n == 3:
        raise ValueError(f"{n} is odd")
    return n // 2


@workflow
async def loop(end: int) -> int:
    found = 0
    for number in range(0, end, 2):
        if number:
            found += await half(number)
        else:
            found -= 1
    if found > 100:
        return 100
    return found


@workflow
async def fails(n: int) -> list[int]:
    found = []
    for number in range(n):
        found.append(await half(number))
    return found


@workflow
async def arms(n: int) -> list[int]:
    async def one(number: int) -> int:
        return await half(number)

    return await asyncio.gather(one(2), one(n))


@workflow
async def outer(n: int) -> list[int]:
    try:
        return await fails(n)
    except ValueError as error:
        raise RuntimeError("outer") from error
'''
FAILS = ["line 32, in fails", "line 11, in half"]
FRAMES = {
    "fails": FAILS,
    "arms": ["line 41, in arms", "line 39, in one", "line 11, in half"],
    "outer": ["line 47, in outer", *FAILS, "line 49, in outer"],
}


# The first pdb of Python 3.13 takes the options of the program for its own.
PROGRAM = """
import runpy, sys
sys.argv = {arguments}
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=False)
"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A source root, absolute, as a debugger gets it."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "flow.py").write_text(SOURCE)
    return tmp_path / "src"


def python(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**clean_environment(), "NO_COLOR": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def flopod_run(workflow: str, number: int, *options: str) -> list[str]:
    given = ["src", workflow, "--input", f"[{number}]", "--backend", "memory", *options]
    return ["-m", "flopod_compiler.cli", "run", *given]


def frames(text: str, file: str) -> list[str]:
    """The frames of the last traceback, of which all must be in `file`."""
    shown = re.findall(r'File "(.*?)", (.*)', text)
    assert {path for path, _ in shown} == {file}
    return [where for _, where in shown]


def test_breakpoints_in_the_authors_file_stop(source: Path) -> None:
    """A line in a loop of a workflow and one in a leaf stop pdb, with the author's variables there."""
    stops = [
        f"b {source}/flow.py:20",
        f"b {source}/flow.py:12",
        "c",
        "p number, found",
        "c",
        "p 'leaf', n",
        "c",
    ]
    commands = [part for one in [*stops, "p number, found", "cl 1", "cl 2", "c", "q"] for part in ("-c", one)]
    program = source.parent / "program.py"
    program.write_text(PROGRAM.format(arguments=flopod_run("loop", 6, "-q")[1:]))
    done = python(source.parent, "-m", "pdb", *commands, str(program))
    shown = [line for line in done.stderr.splitlines() if line.startswith("(")]
    assert shown == ["(2, <Var found=-1>)", "('leaf', 2)", "(4, <Var found=0>)"], done.stdout + done.stderr


def test_coverage_reports_the_authors_lines(source: Path) -> None:
    """The lines of the body that ran are the author's, and those that did not are told apart."""
    measured = python(
        source.parent, "-m", "coverage", "run", "--branch", f"--source={source}", *flopod_run("loop", 6, "-q")
    )
    assert (measured.returncode, measured.stdout.strip()) == (0, "2"), measured.stderr
    done = python(source.parent, "-m", "coverage", "json", "-q", "-o", "-")
    assert done.returncode == 0, done.stderr
    (found,) = json.loads(done.stdout)["files"].values()
    body = set(range(17, 26)) - {21}
    assert body.intersection(found["executed_lines"]) == body - {24}
    assert body.intersection(found["missing_lines"]) == {24}
    assert [23, 24] in found["missing_branches"]


@pytest.mark.parametrize("workflow", FRAMES)
def test_a_traceback_has_the_authors_frames_only(source: Path, workflow: str) -> None:
    """Through leaves, loops, arms and nested workflows, with the causes, in `flopod run`."""
    done = python(source.parent, *flopod_run(workflow, 4 if workflow != "arms" else 3, "-q"))
    assert done.returncode == 1
    assert sorted(frames(done.stderr, f"{source}/flow.py")) == sorted(FRAMES[workflow])


def test_a_bundle_has_the_same_frames(source: Path) -> None:
    """Its paths are relative to the source root."""
    assert python(source.parent, "-m", "flopod_compiler.cli", "build", "src", "-o", "out").returncode == 0
    for workflow in FRAMES:
        given = ["--input", "[3]" if workflow == "arms" else "[4]", "--backend", "memory", "-q"]
        done = python(source.parent, "out/bundle.py", workflow, *given)
        assert done.returncode == 1
        assert sorted(frames(done.stderr, "flow.py")) == sorted(FRAMES[workflow])


def test_verbose_shows_every_frame(source: Path) -> None:
    """With -v the runtime's own frames are there too."""
    done = python(source.parent, *flopod_run("fails", 4, "-v"))
    paths = set(re.findall(r'File "(.*?)", ', done.stderr))
    assert f"{source}/flow.py" in paths
    assert any("/flopod/" in path for path in paths)
