"""Detaches as parts of the picture: labels and descriptions for the graph, a mapper, a callback."""

import asyncio
from typing import TypedDict

from flopod import detach_and_forget, detach_and_join_later, workflow
from flopod.detach import DetachHandle, create_microtask_batch_driver

from effects import note, noted, start_afresh
from guards import expect


class Order(TypedDict):
    """An order, with what is to be evaluated."""

    order_id: str
    config_a: int
    config_b: int


driver = create_microtask_batch_driver()


async def ship_telemetry(event: dict[str, str]) -> None:
    """Tell the telemetry endpoint."""
    note(f"telemetry {event['name']} {event['order_id']}")


async def score_variant(value: int) -> int:
    """Score a configuration."""
    await asyncio.sleep(0.005)
    note(f"scored {value}")
    return value * 2


def created(order: Order) -> dict[str, str]:
    """What the telemetry is told of an order."""
    return {"name": "order.created", "order_id": order["order_id"]}


@workflow
async def evaluate(order: Order) -> int:
    """Detach the telemetry and two evaluations, then join these: the sum of the scores."""
    handles: list[DetachHandle] = []
    detach_and_forget(
        driver,
        ship_telemetry,
        order,
        input_mapper=created,
        label="telemetry",
        description="tells the endpoint of the order",
    )
    detach_and_join_later(
        driver,
        score_variant,
        order,
        input_mapper=lambda given: given["config_a"],
        label="eval-a",
        on_handle=handles.append,
    )
    detach_and_join_later(
        driver,
        score_variant,
        order,
        input_mapper=lambda given: given["config_b"],
        label="eval-b",
        on_handle=handles.append,
    )
    return sum([await handle.wait() for handle in handles])


async def main() -> None:
    """Run it, and check the sum and what was sent."""
    start_afresh()
    total = await evaluate({"order_id": "order-99", "config_a": 7, "config_b": 13})
    wanted = ["scored 13", "scored 7", "telemetry order.created order-99"]
    expect("the sum", total, 40)
    expect("what ran, once each", sorted(noted()), wanted)
    print("OK: two evaluations were joined, and the telemetry was sent beside them")


if __name__ == "__main__":
    asyncio.run(main())
