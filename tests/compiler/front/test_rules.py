"""Each rule is tested by the examples that its page shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from flopod_compiler.build import compile_project
from flopod_compiler.diagnostics.catalogue import CATALOGUE, explain
from flopod_compiler.diagnostics.rule import Example, Rule

from .support import write

_INVALID = [(rule, example) for rule in CATALOGUE.values() for example in rule.invalid]
_VALID = [pytest.param(example, id=rule.code) for rule in CATALOGUE.values() for example in rule.valid]


def _name(value: object) -> str:
    return value.code if isinstance(value, type) and issubclass(value, Rule) else ""


def _codes(root: Path, example: Example) -> list[str]:
    return [one.code for one in compile_project(write(root, example)).diagnostics]


@pytest.mark.parametrize(("rule", "example"), _INVALID, ids=_name)
def test_an_invalid_example_is_reported(rule: type[Rule], example: Example, tmp_path: Path) -> None:
    """Every invalid example gets the code of its rule."""
    assert rule.code in _codes(tmp_path, example)


@pytest.mark.parametrize("example", _VALID)
def test_a_valid_example_is_accepted(example: Example, tmp_path: Path) -> None:
    """A valid example gets no finding at all."""
    assert _codes(tmp_path, example) == []


@pytest.mark.parametrize("code", CATALOGUE)
def test_every_code_explains_itself(code: str) -> None:
    """The page of a code names it, says why, and shows an example of each sort that the rule has."""
    rule = CATALOGUE[code]
    page = explain(code.lower())
    assert page.startswith(f"{code}: {rule.title}")
    assert rule.why in page
    assert ("Reported:" in page) == bool(rule.invalid)
    assert "{" not in page.partition("Reported:")[0].partition("Accepted:")[0]
