"""The pairs of the edit suite: built before the edit, and again after it with the cache of that build."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.edits.measure import pairs
from tests.edits.programs import Program
from tests.edits.registry import EDITS
from tests.rebuild.support import Rebuilds

BESIDE = 2
"""How many programs stand in one project, each in a package of its own."""


def put(rebuild: Rebuilds, package: str, program: Program) -> None:
    """Write a program as a package, with names of its own for workflows."""
    for old in sorted((rebuild.root / package).rglob("*.py")):
        old.unlink()
    for module, text in program.sources().items():
        own = re.sub(r"\b(from|import) shop\.", rf"\1 {package}.shop.", text)
        own = re.sub(r"@workflow\n(async def|def) (\w+)", rf"@workflow(name='{package} \2')\n\1 \2", own)
        rebuild.write(f"{package}/{module.replace('.', '/')}.py", own)


@pytest.mark.parametrize("kind", sorted(EDITS))
def test_a_rebuild_after_an_edit_is_as_a_build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """In a project of several programs each is edited in turn; the others are not looked at."""
    rebuild = Rebuilds(tmp_path, monkeypatch)
    found = list(pairs(kind, BESIDE, first=5))
    for number, pair in enumerate(found):
        put(rebuild, f"p{number}", pair.before.program)
    rebuild()
    for number, pair in enumerate(found):
        put(rebuild, f"p{number}", pair.after.program)
        built = rebuild()
        assert {name.partition(".")[0] for name in built.analysed} <= {f"p{number}"}
