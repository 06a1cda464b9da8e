"""The eight programs of detach: each does what its page says, and says so if it does not."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.examples.support import EXAMPLES, run_plainly

pytestmark = pytest.mark.process

FOLDER = EXAMPLES / "detach"
PROGRAMS = [page.stem.partition("-")[2].replace("-", "_") for page in sorted(FOLDER.glob("0*.md"))]
programs = pytest.mark.parametrize("program", PROGRAMS)


def run(source: Path, program: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    """Run a program under plain Python, with its effects in `folder`."""
    return run_plainly([str(source / f"{program}.py")], folder)


def test_there_are_eight_with_a_page_each() -> None:
    """Those of the guide, in its order."""
    assert len(PROGRAMS) >= 8
    assert PROGRAMS[:8] == [
        "fire_and_forget",
        "join_later_fanout",
        "bare_runtime",
        "immediate_for_tests",
        "error_handling",
        "status_polling",
        "graceful_shutdown",
        "builder_native",
    ]
    assert all((FOLDER / "src" / f"{program}.py").exists() for program in PROGRAMS)


@programs
def test_it_runs_plainly(program: str, tmp_path: Path) -> None:
    """It is silent but for the line that all is well."""
    done = run(FOLDER / "src", program, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("OK: ")
    assert done.stdout.count("\n") == 1


@programs
def test_its_guards_notice_children_that_do_nothing(program: str, tmp_path: Path) -> None:
    """Where no child has an effect, the program ends with status 1 and says what is missing."""
    source = shutil.copytree(FOLDER / "src", tmp_path / "src")
    effects = source / "effects.py"
    text = effects.read_text("utf-8")
    effects.write_text(text.replace('out.write(f"{line}\\n")', "pass"), "utf-8")
    assert effects.read_text("utf-8") != text
    done = run(source, program, tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("REGRESSION: ")
