"""What the compiler makes of each case: emitted modules, the manifest, the text of its diagnostics."""

import json
import re
import textwrap
from typing import Any

import msgspec
import pytest
from syrupy.assertion import SnapshotAssertion

from flopod.manifest import Manifest
from flopod_compiler.diagnostics.render import render
from tests.golden.conftest import compilation
from tests.harness.cases import case_names, load_case


def manifest_text(manifest: Manifest) -> str:
    """Workflows with parameters, paths and waits, and the line maps: one entry a line."""
    lines = []
    for name, entry in sorted(manifest.workflows.items()):
        table: dict[str, Any] = msgspec.to_builtins(entry)
        lines.append(f"workflow {name}")
        for section in ("parameters", "paths", "waits"):
            lines += [f"  {section}: {_json(item)}" for item in table.pop(section, ())]
        lines.append(f"  {_json(table)}")
    for path, numbers in sorted(manifest.lines.items()):
        lines.append(f"lines of {path}")
        lines += textwrap.wrap(" ".join(map(str, numbers)), 100, initial_indent="  ", subsequent_indent="  ")
    return "\n".join(lines) + "\n"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


@pytest.mark.parametrize("case", case_names("run"))
def test_emitted_modules_and_manifest_are_the_golden_ones(case: str, golden: SnapshotAssertion) -> None:
    """Each case compiles to the text that was read and agreed on, with the ids in its manifest."""
    made = compilation(case)
    assert [one.message for one in made.diagnostics if one.severity == "error"] == []
    for name, lowered in made.lowered.items():
        assert lowered.text == golden(name=f"{name}.py")
    assert made.manifest is not None
    assert manifest_text(made.manifest) == golden(name="manifest.txt")
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
    if any(one.code == "FLP008" for one in made.diagnostics):
        # How deep the parser itself goes depends on the interpreter: here it may have read the file.
        sources = {}
    text = render(made.diagnostics, sources, "text")
    deep = "1:1: FLP008 the file is nested"
    return re.sub(r"1\S+ FLP008 the workflow flow(, or .*?,)? is nested", deep, text)
