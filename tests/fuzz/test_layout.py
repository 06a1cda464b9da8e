"""The golden cases in other layouts: without optional blanks, with redundant parentheses, with tabs."""

from __future__ import annotations

import ast
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from flopod_compiler.build import Compilation, compile_project
from tests.fuzz.layout import parenthesised, squeezed, tabbed
from tests.golden.conftest import compilation
from tests.harness.cases import case_names, load_case

_LAYOUTS: dict[str, Callable[[str], str]] = {
    "squeezed": squeezed,
    "tabbed": tabbed,
    "parenthesised": lambda text: squeezed(parenthesised(text, random.Random(1), 0.6)),
}


@pytest.mark.parametrize("layout", _LAYOUTS)
@pytest.mark.parametrize("case", case_names("run"))
def test_case_compiles_in_another_layout(case: str, layout: str, tmp_path: Path) -> None:
    """Blanks and parentheses without a meaning change neither the findings nor the paths of a case."""
    source = load_case(case).source
    for path in sorted(source.rglob("*")):
        target = tmp_path / path.relative_to(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".py":
            written = path.read_bytes().decode()
            text = _LAYOUTS[layout](written)
            assert _shape(text) == _shape(written)
            target.write_bytes(text.encode())
        elif path.is_file():
            target.write_bytes(path.read_bytes())
    found = compile_project(tmp_path)
    assert _errors(found) == []
    assert _paths(found) == _paths(compilation(case))


def _shape(text: str) -> str:
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.AnnAssign):
            node.simple = 0
    return ast.dump(tree)


def _errors(made: Compilation) -> list[str]:
    return [one.message for one in made.diagnostics if one.severity == "error"]


def _paths(made: Compilation) -> dict[str, object]:
    assert made.manifest is not None
    return {name: entry.paths for name, entry in made.manifest.workflows.items()}
