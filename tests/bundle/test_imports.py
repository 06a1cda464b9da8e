"""Which modules a module imports, and which are reached."""

import ast

import pytest

from flopod_compiler.bundle.imports import imports_of, modules_reached


def _names(source: str, module: str = "shop.orders", is_package: bool = False) -> list[str]:
    return [each.name for each in imports_of(ast.parse(source), module, is_package)]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import a.b, c", ["a.b", "c"]),
        ("from a import b", ["a"]),
        ("from . import b", ["shop"]),
        ("from .b import c", ["shop.b"]),
        ("from ..x import c", ["x"]),
        ("def f():\n    import late", ["late"]),
        (
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import t\nelse:\n    import r",
            ["typing", "r"],
        ),
        ("import importlib\nimportlib.import_module('plug.in')", ["importlib", "plug.in"]),
        ("import_module(name)", []),
    ],
)
def test_every_form_of_import_is_found(source: str, expected: list[str]) -> None:
    """Absolute, relative, late and literal dynamic imports count; those for types only do not."""
    assert _names(source) == expected


def test_relative_imports_of_a_package_start_at_itself() -> None:
    """A dot in `__init__.py` is the package, not its parent."""
    assert _names("from .b import c", "shop", is_package=True) == ["shop.b"]


@pytest.mark.parametrize(
    "caught", ["ImportError", "ModuleNotFoundError", "(ValueError, ImportError)", "Exception"]
)
def test_an_import_that_may_fail_is_optional(caught: str) -> None:
    """A guarded import is marked, the fallback in the handler is not."""
    source = f"try:\n    import fast\nexcept {caught}:\n    import slow\n"
    found = {each.name: each.optional for each in imports_of(ast.parse(source), "m", False)}
    assert found == {"fast": True, "slow": False}


def test_parents_and_submodules_are_reached() -> None:
    """Importing `a.b.c` runs `a` and `a.b`; `from a import d` may mean the module `a.d`."""
    sources = {"main": "import a.b.c", "a": "", "a.b": "", "a.b.c": "from a import d", "a.d": "", "a.e": ""}
    trees = {name: ast.parse(source) for name, source in sources.items()}
    reached = modules_reached(
        ["main"], sources.__contains__, lambda name: imports_of(trees[name], name, False)
    )
    assert reached == {"main", "a", "a.b", "a.b.c", "a.d"}
