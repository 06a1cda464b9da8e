"""An order is processed, and telemetry about it is sent by a child that nobody waits for."""

import asyncio

from flopod import detach_and_forget, workflow
from flopod.detach import flush_all_detached, microtask_batch_driver

from effects import note, noted, start_afresh
from guards import expect


async def ship_telemetry(event: dict[str, str]) -> None:
    """Tell the telemetry endpoint: in real life a POST."""
    await asyncio.sleep(0.001)
    note(f"telemetry {event['name']} {event['order_id']}")


async def accept(order_id: str) -> str:
    """Take the order into the books."""
    note(f"accepted {order_id}")
    return order_id


@workflow
async def process_order(order_id: str) -> str:
    """Accept an order, detach its telemetry, and return without waiting for that."""
    accepted = await accept(order_id)
    event = {"name": "order.processed", "order_id": accepted}
    detach_and_forget(microtask_batch_driver, ship_telemetry, event)
    return f"{accepted} is processed"


async def main() -> None:
    """Run it, and look at the world when it returns and when all is drained."""
    start_afresh()
    result = await process_order("order-42")
    at_return = noted()
    flushed = await flush_all_detached("5s")
    expect("the result", result, "order-42 is processed")
    expect("what is done when the parent returns", at_return, ["accepted order-42"])
    expect("what is done in the end", noted(), ["accepted order-42", "telemetry order.processed order-42"])
    expect("what is left", flushed.pending, 0)
    print("OK: the telemetry was sent, and nobody waited for it")


if __name__ == "__main__":
    asyncio.run(main())
