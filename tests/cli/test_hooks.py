"""Hooks of a project: `[tool.flopod] hooks` in a bundle and in `flopod run`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.flows import clean_environment

pytestmark = pytest.mark.process

SHOP = """\
import asyncio

from flopod import start, workflow


async def fetch(name: str) -> str:
    await asyncio.sleep(0)
    return name.upper()


@workflow
async def part(name: str) -> str:
    return await fetch(name)


@workflow
async def order(name: str) -> str:
    child = start(part, name + "2")
    return await fetch(name) + await child.wait()
"""
WATCHING = """\
import os
import sys

from flopod import Hooks


class Watching(Hooks):
    def should_run(self, run):
        return "CLOSED" not in os.environ

    def before_step(self, step):
        print("before", step.run.workflow, step.path, file=sys.stderr)

    async def after_step(self, step, end):
        print("after", step.path, end.value, file=sys.stderr)
        if "BROKEN" in os.environ:
            raise ValueError("broken")


made = Watching()
"""
CONFIG = '[tool.flopod]\nhooks = "operations.watching:Watching"\n'


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / "src" / "operations").mkdir(parents=True)
    (tmp_path / "src" / "shop.py").write_text(SHOP)
    (tmp_path / "src" / "operations" / "__init__.py").write_text("")
    (tmp_path / "src" / "operations" / "watching.py").write_text(WATCHING)
    (tmp_path / "pyproject.toml").write_text(CONFIG)
    return tmp_path


def process(shop: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=shop,
        env={**clean_environment(), **environment},
        capture_output=True,
        text=True,
    )


def command(shop: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return process(shop, "-m", "flopod_compiler.cli", *arguments, **environment)


START = ("order", "--input", '{"name": "a"}', "--backend", "file")


@pytest.mark.parametrize("name", ["operations.watching:Watching", "operations.watching:made"])
def test_a_bundle_has_the_hooks_of_its_project(shop: Path, name: str) -> None:
    """A class or an object; its module is linked though no workflow imports it; children have them too."""
    (shop / "pyproject.toml").write_text(CONFIG.replace("operations.watching:Watching", name))
    built = command(shop, "build", "src")
    assert built.returncode == 0, built.stderr
    (shop / "src").rename(shop / "away")
    done = process(shop, "dist/bundle.py", *START)
    assert (done.returncode, done.stdout) == (0, '"AA2"\n'), done.stderr
    told = [line for line in done.stderr.splitlines() if line.startswith(("before", "after"))]
    assert sorted(told) == ["after fetch A", "after fetch A2", "before order fetch", "before part fetch"]
    again = process(shop, "dist/bundle.py", "order", "--backend", "file")
    assert (again.returncode, "before" in again.stderr) == (0, False)


def test_flopod_run_has_them(shop: Path) -> None:
    """In the same way."""
    done = command(shop, "run", "src", *START)
    assert done.returncode == 0, done.stderr
    assert "before order fetch" in done.stderr


def test_a_refused_start_ends_with_status_3_and_can_be_repeated(shop: Path) -> None:
    """Nothing is recorded, and standard error says which hook it was."""
    refused = command(shop, "run", "src", *START, CLOSED="1")
    assert refused.returncode == 3
    assert "the hook should_run returned False, not True" in refused.stderr
    assert "no runs" in command(shop, "runs", "list", "--backend", "file").stderr
    assert command(shop, "run", "src", *START).returncode == 0


def test_an_error_in_a_hook_that_is_told_is_shown(shop: Path) -> None:
    """With its traceback, and the run goes on."""
    done = command(shop, "run", "src", *START, BROKEN="1")
    assert done.returncode == 0
    assert "run main-run: the hook after_step raised; the run goes on" in done.stderr
    assert "ValueError: broken" in done.stderr


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('hooks = "operations.watching"', "it has no colon"),
        ('hooks = "watching:Watching"', "the project has no module 'watching'"),
        ('hooks = "operations.watching:Watcher"', "Watcher"),
        ("hooks = 5", "hooks is not a string"),
    ],
)
def test_hooks_that_are_not_there_are_errors_of_the_build(shop: Path, line: str, message: str) -> None:
    """Not of the first start."""
    (shop / "pyproject.toml").write_text(f"[tool.flopod]\n{line}\n")
    for _ in range(2):
        done = command(shop, "check", "src")
        assert done.returncode == 1
        assert message in done.stdout, done.stdout


def test_hooks_that_are_something_else_end_the_start(shop: Path) -> None:
    """With status 2, before anything is recorded."""
    (shop / "pyproject.toml").write_text('[tool.flopod]\nhooks = "shop:fetch"\n')
    done = command(shop, "run", "src", *START)
    assert done.returncode == 2
    assert "neither a subclass of flopod.Hooks nor an object of one" in done.stderr
