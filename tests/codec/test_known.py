"""References into a table of objects, and the restoring of their state in place."""

import copy
from collections import OrderedDict, deque
from collections.abc import Iterable
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flopod.codec import UNBOUND, Known, SerializableError, decode, encode

from . import shop
from .test_graphs import SCALARS, graphs, shape, wire


@settings(max_examples=200, deadline=None)
@given(graphs(), st.data())
def test_state_is_restored_in_place(graph: Any, data: st.DataObject) -> None:
    """A mutated graph, written against its table, restores an unmutated twin object by object."""
    twin = copy.deepcopy(graph)
    known, other = Known([graph]), Known([twin])
    assert [type(o) for o in known.objects] == [type(o) for o in other.objects]
    mutable = [one for one in known.objects if not isinstance(one, (tuple, frozenset))]
    fresh = [[], {}, shop.Plain(1)]
    part = st.one_of(SCALARS, st.sampled_from(mutable + fresh), st.tuples(st.sampled_from(mutable)))
    for node in data.draw(st.lists(st.sampled_from(mutable), max_size=6)):
        if isinstance(node, (list, dict, deque)) and data.draw(st.booleans()):
            node.clear()
        wire(cast(st.DrawFn, data.draw), node, part)
    before = list(other.objects)
    back = decode(encode([graph, known.objects], known=known, state=True), known=other)
    assert shape(back) == shape([graph, known.objects])
    assert all(one is was for one, was in zip(back[1], before, strict=True))


def test_without_state_an_object_of_the_table_is_a_reference() -> None:
    """`state=False` writes nothing of what an object of the table holds."""
    items = [1, 2]
    text = encode([items, items], known=Known([items]))
    assert text == b'[{"$":"known","i":0},{"$":"known","i":0}]'
    other = [5]
    assert decode(text, known=Known([other])) == [[5], [5]]


def test_attributes_that_are_gone_are_removed() -> None:
    """Restoring an object deletes the attributes and unsets the slots that it no longer has."""
    live, twin = shop.Slotted(1), shop.Slotted(1)
    vars(shop.Slotted)["unset"].__set__(twin, 3)
    decode(encode(live, known=Known([live]), state=True), known=Known([twin]))
    assert not hasattr(twin, "unset")


def test_frozen_objects_and_ordered_dicts_are_restored() -> None:
    """A frozen dataclass and the order of an OrderedDict are restored past their own methods."""
    live: list[Any] = [shop.Money(1, "EUR"), OrderedDict(a=1, b=2), bytearray(b"x"), {1, 2}]
    twin = copy.deepcopy(live)
    object.__setattr__(live[0], "amount", 9)
    live[1].move_to_end("a")
    live[2] += b"y"
    live[3].add(7)
    decode(encode(live, known=Known([live]), state=True), known=Known([twin]))
    assert twin == live
    assert list(twin[1]) == ["b", "a"]


class Recording(list[Any]):
    """A list that would notice its own restoring, if its methods were called."""

    __flopod_as__ = list

    def __init__(self, items: Iterable[Any] = ()) -> None:
        super().__init__(items)
        self.calls: list[str] = []

    def clear(self) -> None:
        self.calls.append("clear")

    def __setitem__(self, *_: Any) -> None:
        self.calls.append("set")

    def extend(self, _: Any) -> None:
        self.calls.append("extend")


class Restoring(Recording):
    """A list that takes part in its restoring."""

    def __flopod_restore__(self, items: list[Any]) -> None:
        self.calls.append(f"restore {items}")


def test_a_recording_list_is_written_as_a_list_and_restored_silently() -> None:
    """`__flopod_as__` makes a plain list of it; restoring uses none of its overridden methods."""
    live, twin = Recording([1, 2]), Recording([0])
    assert encode(live) == b"[1,2]"
    decode(encode(live, known=Known([live]), state=True), known=Known([twin]))
    assert list(twin) == [1, 2]
    assert twin.calls == []


def test_a_container_may_restore_itself() -> None:
    """`__flopod_restore__` gets the decoded content."""
    live, twin = Restoring([1, 2]), Restoring([0])
    decode(encode(live, known=Known([live]), state=True), known=Known([twin]))
    assert twin.calls == ["restore [1, 2]"]


def test_unbound_names_survive() -> None:
    """The mark of an unbound name is one object."""
    assert decode(encode({"x": UNBOUND}))["x"] is UNBOUND


@pytest.mark.parametrize("thing", [iter([1]), (n for n in [1]), lambda: 1], ids=["iter", "gen", "fn"])
def test_a_snapshot_refuses_what_is_not_plain_data(thing: Any) -> None:
    """An iterator, a generator and a function made on the way are named with their place."""
    roots = [{"thing": thing}]
    with pytest.raises(SerializableError, match=r"snapshot\[0\]\['thing'\]"):
        encode(roots, known=Known(roots), state=True, label="snapshot")


def test_a_function_with_a_name_is_no_obstacle_to_a_snapshot() -> None:
    """It is a reference by name, and comes back as the very function."""
    roots = [{"thing": shop.price}]
    known = Known([roots])
    assert decode(encode(roots, known=known, state=True), known=known) is roots
    assert roots[0]["thing"] is shop.price


def test_foreign_objects_of_the_table_may_stay_references() -> None:
    """`foreign=True` refers to what is not plain data, if it is in the table, and only then."""
    roots = [iter([1]), lambda: 1, [1]]
    known = Known([roots])
    text = encode(roots, known=known, state=True, foreign=True)
    assert decode(text, known=known) is roots
    with pytest.raises(SerializableError):
        encode([iter([1])], known=known, state=True, foreign=True)


def test_a_set_without_a_lasting_order_is_refused() -> None:
    """Elements that hash by address have no order that a resumed run could repeat."""
    elements = {shop.Node("a"), shop.Node("b")}
    with pytest.raises(SerializableError, match="order"):
        Known([elements])


def test_a_set_that_would_iterate_otherwise_is_refused() -> None:
    """A set whose order comes from its history is no plain data in a snapshot."""
    value = set(range(100))
    value -= set(range(100)) - {3, 64}
    holder = [value]
    with pytest.raises(SerializableError, match=r"holder\[0\] is a set .* order"):
        encode(holder, known=Known([holder]), state=True, label="holder")


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text(max_size=3) | st.integers(-50, 50), max_size=8, unique=True), st.randoms())
def test_small_sets_are_restored_in_their_order(items: list[Any], rng: Any) -> None:
    """A set that was filled in any order iterates in the same order after it was restored."""
    live = set(items)
    shuffled = list(items)
    rng.shuffle(shuffled)
    twin = set(shuffled)
    try:
        text = encode(live, known=Known([live]), state=True)
    except SerializableError:
        assert len(items) > 6
        return
    decode(text, known=Known([twin]))
    assert list(twin) == list(live)


def test_a_bare_object_is_its_identity() -> None:
    """A sentinel of a module is found by its name, one of the table by its number, any other is refused."""
    mine = object()
    known = Known([mine])
    assert decode(encode([mine, mine, shop.MISSING], known=known, state=True), known=known) == [
        mine,
        mine,
        shop.MISSING,
    ]
    with pytest.raises(SerializableError, match="module level"):
        encode(mine)


def test_tables_of_another_shape_are_refused() -> None:
    """A reference past the end of the table, or the state of another kind of object, is an error."""
    with pytest.raises(SerializableError, match="object 3"):
        decode(b'{"$":"known","i":3}', known=Known([[]]))
    with pytest.raises(SerializableError, match="state of a dict where the run now has a list"):
        decode(b'{"$":"known","i":0,"state":{"a":1}}', known=Known([[]]))
