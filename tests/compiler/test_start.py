"""What `start` compiles to; how it runs is shown with bundles, because a golden run has one log only."""

from pathlib import Path

from flopod_compiler.build import compile_project

SOURCE = """\
import asyncio

from flopod import start, workflow


async def pack(parcel: str) -> str:
    await asyncio.sleep(0)
    return parcel


@workflow(name="ship-parcel")
async def ship(parcel: str, *, fast: bool = False) -> str:
    return await pack(parcel)


@workflow
async def dispatch(order: str, parcels: list[str]) -> list[str]:
    first = start(ship, order, run_id=f"ship-{order}", detached=True, fast=True)
    handles = [start(ship, parcel) for parcel in parcels]
    if not parcels:
        first.cancel("nothing to send")
    return [await first, *await asyncio.gather(*(handle.wait() for handle in handles))]
"""

EACH = 'wf_parcel, parcel in wf.each("parcels", parcels, keep=None)'
EMITTED = """\
async def dispatch(wf, order: str, parcels: list[str]) -> list[str]:
    first = wf.child("ship-parcel", "ship-parcel", order, run_id=f"ship-{order}", detached=True, fast=True)
    handles = [wf_parcel.child("ship-parcel", "ship-parcel", parcel) for {each}]
    if not parcels:
        first.cancel("nothing to send")
    return [await first, *await wf.parallel(*(handle.wait() for handle in handles))]
"""


def test_a_child_is_started_by_the_name_of_its_workflow(tmp_path: Path) -> None:
    """With an id like that of any call; the handle is used as it stands."""
    (tmp_path / "flow.py").write_text(SOURCE, "utf-8")
    compilation = compile_project(tmp_path)
    assert compilation.ok, compilation.diagnostics
    assert compilation.lowered["flow"].text.endswith(EMITTED.replace("{each}", EACH))
    assert compilation.manifest is not None
    kinds = {entry.path: entry.kind for entry in compilation.manifest.workflows["dispatch"].paths}
    assert kinds == {"ship-parcel": "child", "parcels[*]": "each", "parcels[*]/ship-parcel": "child"}
