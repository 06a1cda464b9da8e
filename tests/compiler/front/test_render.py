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


def test_sarif_is_complete() -> None:
    """A log of version 2.1.0: rules with help and level, code-point regions, related places, fingerprints."""
    log = json.loads(render([ONE], SOURCES, "sarif"))
    assert (log["version"], len(log["runs"])) == ("2.1.0", 1)
    run = log["runs"][0]
    (rule,) = run["tool"]["driver"]["rules"]
    assert (rule["id"], rule["name"]) == ("FLP106", "Unresolved")
    assert rule["defaultConfiguration"] == {"level": "error"}
    assert rule["help"]["markdown"].startswith("# FLP106")
    assert all(rule[part]["text"] for part in ("shortDescription", "fullDescription", "help"))
    assert run["columnKind"] == "unicodeCodePoints"
    (result,) = run["results"]
    assert (result["ruleId"], result["ruleIndex"], result["level"]) == ("FLP106", 0, "error")
    region = result["locations"][0]["physicalLocation"]["region"]
    assert region == {"startLine": 2, "startColumn": 5, "endLine": 2, "endColumn": 10}
    (related,) = result["relatedLocations"]
    assert (related["id"], related["message"]) == (1, {"text": "declared here"})
    assert len(result["partialFingerprints"]["flopod/v1"]) == 16


def test_sarif_paths_are_uris() -> None:
    """Spaces and non-ASCII characters are escaped as RFC 3986 says."""
    one = Diagnostic("FLP106", "m", "src/größe eins.py", Span(1, 0, 1, 1))
    (result,) = json.loads(render([one], {}, "sarif"))["runs"][0]["results"]
    place = result["locations"][0]["physicalLocation"]["artifactLocation"]
    assert place == {"uri": "src/gr%C3%B6%C3%9Fe%20eins.py"}


def test_fingerprints_outlive_lines_above() -> None:
    """A finding that only moved is the same one for the tool that reads the log."""
    moved = Diagnostic("FLP106", ONE.message, "a.py", Span(3, 4, 3, 9))
    texts = [
        render([ONE], SOURCES, "sarif"),
        render([moved], {"a.py": "x = 1\n\ny = order()\n"}, "sarif"),
    ]
    first, second = (json.loads(text)["runs"][0]["results"][0]["partialFingerprints"] for text in texts)
    assert first == second


def test_a_span_of_several_lines_shows_them() -> None:
    """Up to three lines are shown, of more the first two and the last."""
    call = "x = f(\n    1,\n    2,\n)\n"
    text = render([Diagnostic("FLP000", "m", "a.py", Span(1, 4, 4, 1))], {"a.py": call})
    assert text.split("\n")[1:-1] == [
        "    |", "  1 | x = f(", "    |     ^^", "  2 |     1,", "    |     ^^",
        "  ...", "  4 | )", "    | ^",
    ]  # fmt: skip


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
