"""What is left of findings: one for each cause, silenced where that is allowed, with the way to it."""

from __future__ import annotations

from pathlib import Path

import pytest

from flopod_compiler.build import compile_project

from .support import classified, codes, workflow, write

LEAF = "async def leaf(x):\n    print(x)\n    return x\n"


def test_calls_on_one_variable_are_one_finding(tmp_path: Path) -> None:
    """A variable of unknown type is said once, with the other places."""
    body = "client.open_door()\n" + "client.close_door()\n" * 7 + "return client.state"
    (found,) = classified(tmp_path, workflow(body, arguments="client")).diagnostics
    assert found.code == "FLP106"
    assert [one.span.line for one in found.related] == [6, 7, 8, 9, 10]
    assert found.related[-1].message == "here too, and at 2 more places"


def test_different_variables_are_different_findings(tmp_path: Path) -> None:
    """Only what one annotation would mend becomes one."""
    result = classified(tmp_path, workflow("a.open_it()\nb.open_it()\nreturn 1", arguments="a, b"))
    assert codes(result) == ["FLP106", "FLP106"]


def test_names_of_a_star_import_are_one_finding(tmp_path: Path) -> None:
    """The star is what is wrong, not each name that it hides; other names are still reported."""
    result = classified(tmp_path, workflow("sqrt(1)\nsin(2)\nreturn x.go_on()", "from math import *", "x"))
    assert codes(result) == ["FLP109", "FLP106"]


def test_a_read_of_what_the_workflow_writes_is_not_said_twice(tmp_path: Path) -> None:
    """The write is the finding."""
    text = workflow("global n\nn += 1\nreturn n", "n = 0")
    assert codes(classified(tmp_path, text)) == ["FLP403"]


def test_ids_can_be_silenced(tmp_path: Path) -> None:
    """Findings of planning are suppressed like those of classification, under --strict as well."""
    text = workflow("await leaf(x)\nawait leaf(x)  # flopod: ignore[FLP501] the order is fixed", LEAF, "x")
    write(tmp_path, text)
    assert compile_project(tmp_path, strict=True).diagnostics == []


def test_a_code_with_a_typing_error_gets_suggestions(tmp_path: Path) -> None:
    """The digits count more than the letters around them."""
    (found,) = classified(tmp_path, workflow("return 1  # flopod: ignore[FLO209] really")).diagnostics
    assert found.code == "FLP013"
    assert "did you mean FLP209?" in found.message


@pytest.mark.parametrize(
    ("word", "hint"), [("idd=a", "id=name"), ("ignor[FLP209] x", "ignore[FLPnnn]"), ("keys=x", "key=")]
)
def test_a_pragma_with_a_typing_error_gets_suggestions(word: str, hint: str, tmp_path: Path) -> None:
    """Misspelled pragmas name the right one."""
    (found,) = classified(tmp_path, workflow(f"return 1  # flopod: {word}")).diagnostics
    assert f"did you mean {hint}" in found.message


def test_the_way_to_an_effect_has_a_place_for_each_step(tmp_path: Path) -> None:
    """Through a circle of helpers in two modules: function by function, file by file."""
    files = {
        "main.py": workflow("return sorted(xs, key=price)", "from helpers import price", "xs"),
        "helpers.py": "import time\ndef price(x):\n    return rate(x) * 2\n"
        "def rate(x):\n    if x:\n        return price(x - 1)\n    return clock()\n"
        "def clock():\n    return time.time()\n",
    }
    (found,) = classified(tmp_path, files).diagnostics
    assert "helpers.price -> helpers.rate -> helpers.clock -> calls time.time" in found.message
    assert [(one.path, one.span.line, one.message) for one in found.related] == [
        ("helpers.py", 3, "helpers.price runs helpers.rate"),
        ("helpers.py", 7, "helpers.rate runs helpers.clock"),
        ("helpers.py", 9, "helpers.clock calls time.time"),
    ]
