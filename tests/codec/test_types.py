"""Every type that the log can hold comes back equal, with its type, and is written alike again."""

import ipaddress
import re
import uuid
from collections import Counter, OrderedDict, defaultdict, deque
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from functools import partial
from pathlib import Path, PurePosixPath, PureWindowsPath
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from flopod.codec import UNBOUND, copy, decode, encode

from . import shop

ROME = ZoneInfo("Europe/Rome")

VALUES: list[Any] = [
    None,
    True,
    False,
    0,
    -1,
    2**53,
    2**53 + 1,
    -(2**53) - 1,
    2**200,
    -(2**64),
    0.0,
    1.5,
    1e16,
    5e-324,
    float("inf"),
    float("-inf"),
    "",
    "é",
    "\ud800",
    "a\\\udc80\\u0041",
    b"",
    b"\x00\xff",
    bytearray(b"ab"),
    1 + 2j,
    complex("inf"),
    (),
    (1, (2, "x")),
    [],
    [1, [2]],
    {},
    {"a": {"b": [1]}},
    {"$": 1},
    {"$x": 1, "b": 2},
    {1: 2, (1, 2): [3]},
    {"\ud800": 1},
    {None: True, 1.5: "x"},
    {1, 2, 3},
    set(),
    frozenset({(1, 2)}),
    deque([1, 2]),
    deque([1], 3),
    OrderedDict(b=1, a=2),
    Counter("abca"),
    defaultdict(list, {"a": [1]}),
    defaultdict(None, {1: 2}),
    range(3),
    range(0, 2**70, 5),
    slice(1, None, 2),
    ...,
    NotImplemented,
    UNBOUND,
    datetime(2026, 1, 2, 3, 4, 5, 6),
    datetime(2026, 1, 2, tzinfo=UTC),
    datetime(1, 1, 1),
    datetime(2026, 10, 25, 2, 30, tzinfo=ROME, fold=1),
    datetime(2026, 1, 2, tzinfo=timezone(timedelta(hours=2))),
    date(2026, 1, 2),
    time(1, 2, 3, fold=1),
    time(1, tzinfo=UTC),
    timedelta(days=-1, microseconds=3),
    UTC,
    timezone(timedelta(seconds=-90), "odd"),
    ROME,
    Decimal("1.50"),
    Decimal("-0E-10"),
    Decimal("Infinity"),
    Decimal("1E+400"),
    Fraction(-1, 3),
    uuid.UUID(int=5),
    Path("a/b"),
    Path("/tmp/\udcff"),
    PurePosixPath("/x"),
    PureWindowsPath("C:/x"),
    ipaddress.ip_address("10.0.0.1"),
    ipaddress.ip_network("fe80::/10"),
    ipaddress.ip_interface("10.0.0.1/8"),
    re.compile("a+", re.IGNORECASE),
    re.compile(b"x"),
    shop.Line("a", 2, ["x"]),
    shop.Money(5, "EUR"),
    shop.Parcel(3, 7),
    shop.Point(1, 2),
    shop.Box(2, [1]),
    shop.Key("k"),
    shop.Ticket(1, ["a"]),
    shop.Customer(name="Ada"),
    shop.Colour.RED,
    shop.Colour.BLUE,
    shop.Level.HIGH,
    shop.Access.READ,
    shop.Access.READ | shop.Access.WRITE,
    shop.Access(0),
    shop.Basket([1, [2]]),
    shop.Table({1: 2}),
    shop.Table(a=1),
    shop.Sku("é"),
    shop.Count(2**80),
    shop.Count(3),
    shop.Line2([1], 4),
    shop.Plain([1]),
    shop.Plain(shop.Plain(None)),
    shop.Slotted(4),
    SimpleNamespace(a=1),
    Path().stat(),
    shop.Line,
    int,
    len,
    dict.fromkeys,
    datetime.fromisoformat,
    shop.price,
    shop.MISSING,
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_a_value_comes_back_equal_with_its_type(value: Any) -> None:
    """Decoding what was encoded gives an equal value of the same type, and the same text again."""
    text = encode(value)
    back = decode(text)
    assert type(back) is type(value)
    assert back == value
    assert encode(back) == text


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_a_copy_is_what_decoding_gives(value: Any) -> None:
    """`copy` and a round trip through text give equal values."""
    assert encode(copy(value)) == encode(value)


def test_plain_data_is_plain_json() -> None:
    """Data that JSON can say is written without any tag."""
    assert encode({"a": [1, "x", None, True, 1.5]}) == b'{"a":[1,"x",null,true,1.5]}'


def test_the_signs_and_kinds_of_numbers_are_kept() -> None:
    """-0.0, NaN, True, 1 and 1.0 stay apart."""
    assert str(decode(encode(-0.0))) == "-0.0"
    assert str(decode(encode(float("nan")))) == "nan"
    assert [type(item) for item in decode(encode([True, 1, 1.0]))] == [bool, int, float]


@pytest.mark.parametrize("text", ["NaN", "sNaN12", "-NaN", "1.500", "0E+3"])
def test_decimals_keep_their_exact_form(text: str) -> None:
    """NaN payloads, signs, trailing zeros and exponents of a Decimal survive."""
    assert str(decode(encode(Decimal(text)))) == text


def test_big_integers_are_hexadecimal() -> None:
    """An integer beyond 2**53 is written as a hexadecimal text."""
    assert encode(2**53 + 1) == b'{"$":"int","v":"0x20000000000001"}'


def test_dicts_keep_their_order() -> None:
    """A dict of any keys comes back in its order of insertion."""
    value = {"b": 1, 3: 2, "a": 3}
    assert list(decode(encode(value))) == ["b", 3, "a"]


def test_the_fold_and_zone_of_times_are_kept() -> None:
    """A datetime keeps its fold and its very zone."""
    back = decode(encode(datetime(2026, 10, 25, 2, 30, tzinfo=ROME, fold=1)))
    assert (back.fold, back.tzinfo) == (1, ROME)
    assert decode(encode(time(1, fold=1))).fold == 1


def test_a_deque_keeps_its_length_limit() -> None:
    """`maxlen` is part of a deque."""
    assert decode(encode(deque([1], 3))).maxlen == 3


def test_a_default_factory_still_makes_defaults() -> None:
    """The factory of a defaultdict is kept, by name."""
    assert decode(encode(defaultdict(list)))["new"] == []


def test_attributes_of_subclasses_are_kept() -> None:
    """A list subclass keeps the attributes that were set on it."""
    basket = shop.Basket([1])
    basket.owner = "Ada"
    assert decode(encode(basket)).owner == "Ada"


def test_nothing_of_the_class_runs() -> None:
    """A value is rebuilt without `__init__`, `__post_init__` or validation."""
    ticket = shop.Ticket(1)
    import msgspec

    msgspec.structs.force_setattr(ticket, "number", -1)
    assert decode(encode(ticket)).number == -1
    parcel = shop.Parcel(3, 7)
    parcel.label = "changed"
    assert decode(encode(parcel)).label == "changed"


def test_an_unset_slot_stays_unset() -> None:
    """A slot without a value has none afterwards."""
    assert not hasattr(decode(encode(shop.Slotted(1))), "unset")


def test_extra_attributes_of_a_dataclass_are_kept() -> None:
    """What was set on an instance beside its fields is kept."""
    line = shop.Line("a")
    line.extra = [1]  # type: ignore[attr-defined]
    assert decode(encode(line)).extra == [1]


def test_a_cached_hash_is_not_carried_over() -> None:
    """A hash that was computed under one hash seed is computed anew."""
    key = shop.Key("k")
    hash(key)
    assert "null" in encode(key).decode()
    assert hash(decode(encode(key))) == hash(key)


def test_a_pydantic_model_remembers_what_was_set() -> None:
    """The set of explicitly given fields is part of a pydantic model."""
    back = decode(encode(shop.Customer(name="Ada")))
    assert back.model_dump(exclude_unset=True) == {"name": "Ada"}


def test_a_partial_is_kept() -> None:
    """functools.partial of a named function comes back callable."""
    assert decode(encode(partial(int, base=2)))("101") == 5
