"""Each rule is tested by the examples that its page shows."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from flopod_compiler.build import compile_project
from flopod_compiler.bundle.link import link
from flopod_compiler.diagnostics import Diagnostic
from flopod_compiler.diagnostics.catalogue import CATALOGUE
from flopod_compiler.diagnostics.pages import index, instead, page
from flopod_compiler.diagnostics.rule import Example, Rule

from .support import write

PAGES = Path(__file__).parents[3] / "docs" / "diagnostics"
_INVALID = [(rule, example) for rule in CATALOGUE.values() for example in rule.invalid]
_VALID = [(rule, example) for rule in CATALOGUE.values() for example in rule.valid]
_MARK = re.compile(r"# (?P<codes>FLP\d{3}(?:, FLP\d{3})*)(?P<next>: the next line)?\s*$")

Places = set[tuple[str, int, str]]


def _name(value: object) -> str:
    return value.code if isinstance(value, type) and issubclass(value, Rule) else ""


def _findings(root: Path, rule: type[Rule], example: Example) -> list[Diagnostic]:
    found = compile_project(write(root, example))
    linked = link(found).diagnostics if found.ok and rule.code.startswith("FLP7") else []
    return [*found.diagnostics, *linked]


def _places(findings: list[Diagnostic]) -> Places:
    return {(one.path, one.span.line, one.code) for one in findings}


def _marked(example: Example) -> Places:
    """The places that the comments of an example announce."""
    found: Places = set()
    files = {"main.py": example} if isinstance(example, str) else example
    for path, content in files.items():
        text = content if isinstance(content, str) else content.decode("latin-1")
        for number, line in enumerate(text.split("\n"), 1):
            mark = _MARK.search(line)
            if mark is not None:
                place = number + 1 if mark["next"] else number
                found |= {(path, place, code) for code in mark["codes"].split(", ")}
    return found


@pytest.mark.parametrize(("rule", "example"), _INVALID, ids=_name)
def test_an_invalid_example_is_reported(rule: type[Rule], example: Example, tmp_path: Path) -> None:
    """An invalid example gets the findings that its comments announce, its rule's among them."""
    if rule.code == "FLP006" and sys.version_info >= (3, 14):
        pytest.skip("this interpreter knows the newer syntax of the example")
    marked = _marked(example)
    assert rule.code in {code for _, _, code in marked}, "mark the line with a comment: # FLPnnn"
    assert _places(_findings(tmp_path, rule, example)) == marked


@pytest.mark.parametrize(("rule", "example"), _VALID, ids=_name)
def test_a_valid_example_is_accepted(rule: type[Rule], example: Example, tmp_path: Path) -> None:
    """A valid example gets no finding at all."""
    assert _places(_findings(tmp_path, rule, example)) == set()


@pytest.mark.parametrize("code", CATALOGUE)
def test_every_code_explains_itself(code: str) -> None:
    """The page of a code names it, says why and what to write instead, and shows examples."""
    rule = CATALOGUE[code]
    text = page(code.lower())
    assert text.startswith(f"# {code}: {rule.title}")
    assert rule.why in text
    assert instead(rule)
    assert ("## Reported" in text) == bool(rule.invalid)
    assert "{" not in text.partition("## Reported")[0].partition("## Accepted")[0].replace(
        "{'a': fetch}", ""
    ).replace("{x: await", "")


@pytest.mark.parametrize("code", CATALOGUE)
def test_the_pages_are_current(code: str) -> None:
    """The page in docs/ is made from the rule."""
    path = PAGES / f"{code}.md"
    assert path.is_file(), "run make docs"
    assert path.read_text("utf-8") == page(code), "run make docs"


def test_the_index_is_current() -> None:
    """The index in docs/ lists the rules that there are, and there are no other pages."""
    assert (PAGES / "README.md").read_text("utf-8") == index(), "run make docs"
    assert {path.stem for path in PAGES.glob("FLP*.md")} == set(CATALOGUE)
