"""Fulfil an order: price it, have it approved if it is large, reserve it, wait, charge."""

import asyncio
from decimal import Decimal

from flopod import wait_for, workflow

from shop.services import charge, fetch_order, price_line, reserve, score
from shop.types import Approval, Expired, Receipt

LIMIT = 1000


@workflow
async def fulfil(order_id: str) -> Receipt:
    """Take the order `order_id` from the shelf to the receipt."""
    order = await fetch_order(order_id)
    total = Decimal(0)
    for line in order.lines:
        if line.qty == 0:
            continue
        total += await price_line(line) * line.qty
    if total > LIMIT:
        approval = await wait_for("approved", Approval, timeout="48h")
        if approval is None:
            raise Expired(order_id)
        print(f"{order_id} was approved by {approval.by}")
    stock, risk = await asyncio.gather(reserve(order), score(order))
    await asyncio.sleep(order.cooling_off)
    return await charge(order, total, stock, risk)
