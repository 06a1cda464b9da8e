"""Parameters of workflows in flopod.lock: which of them have another name now."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from flopod.log import Lineage
from flopod_compiler.build import Compilation, compile_project
from flopod_compiler.lock.parameters import renamed, signature
from flopod_compiler.lock.text import NAME, parse, render
from tests.compiler.lock.support import plan, update_of


def takes(text: str) -> list[str]:
    function = ast.parse(f"def f({text}): pass").body[0]
    assert isinstance(function, ast.FunctionDef)
    return signature(function.args)


def test_a_signature_is_kept_without_defaults() -> None:
    """Every kind of parameter with its annotation, and where the kinds begin."""
    assert takes("a: int, /, b: str = 'x', *, c, d: int = 2, **e: int") == [
        "a: int",
        "/",
        "b: str",
        "*",
        "c",
        "d: int",
        "**e: int",
    ]
    assert takes("*a: int, b=1") == ["*a: int", "b"]


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        ("a: int", "b: int", {"a": "b"}),
        ("a: int, rush: bool", "b: int, rush: bool = True, region: str = ''", {"a": "b"}),
        ("a: int, b: int", "c: int, d: int", {"a": "c", "b": "d"}),
        ("a: int, *, b: int", "a: int, *, c: int", {"b": "c"}),
        ("a: int, b: int", "b: int, c: int", {}),
        ("a: int", "b: str", {}),
        ("a: int", "b: int, c: int = 0", {}),
        ("a: int, b: int", "b: int, a: int", {}),
        ("a: int", "*, b: int", {}),
        ("a: int, b: int", "a: int", {}),
    ],
)
def test_a_name_is_new_if_nothing_else_is(before: str, now: str, expected: dict[str, str]) -> None:
    """The place among the others and the annotation stay."""
    assert renamed(takes(before), takes(now)) == expected


def build(folder: Path, parameter: str) -> Compilation:
    text = f"""
from flopod import workflow

async def fetch(x: int) -> int: ...

@workflow
async def main({parameter}: int, old: int = 0) -> int:
    return await fetch(1)
"""
    (folder / "flow.py").write_text(text)
    made = compile_project(folder, locking=True)
    (folder / NAME).write_text(render(update_of(made).lock))
    return made


def test_each_generation_knows_a_parameter_by_its_own_name(tmp_path: Path) -> None:
    """A name that was given up and taken again is another parameter for those in between."""
    first = update_of(build(tmp_path, "x")).generation
    second = build(tmp_path, "y")
    assert plan(second) == ["~ y: was the parameter x"]
    made = build(tmp_path, "z")
    assert made.manifest is not None
    lineage = Lineage(made.manifest, made.manifest.workflows["main"])
    assert lineage.parameter("x", first) == "z"
    assert lineage.parameter("y", update_of(second).generation) == "z"
    assert lineage.parameter("x", made.manifest.generation) == "x"
    assert lineage.parameter("old", first) == "old"


def test_a_lock_without_parameters_is_read(tmp_path: Path) -> None:
    """One that an earlier version wrote: nothing is known about names, and nothing is said."""
    lock = update_of(build(tmp_path, "x")).lock
    lock.parameters = {}
    text = render(lock).replace("\n[parameters]\n", "")
    assert parse(text) == lock
    (tmp_path / NAME).write_text(text)
    assert plan(build(tmp_path, "y")) == []
