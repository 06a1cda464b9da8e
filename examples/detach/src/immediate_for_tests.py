"""The immediate driver begins at once, so that a test can look at a handle before the loop turns."""

import asyncio

from flopod import detach_and_join_later, workflow
from flopod.detach import immediate_driver, microtask_batch_driver

from effects import note, noted, start_afresh
from guards import expect


async def tiny(name: str) -> bool:
    """Do as little as can be."""
    note(f"ran {name}")
    return True


@workflow
async def compare() -> list[str]:
    """Detach one child by each driver: their statuses at once, and in the end."""
    first = detach_and_join_later(immediate_driver, tiny, "immediate")
    second = detach_and_join_later(microtask_batch_driver, tiny, "microtask")
    statuses = [first.status, second.status]
    await first.wait()
    await second.wait()
    return [*statuses, first.status, second.status]


async def main() -> None:
    """Run it, and check both pairs of statuses."""
    start_afresh()
    statuses = await compare()
    expect("the statuses at once", statuses[:2], ["running", "queued"])
    expect("the statuses in the end", statuses[2:], ["done", "done"])
    expect("what ran, once each", sorted(noted()), ["ran immediate", "ran microtask"])
    print("OK: immediate is running at once, microtask-batch is queued")


if __name__ == "__main__":
    asyncio.run(main())
