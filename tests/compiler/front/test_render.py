"""Rendering: the text with carets, and the formats that other tools read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from flopod_compiler.diagnostics import Diagnostic, Related, Span
from flopod_compiler.diagnostics.render import FORMATS, render
from flopod_compiler.project import sources

from .support import classified, workflow

ONE = Diagnostic(
    "FLP106",
    "the target is not known",
    "a.py",
    Span(2, 4, 2, 9),
    "annotate it",
    related=(Related("b.py", Span(1, 0, 1, 3), "declared here"),),
)
SOURCES = {"a.py": "x = 1\ny = order()\n", "b.py": "one = 2\n"}


def test_text_shows_the_line_the_caret_the_relatives_and_the_help() -> None:
    """The format of one finding, in full."""
    assert render([ONE], SOURCES) == (
        "a.py:2:5: FLP106 the target is not known\n"
        "    |\n"
        "  2 | y = order()\n"
        "    |     ^^^^^\n"
        "  b.py:1:1: declared here\n"
        "    |\n"
        "  1 | one = 2\n"
        "    | ---\n"
        "  help: annotate it\n"
    )


@pytest.mark.parametrize(
    ("line", "span", "shown", "under"),
    [
        ("\tx = f()", Span(1, 5, 1, 8), "    x = f()", "        ^^^"),
        ("日本 = f()", Span(1, 5, 1, 8), "日本 = f()", "       ^^^"),
        ("e\u0301 = f()", Span(1, 5, 1, 8), "e\u0301 = f()", "    ^^^"),
        ("x = f(", Span(1, 4, 3, 1), "x = f(", "    ^^"),
        ("x = 1", Span(1, 5, 1, 5), "x = 1", "     ^"),
        ("x = '\x1b[31m'", Span(1, 4, 1, 11), "x = '\ufffd[31m'", "    ^^^^^^^"),
    ],
)
def test_carets_stand_below_what_they_mean(line: str, span: Span, shown: str, under: str) -> None:
    """Tabs, wide and combining characters, several lines, ends of lines, control characters."""
    text = render([Diagnostic("FLP000", "m", "a.py", span)], {"a.py": f"{line}\nmore\n"})
    assert text.split("\n")[2:4] == [f"  1 | {shown}", f"    | {under}"]


def test_long_lines_are_cut_around_the_finding() -> None:
    """A line of thousands of characters shows the part that matters."""
    line = "x = [" + "1, " * 3000 + "f()]"
    start = line.index("f()")
    text = render([Diagnostic("FLP000", "m", "a.py", Span(1, start, 1, start + 3))], {"a.py": line})
    shown, under = text.split("\n")[2:4]
    assert len(shown) < 180
    assert shown[under.index("^") : under.rindex("^") + 1] == "f()"


def test_a_file_without_text_is_named_without_its_line() -> None:
    """Findings about configuration and unreadable files have no excerpt."""
    assert (
        render([Diagnostic("FLP009", "m", "pyproject.toml", Span(1, 0, 1, 0))], {})
        == "pyproject.toml:1:1: FLP009 m\n"
    )


def test_warnings_say_so() -> None:
    """Only what is not an error names its severity."""
    text = render([Diagnostic("FLP014", "m", "a.py", Span(9, 0, 9, 1), severity="warning")], SOURCES)
    assert text == "a.py:9:1: FLP014 warning: m\n"


def test_json_has_every_part() -> None:
    """Lines and columns count from one, ends are exclusive."""
    (found,) = json.loads(render([ONE], SOURCES, "json"))
    assert found == {
        "code": "FLP106",
        "severity": "error",
        "message": "the target is not known",
        "path": "a.py",
        "line": 2,
        "column": 5,
        "end_line": 2,
        "end_column": 10,
        "help": "annotate it",
        "related": [
            {
                "message": "declared here",
                "path": "b.py",
                "line": 1,
                "column": 1,
                "end_line": 1,
                "end_column": 4,
            }
        ],
    }


def test_sarif_names_the_rules_and_the_regions() -> None:
    """A log of version 2.1.0 with the rules that occur, in code-point columns."""
    run = json.loads(render([ONE], SOURCES, "sarif"))["runs"][0]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["FLP106"]
    assert run["columnKind"] == "unicodeCodePoints"
    (result,) = run["results"]
    assert (result["ruleId"], result["level"]) == ("FLP106", "error")
    region = result["locations"][0]["physicalLocation"]["region"]
    assert region == {"startLine": 2, "startColumn": 5, "endLine": 2, "endColumn": 10}


def test_github_annotations_are_escaped() -> None:
    """One line a finding, with line ends, percent signs, colons and commas escaped."""
    one = Diagnostic("FLP106", "50% is\nwrong", "a,b.py", Span(2, 4, 2, 9), severity="warning")
    assert render([one], {}, "github") == (
        "::warning file=a%2Cb.py,line=2,col=5,endLine=2,endColumn=9,title=FLP106::50%25 is%0Awrong\n"
    )


@pytest.mark.parametrize("format", FORMATS)
def test_nothing_found_renders_as_nothing(format: str) -> None:
    """Every format has a form for an empty list."""
    text = render([], {}, format)
    assert text == "" if format in ("text", "github") else json.loads(text) is not None


def test_an_unknown_format_names_the_known_ones() -> None:
    """A misspelled format is an error with the choice."""
    with pytest.raises(ValueError, match="text, json, sarif, github"):
        render([], {}, "xml")


def test_columns_are_code_points(tmp_path: Path) -> None:
    """Non-ASCII text before a finding does not shift its caret."""
    result = classified(tmp_path, workflow("é = 'äöü'; undefined(é)"))
    text = render(result.diagnostics, sources(result.project))
    line, under = text.split("\n")[2:4]
    assert line[under.index("^") : under.rindex("^") + 1] == "undefined"


def test_findings_are_sorted_by_place(tmp_path: Path) -> None:
    """Files first, then lines, then columns, whatever pass found them."""
    files = {"b.py": workflow("open(1)\nb()"), "a.py": "def f(:\n"}
    found = classified(tmp_path, files).diagnostics
    assert [(one.path, one.code) for one in found] == [
        ("a.py", "FLP007"),
        ("b.py", "FLP213"),
        ("b.py", "FLP106"),
    ]
