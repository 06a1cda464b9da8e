"""The services that the shop calls: here local functions that take a moment; in a real shop, requests.

Each of them is a leaf of the workflow. They say on the terminal that they ran.
"""

import asyncio
from decimal import Decimal

from shop.types import Line, Order, Receipt

_PRICES = {
    "lamp": Decimal("89.90"),
    "desk": Decimal("449.00"),
    "chair": Decimal("199.50"),
    "cable": Decimal("4.25"),
}
_ORDERS = {
    "A-1": Order(
        "A-1",
        "ann@example.org",
        [Line("desk", 2), Line("lamp", 3), Line("voucher", 0), Line("chair", 4), Line("cable", 12)],
        cooling_off=1.0,
    ),
    "A-2": Order("A-2", "bob@example.org", [Line("lamp", 1), Line("cable", 2)], cooling_off=0.2),
}


class UnknownOrder(LookupError):
    """There is no order of this id."""


async def fetch_order(order_id: str) -> Order:
    """Look the order up. Raises UnknownOrder."""
    await _work(f"fetching order {order_id}")
    if order_id not in _ORDERS:
        raise UnknownOrder(order_id)
    return _ORDERS[order_id]


async def price_line(line: Line) -> Decimal:
    """The price of one piece today."""
    await _work(f"pricing {line.sku}")
    return _PRICES[line.sku]


async def reserve(order: Order) -> str:
    """Set the articles aside and return the number of the reservation."""
    await _work(f"reserving stock for {order.id}")
    return f"R-{order.id}"


async def score(order: Order) -> float:
    """How likely the customer is not to pay, from 0 to 1."""
    await _work(f"scoring {order.customer}")
    return len(order.customer) % 10 / 10


async def charge(order: Order, total: Decimal, stock: str, risk: float) -> Receipt:
    """Take the money."""
    await _work(f"charging {total} for {order.id}")
    return Receipt(order.id, total, payment=f"P-{order.id}", stock=stock, risk=risk)


async def _work(what: str) -> None:
    print(what, flush=True)
    await asyncio.sleep(0.15)
