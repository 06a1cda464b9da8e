"""Objects in a log that were recorded under an older version of their class."""

import json
from dataclasses import dataclass, field
from typing import Any

import attrs
import msgspec
import pydantic
import pytest

from flopod import codec, compose, migrations, remove, rename, transform
from flopod.errors import MigrationError

STEPS = {
    1: rename({"sku": "code"}),
    2: compose(remove("legacy"), transform({"price": lambda cents: {"cents": cents}})),
}


@migrations(STEPS)
@dataclass
class Line:
    code: str
    price: dict[str, int]
    tags: list[str] = field(default_factory=list)


@migrations(STEPS)
@dataclass(slots=True, frozen=True)
class Slotted:
    code: str
    price: dict[str, int]
    tags: list[str] = field(default_factory=list)


@dataclass(slots=True)
@migrations(STEPS)
class Below:
    code: str
    price: dict[str, int]
    tags: list[str] = field(default_factory=list)


@migrations(STEPS)
@attrs.define
class Person:
    code: str
    price: dict[str, int]
    tags: list[str] = attrs.field(factory=list)


@migrations(STEPS)
class Model(pydantic.BaseModel):
    code: str
    price: dict[str, int]
    tags: list[str] = pydantic.Field(default_factory=list)


@migrations(STEPS)
class Struct(msgspec.Struct):
    code: str
    price: dict[str, int]
    tags: list[str] = msgspec.field(default_factory=list)


class Derived(Line):
    pass


@migrations({1: lambda fields: {**fields, "total": fields["line"].price["cents"] * 2}})
@dataclass
class Order:
    line: Line
    total: int


@dataclass
class Plain:
    code: str


KINDS = [Line, Slotted, Below, Person, Model, Struct, Derived]


def node(cls: type, version: int, **state: Any) -> dict[str, Any]:
    """What a log holds of an object of a version."""
    found = {"$": "object", "type": f"{__name__}:{cls.__name__}", "state": state}
    return found if version == 1 else {**found, "version": version}


def read(document: Any) -> Any:
    """What a log holds, as it is read."""
    return codec.decode(json.dumps(document))


@pytest.mark.parametrize("cls", KINDS)
@pytest.mark.parametrize(
    ("version", "state"),
    [
        (1, {"sku": "a", "price": 5, "legacy": True}),
        (2, {"code": "a", "price": 5, "legacy": True}),
        (3, {"code": "a", "price": {"cents": 5}, "tags": []}),
    ],
)
def test_an_object_of_any_version_is_read_as_one_of_today(cls: Any, version: int, state: Any) -> None:
    """Every step from its version on is taken, and newer fields have their defaults."""
    made = read(node(cls, version, **state))
    assert type(made) is cls
    assert (made.code, made.price, made.tags) == ("a", {"cents": 5}, [])
    assert not hasattr(made, "sku")


@pytest.mark.parametrize("cls", KINDS)
def test_what_is_written_now_says_its_version_and_is_read_as_it_is(cls: Any) -> None:
    """A second reading migrates nothing twice."""
    value = cls(code="a", price={"cents": 5})
    text = codec.encode(value)
    assert b'"version":3' in text
    again = codec.decode(text)
    assert (again.code, again.price) == ("a", {"cents": 5})


def test_a_class_without_migrations_says_no_version() -> None:
    """Logs of those who do not need it stay as they were."""
    assert b"version" not in codec.encode(Plain("a"))


def test_a_step_sees_the_objects_inside_as_they_are_today() -> None:
    """What is inside is migrated before what it is in."""
    line = node(Line, 1, sku="a", price=5, legacy=True)
    made = read(node(Order, 1, line=line))
    assert (made.line.code, made.total) == ("a", 10)


def test_a_step_sees_whole_objects_however_deep_they_are() -> None:
    """Deep parts are filled late elsewhere, but not below something that is migrated."""
    document: Any = node(Order, 1, line=node(Line, 1, sku="a", price=5, legacy=True))
    for _ in range(60):
        document = node(Plain, 1, code=document)
    made = read(document)
    for _ in range(60):
        made = made.code
    assert made.total == 10


def test_an_object_that_is_shared_is_migrated_once() -> None:
    """Both places hold the same object."""
    line = {**node(Line, 1, sku="a", price=5, legacy=True), "id": 1}
    one, other = read([line, {"$": "ref", "id": 1}])
    assert one is other
    assert one.price == {"cents": 5}


@pytest.mark.parametrize(
    ("version", "state", "message"),
    [
        (4, {}, r"Line: the log has its version 4, and this program knows 1 to 3; resume the run with"),
        (0, {}, r"Line: the log has its version 0"),
        (2, {"code": "a", "price": 5}, r"from version 2 to 3 fails: there is no field 'legacy'"),
        (1, {"price": 5, "legacy": 1}, r"from version 1 to 2 fails: there is no field 'sku' .*price, legacy"),
        (
            1,
            {"sku": "a", "code": "b"},
            r"ValueError: there is a field 'code' already",
        ),
        (
            2,
            {"code": "a", "price": 5, "legacy": 1, "old": 2},
            r"leave the field 'old', which the class",
        ),
    ],
)
def test_what_does_not_become_one_of_today_is_refused(version: int, state: Any, message: str) -> None:
    """By an error that names the class, the step and what is wrong with it."""
    with pytest.raises(MigrationError, match=message):
        read(node(Line, version, **state))


def test_a_class_that_lost_its_migrations_is_refused() -> None:
    """What it was recorded as is not known any more."""
    with pytest.raises(MigrationError, match=r"Plain: the log has its version 2, .* knows 1 to 1"):
        read(node(Plain, 2, code="a"))


def test_a_new_field_without_a_default_is_missed() -> None:
    """A step has to make it."""

    class_ = Order
    with pytest.raises(MigrationError, match="KeyError: 'line'"):
        read(node(class_, 1))


def test_missing_fields_may_be_passed_over() -> None:
    """Where some objects were recorded without them."""
    steps = compose(
        rename({"a": "b"}, missing_ok=True),
        remove("c", missing_ok=True),
        transform({"d": str}, missing_ok=True),
    )
    assert steps({"x": 1}) == {"x": 1}
    assert steps({"a": 1, "c": 2, "d": 3}) == {"b": 1, "d": "3"}


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ({1: remove("a"), 3: remove("b")}, "there are steps from 1, 3, and none from version 2"),
        ({2: remove("a")}, "there are steps from 2, and none from version 1"),
        ({0: remove("a")}, "none from version 1"),
        ({1: "a"}, "'a' is no step"),
    ],
)
def test_a_gap_is_refused_where_it_is_declared(steps: Any, message: str) -> None:
    """Not when a log is read that has the version of the gap."""
    with pytest.raises(MigrationError, match=message):
        migrations(steps)


@pytest.mark.parametrize("cls", [type("Wrong", (ValueError,), {}), type("Items", (list,), {})])
def test_what_has_no_fields_of_its_own_is_refused(cls: type) -> None:
    """It is recorded in another way."""
    with pytest.raises(MigrationError, match="make it a dataclass"):
        migrations({1: remove("a")})(cls)


def test_a_step_that_returns_nothing_is_refused() -> None:
    """A function that forgets its `return` loses every field."""

    @migrations({1: lambda _fields: None})  # type: ignore[dict-item, return-value]
    @dataclass
    class Local:
        a: int

    with pytest.raises(MigrationError, match="from version 1 to 2 returns a NoneType, not the fields"):
        Local.__flopod_migrations__.apply("Local", {"a": 1}, 1)  # type: ignore[attr-defined]


def test_a_reference_by_number_into_a_migrated_object_is_refused() -> None:
    """It may lead to another object than when it was written."""
    line = Line("a", {"cents": 5})
    known = codec.Known([line])
    text = codec.encode(line.price, known=known)
    assert codec.decode(text, known=known) is line.price
    with pytest.raises(MigrationError, match=r"Line: a recorded value refers to its objects as .* version 1"):
        codec.decode(b'{"$":"known","i":1}', known=known)


def test_a_reference_past_what_is_migrated_still_leads_where_it_led() -> None:
    """Tables without such an object number alike."""
    plain = Plain("a")
    known = codec.Known([plain])
    assert codec.decode(codec.encode(plain, known=known), known=known) is plain


def test_fingerprints_of_another_version_cannot_be_compared() -> None:
    """Those of the same version can."""
    one, other = codec.fingerprint([Line("a", {})]), codec.fingerprint([Line("b", {})])
    assert codec.agree(one, one)
    assert not codec.agree(one, other)
    assert codec.agree("0123456789abcdef", one)
    assert codec.agree(one.replace("=3", "=2"), one)
    assert not codec.agree(one, codec.fingerprint([Plain("a")]))
