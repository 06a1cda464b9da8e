"""Objects in a log that are older than a field of their class."""

import json
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, NamedTuple

import attrs
import msgspec
import pydantic
import pytest

from flopod import codec
from flopod.errors import SerializableError


@dataclass
class Line:
    sku: str
    unit: str = "kg"
    tags: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Slotted:
    sku: str
    unit: str = "kg"
    tags: list[str] = field(default_factory=list)


@attrs.define
class Person:
    sku: str
    unit: str = "kg"
    tags: list[str] = attrs.field(factory=list)


class Model(pydantic.BaseModel):
    sku: str
    unit: str = "kg"
    tags: list[str] = pydantic.Field(default_factory=list)


class Struct(msgspec.Struct):
    sku: str
    unit: str = "kg"
    tags: list[str] = msgspec.field(default_factory=list)


@dataclass
class Strict:
    sku: str
    unit: str


@dataclass
class Later:
    sku: str
    label: str = field(init=False)


def older(cls: type) -> Any:
    """What an object reads back as that was written when its class had one field."""
    text = f'{{"$":"object","type":"{__name__}:{cls.__name__}","state":{{"sku":"a"}}}}'
    return codec.decode(text.encode())


@pytest.mark.parametrize("cls", [Line, Slotted, Person, Model, Struct])
def test_a_field_with_a_default_has_it(cls: Any) -> None:
    """As a new object has it, and each its own list."""
    one, other = older(cls), older(cls)
    assert (one.sku, one.unit, one.tags) == ("a", "kg", [])
    one.tags.append("x")
    assert other.tags == []


def test_a_field_without_a_default_is_missed_at_once() -> None:
    """Not by an AttributeError in the middle of the run."""
    with pytest.raises(SerializableError, match=r"Strict has a field 'unit', .* give the field a default"):
        older(Strict)


def test_a_field_that_is_set_later_may_be_missing() -> None:
    """`field(init=False)` without a default is not there until somebody sets it."""
    assert not hasattr(older(Later), "label")


@pytest.mark.parametrize("cls", [Line, Slotted, Person, Strict])
def test_a_deleted_field_stays_deleted(cls: Any) -> None:
    """An object is read back as it was written, also without an attribute that others have."""
    value = cls("a", "kg")
    name = "unit" if cls is Strict else "tags"
    delattr(value, name)
    again = codec.decode(codec.encode(value))
    assert not hasattr(again, name)
    assert again.sku == "a"


class Pair(NamedTuple):
    sku: str
    unit: str = "kg"


class Triple(NamedTuple):
    sku: str
    unit: str
    price: int


class Colour(Enum):
    RED = 1


def pair(cls: type, **items: Any) -> Any:
    """What a NamedTuple reads back as that was written with these items."""
    names, values = json.dumps(list(items)), json.dumps(list(items.values()))
    node = f'{{"$":"tuple","type":"{__name__}:{cls.__name__}","names":{names},"v":{values}}}'
    return codec.decode(node.encode())


def test_a_named_tuple_gets_the_defaults_of_newer_fields() -> None:
    """Each at its place, wherever that is among those that were written."""
    made = pair(Pair, sku="a")
    assert (made, made.unit) == (Pair("a"), "kg")


def test_the_fields_of_a_named_tuple_may_change_their_order() -> None:
    """Its items are recorded with their names."""
    assert pair(Triple, price=7, sku="a", unit="kg") == Triple("a", "kg", 7)


@pytest.mark.parametrize(
    ("cls", "items", "message"),
    [
        (Triple, {"sku": "a", "unit": "kg"}, "new field 'price', which the log has not; give it a default"),
        (Pair, {"sku": "a", "unit": "kg", "price": 1}, "no field 'price' any more, which the log has"),
    ],
)
def test_a_named_tuple_with_other_fields_is_refused(cls: type, items: dict[str, Any], message: str) -> None:
    """A tuple that is too short or too long would fail where its fields are read."""
    with pytest.raises(SerializableError, match=message):
        pair(cls, **items)


@pytest.mark.parametrize(
    ("cls", "node", "message"),
    [
        (Pair, '"$":"object","state":{"sku":"a"}', "as a class with fields, and is a tuple now"),
        (Line, '"$":"tuple","v":["a"]', "as a tuple, and is a class with fields now"),
        (Line, '"$":"enum","name":"RED"', "as an enum, and is a class with fields now"),
        (Colour, '"$":"object","state":{"sku":"a"}', "as a class with fields, and is an enum now"),
        (Line, '"$":"exception","args":[]', "as an exception, and is a class with fields now"),
        (ValueError, '"$":"object","state":{}', "as a class with fields, and is an exception now"),
        (Line, '"$":"dict","v":{}', "as dict, and is a class with fields now"),
    ],
)
def test_a_class_of_another_kind_is_refused(cls: type, node: str, message: str) -> None:
    """What it holds cannot be read as what it was."""
    place = "builtins" if cls is ValueError else __name__
    with pytest.raises(SerializableError, match=message):
        codec.decode(f'{{{node},"type":"{place}:{cls.__name__}"}}'.encode())
