"""Sharing, cycles and depth: the shape of a graph of objects survives."""

from collections import deque
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flopod.codec import decode, encode, fingerprint

from . import shop
from .test_types import VALUES


def shape(value: Any) -> list[Any]:
    """Describe a graph: each object's type and content, shared objects by the number of their first visit."""
    seen: dict[int, int] = {}
    keep: list[Any] = []

    def visit(one: Any) -> Any:
        if isinstance(one, (str, int, float, bytes, type(None))):
            return repr(one)
        if id(one) in seen and one != ():
            return ("again", seen[id(one)])
        seen[id(one)] = len(seen)
        keep.append(one)
        return (type(one).__name__, *map(visit, inside(one)))

    return [visit(value)]


def inside(value: Any) -> list[Any]:
    """The children of a node of a generated graph."""
    if isinstance(value, dict):
        return [part for item in value.items() for part in item]
    if isinstance(value, (list, deque)):
        return list(value)
    if isinstance(value, (tuple, set, frozenset)):
        return [*value]
    return list(vars(value).values())


SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=4) | st.floats(allow_nan=False)
KEYS = st.text(max_size=3) | st.integers() | st.tuples(st.integers(), st.text(max_size=2))


@st.composite
def graphs(draw: st.DrawFn) -> Any:
    """A graph of up to twelve mutable objects of several kinds, wired at random, tuples in between."""
    kinds = draw(
        st.lists(st.sampled_from([list, dict, deque, shop.Plain, shop.Node]), min_size=1, max_size=12)
    )
    nodes = [
        kind(None) if kind is shop.Plain else kind("n") if kind is shop.Node else kind() for kind in kinds
    ]
    part = st.one_of(SCALARS, st.sampled_from(nodes), st.tuples(st.sampled_from(nodes), SCALARS))
    for node in nodes:
        wire(draw, node, part)
    return nodes[0] if draw(st.booleans()) else (nodes[-1], nodes)


def wire(draw: st.DrawFn, node: Any, part: st.SearchStrategy[Any]) -> None:
    """Fill one object of a graph with parts."""
    if isinstance(node, dict):
        node.update(draw(st.dictionaries(KEYS, part, max_size=3)))
    elif isinstance(node, (list, deque)):
        node.extend(draw(st.lists(part, max_size=3)))
    elif isinstance(node, shop.Plain):
        node.value = draw(part)
    else:
        node.next, node.others = draw(part), draw(st.lists(part, max_size=3))


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(graphs())
def test_a_graph_keeps_its_shape(graph: Any) -> None:
    """Types, content and identity of every object of a random graph, cycles included, are kept."""
    text = encode(graph)
    back = decode(text)
    assert shape(back) == shape(graph)
    assert encode(back) == text


TREES = st.recursive(
    SCALARS | st.sampled_from(VALUES),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.tuples(inner, inner),
        st.dictionaries(KEYS, inner, max_size=3),
        st.builds(shop.Line, st.text(), st.integers(), inner),
        st.builds(shop.Plain, inner),
        st.builds(shop.Box, st.integers(), inner),
        st.frozensets(KEYS, max_size=4),
    ),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(TREES)
def test_nested_values_of_all_types_come_back_equal(value: Any) -> None:
    """Any nesting of all the types gives an equal value with the same fingerprint."""
    back = decode(encode(value))
    assert back == value
    assert fingerprint(back) == fingerprint(value)


def test_a_list_can_hold_itself() -> None:
    """The shortest cycle survives."""
    loop: list[Any] = []
    loop.append(loop)
    back = decode(encode(loop))
    assert back[0] is back


def test_a_tuple_can_be_part_of_a_cycle() -> None:
    """A tuple that is reachable from its own items comes back as one object."""
    first, second = shop.Plain(None), shop.Plain(None)
    around = (first, [second], second)
    first.value = second.value = around
    back = decode(encode([around, around]))[0]
    assert back[0].value is back
    assert back[1][0] is back[2]
    assert back[2].value is back


def test_a_key_that_refers_to_its_dict_is_found_again() -> None:
    """An object that is hashed by content may hold the very dict it is a key of."""
    key = Named("a")
    table = {key: 1}
    key.table = table
    for root in (table, key):
        back = decode(encode(root))
        found = back if isinstance(back, dict) else back.table
        assert found[Named("a")] == 1
        assert next(iter(found)).table is found


def test_elements_of_a_set_are_complete_before_they_are_hashed() -> None:
    """Objects that are shared between a list and frozen sets of frozen objects are found in the sets."""
    money = [shop.Money(n, "EUR") for n in range(3)]
    edges = frozenset({shop.Edge(money[0], money[1]), shop.Edge(money[1], money[2])})
    back = decode(encode({"edges": edges, "all": money, "by": {money[0]: edges}}))
    assert back["edges"] == edges
    assert back["by"][money[0]] is back["edges"]
    assert next(iter(back["by"])) is back["all"][0]


def test_deep_lists_need_no_deep_stack() -> None:
    """Ten thousand nested lists, dicts and tuples are written and read."""
    wraps: list[Any] = [lambda x: [x], lambda x: {"a": x}, lambda x: {1: x}, lambda x: (x, []), shop.Plain]
    for wrap in wraps:
        value: Any = None
        for _ in range(10_000):
            value = wrap(value)
        assert depth(decode(encode(value))) == 10_000


def depth(value: Any) -> int:
    """Count the levels of a chain."""
    levels = 0
    while value is not None:
        value = inside(value)[-1] if not isinstance(value, tuple) else value[0]
        levels += 1
    return levels


def test_long_chains_of_objects_survive() -> None:
    """A doubly linked list of five thousand objects comes back with both directions."""
    first = last = shop.Node("0")
    for number in range(5000):
        last.next = shop.Node(str(number))
        last.next.others = [last]
        last = last.next
    node, count = decode(encode(first)), 0
    while node.next is not None:
        assert node.next.others[0] is node
        node, count = node.next, count + 1
    assert count == 5000


def test_shared_tuples_are_not_written_twice() -> None:
    """A tower of pairs, each used twice, is written in the size of its levels."""
    pair: Any = ([], 1)
    for _ in range(30):
        pair = (pair, pair)
    assert len(encode(pair)) < 5000


class Named:
    """An object that is equal by its name, and knows a table."""

    def __init__(self, name: str) -> None:
        self.table: Any = None
        self.name = name

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Named) and other.name == self.name

    def __hash__(self) -> int:
        return hash(self.name)
