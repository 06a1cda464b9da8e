"""Files and folders that are not what they should be: `flopod check` says so, and never raises."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from flopod_compiler.cli.group import flopod

from .support import workflow, write

PLAIN = workflow("return x", arguments="x")
LEAF = "async def leaf(x):\n    print(x)\n    return x\n"


def check(src: Path, *options: str) -> tuple[int, str]:
    """The status of `flopod check`, and all it prints; an exception of its own is raised."""
    result = CliRunner().invoke(flopod, ["check", str(src), *options], catch_exceptions=False)
    return result.exit_code, result.output


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "no workflow found"),
        (PLAIN.encode("utf-16"), "the byte 0xff is not UTF-8"),
        (b"# coding: rot13\n", "not a text encoding"),
        (b"\xef\xbb\xbf# coding: latin-1\n", "encoding problem"),
        (b"\n# coding: klingon\n", "main.py:2:1: FLP005"),
        (b"x = 1\n\ny = 'a\x00'\n", "main.py:3:7: FLP005"),
        ("# coding: ascii\nx = 'é'\n".encode(), "main.py:2:6: FLP005"),
        (b"a = 1\r\nb = (\r\n", "main.py:2:5: FLP007"),
    ],
)
def test_a_file_that_cannot_be_read_has_a_place(data: bytes, words: str, tmp_path: Path) -> None:
    """Encodings, NUL bytes and syntax are reported at the line that is wrong."""
    status, text = check(write(tmp_path, {"main.py": data}))
    assert status == 1
    assert words in text


@pytest.mark.parametrize(
    "data", [("\ufeff" + PLAIN).encode(), ("# coding: latin-1\nX = 'é'\n" + PLAIN).encode("latin-1"),
             PLAIN.replace("\n", "\r\n").encode(), PLAIN.replace("@", "\f@").encode()]
)  # fmt: skip
def test_every_way_to_write_a_file_is_read(data: bytes, tmp_path: Path) -> None:
    """Byte order marks, declared encodings, other line ends and form feeds are no errors."""
    assert check(write(tmp_path, {"main.py": data}))[0] == 0


def _loop(root: Path) -> None:
    (root / "loop.py").symlink_to("loop.py")


def _dangling(root: Path) -> None:
    (root / "gone.py").symlink_to("nowhere.py")


def _pipe(root: Path) -> None:
    os.mkfifo(root / "pipe.py")


def _folder(root: Path) -> None:
    (root / "folder.py").mkdir()
    (root / "again").symlink_to(".")


@pytest.mark.parametrize(("make", "status"), [(_loop, 1), (_dangling, 1), (_pipe, 1), (_folder, 0)])
def test_what_only_looks_like_a_file_is_reported(
    make: Callable[[Path], None], status: int, tmp_path: Path
) -> None:
    """Links that lead nowhere and pipes are findings; a folder with the name of a module is a folder."""
    write(tmp_path, PLAIN)
    make(tmp_path)
    found, text = check(tmp_path)
    assert found == status
    assert ("FLP005" in text) == bool(status)


def test_a_source_that_is_a_dangling_link_is_named(tmp_path: Path) -> None:
    """The path itself may be wrong, too: status 2."""
    (tmp_path / "flow.py").symlink_to("gone.py")
    status, text = check(tmp_path / "flow.py")
    assert status == 2
    assert "leads nowhere" in text


DEEP = {
    "concatenated strings": workflow("return " + "'a' " * 1000),
    "generators": workflow("return [1 " + "for y in x " * 3000 + "]", arguments="x"),
    "a helper with many elifs": workflow("h(x)", "def h(x):\n    if x: 1\n" + "    elif x: 2\n" * 1500),
    "a constant of the module": "X = " + "+".join(["1"] * 1500) + "\n" + PLAIN,
    "loops": workflow(
        "".join(" " * depth + f"for i{depth} in x:\n" for depth in range(40)) + " " * 40 + "await leaf(1)",
        LEAF, "x",
    ),
    "indentation": workflow("".join(" " * depth + "if 1:\n" for depth in range(120)) + " " * 120 + "pass"),
    "awaits": workflow("return " + "await leaf(" * 100 + "1" + ")" * 100, LEAF),
}  # fmt: skip


@pytest.mark.parametrize("form", DEEP)
def test_depth_is_a_finding_of_its_own(form: str, tmp_path: Path) -> None:
    """Nesting that the parser, the compiler or Python itself cannot take is FLP008, not an internal error."""
    status, text = check(write(tmp_path, DEEP[form]))
    assert "FLP900" not in text
    assert status == 0 or "FLP008" in text


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("break", "'break' outside loop"),
        ("nonlocal x", "no binding for nonlocal 'x' found"),
        ("y: int = 1; del __debug__", "cannot delete __debug__"),
    ],
)
def test_code_that_parses_but_does_not_compile_is_a_syntax_error(
    line: str, words: str, tmp_path: Path
) -> None:
    """What only Python's compiler refuses is reported as Python says it, at its place."""
    status, text = check(write(tmp_path, workflow(f"y = 1\n{line}")))
    assert status == 1
    assert "FLP007" in text
    assert words in text


def test_paths_are_those_one_would_type(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Findings name files relative to the current folder, the configuration above the sources, too."""
    write(
        tmp_path, {"app/src/main.py": workflow("open(1)"), "app/pyproject.toml": "[tool.flopod]\npur = []\n"}
    )
    monkeypatch.chdir(tmp_path)
    for format in ("text", "github"):
        text = check(Path("app/src"), "--format", format)[1]
        assert "app/src/main.py" in text
        assert "app/pyproject.toml" in text
        assert str(tmp_path) not in text
    monkeypatch.chdir(tmp_path / "app")
    assert "\npyproject.toml:2:1: FLP009" in "\n" + check(Path("src"))[1]


def test_a_large_file_is_checked(tmp_path: Path) -> None:
    """Twenty thousand lines beside a workflow are no reason to stop."""
    text = "".join(f"def f{number}(x):\n    return x + {number}\n" for number in range(10_000))
    assert check(write(tmp_path, text + PLAIN))[0] == 0
