"""The places at which a workflow can wait, as the manifest lists them."""

from __future__ import annotations

from pathlib import Path

from flopod.manifest import COMPUTED, WaitEntry
from flopod_compiler.build import compile_project

APPROVALS = """
from dataclasses import dataclass
from flopod import wait_for, workflow

@dataclass
class Approval:
    by: str

@workflow
async def approve(names: list[str], depth: int) -> list:
    found = [await wait_for("approved", Approval)]
    for name in names:
        found.append(await wait_for(f"vote-{name}", Approval))
    return found + (await approve(names, depth - 1) if depth else [])
"""

FLOW = """
from flopod import workflow
import approvals

@workflow
async def flow(names: list[str]) -> list:
    return await approvals.approve(names, 2)
"""


def test_waits_are_listed_with_their_type_and_at_any_depth(tmp_path: Path) -> None:
    """A type is in the words of the module that waits, computed events have no name, recursions any depth."""
    (tmp_path / "approvals.py").write_text(APPROVALS)
    (tmp_path / "flow.py").write_text(FLOW)
    manifest = compile_project(tmp_path).manifest
    assert manifest is not None
    assert manifest.workflows["flow"].waits == [
        WaitEntry(path, event, "Approval", "approvals")
        for depth in ("approve/", "approve/approve/**/")
        for path, event in ((f"{depth}approved", "approved"), (f"{depth}names[*]/wait", COMPUTED))
    ]


CHOSEN = """
from flopod import wait_for, workflow

@workflow
async def ask() -> object:
    return await wait_for("asked")

@workflow
async def flow(loud: bool) -> object:
    async def tell() -> object:
        return await wait_for("told")

    return await (tell if loud else ask)()
"""


def test_waits_of_all_that_a_call_may_run_are_listed(tmp_path: Path) -> None:
    """A call that runs a marked workflow or a nested function can wait wherever one of them does."""
    (tmp_path / "flow.py").write_text(CHOSEN)
    manifest = compile_project(tmp_path).manifest
    assert manifest is not None
    waits = manifest.workflows["flow"].waits
    assert {one.event for one in waits} == {"asked", "told"}
    assert {one.path.rpartition("/")[0] for one in waits} == {"tell|ask"}
