"""Types of an imaginary project, as authors write them."""

import enum
from collections import deque
from dataclasses import InitVar, dataclass, field
from typing import Any, NamedTuple

import attrs
import msgspec
import pydantic


@dataclass
class Line:
    sku: str
    qty: int = 1
    tags: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Money:
    amount: int
    currency: str


@dataclass
class Parcel:
    weight: int
    secret: InitVar[int] = 0
    label: str = field(init=False)

    def __post_init__(self, secret: int) -> None:
        self.label = f"{self.weight}/{secret}"


@dataclass(eq=False)
class Node:
    """A mutable thing with identity, for graphs."""

    name: str
    next: Any = None
    others: list[Any] = field(default_factory=list)


@dataclass(frozen=True)
class Edge:
    start: Money
    end: Money


class Point(NamedTuple):
    x: int
    y: int


@attrs.define
class Box:
    side: int
    inside: Any = None


@attrs.frozen(cache_hash=True)
class Key:
    text: str


class Ticket(msgspec.Struct, frozen=True):
    number: int
    notes: list[str] = []

    def __post_init__(self) -> None:
        if self.number < 0:
            raise ValueError("negative")


class Customer(pydantic.BaseModel):
    name: str
    age: int = 0


class Colour(enum.Enum):
    RED = 1
    BLUE = "blue"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Access(enum.Flag):
    READ = 1
    WRITE = 2


class Basket(list[Any]):
    """A list with an attribute."""

    owner: str


class Table(dict[Any, Any]):
    """A dict subclass."""


class Sku(str):
    """A str subclass."""


class Count(int):
    """An int subclass."""


class Line2(deque[Any]):
    """A deque subclass."""


class Plain:
    """A class without any help from the library."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Plain) and self.value == other.value

    __hash__ = None  # type: ignore[assignment]


class Slotted:
    __slots__ = ("__hidden", "left", "unset")

    def __init__(self, left: int) -> None:
        self.left = left
        self.__hidden = left + 1

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Slotted) and self.left == other.left and self.__hidden == other.__hidden

    __hash__ = None  # type: ignore[assignment]


class Tricky:
    """Its attributes are not all of it, as it says itself."""

    def __getstate__(self) -> dict[str, Any]:
        return {}


class Expired(Exception):
    """An error whose constructor takes other arguments than it passes on."""

    def __init__(self, order_id: str, *, hours: int) -> None:
        super().__init__(f"{order_id} has expired")
        self.order_id = order_id
        self.hours = hours


class Client:
    """A live object that a module holds."""

    def __init__(self) -> None:
        self.stream: Any = iter([])

    def fetch(self, number: int) -> int:
        return number


client = Client()
MISSING = object()


def price(line: Line) -> int:
    return line.qty
