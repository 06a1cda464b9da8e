"""What the shop talks about: orders and their lines, approvals, receipts."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True)
class Line:
    """So many pieces of one article."""

    sku: str
    qty: int


@dataclass(frozen=True)
class Order:
    """What a customer ordered; it is charged `cooling_off` seconds after it was reserved."""

    id: str
    customer: str
    lines: list[Line]
    cooling_off: float


@dataclass(frozen=True)
class Approval:
    """Somebody's word that a large order may go on."""

    by: str
    note: str = ""


@dataclass(frozen=True)
class Receipt:
    """What was charged for an order."""

    order_id: str
    total: Decimal
    payment: str
    stock: str
    risk: float


class Expired(Exception):
    """Nobody approved the order in time."""
