"""Pictures of the cases and of the example, and the golden files of some of them."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from syrupy.assertion import SnapshotAssertion

from flopod.manifest import Manifest
from flopod_compiler.build import compile_project
from tests.golden.conftest import compilation
from tests.golden.files import GoldenFile

if TYPE_CHECKING:
    from syrupy.location import PyTestLocation

ORDERS = Path(__file__).parents[2] / "examples" / "orders" / "src"


class PictureFile(GoldenFile):
    """Golden files in one folder."""

    @classmethod
    def dirname(cls, *, test_location: PyTestLocation) -> str:  # noqa: ARG003
        return str(Path(__file__).parent / "pictures")


@cache
def manifest_of(case: str) -> Manifest:
    """The manifest of a golden case, or of the example `orders`."""
    made = compile_project(ORDERS) if case == "orders" else compilation(case)
    assert made.manifest is not None
    return made.manifest


@pytest.fixture
def golden(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    """The pictures in `pictures/`."""
    return snapshot.use_extension(PictureFile)
