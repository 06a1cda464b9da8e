"""The services of the shop. They take a moment, and one of them is not reliable."""

import asyncio
from collections import Counter

from flopod import Retry, activity
from shop.types import Line, Order

PRICES = {"desk": 449, "lamp": 89, "chair": 199, "cable": 4, "shelf": 129}
tries: Counter[str] = Counter()


class UnknownArticle(LookupError):
    """The shop does not have it."""


async def price_line(line: Line) -> int:
    """The price of one piece today. Raises UnknownArticle."""
    await asyncio.sleep(0.12)
    if line.sku not in PRICES:
        raise UnknownArticle(f"there is no article {line.sku!r} in the catalogue")
    return PRICES[line.sku]


async def reserve(order: Order) -> str:
    """Set the articles aside."""
    await asyncio.sleep(0.35)
    return f"R-{order.id}"


async def score(customer: str) -> float:
    """How likely the customer is not to pay."""
    await asyncio.sleep(0.2)
    return len(customer) % 10 / 10


@activity(retry=Retry(max_attempts=5, delay="300ms", jitter=False))
async def charge(order: Order, total: int) -> str:
    """Take the money. The bank often hangs up. Raises ConnectionError."""
    await asyncio.sleep(0.15)
    tries[order.id] += 1
    if tries[order.id] < 3:
        raise ConnectionError("the bank hung up")
    return f"P-{order.id}-{total}"


async def ship(order: Order) -> str:
    """Send it."""
    await asyncio.sleep(0.2 if order.customer != "eve" else 600)
    return f"T-{order.id}"
