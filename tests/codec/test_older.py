"""Objects in a log that are older than a field of their class."""

from dataclasses import dataclass, field
from typing import Any

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
