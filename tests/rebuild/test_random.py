"""Random changes of projects of several modules: each build with a cache is the same as one without."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from flopod_compiler.build import compile_project
from tests.harness.cases import FIXTURES
from tests.rebuild.random_changes import Changes
from tests.rebuild.support import Rebuilds

CASES = sorted(path for path in FIXTURES.glob("*/input") if not path.parent.name.startswith("refused_"))
SEVERAL = [path for path in CASES if len(list(path.rglob("*.py"))) > 1]


def gather(root: Path, seed: int) -> None:
    """Several golden cases as one project, one of them with modules that import each other."""
    chosen = [SEVERAL[seed % len(SEVERAL)], *CASES[seed % 5 :: 37]]
    for case in chosen:
        shutil.copytree(case, root, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.toml", "flow.py"))
        for flow in case.rglob("flow.py"):
            shutil.copy(flow, root / f"{case.parent.name}.py")
    for path in {one.path for one in compile_project(root).diagnostics if one.severity == "error"}:
        (root / path).unlink()  # a method of one case is no longer the only one of its name


@pytest.mark.parametrize("seed", [2, 3, 4, 6])
def test_a_rebuild_is_as_a_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    """After each of many changes, some of which break the source, nothing that comes out differs."""
    rebuild = Rebuilds(tmp_path, monkeypatch)
    gather(rebuild.root, seed)
    changes = Changes(rebuild.root, seed)
    kept = built = 0
    for _ in range(20):
        found = rebuild()
        built += found.result.ok
        kept += found.result.ok and len(found.analysed) < len(found.result.lowered)
        changes.change(is_broken=not found.result.ok)
    assert built >= 10
    assert kept
