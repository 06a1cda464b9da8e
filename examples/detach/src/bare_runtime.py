"""A program around a workflow detaches children of its own: before it, beside it and after it."""

import asyncio

from flopod import workflow
from flopod.detach import (
    detach_and_forget,
    detach_and_join_later,
    flush_all_detached,
    microtask_batch_driver,
)

from effects import note, noted, start_afresh
from guards import expect


async def ship_analytics(tag: str) -> None:
    """Tell analytics that something happened."""
    note(f"analytics:{tag}")


async def write_audit(tag: str) -> str:
    """Write a line of the audit, and return what it is about."""
    note(f"audit:{tag}")
    return tag


async def count(shelf: str) -> int:
    """Count what is on a shelf."""
    note(f"counted {shelf}")
    return len(shelf)


@workflow
async def take_stock(shelves: list[str]) -> int:
    """What the program is there for."""
    return sum([await count(shelf) for shelf in shelves])


async def main() -> None:
    """The program: no workflow is around its detaches, so their ids begin with `__executor__`."""
    start_afresh()
    detach_and_forget(microtask_batch_driver, ship_analytics, "before")
    audit = detach_and_join_later(microtask_batch_driver, write_audit, "mid")
    total = await take_stock(["lamps", "desks"])
    detach_and_forget(microtask_batch_driver, ship_analytics, "after")
    audited = await audit.wait()
    await flush_all_detached("5s")

    children = sorted(line for line in noted() if ":" in line)
    expect("the result of the workflow", total, 10)
    expect("what the children did", children, ["analytics:after", "analytics:before", "audit:mid"])
    expect("the result of the audit", (audit.status, audited), ("done", "mid"))
    expect("the id of the audit", audit.id.rpartition(":")[0], "__executor__:detach")
    print("OK: a program detaches as a workflow does")


if __name__ == "__main__":
    asyncio.run(main())
