"""The durable list and mapping are the builtins they derive from, and each change is recorded."""

import copy
import pickle
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Raw

from flopod import codec
from flopod.events import EventReceived, IterationCompleted, ListChanged, MapChanged, VarChanged
from flopod.workflow.scope import Scope
from flopod.workflow.snapshot import drop_captured
from tests.workflow.programs import double
from tests.workflow.support import Ran, run, sweep

small = st.integers(-3, 3)
LIST_OPS: dict[str, Any] = {
    "append": st.tuples(small),
    "extend": st.tuples(st.lists(small, max_size=3)),
    "insert": st.tuples(small, small),
    "remove": st.tuples(small),
    "pop": st.one_of(st.just(()), st.tuples(small)),
    "clear": st.just(()),
    "sort": st.just(()),
    "reverse": st.just(()),
    "__setitem__": st.one_of(
        st.tuples(small, small),
        st.tuples(
            st.builds(slice, small, small, st.sampled_from([None, 1, 2, -1])), st.lists(small, max_size=3)
        ),
    ),
    "__delitem__": st.one_of(st.tuples(small), st.tuples(st.builds(slice, small, small))),
    "__iadd__": st.tuples(st.lists(small, max_size=3)),
    "__imul__": st.tuples(st.integers(-1, 2)),
    "copy": st.just(()),
    "count": st.tuples(small),
    "index": st.tuples(small),
}
MAP_OPS: dict[str, Any] = {
    "__setitem__": st.tuples(small, small),
    "__delitem__": st.tuples(small),
    "pop": st.one_of(st.tuples(small), st.tuples(small, small)),
    "popitem": st.just(()),
    "setdefault": st.one_of(st.tuples(small), st.tuples(small, small)),
    "update": st.one_of(
        st.tuples(st.dictionaries(small, small, max_size=3)),
        st.tuples(st.lists(st.tuples(small, small), max_size=2)),
    ),
    "__ior__": st.tuples(st.dictionaries(small, small, max_size=3)),
    "clear": st.just(()),
    "get": st.tuples(small),
    "copy": st.just(()),
    "__or__": st.tuples(st.dictionaries(small, small, max_size=2)),
}


def operations(table: dict[str, Any]) -> Any:
    return st.lists(st.one_of(*(st.tuples(st.just(name), args) for name, args in table.items())), max_size=12)


def apply(target: Any, name: str, args: tuple[Any, ...]) -> Any:
    """Return the result or the error of one operation, by value."""
    try:
        got = getattr(target, name)(*copy.deepcopy(args))
    except Exception as error:
        return type(error)
    return "itself" if got is target else (type(got).__name__, got)


def rebuilt(kind: Any, events: list[Any]) -> Any:
    """Return what the recorded changes add up to."""
    value = kind()
    for event in events:
        args = codec.decode(event.args)
        if event.op == "assign":
            value[:] = args[0]
        elif event.op in ("set", "delete"):
            getattr(value, {"set": "__setitem__", "delete": "__delitem__"}[event.op])(*args)
        else:
            getattr(value, event.op)(*args)
        assert len(value) == event.size
    return value


@settings(max_examples=150, deadline=None)
@given(st.lists(small, max_size=4), operations(LIST_OPS))
def test_a_list_is_a_list(initial: list[int], operations: list[Any]) -> None:
    """Every method does what list does, raises what list raises, and the log has the same list."""
    plain = list(initial)

    async def body(wf: Scope) -> Any:
        durable = wf.list("x", initial)
        for name, args in operations:
            assert apply(durable, name, args) == apply(plain, name, args), name
            assert durable == plain
        return list(durable)

    ran = run(body)
    assert ran.value == plain
    assert rebuilt(list, ran.of(ListChanged)) == plain


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(small, small, max_size=4), operations(MAP_OPS))
def test_a_map_is_a_dict(initial: dict[int, int], operations: list[Any]) -> None:
    """Every method does what dict does, order included, and the log has the same dict."""
    plain = dict(initial)

    async def body(wf: Scope) -> Any:
        durable = wf.map("x", initial)
        for name, args in operations:
            assert apply(durable, name, args) == apply(plain, name, args), name
            assert list(durable.items()) == list(plain.items())
        return dict(durable)

    ran = run(body)
    assert ran.value == plain
    assert rebuilt(dict, ran.of(MapChanged)) == plain


def test_they_pass_for_the_builtins() -> None:
    """repr, copies, pickles, JSON and the codec see a plain list and a plain dict."""

    async def body(wf: Scope) -> str:
        xs, m = wf.list("xs", [1, "a"]), wf.map("m", {"k": 1})
        for durable, plain in ((xs, [1, "a"]), (m, {"k": 1})):
            assert repr(durable) == repr(plain)
            assert isinstance(durable, type(plain))
            for other in (copy.copy(durable), copy.deepcopy(durable), pickle.loads(pickle.dumps(durable))):
                assert type(other) is type(plain)
                assert other == plain
            assert msgspec.json.encode(durable) == msgspec.json.encode(plain)
            assert codec.encode(durable) == codec.encode(plain)
            assert codec.fingerprint(durable) == codec.fingerprint(plain)
            with pytest.raises(TypeError, match="unhashable"):
                hash(durable)
        return "ok"

    assert run(body).value == "ok"


def test_the_authors_forms() -> None:
    """`await` on set, update, push, filter and delete: done at once, and recorded."""

    async def body(wf: Scope) -> list[Any]:
        total, xs, m = wf.var("total", 0), wf.list("xs"), wf.map("m")
        got = [await total.set(2), await total.update(lambda x: x + 1), await xs.push(1, 2, 3)]
        await xs.filter(lambda x: x != 2)
        got += [await m.set("a", 1), await m.delete("a"), await m.delete("a")]
        return [*got, total.value, xs.items, m.map, type(xs.items) is list, type(m.map) is dict]

    assert run(body).value == [2, 3, 3, 1, True, False, 3, [1, 3], {}, True, True]


def test_an_unbound_variable_raises_what_python_raises() -> None:
    """Reading or deleting a variable that is not bound has CPython's error and text."""

    async def body(wf: Scope) -> list[str]:
        texts = []
        total = wf.var("total#2")
        for act in (lambda: total.value, lambda: delattr(total, "value")):
            with pytest.raises(UnboundLocalError) as caught:
                act()
            texts.append(str(caught.value))
        total.value = None
        del total.value
        with pytest.raises(UnboundLocalError):
            total.value  # noqa: B018
        return texts

    def plain() -> Any:
        if plain is None:
            total = 1
        return total

    with pytest.raises(UnboundLocalError) as expected:
        plain()
    assert run(body).value == [str(expected.value)] * 2


def changes(ran: Ran) -> list[Any]:
    return [event for event in ran.events if isinstance(event, VarChanged | ListChanged | MapChanged)]


def test_a_snapshot_stands_for_the_changes_that_are_written_with_it() -> None:
    """A variable's value is told once a commit: by the snapshot, or by a change where there is none."""

    async def body(wf: Scope) -> None:
        total = wf.var("total", 0)
        for scope, i in wf.each("xs", range(3)):
            total.value += await scope.activity("double", double, i)
        total.value = -1

    ran = run(body)
    assert [bytes(change.value) for change in changes(ran)] == [b"0", b"-1"]
    kept = [(each.states, bytes(each.snapshot)) for each in ran.of(IterationCompleted)]
    assert kept == [(["total"], b"[0]"), (["total"], b"[2]"), (["total"], b"[6]")]


def test_what_comes_before_a_received_event_stays() -> None:
    """A delivered event is taken by its number, which a change that is left out would move."""
    value = Raw(b"1")
    received = EventReceived(event="go", payload=value, inbox=1)
    kept, other = VarChanged(path="a", value=value), VarChanged(path="b", value=value)
    events = [kept, received, VarChanged(path="a", value=value), other]
    drop_captured(events, ["a"])
    assert events == [kept, received, other]


def test_changes_are_recorded_once_over_resumes() -> None:
    """The visible state of a resumed run is that of an uninterrupted one."""

    async def body(wf: Scope) -> None:
        total, xs = wf.var("total", 0), wf.list("xs")
        for i in range(3):
            total.value += 1
            xs.append(await wf.activity(f"double#{i}", double, i))

    first = sweep(body, depth=1)
    for cut in range(len(first.records)):
        again = run(body, records=first.records[:cut])
        assert [msgspec.json.encode(e) for e in changes(again)] == [
            msgspec.json.encode(e) for e in changes(first)
        ]


def test_a_variable_may_hold_what_is_no_data() -> None:
    """It works as in plain Python; only its change is not recorded."""

    async def body(wf: Scope) -> list[str]:
        letters = wf.var("letters", iter("abc"))
        await wf.activity("double", double, 1)
        return [*letters.value]

    first = sweep(body)
    assert first.value == ["a", "b", "c"]
    assert changes(first) == []
