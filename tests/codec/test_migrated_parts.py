"""Migrations of what is no object with fields: NamedTuples, enums, and TypedDicts within objects."""

import json
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from enum import Enum, Flag, StrEnum
from typing import Any, Generic, NamedTuple, TypedDict, TypeVar

import pydantic
import pytest

from flopod import codec, compose, migrations, remove, rename, transform
from flopod.codec import migrations as declared
from flopod.errors import MigrationError, SerializableError

T = TypeVar("T")


@migrations({1: rename({"sku": "code"})})
class Item(TypedDict):
    code: str


@migrations({1: compose(rename({"sku": "code"}), remove("legacy")), 2: transform({"price": str})})
class Pair(NamedTuple):
    code: str
    price: str
    unit: str = "kg"


@migrations({1: transform({"name": {"RED": "CRIMSON", "OLD": "GONE"}})})
class Colour(Enum):
    CRIMSON = 1
    BLUE = 2


@migrations({1: transform({"name": str.upper})})
class Word(StrEnum):
    YES = "y"


@migrations({1: transform({"value": lambda bits: bits << 1})})
class Rights(Flag):
    READ = 2
    WRITE = 4


@migrations({1: lambda _fields: {"member": "BLUE"}})
class Wrong(Enum):
    BLUE = 1


@dataclass
class Order:
    items: list[Item]
    first: Item | None = None


@migrations({1: rename({"lines": "items"}), 2: lambda fields: {**fields, "count": len(fields["items"])}})
@dataclass
class Renamed:
    items: list[Item]
    count: int = 0


@dataclass
class Everywhere:
    one: tuple[Item, ...] = ()
    two: dict[str, list[Item]] = field(default_factory=dict)
    three: deque[Item] = field(default_factory=deque)
    four: OrderedDict[str, Item] = field(default_factory=OrderedDict)


@migrations({1: rename({"sku": "code"})})
class Model(pydantic.BaseModel):
    code: str


class Both(NamedTuple):
    item: Item
    count: int


@dataclass
class Box(Generic[T]):
    inside: T


@pytest.fixture(autouse=True)
def _known() -> Any:
    """Only the TypedDict of this module has migrations, none of those that are tested beside."""
    before = dict(declared.typed)
    declared.typed.clear()
    declared.typed[f"{__name__}:Item"] = Item.__flopod_migrations__  # type: ignore[typeddict-item, attr-defined]
    yield
    declared.typed.clear()
    declared.typed.update(before)


def node(kind: str, cls: type, **parts: Any) -> dict[str, Any]:
    """What a log holds of an object."""
    return {"$": kind, "type": f"{__name__}:{cls.__qualname__}", **parts}


def read(document: Any) -> Any:
    """What a log holds, as it is read."""
    return codec.decode(json.dumps(document))


# -- NamedTuples -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parts", "wanted"),
    [
        ({"names": ["sku", "price", "legacy"], "v": ["a", 5, True]}, Pair("a", "5")),
        ({"names": ["code", "price"], "v": ["a", 5], "version": 2}, Pair("a", "5")),
        ({"names": ["unit", "code", "price"], "v": ["g", "a", "5"], "version": 3}, Pair("a", "5", "g")),
    ],
)
def test_a_named_tuple_of_any_version_is_one_of_today(parts: Any, wanted: Pair) -> None:
    """Its items are migrated by their names, and stand where they stand now."""
    made = read(node("tuple", Pair, **parts))
    assert (type(made), made) == (Pair, wanted)
    assert codec.decode(codec.encode(made)) == made


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"names": ["code"], "v": ["a"], "version": 4}, "Pair: the log has its version 4"),
        ({"names": ["code", "price"], "v": ["a", 5]}, "there is no field 'sku'"),
        ({"names": ["code", "old", "price"], "v": ["a", 1, 5], "version": 2}, "no field 'old' any more"),
    ],
)
def test_items_that_do_not_fit_are_refused(parts: Any, message: str) -> None:
    """As the fields of an object are."""
    with pytest.raises(SerializableError, match=message):
        read(node("tuple", Pair, **parts))


# -- enums -----------------------------------------------------------------------------------------


def test_members_that_were_renamed_are_found() -> None:
    """Others stay what they are, also as keys and in sets."""
    assert read(node("enum", Colour, name="RED")) is Colour.CRIMSON
    assert read(node("enum", Colour, name="BLUE")) is Colour.BLUE
    assert read(node("enum", Word, name="yes")) is Word.YES
    keyed = {"$": "dict", "v": [[node("enum", Colour, name="RED"), 1]]}
    assert read(keyed) == {Colour.CRIMSON: 1}
    assert read({"$": "set", "v": [node("enum", Colour, name="RED")]}) == {Colour.CRIMSON}


def test_the_bits_of_a_flag_are_migrated() -> None:
    """By its value, since a combination has no name."""
    assert read(node("enum", Rights, v=3)) == Rights.READ | Rights.WRITE
    assert read(node("enum", Rights, v=6, version=2)) == Rights.READ | Rights.WRITE


@pytest.mark.parametrize("member", [Colour.BLUE, Word.YES, Rights.WRITE])
def test_a_member_is_written_with_its_version(member: Any) -> None:
    """And not migrated when it is read."""
    assert b'"version":2' in codec.encode(member)
    assert codec.decode(codec.encode([member])) == [member]


def test_members_that_are_gone_are_refused() -> None:
    """With the name that the steps gave; so are steps that return something else."""
    with pytest.raises(SerializableError, match="no member 'GONE'"):
        read(node("enum", Colour, name="OLD"))
    with pytest.raises(MigrationError, match=r"the steps of an enum return \{'name': \.\.\.\}"):
        read(node("enum", Wrong, name="RED"))


def test_fingerprints_know_the_versions_of_both() -> None:
    """A call in the past that was given one of another version is taken to be the same."""
    one = codec.fingerprint([Pair("a", "5"), Colour.BLUE])
    assert one.endswith(f"+{__name__}:Colour=2+{__name__}:Pair=3")
    assert codec.agree("0123456789abcdef", one)
    assert not codec.agree(one, codec.fingerprint([Pair("b", "5"), Colour.BLUE]))


# -- TypedDicts within objects ---------------------------------------------------------------------


def old(code: str) -> dict[str, str]:
    return {"sku": code}


def test_a_typed_dict_in_a_field_is_migrated() -> None:
    """By the annotation of the field, in unions and lists too."""
    made = read(node("object", Order, state={"items": [old("a"), old("b")], "first": old("c")}))
    assert made == Order([{"code": "a"}, {"code": "b"}], {"code": "c"})


def test_it_is_migrated_in_containers_of_any_kind() -> None:
    """Which stay of the kind that they were."""
    state = {
        "one": {"$": "tuple", "v": [old("a")]},
        "two": {"x": [old("b")]},
        "three": {"$": "deque", "maxlen": 5, "v": [old("c")]},
        "four": {"$": "ordereddict", "v": [["k", old("d")]]},
    }
    made = read(node("object", Everywhere, state=state))
    wanted = Everywhere(
        ({"code": "a"},),
        {"x": [{"code": "b"}]},
        deque([{"code": "c"}], 5),
        OrderedDict(k={"code": "d"}),  # type: ignore[typeddict-item]
    )
    assert made == wanted
    assert (type(made.four), made.three.maxlen) == (OrderedDict, 5)


def test_what_is_written_today_says_so_and_is_read_as_it_is() -> None:
    """An object whose fields name no such TypedDict says nothing."""
    value = Order([{"code": "a"}])
    text = codec.encode(value)
    assert f'"typed":{{"{__name__}:Item":2}}'.encode() in text
    assert codec.decode(text) == value
    assert b"typed" not in codec.encode(Box(1))


def test_it_is_migrated_in_a_named_tuple() -> None:
    """By its annotation there."""
    made = read(node("tuple", Both, names=["item", "count"], v=[old("a"), 3]))
    assert made == Both({"code": "a"}, 3)
    assert codec.decode(codec.encode(made)) == made


def test_steps_of_the_object_see_it_as_it_is_today() -> None:
    """Also one that is led to its field by a rename."""
    version2 = node("object", Renamed, version=2, state={"items": [old("a")]})
    assert read(version2) == Renamed([{"code": "a"}], 1)
    made = read(node("object", Renamed, state={"lines": [old("a"), old("b")]}))
    assert made == Renamed([{"code": "a"}, {"code": "b"}], 2)


def test_one_that_two_objects_share_is_converted_once() -> None:
    """Both hold the same dict."""
    shared = {"$": "list", "id": 1, "v": [old("a")]}
    document = [
        node("object", Order, state={"items": shared}),
        node("object", Order, state={"items": {"$": "ref", "id": 1}}),
    ]
    one, other = read(document)
    assert one.items is other.items
    assert one.items == [{"code": "a"}]


def test_one_that_no_field_names_is_refused_where_a_type_variable_does() -> None:
    """The annotation of a result says that it is in there, and nothing says where."""
    value = read(node("object", Box, state={"inside": old("a")}))

    def fn() -> Box[Item]:
        raise NotImplementedError

    with pytest.raises(MigrationError, match="nothing tells where it is in a Box; name it in a field"):
        codec.migrated_result(value, fn, {})


def test_a_payload_has_no_names_for_the_items_of_a_named_tuple() -> None:
    """So they cannot be migrated, and that is said."""
    with pytest.raises(MigrationError, match="a payload has its items without names; use a dataclass"):
        codec.migrated([["a", 5]], list[Pair], {}, plain=True)
    made = codec.migrated([[old("a"), 5]], list[Both], {}, plain=True)
    assert made == [[{"code": "a"}, 5]]


def test_references_by_number_into_such_an_object_are_refused() -> None:
    """The table may number other objects than it did."""
    order = Order([{"code": "a"}])
    with pytest.raises(MigrationError, match="Item: a recorded value refers to its objects"):
        codec.decode(b'{"$":"known","i":1}', known=codec.Known([order]))


def test_a_payload_of_a_model_is_migrated() -> None:
    """As that of a dataclass."""
    assert codec.migrated([old("a")], list[Model], {}, plain=True) == [{"code": "a"}]
