"""Names that no field takes up: passed over where a payload may grow, refused in an input."""

from collections import deque
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple, TypedDict

import attrs
import msgspec
import pydantic
import pytest

from flopod.codec import from_plain
from flopod.errors import BadInput


@dataclass(frozen=True)
class Line:
    sku: str
    qty: int = 1


@dataclass
class Order:
    lines: list[Line]
    gift: Line | None = None
    labels: dict[str, Line] = field(default_factory=dict)
    extra: Any = None


class Address(TypedDict, total=False):
    street: str


@attrs.define
class Person:
    name: str


class Parcel(msgspec.Struct, rename="camel", tag="parcel"):
    gross_weight: int = 0


class Point(msgspec.Struct, array_like=True):
    x: int = 0


class Pair(NamedTuple):
    line: Line


class Loose(pydantic.BaseModel):
    name: str


WRONG = {"sku": "a", "qtty": 2}


@pytest.mark.parametrize(
    ("annotation", "data", "place", "words"),
    [
        (Line, WRONG, "input:", "did you mean 'qty'?"),
        (Line, {"sku": "a", "colour": 1}, "input:", "there is: sku, qty"),
        (Order, {"lines": [{"sku": "a"}, WRONG]}, "input.lines[1]:", "'qtty'"),
        (Order, {"lines": [], "gift": WRONG}, "input.gift:", "'qtty'"),
        (Order, {"lines": [], "labels": {"one": WRONG}}, "input.labels['one']:", "'qtty'"),
        (dict[date, Line], {"2026-01-02": WRONG}, "input['2026-01-02']:", "'qtty'"),
        (Line | int, WRONG, "input:", "'qtty'"),
        (tuple[Line, ...], [WRONG], "input[0]:", "'qtty'"),
        (deque[Line], [WRONG], "input[0]:", "'qtty'"),
        (frozenset[Line], [{"sku": "b"}, WRONG], "input[1]:", "'qtty'"),
        (Pair, [WRONG], "input[0]:", "'qtty'"),
        (Address, {"street": "x", "stret": "y"}, "input:", "did you mean 'street'?"),
        (Person, {"name": "ada", "nmae": "x"}, "input:", "did you mean 'name'?"),
        (Parcel, {"type": "parcel", "grossWeigth": 3}, "input:", "did you mean 'grossWeight'?"),
        (Point, [1, 2], "input:", "2 items, and 1 are taken"),
    ],
)
def test_a_name_in_no_field_is_refused(annotation: Any, data: Any, place: str, words: str) -> None:
    """The error has the place of the object, the name, and a near miss or what there is."""
    with pytest.raises(BadInput) as caught:
        from_plain(data, annotation, label="input", strict=True)
    assert str(caught.value).startswith(place)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("annotation", "data"),
    [
        (Order, {"lines": [{"sku": "a", "qty": 2}], "gift": None, "extra": {"any": [{"thing": 1}]}}),
        (Parcel, {"type": "parcel", "grossWeight": 3}),
        (dict[str, Decimal], {"a": "1.5", "b": "2"}),
        (range, [0, 1]),
        (frozenset[Line], [{"sku": "a"}, {"sku": "a", "qty": 1}]),
        (Loose, {"name": "ada", "more": 1}),
        (Point, [1]),
    ],
)
def test_what_is_taken_up_is_not_refused(annotation: Any, data: Any) -> None:
    """Names that a type knows, free data and the models that decide for themselves pass."""
    assert from_plain(data, annotation, strict=True) == from_plain(data, annotation)


def test_a_payload_may_have_more_than_its_type() -> None:
    """Who sends an event may know a later version of it."""
    assert from_plain(WRONG, Line) == Line("a")
