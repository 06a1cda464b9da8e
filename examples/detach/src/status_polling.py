"""Ten children of different lengths are watched by their statuses alone: a status is a plain attribute."""

import asyncio
from typing import Any

from flopod import detach_and_join_later, workflow
from flopod.detach import DetachHandle, microtask_batch_driver

from effects import note, noted, start_afresh
from guards import expect

COUNT = 10
PATIENCE = 400


async def take_a_while(number: int) -> int:
    """Take between 5 and 25 ms."""
    await asyncio.sleep(0.005 + number % 5 * 0.005)
    note(f"done {number}")
    return number


def in_flight(handles: list[DetachHandle]) -> int:
    """How many have not ended."""
    return sum(handle.status in ("queued", "running") for handle in handles)


@workflow
async def watch() -> dict[str, Any]:
    """Detach ten children, and look again and again until none is in flight, without waiting for any."""
    handles = [detach_and_join_later(microtask_batch_driver, take_a_while, number) for number in range(COUNT)]
    at_first = in_flight(handles)
    looks = 0
    while in_flight(handles) > 0 and looks < PATIENCE:
        looks += 1
        await asyncio.sleep(0.005)
    return {
        "at_first": at_first,
        "looks": looks,
        "statuses": [handle.status for handle in handles],
        "results": [handle.result for handle in handles],
    }


async def main() -> None:
    """Run it, and check that it saw all of them in flight and then all of them done."""
    start_afresh()
    found = await watch()
    expect("how many were in flight at first", found["at_first"], COUNT)
    expect("the statuses in the end", found["statuses"], ["done"] * COUNT)
    expect("the results", found["results"], list(range(COUNT)))
    expect("whether it had to look again", found["looks"] > 0, True)
    expect("what ran, once each", sorted(noted()), sorted(f"done {number}" for number in range(COUNT)))
    print("OK: ten children were watched to their ends, and none was waited for")


if __name__ == "__main__":
    asyncio.run(main())
