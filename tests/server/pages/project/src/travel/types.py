"""What the agency talks about."""

from dataclasses import dataclass, field
from enum import Enum


class Cabin(Enum):
    """Where a traveller sits."""

    ECONOMY = "economy"
    BUSINESS = "business"


@dataclass(frozen=True)
class Traveller:
    """Who travels."""

    name: str
    age: int = 30


@dataclass(frozen=True)
class Decision:
    """Somebody's word about a trip that is expensive."""

    approved: bool
    by: str
    limit: float | None = None
    cabin: Cabin = Cabin.ECONOMY
    tags: list[str] = field(default_factory=list)
    contact: Traveller | None = None


class Declined(Exception):
    """The trip is not to be booked."""
