"""The workflows of the shop."""

import asyncio

from flopod import sleep, start, wait_for, workflow
from shop.services import charge, price_line, reserve, score, ship
from shop.types import Approval, Declined, Order

LIMIT = 1000


@workflow
async def fulfil(order: Order) -> dict[str, object]:
    """Take an order from the shelf to the customer."""
    total = 0
    for line in order.lines:
        total += await price_line(line) * line.qty
    if total > LIMIT:
        approval = await wait_for("approved", Approval, timeout="48h")
        if approval is None or not approval.approved:
            raise Declined(order.id)
    stock, risk = await asyncio.gather(reserve(order), score(order.customer))
    if risk > 0.7:
        await sleep("2h")
    payment = await charge(order, total)
    return {"payment": payment, "stock": stock, "parcel": await ship(order)}


@workflow
async def fulfil_all(orders: list[Order]) -> list[object]:
    """Each order as a run of its own."""
    handles = [start(fulfil, order) for order in orders]
    return [await handle.wait() for handle in handles]
