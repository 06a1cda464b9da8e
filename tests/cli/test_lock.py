"""flopod.lock on the command line: the plan, --locked, and `flopod diff` against a build and against runs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from msgspec import Raw

from flopod.backends.file import FileBackend
from flopod.events import RunStarted
from flopod_compiler.cli.group import flopod
from tests.cli.flows import clean_environment

SHOP = """\
import asyncio

from flopod import wait_for, workflow


async def price(item: int) -> int:
    await asyncio.sleep(0)
    return item * 10


async def charge(total: int) -> int:
    await asyncio.sleep(0)
    return total


@workflow
async def order(items: list[int]) -> int:
    total = 0
    for item in items:
        total += await price(item)
    paid = await charge(total)
    approved = await wait_for("approved", int)
    return paid + approved
"""
NOTIFY = SHOP.replace("    paid =", "    await price(1000)\n    paid =")
DEARER = SHOP.replace("charge(total)\n    appr", "charge(total + 1)\n    appr")
FORGETS = SHOP.replace(
    "import asyncio\n", "import asyncio\n\nfrom flopod import detach_and_forget\n"
).replace("    total = 0\n", "    detach_and_forget(microtask_batch_driver, price, 7)\n    total = 0\n")
FORGETS = FORGETS.replace("\n\n\nasync", "\nfrom flopod.detach import microtask_batch_driver\n\n\nasync", 1)
CHEAPER = SHOP.replace("    total = 0\n", "    total = 5\n")


RENAMED = SHOP.replace("items", "wanted")
ACCEPTED = SHOP.replace('wait_for("approved"', 'wait_for("accepted"')


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "shop.py").write_text(SHOP)
    monkeypatch.chdir(tmp_path)
    for name in ("FLOPOD_BACKEND", "FLOPOD_DATA_DIR", "DATABASE_URL", "FLOPOD_RUN_ID"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def command(*arguments: str) -> Result:
    return CliRunner().invoke(flopod, arguments)


def edit(shop: Path, text: str) -> None:
    (shop / "src" / "shop.py").write_text(text)


def process(shop: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], cwd=shop, env=clean_environment(), capture_output=True, text=True
    )


def start(shop: Path) -> None:
    """A run that waits for its approval, made by the bundle."""
    done = process(
        shop, "dist/bundle.py", "--input", '{"items": [1, 2]}', "--backend", "file", "--exit-when-waiting"
    )
    assert done.returncode == 3, done.stderr


def test_a_build_writes_the_lock_and_says_so(shop: Path) -> None:
    """The first one is new as a whole; the same source again changes nothing."""
    first = command("build", "src")
    assert "plan: flopod.lock is new, with 4 ids" in first.stderr
    text = (shop / "flopod.lock").read_text()
    again = command("build", "src")
    assert "plan" not in again.stderr
    assert (shop / "flopod.lock").read_text() == text


def test_check_shows_the_plan_and_writes_nothing(shop: Path) -> None:
    """What a build would do is known before."""
    command("build", "src")
    text = (shop / "flopod.lock").read_text()
    edit(shop, NOTIFY)
    found = command("check", "src")
    assert "plan: flopod.lock: 1 new, 0 gone, 0 changed" in found.stderr
    assert "+ price  shop:price  (shop.py:21 in order)" in found.stderr
    assert (shop / "flopod.lock").read_text() == text


def test_locked_refuses_a_change(shop: Path) -> None:
    """With --locked the plan is an error, and neither lock nor bundle is written."""
    command("build", "src")
    before = (shop / "flopod.lock").read_bytes(), (shop / "dist" / "bundle.py").read_bytes()
    assert command("build", "src", "--locked").exit_code == 0
    edit(shop, NOTIFY)
    refused = command("build", "src", "--locked")
    assert refused.exit_code == 1
    assert "error: flopod.lock does not fit the source; build without --locked" in refused.stderr
    assert ((shop / "flopod.lock").read_bytes(), (shop / "dist" / "bundle.py").read_bytes()) == before


def test_a_build_with_its_lock_is_reproducible(shop: Path) -> None:
    """The build that writes the lock and the one that finds it give the same bytes."""
    command("build", "src", "-o", "one")
    command("build", "src", "-o", "two")
    assert (shop / "one" / "bundle.py").read_bytes() == (shop / "two" / "bundle.py").read_bytes()


def test_diff_against_a_manifest(shop: Path) -> None:
    """A verdict for each position: what changed is taken over, what is new runs."""
    command("build", "src")
    edit(shop, NOTIFY.replace("charge(total)\n", "charge(total + 1)\n"))
    found = command("diff", "src", "--against", "dist/manifest.json", "--json")
    assert found.exit_code == 0, found.stderr
    verdicts = {(one["path"], one["verdict"]) for one in json.loads(found.stdout)}
    assert verdicts == {
        ("items[*]", "same"),
        ("items[*]/price", "same"),
        ("price", "new"),
        ("charge", "changed"),
        ("approved", "same"),
    }


def test_diff_against_a_build_that_the_lock_does_not_know(shop: Path) -> None:
    """Nothing can be said, so nothing fits."""
    command("build", "src")
    (shop / "flopod.lock").unlink()
    edit(shop, NOTIFY)
    command("build", "src", "-o", "other")
    found = command("diff", "src", "--against", "dist/manifest.json")
    assert found.exit_code == 5
    assert "flopod.lock does not know the build" in found.stdout


@pytest.mark.process
@pytest.mark.parametrize(
    ("text", "verdict", "at", "why"),
    [
        (SHOP, "fits", ["approved"], ""),
        (NOTIFY, "fits", ["price"], "is new"),
        (DEARER, "fits", ["approved"], ""),
        (FORGETS, "fits", ["approved"], ""),
        (CHEAPER, "stays", ["charge"], "diverged at 'charge'"),
        (SHOP.replace("order(", "buy("), "stays", [], "no workflow 'order'"),
        (RENAMED, "fits", ["approved"], ""),
        (RENAMED.replace("list[int]", "tuple[int, ...]"), "stays", [], "the workflow now takes 'wanted'"),
    ],
)
def test_diff_against_runs(shop: Path, text: str, verdict: str, at: list[str], why: str) -> None:
    """Each open run is replayed with the source as it is; what cannot move says where it stands and why."""
    command("build", "src")
    start(shop)
    before = (shop / ".flopod" / "events" / "main-run.jsonl").read_bytes()
    edit(shop, text)
    found = process(shop, "-m", "flopod_compiler.cli", "diff", "src", "--runs", "file", "--json")
    assert found.returncode == (0 if verdict == "fits" else 5), found.stderr
    (run,) = json.loads(found.stdout)
    assert (run["run"], run["verdict"], run["at"]) == ("main-run", verdict, at)
    assert why in run["why"]
    assert (shop / ".flopod" / "events" / "main-run.jsonl").read_bytes() == before


@pytest.mark.process
@pytest.mark.parametrize(
    ("old", "new", "verdict", "why"),
    [
        ("return item * 10", "return item * 11", "fits", ""),
        ("item: int", "item: int, at: str", "stays", "missing a required argument: 'at'"),
        (
            "async def price",
            "@workflow\nasync def price",
            "stays",
            "'shop:price' is a workflow in this build",
        ),
        ("price(", "cost(", "stays", "there is no 'shop:price' any more"),
    ],
)
def test_diff_against_runs_of_what_is_detached(
    shop: Path, old: str, new: str, verdict: str, why: str
) -> None:
    """A detached function is found by its name, and has to take what was given to it."""
    opening = RunStarted(
        run_id="r.price",
        workflow="shop:price",
        build="before",
        input=Raw(b"[7]"),
        parent="r",
        detached=True,
        driver="microtask-batch",
        detach="order:detach:1",
    )
    FileBackend(shop / ".flopod").append("r.price", 0, [opening])
    edit(shop, SHOP.replace(old, new))
    found = process(shop, "-m", "flopod_compiler.cli", "diff", "src", "--runs", "file", "--json")
    (run,) = json.loads(found.stdout)
    assert (run["run"], run["verdict"]) == ("r.price", verdict)
    assert why in run["why"]


@pytest.mark.process
def test_a_run_moves_to_the_next_bundle(shop: Path) -> None:
    """Waiting under one build, it ends under the next, which runs what is new and takes over the rest."""
    command("build", "src")
    start(shop)
    edit(shop, NOTIFY.replace("charge(total)\n", "charge(total + 1)\n"))
    assert command("build", "src").exit_code == 0
    bundle = ["dist/bundle.py", "--backend", "file"]
    assert process(shop, *bundle, "--deliver", "approved", "approved", "7").returncode == 0
    done = process(shop, *bundle)
    assert (done.returncode, done.stdout) == (0, "37\n"), done.stderr


@pytest.mark.process
@pytest.mark.parametrize("path", ["approved", "ask/approved"])
def test_a_wait_that_moved_takes_its_event_at_either_path(shop: Path, path: str) -> None:
    """Waiting in the workflow under one build, it waits in a helper under the next."""
    command("build", "src")
    start(shop)
    helper = '@workflow\nasync def ask() -> int:\n    return await wait_for("approved", int)\n\n\n'
    moved = SHOP.replace("@workflow", helper + "@workflow").replace(
        'wait_for("approved", int)\n    return p', "ask()\n    return p"
    )
    edit(shop, moved)
    assert "~ approved: was shop:order approved" in command("build", "src").stderr
    bundle = ["dist/bundle.py", "order", "--backend", "file", "--exit-when-waiting"]
    waiting = process(shop, *bundle)
    assert waiting.returncode == 3, waiting.stderr
    assert "ask/approved" in waiting.stderr
    delivered = process(shop, *bundle[:1], "--backend", "file", "--deliver", path, "approved", "7")
    assert delivered.returncode == 0, delivered.stderr
    done = process(shop, *bundle)
    assert (done.returncode, done.stdout) == (0, "37\n"), done.stderr


@pytest.mark.process
def test_a_run_goes_on_when_a_parameter_has_another_name(shop: Path) -> None:
    """The plan names it, and the recorded input is the same as one under the new name."""
    command("build", "src")
    start(shop)
    edit(shop, RENAMED)
    assert "~ wanted: was the parameter items" in command("build", "src").stderr
    bundle = ["dist/bundle.py", "--backend", "file"]
    assert process(shop, *bundle, "--deliver", "approved", "approved", "7").returncode == 0
    other = process(shop, *bundle, "--input", '{"wanted": [3]}')
    assert other.returncode == 2, other.stderr
    done = process(shop, *bundle, "--input", '{"wanted": [1, 2]}')
    assert (done.returncode, done.stdout) == (0, "37\n"), done.stderr


@pytest.mark.process
def test_a_renamed_event_is_the_one_that_is_waited_for(shop: Path) -> None:
    """The wait keeps its path in a run that already waited there."""
    command("build", "src")
    start(shop)
    edit(shop, ACCEPTED)
    command("build", "src")
    bundle = ["dist/bundle.py", "--backend", "file"]
    waiting = process(shop, *bundle, "--exit-when-waiting")
    assert "deliver --backend file main-run approved accepted 1" in waiting.stderr
    assert process(shop, *bundle, "--deliver", "approved", "accepted", "7").returncode == 0
    done = process(shop, *bundle)
    assert (done.returncode, done.stdout) == (0, "37\n"), done.stderr


@pytest.mark.process
def test_a_bundle_refuses_a_run_that_does_not_fit(shop: Path) -> None:
    """It ends with status 5, names the build that the run needs, and leaves the log as it is."""
    command("build", "src")
    needed = json.loads((shop / "dist" / "manifest.json").read_text())["build"]
    start(shop)
    log = shop / ".flopod" / "events" / "main-run.jsonl"
    before = log.read_bytes()
    (shop / "flopod.lock").unlink()
    edit(shop, CHEAPER)
    command("build", "src")
    refused = process(shop, "dist/bundle.py", "--backend", "file", "--exit-when-waiting")
    assert refused.returncode == 5
    assert f"needs the build {needed}" in refused.stderr
    assert log.read_bytes() == before
