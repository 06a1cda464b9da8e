"""Discovery: which files are modules, what is wrong with them, what the configuration says."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from flopod.errors import UsageError
from flopod_compiler.diagnostics import Span
from flopod_compiler.model import Config
from flopod_compiler.project import discover, sources

from .support import Files, classified, codes, project, workflow, write


def test_modules_are_named_from_the_source_root(tmp_path: Path) -> None:
    """Packages with and without `__init__.py`, in sorted order, with relative posix paths."""
    found = project(tmp_path, {"b.py": "", "a/__init__.py": "", "a/x.py": "", "n/deep/y.py": ""})
    assert [(one.name, one.relpath, one.is_package) for one in found.modules.values()] == [
        ("a", "a/__init__.py", True),
        ("a.x", "a/x.py", False),
        ("b", "b.py", False),
        ("n.deep.y", "n/deep/y.py", False),
    ]


def test_one_file_is_a_project(tmp_path: Path) -> None:
    """A single file is the only module, whatever lies beside it, and gives the project its name."""
    write(tmp_path, {"flow.py": "", "other.py": ""})
    found = discover(tmp_path / "flow.py")
    assert (found.name, list(found.modules)) == ("flow", ["flow"])


def test_what_is_no_source_is_skipped(tmp_path: Path) -> None:
    """Hidden folders, caches, environments, metadata and built bundles are not modules."""
    header = "#!/usr/bin/env python\n# /// script\n# [tool.flopod]\n# ///\n"
    files = {
        "main.py": "",
        "dist/bundle.py": header,
        "tools/bundle.py": "x = 1\n",
        ".hidden/a.py": "",
        "__pycache__/b.py": "",
        "env/pyvenv.cfg": "",
        "env/lib/c.py": "",
        "node_modules/d.py": "",
        "shop.egg-info/e.py": "",
        "notes.txt": "",
    }
    assert list(project(tmp_path, files).modules) == ["main", "tools.bundle"]


@pytest.mark.parametrize(
    ("data", "code", "span"),
    [
        (b"x = 1\ndef f(:\n", "FLP007", Span(2, 6, 2, 7)),
        (b"x = '\xff'\n", "FLP005", Span(1, 5, 1, 6)),
        (b"# coding: latin-9000\n", "FLP005", Span(1, 0, 1, 0)),
        (b"a = 1\nb = '\0'\n", "FLP005", Span(2, 5, 2, 6)),
        (b"x = " + b"(" * 250 + b")" * 250, "FLP008", None),
        (b"x = " + b"-" * 20000 + b"1", "FLP008", None),
        ("x = 1\ny = 'é' + ]\n".encode(), "FLP007", Span(2, 10, 2, 11)),
    ],
)
def test_a_file_that_is_no_python_is_a_finding(
    data: bytes, code: str, span: Span | None, tmp_path: Path
) -> None:
    """Syntax, encoding, NUL bytes and nesting are reported with their place, and the other files are read."""
    write(tmp_path, {"good.py": ""})
    (tmp_path / "bad.py").write_bytes(data)
    found = discover(tmp_path)
    assert list(found.modules) == ["good"]
    assert [one.code for one in found.diagnostics] == [code]
    assert found.diagnostics[0].path == "bad.py"
    if span is not None:
        assert found.diagnostics[0].span == span


def test_every_bad_file_is_reported(tmp_path: Path) -> None:
    """One run shows all files that do not parse, and their text for the excerpts."""
    found = project(tmp_path, {"a.py": "def", "b.py": "class", "c.py": "x = 1"})
    assert [(one.path, one.code) for one in found.diagnostics] == [("a.py", "FLP007"), ("b.py", "FLP007")]
    assert sources(found) == {"a.py": "def", "b.py": "class", "c.py": "x = 1"}


def test_declared_encodings_are_honoured(tmp_path: Path) -> None:
    """A file in latin-1 that says so is read as the interpreter reads it; a byte order mark is no text."""
    (tmp_path / "old.py").write_bytes("# -*- coding: latin-1 -*-\nname = 'é'\n".encode("latin-1"))
    (tmp_path / "marked.py").write_bytes(b"\xef\xbb\xbfx = 1\n")
    found = discover(tmp_path)
    assert found.diagnostics == []
    assert "'é'" in found.modules["old"].text
    assert found.modules["marked"].text == "x = 1\n"


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_file_is_a_finding(tmp_path: Path) -> None:
    """A file without read permission is named, not raised."""
    write(tmp_path, {"main.py": ""})
    (tmp_path / "main.py").chmod(0)
    assert [one.code for one in discover(tmp_path).diagnostics] == ["FLP005"]


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="this interpreter knows PEP 701")
@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('x = f"{d["a"]}"', "FLP006"),
        ("x = f'{d['a']!r:>{w['b']}}' 'z'", "FLP006"),
        ("x = f\"{'\\n'.join(y)}\"", "FLP006"),
        ('print(f"{", ".join(y)}", 3)', "FLP006"),
        ('x = f"{f"{1}"}"', "FLP006"),
        ('x = f"{\nd}"', "FLP006"),
        ('x = f"{{" f"{d["a"]}"', "FLP006"),
        ('x = f"{d["a"]" + 1', "FLP007"),
        ('x = f"{d["', "FLP007"),
        ('x = f"{d}" y "c"', "FLP007"),
        ('x = f"{d[}"', "FLP007"),
        ('x = f"{{}}{d}" )', "FLP007"),
    ],
)
def test_an_fstring_of_newer_python_is_called_that(text: str, code: str, tmp_path: Path) -> None:
    """Quotes, backslashes and line ends inside its braces are newer; what is wrong in any Python is not."""
    found = discover(write(tmp_path, text + "\n"))
    assert [one.code for one in found.diagnostics] == [code]


def test_newer_syntax_is_called_that(tmp_path: Path) -> None:
    """Syntax that another Python knows is told from a mistake."""
    text = "def first[T](xs: list[T]) -> T:\n    return xs[0]\n"
    found = project(tmp_path, {"main.py": text})
    expected = ["FLP006"] if sys.version_info < (3, 12) else []
    assert [one.code for one in found.diagnostics] == expected


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("def f():\n    nonlocal q\n", (2, 4, 2, 14), "no binding for nonlocal 'q' found"),
        ("def f(n, n):\n    pass\n", (1, 9, 1, 10), "duplicate argument 'n' in function definition"),
        ("if x:\n    'é'; break\n", (2, 9, 2, 14), "'break' outside loop"),
        ("'é'; return 3\n", (1, 5, 1, 13), "'return' outside function"),
        ("*a, *b = [1]\n", (1, 0, 1, 6), "multiple starred expressions in assignment"),
        ("x = 1\nfrom __future__ import braces\n", (2, 0, 2, 29), "from __future__ imports must occur"),
        ("def f():\n    await x\n", (2, 4, 2, 11), "'await' outside async function"),
        ("match x:\n    case y: pass\n    case 1: pass\n", (2, 9, 2, 10), "name capture 'y' makes"),
        ("def f(x):\n    global x\n", (2, 4, 2, 12), "name 'x' is parameter and global"),
    ],
)
def test_what_only_the_compiler_refuses_is_a_syntax_error(
    text: str, place: tuple[int, int, int, int], message: str, tmp_path: Path
) -> None:
    """A text that parses and does not compile is refused like one that does not parse, at its place."""
    (found,) = project(tmp_path, text).diagnostics
    assert (found.code, found.span) == ("FLP007", Span(*place))
    assert message in found.message


def test_blocks_beyond_the_limit_of_the_compiler_are_too_deep(tmp_path: Path) -> None:
    """Fifty loops in each other parse; Python compiles twenty of them, from 3.13 on forty."""
    text = "".join(" " * depth + "for x in y:\n" for depth in range(50)) + " " * 50 + "pass\n"
    assert [one.code for one in project(tmp_path, text).diagnostics] == ["FLP008"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("srd", "did you mean"),
        ("notes.txt", "not a Python file"),
        ("empty", "no Python files"),
    ],
)
def test_a_wrong_source_path_is_a_usage_error(name: str, message: str, tmp_path: Path) -> None:
    """A path that cannot be a source root says why, with the nearest name."""
    write(tmp_path, {"src/main.py": "", "notes.txt": "", "empty/x.txt": ""})
    with pytest.raises(UsageError, match=message):
        discover(tmp_path / name)


def test_the_nearest_configuration_counts(tmp_path: Path) -> None:
    """The first pyproject.toml at or above the root is read, and no other."""
    files = {
        "pyproject.toml": '[tool.flopod]\nworkflows = ["far:away"]\n',
        "app/pyproject.toml": '[project]\nname = "shop"\n'
        '[tool.flopod]\npure = ["a:b"]\ninclude = ["x.json"]\n',
        "app/src/main.py": "",
    }
    write(tmp_path, files)
    found = discover(tmp_path / "app" / "src")
    assert found.config == Config(pure=("a:b",), include=("x.json",))
    assert found.name == "shop"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[tool.flopod\n", "pyproject.toml:"),
        ('[tool.flopod]\nworkflow = ["a:b"]\n', "no key 'workflow'"),
        ('[tool.flopod]\nworkflows = "a:b"\n', "not a list of strings"),
        ("[tool]\nflopod = 3\n", "not a table"),
    ],
)
def test_a_wrong_configuration_is_a_finding(text: str, message: str, tmp_path: Path) -> None:
    """Broken TOML, unknown keys and wrong types are reported; nothing is ignored."""
    found = project(tmp_path, {"pyproject.toml": text, "main.py": ""})
    assert [one.code for one in found.diagnostics] == ["FLP009"]
    assert message in found.diagnostics[0].message


def test_two_files_of_one_module_name_are_a_finding(tmp_path: Path) -> None:
    """`shop.py` beside `shop/__init__.py` is reported; the package counts, as in Python."""
    found = project(tmp_path, {"shop.py": "x = 1", "shop/__init__.py": "y = 1"})
    assert [one.code for one in found.diagnostics] == ["FLP010"]
    assert found.modules["shop"].is_package


# --- finding the workflows ---------------------------------------------------------------------------

MARKED = "@{}\nasync def main(x):\n    return x\n"


@pytest.mark.parametrize(
    "text",
    [
        "from flopod import workflow\n" + MARKED.format("workflow"),
        "from flopod import workflow as durable\n" + MARKED.format("durable()"),
        "import flopod\n" + MARKED.format("flopod.workflow(version=2)"),
        "import flopod as f\nmark = f.workflow\n" + MARKED.format("mark"),
        "from flopod.authoring import workflow\n" + MARKED.format("workflow"),
        "try:\n    from flopod import workflow\nexcept ImportError:\n    workflow = None\n"
        + MARKED.format("workflow"),
        "def local():\n    pass\nfrom flopod import workflow\nif True:\n    @workflow\n"
        "    def main(x):\n        return x\n",
    ],
)  # fmt: skip
def test_a_mark_is_found_however_it_was_imported(text: str, tmp_path: Path) -> None:
    """Aliases, attributes, calls, submodules and conditional imports of the marker mark a workflow."""
    result = classified(tmp_path, text)
    assert [one.name for one in result.workflows] == ["main"]
    assert codes(result) == []


def test_options_are_read(tmp_path: Path) -> None:
    """Name, version and queue of the marker are literals that the result carries."""
    result = classified(
        tmp_path, "from flopod import workflow\n" + MARKED.format("workflow(name='m', version=2, queue='q')")
    )
    assert result.workflows[0].name == "m"
    assert result.workflows[0].options == {"name": "m", "version": 2, "queue": "q"}


@pytest.mark.parametrize(
    ("files", "hint"),
    [
        ("from flopod import workflow\n" + MARKED.format("worklfow"), "did you mean @workflow?"),
        (MARKED.format("flopod.workflow"), "from flopod import workflow"),
        (MARKED.format("workflow"), "from flopod import workflow"),
        ("async def main(x):\n    'use workflow'\n    return x\n", "use workflow"),
        ("async def order_workflow(x):\n    return x\n", "named like a workflow"),
        (
            {"pyproject.toml": '[tool.flopod]\nworkflows = ["mian:main"]\n', "main.py": "def main():\n"
            "    pass\n"},
            "did you mean 'main:main'?",
        ),
        (
            {"pyproject.toml": '[tool.flopod]\nworkflows = ["main.main"]\n', "main.py": "def main():\n"
            "    pass\n"},
            "no colon",
        ),
        (
            {"pyproject.toml": '[tool.flopod]\nworkflows = ["main:LIMIT"]\n', "main.py": "LIMIT = 3\n"},
            "not a function",
        ),
    ],
)  # fmt: skip
def test_near_misses_are_named(files: Files, hint: str, tmp_path: Path) -> None:
    """A project without a workflow is an error that shows what was probably meant."""
    result = classified(tmp_path, files)
    assert "FLP003" in codes(result)
    found = next(one for one in result.diagnostics if one.code == "FLP003")
    related = [one.message for one in found.related]
    others = [f"{one.message} {one.help}" for one in result.diagnostics if one.code != "FLP003"]
    assert any(hint in text for text in [*related, *others]), (related, others)


def test_without_any_workflow_the_entry_to_write_is_shown(tmp_path: Path) -> None:
    """The help names the configuration entry of the most likely function."""
    result = classified(tmp_path, {"shop/orders.py": "async def fulfil(x):\n    await x\n    await x\n"})
    assert '"shop.orders:fulfil"' in result.diagnostics[0].help.replace("'", '"')


def test_other_decorators_are_left_in_peace(tmp_path: Path) -> None:
    """Somebody else's `workflow` decorator, and names that only share letters, are not near misses."""
    text = "import celery, workflows\nfrom temporalio import workflow\n@workflow.defn\ndef a():\n    pass\n"
    good = {"other.py": text + "@celery.flow\ndef b():\n    pass\n", "main.py": workflow("return 1")}
    assert codes(classified(tmp_path, good)) == []


def test_reachable_modules_are_those_imported_from_workflows(tmp_path: Path) -> None:
    """Imports inside functions and packages on the way count; strangers do not."""
    files = {
        "main.py": workflow("return 1", "import pkg.a\n"),
        "pkg/__init__.py": "",
        "pkg/a.py": "def f():\n    from . import b\n",
        "pkg/b.py": "from .sub.c import x\n",
        "pkg/sub/__init__.py": "",
        "pkg/sub/c.py": "x = 1\n",
        "stranger.py": "import main\n",
    }
    reachable = classified(tmp_path, files).reachable
    assert reachable == {"main", "pkg", "pkg.a", "pkg.b", "pkg.sub", "pkg.sub.c"}


def test_functions_that_the_configuration_vouches_for_must_exist(tmp_path: Path) -> None:
    """Misspelled entries of `pure` and `leaves` are reported where they name modules of the project."""
    entries = '"main:pirce", "main:price", "main.Box.get", "main.Box.got", "fastmath:cube", "main.*"'
    files = {
        "pyproject.toml": f"[tool.flopod]\npure = [{entries}]\n",
        "main.py": workflow(
            "return 1", "def price(x):\n    return x\nclass Box:\n    def get(self):\n        pass\n"
        ),
    }
    result = classified(tmp_path, files)
    assert [one.code for one in result.diagnostics] == ["FLP001", "FLP001"]
    assert "'main:pirce' under pure" in result.diagnostics[0].message
    assert "'main:price'" in result.diagnostics[0].help
    assert "'main.Box.got'" in result.diagnostics[1].message
