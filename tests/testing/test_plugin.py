"""The plugin: a fixture over the project that pytest runs in, a marker and an option for the crash matrix."""

import shutil
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from tests.examples.support import EXAMPLES

pytest_plugins = ["pytester"]
PLUGIN = "flopod_compiler.testing.plugin"
INSTALLED = any(one.value == PLUGIN for one in entry_points(group="pytest11"))

FLOW = """
from flopod import activity, wait_for, workflow

@activity
async def number() -> int:
    return 1

@workflow
async def main(count: int) -> int:
    total = 0
    for _ in range(count):
        total += await number()
    return total + await wait_for("more", int)
"""
PASSING = """
def test_it(flopod):
    assert flopod.run("main", 2, events={"more": 5}).result() == 7
"""
RANDOM = """
import itertools
import pytest

def test_it(flopod):
    numbers = itertools.count()
    flopod.run("main", 2, leaves={"number": lambda: next(numbers)}, events={"more": 5}).result()

@pytest.mark.flopod_crash_matrix
def test_marked(flopod):
    test_it(flopod)
"""


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    """A folder with a workflow in `src`."""
    pytester.makefile(".py", **{"src/flow": FLOW})
    pytester.makepyprojecttoml('[project]\nname = "small"\n')
    return pytester


@pytest.fixture(autouse=True)
def modules_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """What other tests of this process have imported under the names that the projects here use."""
    for name in [one for one in sys.modules if one.partition(".")[0] in ("flow", "shop")]:
        monkeypatch.delitem(sys.modules, name)


def run(pytester: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    """Run pytest there, in this process."""
    plugin = [] if INSTALLED else ["-p", PLUGIN]
    return pytester.runpytest_inprocess(*plugin, "-p", "no:cacheprovider", *arguments)


def test_the_fixture_compiles_the_project(project: pytest.Pytester) -> None:
    """Without configuration it is the folder `src`."""
    project.makepyfile(PASSING)
    run(project).assert_outcomes(passed=1)


def test_an_option_puts_every_run_through_the_crash_matrix(project: pytest.Pytester) -> None:
    """The marker does so for one test; what fails there fails the test, and names the write."""
    project.makepyfile(RANDOM)
    result = run(project)
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["E *killed after write 1 of * (run_started) and resumed, the run differs:"])
    run(project, "--flopod-crash-matrix").assert_outcomes(failed=2)


def test_a_run_that_does_not_depend_on_its_process_passes(project: pytest.Pytester) -> None:
    """The option changes nothing for it."""
    project.makepyfile(PASSING)
    run(project, "--flopod-crash-matrix").assert_outcomes(passed=1)


def test_the_source_can_be_elsewhere(pytester: pytest.Pytester) -> None:
    """The ini-file names it, and it can be imported; so can a fixture of the project."""
    pytester.makefile(".py", **{"lib/elsewhere/flow_there": FLOW})
    pytester.makeini("[pytest]\nflopod_source = lib/elsewhere\n")
    pytester.makepyfile("from flow_there import main\n" + PASSING.replace('"main"', "main"))
    run(pytester).assert_outcomes(passed=1)


def test_a_source_that_does_not_compile_fails_the_test(project: pytest.Pytester) -> None:
    """With the diagnostics of the compiler, as `flopod check` shows them."""
    project.makefile(".py", **{"src/flow": FLOW + "    eval('1')\n"})
    project.makepyfile(PASSING)
    result = run(project)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E *does not compile:", "E *src/flow.py:*FLP*", "E *help:*"])


def test_a_project_without_a_workflow_says_so(pytester: pytest.Pytester) -> None:
    """As the compiler does."""
    pytester.makefile(".py", **{"src/flow": "x = 1\n"})
    pytester.makepyfile(PASSING)
    result = run(pytester)
    result.stdout.fnmatch_lines(["E *does not compile:*", "E *no workflow*"])


def test_the_example_has_tests_that_pass(pytester: pytest.Pytester) -> None:
    """As a user runs them, also with every run crashed at every write."""
    for name in ("src", "tests", "pyproject.toml", "flopod.lock"):
        source = EXAMPLES / "orders" / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, pytester.path / name)
    run(pytester).assert_outcomes(passed=5)
    run(pytester, "--flopod-crash-matrix").assert_outcomes(passed=5)


def test_it_costs_nothing_where_it_is_not_used(tmp_path: Path) -> None:
    """Neither the compiler nor the runtime is imported before a test asks for the fixture."""
    (tmp_path / "test_other.py").write_text(
        "import sys\n\ndef test_it():\n"
        "    heavy = {name for name in sys.modules if name.split('.')[0] in ('flopod', 'libcst', 'jinja2')}\n"
        "    heavy |= {name for name in sys.modules if name.startswith('flopod_compiler.')}\n"
        f"    assert heavy <= {{'flopod_compiler.testing', '{PLUGIN}'}}\n"
    )
    plugin = [] if INSTALLED else ["-p", PLUGIN]
    command = [sys.executable, "-m", "pytest", *plugin, "-q", "-p", "no:cacheprovider", str(tmp_path)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
