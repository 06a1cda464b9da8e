"""What the compiler makes of each case: emitted modules, the manifest, the text of its diagnostics."""

import json
from typing import Any

import msgspec
import pytest
from syrupy.assertion import SnapshotAssertion

from flopod.manifest import Manifest
from flopod_compiler.diagnostics.render import render
from tests.golden.conftest import compilation
from tests.harness.cases import case_names, load_case

VOLATILE = ("build", "compiler", "sources", "format", "graph")


def manifest_text(manifest: Manifest) -> str:
    """The manifest as text, without what names the version and the sources."""
    table: dict[str, Any] = msgspec.to_builtins(manifest)
    for name in VOLATILE:
        table.pop(name, None)
    table["lines"] = {path: " ".join(map(str, lines)) for path, lines in table.get("lines", {}).items()}
    return json.dumps(table, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


@pytest.mark.parametrize("case", case_names("run"))
def test_emitted_modules_and_manifest_are_the_golden_ones(case: str, golden: SnapshotAssertion) -> None:
    """Each case compiles to the text that was read and agreed on, with the ids in its manifest."""
    made = compilation(case)
    assert [one.message for one in made.diagnostics if one.severity == "error"] == []
    for name, lowered in made.lowered.items():
        assert lowered.text == golden(name=f"{name}.py")
    assert made.manifest is not None
    assert manifest_text(made.manifest) == golden(name="manifest.json")
    if made.diagnostics:
        assert _diagnostics(case) == golden(name="diagnostics.txt")


@pytest.mark.parametrize("case", case_names("refused"))
def test_diagnostics_are_the_golden_ones(case: str, golden: SnapshotAssertion) -> None:
    """Each refused case is refused with the codes it names, and with this text."""
    made = compilation(case)
    assert not made.ok
    assert {one.code for one in made.diagnostics if one.severity == "error"} == set(load_case(case).codes)
    assert _diagnostics(case) == golden(name="diagnostics.txt")


def _diagnostics(case: str) -> str:
    made = compilation(case)
    sources = {module.relpath: module.text for module in made.project.modules.values()}
    return render(made.diagnostics, sources, "text")
