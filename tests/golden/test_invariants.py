"""What holds for the emitted text of every case."""

import ast
import io
import tokenize
from bisect import bisect_right

import pytest

from flopod_compiler.build import compile_project
from flopod_compiler.model import Lowered
from tests.golden.conftest import compilation
from tests.harness.cases import FIXTURES, case_names, load_case

CASES = case_names("run")


def emitted(case: str) -> list[Lowered]:
    return list(compilation(case).lowered.values())


@pytest.mark.parametrize("case", CASES)
def test_building_twice_gives_the_same_bytes(case: str) -> None:
    """A second compilation of an unchanged source emits the same text, lines and build id."""
    first, second = compilation(case), compile_project(load_case(case).source)
    assert first.manifest == second.manifest
    for name, lowered in first.lowered.items():
        assert (lowered.text, lowered.line_map) == (second.lowered[name].text, second.lowered[name].line_map)


@pytest.mark.parametrize("case", CASES)
def test_emitted_functions_hold_no_comments(case: str) -> None:
    """The compiled form of a workflow is free of comments, the author's and the compiler's."""
    for lowered in emitted(case):
        ranges = [
            range(node.lineno, (node.end_lineno or 0) + 1)
            for node in ast.walk(ast.parse(lowered.text))
            if isinstance(node, ast.AsyncFunctionDef) and node.args.args[:1] and node.args.args[0].arg == "wf"
        ]
        for token in tokenize.generate_tokens(io.StringIO(lowered.text).readline):
            if token.type == tokenize.COMMENT:
                assert not any(token.start[0] in lines for lines in ranges), token.string


@pytest.mark.parametrize("case", CASES)
def test_every_emitted_line_maps_into_its_own_function(case: str) -> None:
    """The line map is complete, in order, and never leads out of the function a line belongs to."""
    for lowered in emitted(case):
        lines = lowered.text.splitlines() if "\x0c" not in lowered.text else lowered.text.split("\n")
        assert len(lowered.line_map) == len(lines)
        assert lowered.line_map == sorted(lowered.line_map)
        homes = _functions(lowered.module.tree)
        for name, (first, last) in _functions(ast.parse(lowered.text)).items():
            start, end = homes[name]
            mapped = lowered.line_map[first - 1 : last]
            assert all(start <= line <= end for line in mapped), name


@pytest.mark.parametrize("case", CASES)
def test_every_source_line_keeps_a_line_of_its_own(case: str) -> None:
    """Each line of the source on which a statement begins has an emitted line that maps to it."""
    for lowered in emitted(case):
        kept = sorted(set(lowered.line_map))
        for node in ast.walk(lowered.module.tree):
            if isinstance(node, ast.stmt):
                assert kept[bisect_right(kept, node.lineno) - 1] == node.lineno, ast.unparse(node)


def _functions(tree: ast.Module) -> dict[str, tuple[int, int]]:
    """First and last line of each function by dotted name; of equal names the last."""
    found: dict[str, tuple[int, int]] = {}

    def visit(node: ast.AST, prefix: str) -> None:
        for child in ast.iter_child_nodes(node):
            name = prefix
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                name = f"{prefix}{child.name}."
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                first = min([child.lineno, *(one.lineno for one in child.decorator_list)])
                found[name] = (first, child.end_lineno or child.lineno)
            visit(child, name)

    visit(tree, "")
    return found


def test_no_golden_files_without_a_case() -> None:
    """A folder under `fixtures/` without `case.toml` is what a deleted case left behind."""
    left = [path.name for path in FIXTURES.iterdir() if path.is_dir() and not (path / "case.toml").exists()]
    assert left == []


@pytest.mark.parametrize("case", case_names())
def test_goldens_of_a_case_are_of_its_kind(case: str) -> None:
    """A refused case has only diagnostics, a run case has a manifest and at least one module."""
    loaded = load_case(case)
    names = {path.name for path in loaded.expected.glob("*")}
    if loaded.kind == "refused":
        assert names == {"diagnostics.txt"}
    else:
        modules = {f"{name}.py" for name in compilation(case).lowered}
        assert names - {"diagnostics.txt"} == modules | {"manifest.txt"}
