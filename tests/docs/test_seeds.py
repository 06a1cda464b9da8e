"""The pages of what other systems have: each row of their tables names its API and tests that there are."""

import re
from functools import cache
from pathlib import Path

import pytest

from tests.examples.support import ROOT

PAGES = [page for page in sorted((ROOT / "docs").glob("*.md")) if "| seed feature |" in page.read_text()]


def rows(page: Path) -> list[list[str]]:
    """The rows of its table of features, each as its cells."""
    text = page.read_text("utf-8").partition("| seed feature | API | test |\n|---|---|---|\n")[2]
    table = re.match(r"(?:\|.*\n)*", text)
    assert table is not None
    return [[cell.strip() for cell in line[1:-1].split(" | ")] for line in table[0].splitlines()]


@cache
def known() -> frozenset[str]:
    """The names of all tests."""
    files = sorted((ROOT / "tests").rglob("test_*.py"))
    names = (
        re.findall(r"^(?:async )?def (test_\w+)", file.read_text("utf-8"), re.MULTILINE) for file in files
    )
    return frozenset(name for found in names for name in found)


def test_there_are_pages_for_detach_and_side_chains() -> None:
    """With a row for each thing that they have."""
    assert {page.name for page in PAGES} >= {"detach.md", "side-chains.md"}
    assert all(len(rows(page)) > 10 for page in PAGES)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_cell_is_empty(page: Path) -> None:
    """A feature has an API and a test."""
    assert [row for row in rows(page) if len(row) != 3 or not all(row)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_test_that_is_named_is_there(page: Path) -> None:
    """Each row names one at least."""
    named = [(feature, re.findall(r"`(test_\w+)`", cell)) for feature, _, cell in rows(page)]
    assert [feature for feature, found in named if not found] == []
    assert {name for _, found in named for name in found} - known() == set()
