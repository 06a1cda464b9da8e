"""JSON for people, and JSON from people: plain, from_plain, schemas."""

import json
from collections import Counter, deque
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypedDict
from uuid import UUID

import pytest

from flopod.codec import check_schema, decode, encode, from_plain, json_schema, plain
from flopod.errors import BadInput

from . import shop


class Wish(TypedDict):
    what: str
    price: Decimal


class Place(NamedTuple):
    x: int
    y: int = 0


@dataclass
class Order:
    id: str
    lines: list[shop.Line]
    due: date | None = None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Decimal("1.50"), "1.50"),
        (datetime(2026, 1, 2, tzinfo=UTC), "2026-01-02T00:00:00+00:00"),
        (shop.Line("a", 2), {"sku": "a", "qty": 2, "tags": []}),
        (shop.Colour.BLUE, "blue"),
        (shop.Level.HIGH, 2),
        (b"ab", "YWI="),
        ((1, {2}), [1, [2]]),
        ({1: "a", None: 2}, {"1": "a", "None": 2}),
        (shop.Point(1, 2), {"x": 1, "y": 2}),
        (shop.Ticket(1), {"number": 1, "notes": []}),
        (shop.Customer(name="Ada"), {"name": "Ada", "age": 0}),
        (float("nan"), "nan"),
        (Path("a/b"), "a/b"),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (shop.Sku("x"), "x"),
        (shop.price, "price"),
        (2**70, 2**70),
        (ValueError("x", 1), {"type": "ValueError", "message": "('x', 1)", "args": ["x", 1]}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_plain_is_what_people_expect(value: Any, expected: Any) -> None:
    """Values become untagged data that the json module accepts."""
    assert plain(value) == expected
    json.dumps(plain(value), allow_nan=False)


def test_plain_stops_at_a_cycle() -> None:
    """A cycle ends in dots."""
    loop: list[Any] = [1]
    loop.append(loop)
    assert plain(loop) == [1, "..."]


@pytest.mark.parametrize(
    ("data", "annotation", "value"),
    [
        ("1.50", Decimal, Decimal("1.50")),
        ("a/b", Path, Path("a/b")),
        ("1+2j", complex, 1 + 2j),
        ("1/3", Fraction, Fraction(1, 3)),
        ([1, 2, 2], set[int], {1, 2}),
        ([1, "a"], tuple[int, str], (1, "a")),
        ([1, 2], deque[int], deque([1, 2])),
        ({"a": 2}, Counter[str], Counter(a=2)),
        ("2026-01-02", date, date(2026, 1, 2)),
        ("PT1S", timedelta, timedelta(seconds=1)),
        ("blue", shop.Colour, shop.Colour.BLUE),
        (None, int | None, None),
        ("x", int | str, "x"),
        ("a/b", Path | None, Path("a/b")),
        ("a/b", int | Path, Path("a/b")),
        ({"side": 1}, shop.Box, shop.Box(1)),
        ({"number": 1}, shop.Ticket, shop.Ticket(1)),
        ({"name": "Ada"}, shop.Customer, shop.Customer(name="Ada")),
        ({"what": "x", "price": "2"}, Wish, {"what": "x", "price": Decimal(2)}),
        ([1, 2], Place, Place(1, 2)),
        (
            {"id": "a", "lines": [{"sku": "s"}], "due": "2026-01-02"},
            Order,
            Order("a", [shop.Line("s")], date(2026, 1, 2)),
        ),
        ({"a": 1}, Any, {"a": 1}),
        ([1], None, [1]),
    ],
    ids=repr,
)
def test_data_becomes_the_annotated_type(data: Any, annotation: Any, value: Any) -> None:
    """JSON data is decoded to the type that the author wrote down."""
    back = from_plain(data, annotation)
    assert back == value
    assert type(back) is type(value)


@pytest.mark.parametrize(
    ("data", "annotation", "field", "words"),
    [
        ({"id": "a", "lines": [{"sku": 5}]}, Order, "lines[0].sku", ("str", "int")),
        ({"id": "a"}, Order, "", ("lines",)),
        ("x", int, "", ("int", "str")),
        (5, Path, "", ("str", "int", "Path")),
        ("x", Fraction, "", ("'x'", "Fraction")),
        ({"name": "Ada", "age": "old"}, shop.Customer, "age", ("integer", "str")),
        ([{"name": 5}], list[shop.Customer], "[0].name", ("string", "int")),
        (5, shop.Client, "", ("Client", "dataclass")),
        ([], int | Path, "", ("int | Path", "array")),
        ({"number": -1}, shop.Ticket, "", ("negative",)),
    ],
)
def test_wrong_data_is_refused_with_its_place(
    data: Any, annotation: Any, field: str, words: tuple[str, ...]
) -> None:
    """The error says where, what was expected and what came."""
    with pytest.raises(BadInput) as caught:
        from_plain(data, annotation)
    assert caught.value.field == field
    assert all(word in str(caught.value) for word in words)


def test_the_label_begins_the_place() -> None:
    """A caller names the root of the data."""
    with pytest.raises(BadInput, match=r"payload\.lines\[0\]\.sku"):
        from_plain({"id": "a", "lines": [{"sku": 5}]}, Order, label="payload")


@pytest.mark.parametrize("annotation", [Any, None, shop.Client, lambda: 1])
def test_unknown_types_have_no_schema(annotation: Any) -> None:
    """Where nothing can be said, there is no schema."""
    assert json_schema(annotation) is None


GOOD: list[tuple[Any, Any]] = [
    (Order, {"id": "a", "lines": [{"sku": "s", "qty": 2}], "due": None}),
    (Order, {"id": "a", "lines": []}),
    (shop.Customer, {"name": "Ada", "age": 3}),
    (Wish, {"what": "x", "price": "1.5"}),
    (Place, [1, 2]),
    (tuple[int, str], [1, "a"]),
    (Literal["yes", "no"], "no"),
    (dict[str, int], {"a": 1}),
    (int | None, None),
    (shop.Level, 2),
    (Path, "a"),
    (float, 1),
]
BAD: list[tuple[Any, Any, str, str]] = [
    (Order, {"id": 5, "lines": []}, "id", "expected string, got integer"),
    (Order, {"lines": []}, "", "'id' is missing"),
    (Order, {"id": "a", "lines": [{"sku": "s", "qty": "2"}]}, "lines[0].qty", "expected integer, got string"),
    (Order, {"id": "a", "lines": [], "due": 5}, "due", "string"),
    (shop.Customer, {"name": "Ada", "age": 1.5}, "age", "integer"),
    (tuple[int, str], [1], "", "at least 2"),
    (tuple[int, str], [1, 2], "[1]", "string"),
    (Literal["yes", "no"], "maybe", "", '"yes", "no"|"no", "yes"'),
    (dict[str, int], {"a": "b"}, "a", "integer"),
    (bool, 1, "", "boolean"),
    (int, True, "", "integer"),
    (Order, [], "", "expected object, got array"),
]


@pytest.mark.parametrize(("annotation", "data"), GOOD, ids=repr)
def test_fitting_data_passes_the_schema(annotation: Any, data: Any) -> None:
    """Data that decodes also passes the schema of its type, read back from the log."""
    schema = decode(encode(json_schema(annotation)))
    check_schema(schema, data)
    from_plain(data, annotation)


@pytest.mark.parametrize(("annotation", "data", "field", "message"), BAD, ids=repr)
def test_other_data_fails_the_schema_with_its_place(
    annotation: Any, data: Any, field: str, message: str
) -> None:
    """The first field that is wrong is named, and what belongs there."""
    schema = json_schema(annotation)
    assert schema is not None
    with pytest.raises(BadInput, match=message) as caught:
        check_schema(schema, data)
    assert caught.value.field == field
    with pytest.raises(BadInput):
        from_plain(data, annotation)


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        ({"minimum": 1, "exclusiveMaximum": 3}, 2, 3),
        ({"multipleOf": 5}, 10, 11),
        ({"minLength": 2, "maxLength": 3}, "ab", "abcd"),
        ({"pattern": "^a"}, "ab", "ba"),
        ({"minItems": 1, "maxItems": 1}, [1], []),
        ({"minProperties": 1}, {"a": 1}, {}),
        ({"const": 1}, 1, True),
        ({"properties": {"a": {}}, "additionalProperties": False}, {"a": 1}, {"b": 1}),
        ({"allOf": [{"type": "string"}, {"minLength": 1}]}, "a", ""),
        ({"oneOf": [{"type": "string"}, {"type": "null"}]}, None, 1),
    ],
)
def test_the_rules_of_a_schema(schema: dict[str, Any], good: Any, bad: Any) -> None:
    """Each keyword that generated schemas use is enforced."""
    check_schema(schema, good)
    with pytest.raises(BadInput):
        check_schema(schema, bad)
