"""What the shop talks about."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Line:
    """So many pieces of one article."""

    sku: str
    qty: int


@dataclass(frozen=True)
class Order:
    """What a customer wants."""

    id: str
    customer: str
    lines: list[Line]


@dataclass(frozen=True)
class Approval:
    """Somebody's word about an order that is expensive."""

    approved: bool
    by: str
    note: str = ""


class Declined(Exception):
    """The order is not to be fulfilled."""
