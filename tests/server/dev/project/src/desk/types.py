"""What the post office talks about."""

from dataclasses import dataclass, field
from datetime import date
from enum import Enum


class Size(Enum):
    """How much room a parcel takes."""

    SMALL = "small"
    LARGE = "large"


@dataclass(frozen=True)
class Address:
    """Where a parcel goes."""

    city: str
    number: int = 1


@dataclass(frozen=True)
class Parcel:
    """What is sent, and to whom."""

    title: str
    weight: float
    address: Address
    size: Size = Size.SMALL
    tags: list[str] = field(default_factory=list)
    due: date | None = None


@dataclass(frozen=True)
class Decision:
    """Somebody's word."""

    approved: bool
    by: str
