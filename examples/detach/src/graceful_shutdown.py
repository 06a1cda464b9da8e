"""A burst of twenty children, and a program that drains them before it ends."""

import asyncio

from flopod import detach_and_forget, workflow
from flopod.detach import flush_all_detached, microtask_batch_driver

from effects import note, noted, start_afresh
from guards import expect

COUNT = 20


async def ship(number: int) -> None:
    """Send one event: 5 ms to the endpoint and back."""
    await asyncio.sleep(0.005)
    note(f"shipped {number}")


@workflow
async def burst() -> int:
    """Detach twenty events, and return how many that are."""
    for number in range(COUNT):
        detach_and_forget(microtask_batch_driver, ship, number)
    return COUNT


async def main() -> None:
    """Run it, and drain what it has left behind, as a handler of SIGTERM would."""
    start_afresh()
    detached = await burst()
    at_return = noted()
    flushed = await flush_all_detached("5s")
    expect("how many were detached", detached, COUNT)
    expect("what was shipped when the parent returned", at_return, [])
    expect("what was shipped in the end", sorted(noted()), sorted(f"shipped {n}" for n in range(COUNT)))
    expect("what the drain says", (flushed.done, flushed.failed, flushed.pending), (COUNT, 0, 0))
    print("OK: the drain left nothing in flight")


if __name__ == "__main__":
    asyncio.run(main())
