"""The front end over mutated real sources: findings, never an error of its own, never a hang."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz.check import fuzz

_COUNT = 60


@pytest.mark.parametrize("seed", [0, 1])
def test_mutated_sources_end_in_findings(seed: int, tmp_path: Path) -> None:
    """Whatever happens to a source, the compiler says what is wrong, or compiles it."""
    found = fuzz(tmp_path, seed, _COUNT)
    assert "FLP007" in found
    assert len(found) > 4, "the sources reach too little of the compiler"
