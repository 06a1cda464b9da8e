"""Pragmas: what comments say, where they apply, and what they silence."""

from __future__ import annotations

from pathlib import Path

import pytest

from flopod_compiler.diagnostics import Diagnostic
from flopod_compiler.pragmas import placed, pragmas

from .support import classified, codes, project


def read(tmp_path: Path, text: str) -> dict[int, tuple[str | None, str | None]]:
    module = project(tmp_path, text).modules["main"]
    return {line: (one.id, one.key) for line, one in pragmas(module).items()}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("f()  # flopod: id=seller", ("seller", None)),
        ("f()  #flopod:id=seller", ("seller", None)),
        ("for x in y:  # flopod: key=x.sku\n    pass", (None, "x.sku")),
        ("for x in y:  # flopod: key=(x.sku, x.n)\n    pass", (None, "(x.sku, x.n)")),
        ("for x in y:  # flopod: id=lines key=x['a b']\n    pass", ("lines", "x['a b']")),
        ("for x in y:  # flopod: key=x.sku id=lines\n    pass", ("lines", "x.sku")),
        ("# flopod: id=seller\nf()", ("seller", None)),
        ("# flopod: id=seller\n# said twice\n\nf()", ("seller", None)),
    ],
)
def test_ids_and_keys_are_read(line: str, expected: tuple[str, str], tmp_path: Path) -> None:
    """A pragma belongs to its line; on a line of its own to the next line of code."""
    found = read(tmp_path, f"y = []\n{line}\n")
    assert list(found.values()) == [expected]
    number = next(iter(found))
    assert not f"y = []\n{line}\n".split("\n")[number - 1].startswith("#")


def test_text_that_only_looks_like_a_pragma_is_none(tmp_path: Path) -> None:
    """Strings are not comments, and other comments are not ours."""
    assert read(tmp_path, "x = '# flopod: id=a'\ny = 1  # see flopod: the manual\n") == {}


@pytest.mark.parametrize(
    ("comment", "reason"),
    [
        ("# flopod:", "empty"),
        ("# flopod: idd=a", "no item 'idd'"),
        ("# flopod: key=", "needs an expression"),
        ("# flopod: key=x +", "needs an expression"),
        ("# flopod: id=", "no value"),
        ("# flopod: hello", "'hello' is not a pragma"),
        ("# flopod: ignore[] x", "names no code"),
    ],
)
def test_a_pragma_that_means_nothing_is_a_finding(comment: str, reason: str, tmp_path: Path) -> None:
    """Misspelled and empty pragmas are reported, with their place."""
    module = project(tmp_path, f"x = 1  {comment}\n").modules["main"]
    found: list[Diagnostic] = []
    assert pragmas(module, found) == {}
    assert [one.code for one in found] == ["FLP013"]
    assert reason in found[0].message
    assert (found[0].span.line, found[0].span.col) == (1, 7)


BODY = "from flopod import workflow\n@workflow\nasync def main(x):\n    return {}\n"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("id(x)", ["FLP209"]),
        ("id(x)  # flopod: ignore[FLP209] only logged", []),
        ("id(x)  # flopod: ignore[FLP209, FLP201] only logged", ["FLP014"]),
        ("id(x)  # flopod: ignore[FLP209]", ["FLP209", "FLP012"]),
        ("id(x)  # flopod: ignore[FLP201] wrong code", ["FLP209", "FLP014"]),
        ("id(x)  # flopod: ignore[flp209] lower case", ["FLP209", "FLP013"]),
        ("x  # flopod: ignore[FLP209] nothing here", ["FLP014"]),
        ("open(x)  # flopod: ignore[FLP213] please", ["FLP213", "FLP015"]),
    ],
)
def test_a_pragma_silences_what_may_be_silenced(line: str, expected: list[str], tmp_path: Path) -> None:
    """Suppression needs the code and a reason, works where a rule allows it, and is reported when idle."""
    assert codes(classified(tmp_path, BODY.format(line))) == expected


def test_a_suppressed_call_is_plain_code(tmp_path: Path) -> None:
    """What the author vouches for compiles as it stands."""
    result = classified(tmp_path, BODY.format("id(x)  # flopod: ignore[FLP209] only logged"))
    assert [info.kind.value for info in result.calls.values()] == ["pure"]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("# flopod: id=a\n# flopod: id=b\nf()\n", [3, 3]),
        ("# flopod: id=b\nf()  # flopod: id=a\n", [2, 2]),
        ("f()\n# flopod: id=a\n", [0]),
    ],
)
def test_of_several_pragmas_for_a_line_the_nearest_counts(
    text: str, lines: list[int], tmp_path: Path
) -> None:
    """All have their line, 0 for no line, and the nearest is that of the line."""
    module = project(tmp_path, text).modules["main"]
    found = placed(module)
    assert [line for line, _ in found] == lines
    assert [one.id for one in pragmas(module).values()] == [found[0][1].id] * bool(lines[0])
    assert found[0][1].id == ("b" if text.endswith("id=b\nf()\n") else "a")
