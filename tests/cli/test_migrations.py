"""Migrations in a bundle: a run that the old one began goes on in the new one."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.flows import clean_environment

SHAPES = """\
from dataclasses import dataclass
from typing import TypedDict


@dataclass
class Line:
    sku: str
    price: int


class Note(TypedDict):
    txt: str
"""
MIGRATED = """\
from dataclasses import dataclass
from typing import TypedDict

from flopod import compose, migrations, rename, transform


@migrations({1: compose(rename({"sku": "code"}), transform({"price": float}))})
@dataclass
class Line:
    code: str
    price: float
    unit: str = "kg"


@migrations({1: rename({"txt": "text"})})
class Note(TypedDict):
    text: str
"""
SHOP = """\
from flopod import wait_for, workflow
from shapes import Line, Note


async def fetch(name: str) -> Line:
    print("fetch", name)
    return Line(name, 5)


async def notes(line: Line) -> list[Note]:
    print("notes of", line)
    return [Note(txt="one")]


async def charge(lines: list[Line], total: float) -> str:
    return f"{len(lines)} lines for {total}"


@workflow
async def order(names: list[str]) -> str:
    lines = []
    for name in names:
        lines.append(await fetch(name))
    found = await notes(lines[0])
    await wait_for("go", None)
    text = [note["txt"] for note in found]
    return f"{await charge(lines, lines[0].price)} {lines[0].sku} {text}"
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / "src").mkdir()
    edit(tmp_path, SHAPES, SHOP)
    return tmp_path


def edit(folder: Path, shapes: str, flow: str) -> None:
    (folder / "src" / "shapes.py").write_text(shapes)
    (folder / "src" / "shop.py").write_text(flow)


def process(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=clean_environment(), capture_output=True, text=True
    )


def build(folder: Path) -> None:
    done = process(folder, "-m", "flopod_compiler.cli", "build", "src")
    assert done.returncode == 0, done.stderr


@pytest.mark.process
@pytest.mark.parametrize("backend", ["file", "sqlite"])
def test_a_bundle_with_new_shapes_goes_on_with_an_old_run(shop: Path, backend: str) -> None:
    """The author declares the migrations beside the types, and what is recorded is not called again."""
    build(shop)
    first = process(
        shop,
        "dist/bundle.py",
        "--input",
        '{"names": ["a", "b"]}',
        "--backend",
        backend,
        "--exit-when-waiting",
    )
    assert first.returncode == 3, first.stderr
    today = SHOP.replace("lines[0].sku", "lines[0].code").replace('["txt"]', '["text"]')
    edit(shop, MIGRATED, today.replace("txt=", "text="))
    build(shop)
    delivered = process(shop, "dist/bundle.py", "--backend", backend, "--deliver", "go", "go", "null")
    assert delivered.returncode == 0, delivered.stderr
    second = process(shop, "dist/bundle.py", "--backend", backend)
    assert second.returncode == 0, second.stderr
    assert json.loads(second.stdout) == "2 lines for 5.0 a ['one']"
    assert "fetch" not in second.stderr


@pytest.mark.process
def test_a_gap_stops_the_bundle_at_its_start(shop: Path) -> None:
    """It is an error of the source, with its line."""
    edit(shop, MIGRATED.replace("{1: rename", "{2: rename"), SHOP.replace("txt=", "text="))
    build(shop)
    done = process(shop, "dist/bundle.py", "--input", '{"names": ["a"]}', "--backend", "file")
    assert done.returncode == 1
    assert "there are steps from 2, and none from version 1" in done.stderr
    assert "shapes.py" in done.stderr
