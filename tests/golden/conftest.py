"""Fixtures of the golden tests: the golden files of a case, and each case compiled once."""

from functools import cache

import pytest
from syrupy.assertion import SnapshotAssertion

from flopod_compiler.build import Compilation, compile_project
from tests.golden.files import GoldenFile
from tests.harness.cases import load_case
from tests.harness.compiled import Build, build


@cache
def compilation(name: str) -> Compilation:
    """The case compiled; it is the same object for every test."""
    return compile_project(load_case(name).source)


@cache
def built(name: str) -> Build:
    """The case compiled and ready to run."""
    case = load_case(name)
    return build(case.source, case.workflow)


@pytest.fixture
def golden(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    """The texts in `expected/` of the case under test."""
    return snapshot.use_extension(GoldenFile)
