"""flopod.lock as a file: what is in it, when it changes, and what a merge makes of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from flopod.errors import UsageError
from flopod_compiler.build import compile_project
from flopod_compiler.lock import lock_path, read_lock
from flopod_compiler.lock.text import parse, render
from tests.compiler.lock.support import Shop, live, update_of

BODY = "a = await fetch(x, 'slow/fast \\\\ [é]')\nfor y in xs:\n    await charge(y)\nreturn a"


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def test_it_is_read_as_it_was_written(shop: Shop) -> None:
    """Every character of the source survives."""
    lock = update_of(shop.build(BODY)).lock
    assert parse(render(lock)) == lock


def test_a_build_of_the_same_source_changes_nothing(shop: Shop) -> None:
    """Neither the lock nor the manifest."""
    first = shop.build(BODY)
    again = shop.build(BODY)
    assert not update_of(again).differs
    assert again.manifest == first.manifest


def test_an_edit_without_calls_changes_nothing(shop: Shop) -> None:
    """Plain code has no ids; the generation stays, though the build is another one."""
    first = shop.build(BODY)
    again = shop.build("x += 1\n" + BODY)
    assert first.manifest is not None and again.manifest is not None
    assert first.manifest.build != again.manifest.build
    assert first.manifest.generation == again.manifest.generation
    assert not update_of(again).differs


def test_one_line_an_entry(shop: Shop) -> None:
    """An inserted call is an inserted line."""
    shop.build("await fetch(x)\nreturn 1")
    before = shop.path.read_text().splitlines()
    shop.build("await fetch(x)\nawait charge(x)\nreturn 1")
    after = shop.path.read_text().splitlines()
    assert [line for line in before if line not in after] == []
    assert len(after) == len(before) + 2, "the entry and its generation"


def test_both_sides_of_a_merge_stay(shop: Shop) -> None:
    """Two branches add a call each; the merged lock knows both generations as its past."""
    shop.build("await fetch(x)\nreturn 1")
    base = shop.path.read_text()
    ours = shop.build("await charge(1)\nawait fetch(x)\nreturn 1")
    theirs_text = base
    shop.path.write_text(theirs_text)
    theirs = shop.build("await fetch(x)\nawait charge(2)\nreturn 1")
    merged = update_of(theirs).lock
    other = update_of(ours).lock
    merged.generations += [one for one in other.generations if one not in merged.generations]
    shop.path.write_text(render(merged))
    made = shop.build("await charge(1)\nawait fetch(x)\nawait charge(2)\nreturn 1")
    assert made.manifest is not None
    after = made.manifest.generations[made.manifest.generation]
    assert sorted(after) == sorted([update_of(ours).generation, update_of(theirs).generation])


def test_a_conflict_is_named(shop: Shop) -> None:
    """A lock with marks of a merge is an error that says what to do."""
    shop.build(BODY)
    shop.path.write_text("<<<<<<< ours\n" + shop.path.read_text())
    with pytest.raises(UsageError, match="resolve the merge"):
        compile_project(shop.folder)


def test_without_a_lock_a_build_knows_no_generation(shop: Shop) -> None:
    """Compiling in memory writes nothing and binds no run to a lock."""
    shop.build(BODY, keep=False)
    made = compile_project(shop.folder)
    assert made.manifest is not None
    assert made.manifest.generation == ""
    assert read_lock(shop.path) is None


@pytest.mark.parametrize(
    ("folders", "src", "expected"),
    [
        (["src/pyproject.toml"], "src", "src/flopod.lock"),
        (["pyproject.toml", "src/a.py"], "src", "flopod.lock"),
        (["src/a.py"], "src", "flopod.lock"),
        (["code/a.py"], "code", "code/flopod.lock"),
        (["code/a.py"], "code/a.py", "code/a.flopod.lock"),
    ],
)
def test_where_it_is(tmp_path: Path, folders: list[str], src: str, expected: str) -> None:
    """In the root or beside it; a single file has its own."""
    for name in folders:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    assert lock_path(tmp_path / src) == (tmp_path / expected).resolve()


def test_ids_that_two_functions_share_are_apart(shop: Shop) -> None:
    """Each function has a table of its own."""
    made = shop.build(
        "async def inner(y: int) -> int:\n    return await fetch(y)\nawait fetch(x)\nreturn await inner(x)"
    )
    lock = update_of(made).lock
    assert live(lock) == ["fetch", "inner"]
    assert live(lock, "flow:main.<locals>.inner") == ["fetch"]
