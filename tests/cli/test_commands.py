"""The commands on real sources: from a new project to a bundle that survives, and every bad source."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from flopod_compiler.cli.group import flopod
from tests.cli.flows import clean_environment, interrupt

pytestmark = pytest.mark.process

SHOP = """\
import asyncio
from dataclasses import dataclass
from pathlib import Path

from flopod import wait_for, workflow


@dataclass
class Approval:
    by: str


def note(text: str) -> None:
    with Path("calls.txt").open("a") as file:
        file.write(text + "\\n")


async def reserve(order_id: str) -> str:
    note(f"reserve {order_id}")
    return order_id.lower()


async def ship(place: str) -> str:
    note(f"ship {place}")
    await asyncio.sleep(0.3)
    return place.upper()


@workflow
async def fulfil(order_id: str, stops: int = 1) -> list[str]:
    place = await reserve(order_id)
    shipped: list[str] = []
    for _ in range(stops):
        shipped.append(await ship(place))
    approval = await wait_for("approved", Approval)
    return [*shipped, approval.by]
"""


def _command(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "flopod_compiler.cli", *arguments],
        cwd=cwd,
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A folder with a source, which is where commands run."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "shop.py").write_text(SHOP)
    return tmp_path


def test_a_new_project_runs(tmp_path: Path) -> None:
    """`init` writes a project that checks, runs and passes its own test; a second time it refuses."""
    made = CliRunner().invoke(flopod, ["init", str(tmp_path / "hello")])
    assert made.exit_code == 0
    assert made.stdout.splitlines()[0] == str(tmp_path / "hello/src/newsletter.py")
    hello = tmp_path / "hello"
    assert made.stderr == f"next: flopod dev {hello / 'src'}\n"
    waits = _command("run", "src", "--input", '{"topic": "tea"}', "--exit-when-waiting", cwd=hello)
    assert waits.returncode == 3, waits.stderr
    review = '{"approved": true, "editor": "Ada"}'
    assert _command("runs", "deliver", "main-run", "review", "review", review, cwd=hello).returncode == 0
    done = _command("run", "src", cwd=hello)
    published = "https://news.example/26-facts-about-tea"
    assert (done.returncode, json.loads(done.stdout)) == (0, published), done.stderr
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    tested = subprocess.run(command, cwd=hello, capture_output=True, text=True, timeout=60)
    assert tested.returncode == 0, tested.stdout
    again = CliRunner().invoke(flopod, ["init", str(hello)])
    assert again.exit_code == 2
    assert "is not empty" in again.stderr


def test_a_build_is_three_files_and_the_next_command(shop: Path) -> None:
    """The written paths are data; what to type next is said on standard error and works."""
    done = _command("build", "src", "-o", "out/deep", cwd=shop)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        f"out/deep/{name}" for name in ("bundle.py", "manifest.json", "Dockerfile")
    ]
    assert "next: python out/deep/bundle.py --input '{\"order_id\": ...}'" in done.stderr
    manifest = json.loads((shop / "out/deep/manifest.json").read_text())
    assert manifest["workflows"]["fulfil"]["waits"][0]["event"] == "approved"
    assert os.access(shop / "out/deep/bundle.py", os.X_OK)


def test_building_twice_gives_the_same_bytes(shop: Path) -> None:
    """Another hash seed, another place and another time change nothing."""
    _command("build", "src", "-o", "one", cwd=shop)
    other = shop / "elsewhere" / shop.name
    other.mkdir(parents=True)
    (shop / "src").rename(other / "src")
    _command("build", str(other / "src"), "-o", "two", cwd=shop)
    for name in ("bundle.py", "manifest.json", "Dockerfile"):
        first, second = ((shop / folder / name).read_bytes() for folder in ("one", "two"))
        assert first == second, name
        assert str(shop).encode() not in first


def test_a_bundle_is_killed_delivered_to_and_finished(shop: Path) -> None:
    """The whole way: build, start elsewhere, SIGKILL in a loop, resume, deliver, result."""
    _command("build", "src", "-o", "out", cwd=shop)
    work = shop / "work"
    work.mkdir()
    command = [sys.executable, str(shop / "out/bundle.py")]
    start = [*command, "--input", '{"order_id": "A-1", "stops": 3}']
    process = subprocess.Popen(start, cwd=work, env=clean_environment(), stderr=subprocess.DEVNULL)
    _wait_for_calls(work, "ship a-1", 2)
    process.kill()
    process.wait()
    done = _run([*command, "--exit-when-waiting"], work)
    assert done.returncode == 3
    told = done.stderr.partition("deliver it with:\n")[2].splitlines()[0].strip()
    assert told == """flopod-run deliver main-run approved approved '{"by": "text"}'"""
    binaries = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    delivered = subprocess.run(told, shell=True, cwd=work, env={**clean_environment(), "PATH": binaries})
    assert delivered.returncode == 0
    assert json.loads(_run(command, work).stdout) == ["A-1", "A-1", "A-1", "text"]
    calls = (work / "calls.txt").read_text().splitlines()
    assert (calls.count("reserve A-1"), calls.count("ship a-1")) == (1, 4)


def test_a_source_runs_without_a_build(shop: Path) -> None:
    """`flopod run` interrupts and resumes like a bundle, and says its own command."""
    start = [sys.executable, "-m", "flopod_compiler.cli", "run", "src", "--input", '["B", 5]']
    process = subprocess.Popen(
        start, cwd=shop, env=clean_environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    _wait_for_calls(shop, "ship b", 1)
    code, error = interrupt(process, signal.SIGINT)
    assert code == 130
    assert error.splitlines()[-1] == "interrupted; resume with: flopod run src --run-id main-run"
    done = _command("run", "src", "--run-id", "main-run", "--exit-when-waiting", cwd=shop)
    assert done.returncode == 3, done.stderr
    assert "flopod-run deliver main-run approved approved" in done.stderr
    assert "--deliver" not in done.stderr


def test_a_started_run_is_executed_later(shop: Path) -> None:
    """`runs start` records once what `run` then executes; another input is refused."""
    start = ("runs", "start", "src", "--run-id", "later")
    for _ in range(2):
        done = _command(*start, "--input", '["C"]', cwd=shop)
        assert (done.returncode, done.stdout) == (0, "later\n"), done.stderr
    assert not (shop / "calls.txt").exists()
    other = _command(*start, "--input", '["D"]', cwd=shop)
    assert other.returncode == 2
    assert "another input" in other.stderr
    listed = json.loads(_command("runs", "list", "--json", cwd=shop).stdout)
    assert [(run["run_id"], run["status"]) for run in listed] == [("later", "pending")]
    done = _command("run", "src", "--run-id", "later", "--exit-when-waiting", cwd=shop)
    assert done.returncode == 3
    assert (shop / "calls.txt").read_text().splitlines()[0] == "reserve C"


@pytest.mark.parametrize(
    ("old", "new", "cause"),
    [
        (
            "fulfil(",
            "fulfill(",
            "it is a run of the workflow 'fulfil', which is not in this build; if 'fulfill' is its new name, "
            "@workflow(name='fulfil') keeps the old one",
        ),
        ("order_id", "order", "the input has 'order_id', the workflow now takes 'order'"),
    ],
)
def test_a_resume_after_a_rename_says_what_was_renamed(shop: Path, old: str, new: str, cause: str) -> None:
    """Another build that does not fit names the cause and leaves the run to the one that does."""
    begun = _command("run", "src", "--input", '{"order_id": "E"}', "--exit-when-waiting", cwd=shop)
    assert begun.returncode == 3, begun.stderr
    source = next((shop / "src").glob("*.py"))
    text = source.read_text()
    source.write_text(text.replace(old, new))
    resumed = _command("run", "src", "--exit-when-waiting", cwd=shop)
    assert (resumed.returncode, resumed.stdout) == (5, "")
    assert cause in resumed.stderr
    source.write_text(text)
    assert _command("run", "src", "--exit-when-waiting", cwd=shop).returncode == 3


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("def broken(:\n", ["main.py:1:12", "FLP007", "def broken(:"]),
        (
            "from flopod import workflow\n\n@worklfow\nasync def f() -> None: ...\n",
            ["FLP003", "did you mean @workflow?"],
        ),
        ("async def f() -> None: ...\n", ["FLP003", "no workflow found"]),
    ],
)
@pytest.mark.parametrize(
    "command", [["check"], ["build", "-o", "out"], ["run"]], ids=lambda each: str(each[0])
)
def test_bad_sources_are_reported(tmp_path: Path, command: list[str], source: str, words: list[str]) -> None:
    """Place, code and rewrite, status 1, and nothing is written."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "main.py").write_text(source)
    done = _command(command[0], "src", *command[1:], cwd=tmp_path)
    assert done.returncode == 1
    for word in words:
        assert word in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["src"]


def test_an_import_that_cannot_be_required_fails_the_build(shop: Path) -> None:
    """FLP705 is an error of `build`, not of `check`."""
    (shop / "src" / "shop.py").write_text("import no_such_module\n" + SHOP)
    assert _command("check", "src", cwd=shop).returncode == 0
    done = _command("build", "src", cwd=shop)
    assert done.returncode == 1
    assert "shop.py:1:1: FLP705" in done.stderr
    assert not (shop / "dist").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["check", "srcc"], "did you mean src?"),
        (["check", "notes.txt"], "not a Python file"),
        (["build", "src", "-o", "notes.txt"], "notes.txt"),
        (["run", "src", "fulfill"], "did you mean 'fulfil'?"),
        (["run", "src", "--input", "{"], "not JSON"),
        (["run", "src", "--backend", "postgres://a:b@c@x/y"], "PostgreSQL"),
        (["runs", "list", "--backend", "mysql"], "mysql"),
        (["explain", "FLP03"], "did you mean"),
    ],
)
def test_wrong_usage_ends_with_status_2(shop: Path, arguments: list[str], words: str) -> None:
    """The message says what would be right."""
    (shop / "notes.txt").write_text("")
    done = _command(*arguments, cwd=shop)
    assert done.returncode == 2, done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_a_limit_that_is_no_number_ends_with_status_2(shop: Path) -> None:
    """It is said what is wrong with the environment, without a traceback."""
    environment = {**clean_environment(), "FLOPOD_MAX_VALUE": "64 MiB"}
    command = [sys.executable, "-m", "flopod_compiler.cli", "run", "src"]
    done = subprocess.run(command, cwd=shop, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert done.stderr == "error: FLOPOD_MAX_VALUE is '64 MiB'; use a number of bytes\n"


def test_a_rule_is_explained() -> None:
    """`explain` prints the page of a code and, without one, the list."""
    assert "FLP003" in CliRunner().invoke(flopod, ["explain", "flp003"]).stdout
    assert len(CliRunner().invoke(flopod, ["explain"]).stdout.splitlines()) > 20


def test_breakpoints_and_tracebacks_see_absolute_paths(shop: Path) -> None:
    """Under `flopod run` a failure names the real file."""
    source = SHOP.replace("    return order_id.lower()", "    return order_id.missing")
    (shop / "src" / "shop.py").write_text(source)
    done = _command("run", "src", "--input", '["A"]', cwd=shop)
    assert done.returncode == 1
    assert f'File "{shop}/src/shop.py", line 20, in reserve' in done.stderr
    assert f'File "{shop}/src/shop.py", line 31, in fulfil' in done.stderr
    assert "place = await reserve(order_id)" in done.stderr


def test_a_module_that_fails_at_import_is_shown_alone(shop: Path) -> None:
    """The traceback has the author's modules and no frame of the import machinery."""
    (shop / "src" / "settings.py").write_text("VALUE = 1 / 0\n")
    (shop / "src" / "shop.py").write_text("import settings\n" + SHOP)
    _command("build", "src", "-o", "out", cwd=shop)
    done = _run([sys.executable, "out/bundle.py", "--input", '["A"]'], shop)
    assert done.returncode == 1
    assert done.stderr.partition("Traceback")[2].splitlines()[1:5] == [
        '  File "shop.py", line 1, in <module>',
        "    import settings",
        '  File "settings.py", line 1, in <module>',
        "    VALUE = 1 / 0",
    ]


POOL = """\
import multiprocessing
from concurrent.futures import ProcessPoolExecutor

from flopod import workflow


def square(number: int) -> int:
    return number * number


def squares(method: str, numbers: list[int]) -> list[int]:
    context = multiprocessing.get_context(method)
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        return list(pool.map(square, numbers))


@workflow
async def compute(method: str) -> list[int]:
    return squares(method, [1, 2, 3])
"""


@pytest.mark.parametrize("method", ["spawn", "fork", "forkserver"])
def test_a_leaf_of_a_bundle_uses_processes(tmp_path: Path, method: str) -> None:
    """Worker processes find the author's functions, which exist in the bundle only."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "pool.py").write_text(POOL)
    assert _command("build", "src", "-o", "out", cwd=tmp_path).returncode == 0
    work = tmp_path / "work"
    work.mkdir()
    done = _run([sys.executable, "../out/bundle.py", "--input", json.dumps([method])], work)
    assert (done.returncode, done.stdout) == (0, "[1, 4, 9]\n"), done.stderr


def _run(command: list[str], cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=cwd, env=clean_environment(), capture_output=True, text=True, timeout=60
    )


def _wait_for_calls(folder: Path, text: str, times: int) -> None:
    deadline = time.monotonic() + 30
    path = folder / "calls.txt"
    while not path.exists() or path.read_text().splitlines().count(text) < times:
        assert time.monotonic() < deadline
        time.sleep(0.02)
