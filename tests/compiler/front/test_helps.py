"""What the help of a diagnostic says to write: right for this call, and for what was meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.compiler.front.support import classified, workflow

SERVICES = """\
async def fetch(x: int) -> int:
    print(x)
    return x


def save(x: int) -> int:
    print(x)
    return x


def note(x: int) -> None:
    print(x)
"""
HEAD = "import services\nfrom services import fetch, note, save\n"


def helps(tmp_path: Path, body: str, head: str = HEAD) -> list[tuple[str, str]]:
    result = classified(tmp_path, {"services.py": SERVICES, "main.py": workflow(body, head, "xs: list[int]")})
    return [(one.code, one.help) for one in result.diagnostics]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("return list(map(save, xs))", "call it in a comprehension: [save(x) for x in xs]"),
        ("return list(map(fetch, xs))", "call it in a comprehension: [await fetch(x) for x in xs]"),
        ("return list(filter(save, xs))", "call it in a comprehension: [x for x in xs if save(x)]"),
        ("return sorted(xs, key=lambda x: save(x))", "[save(x) for x in values], or a nested function"),
        ("return sorted(xs, key=lambda x: fetch(x))", "[await fetch(x) for x in values], or a nested"),
    ],
)
def test_a_rewrite_awaits_only_what_is_async(body: str, expected: str, tmp_path: Path) -> None:
    """Pasted as it stands, it does not raise TypeError."""
    assert any(expected in text for _, text in helps(tmp_path, body)), helps(tmp_path, body)


@pytest.mark.parametrize(
    ("body", "head"),
    [
        ("return await fecth(1)", HEAD),
        ("return await services.fecth(1)", HEAD),
        ("return await fecth(1)", "from services import fecth\n"),
    ],
)
def test_a_misspelled_function_is_guessed(body: str, head: str, tmp_path: Path) -> None:
    """As a bare name, behind its module, and in an import."""
    assert helps(tmp_path, body, head) == [("FLP106", "did you mean `fetch`?")]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("return await save(1)", "FLP117"),
        ("await note(1)", "FLP117"),
        ("return fetch(1)", "FLP101"),
        ("def inner(x):\n    return fetch(x)\nreturn await inner(1)", ""),
        ("return save(1) + await fetch(1)", ""),
    ],
)
def test_awaits_stand_where_coroutines_are(body: str, code: str, tmp_path: Path) -> None:
    """One too many and one too few are the same TypeError that plain Python would raise later."""
    assert [found for found, _ in helps(tmp_path, body)] == ([code] if code else [])


def test_a_marker_inside_a_workflow_is_removed(tmp_path: Path) -> None:
    """The inner function is a part of the run as it is."""
    found = helps(
        tmp_path, "@workflow\nasync def inner(x):\n    return await fetch(x)\nreturn await inner(1)"
    )
    assert found == [("FLP112", "remove the decorator: a function inside a workflow is a part of it")]
