"""A log that does not fit the code stops the run: what differs is named, and nothing is written."""

from typing import Any

import pytest

from flopod.errors import DuplicateId, SharedArgument
from flopod.events import ActivityCompleted
from tests.workflow.programs import Line, Order, add, annotate, double, slow
from tests.workflow.support import Ran, run


async def original(wf: Any) -> int:
    a = await wf.activity("a", double, 1)
    wf.record("now", len, "abc")
    await wf.sleep("pause", 1)
    b = await wf.activity("b", double, a)
    return int(b)


async def removed_fact(wf: Any) -> None:
    await wf.activity("a", double, 1)
    await wf.sleep("pause", 1)


async def removed_step(wf: Any) -> None:
    await wf.activity("a", double, 1)
    wf.record("now", len, "abc")
    await wf.activity("b", double, 2)


async def new_call(wf: Any) -> None:
    await wf.activity("a", double, 1)
    await wf.activity("new", double, 1)


async def new_fact(wf: Any) -> None:
    await wf.activity("a", double, 1)
    wf.record("other", len, "abc")
    wf.record("now", len, "abc")
    await wf.sleep("pause", 1)


async def other_kind(wf: Any) -> None:
    await wf.activity("a", double, 1)
    wf.record("now", len, "abc")
    await wf.wait("pause", timeout=1)


async def other_callee(wf: Any) -> None:
    await wf.activity("a", add, 1)


async def other_arguments(wf: Any) -> None:
    await wf.activity("a", double, 2)


async def other_type_of_argument(wf: Any) -> None:
    await wf.activity("a", double, True)


async def other_recordable(wf: Any) -> None:
    await wf.activity("a", double, 1)
    wf.record("now", max, "abc")


async def ends_early(wf: Any) -> int:
    return int(await wf.activity("a", double, 1))


CASES = [
    (removed_fact, "now", "Recorded", "this build does not ask for it"),
    (removed_step, "pause", "a sleep", "does not ask for it"),
    (new_call, "new", "nothing, though later events follow", "a new call in the past"),
    (new_fact, "other", "nothing, though later events follow", "a new call in the past"),
    (other_kind, "pause", "a sleep", "a wait for 'pause'"),
    (other_callee, "a", "programs:double with [1]", "programs:add with [1]"),
    (other_arguments, "a", "with [1]", "with [2]"),
    (other_type_of_argument, "a", "with [1]", "with [true]"),
    (other_recordable, "now", "builtins:len", "builtins:max"),
    (ends_early, "now", "Recorded", "does not ask for it"),
]


@pytest.mark.parametrize(
    ("changed", "path", "recorded", "current"), CASES, ids=lambda v: getattr(v, "__name__", "")
)
def test_a_difference_stops_the_run(changed: Any, path: str, recorded: str, current: str) -> None:
    """Path, what is recorded and what the code does are in the error; no leaf runs, nothing is written."""
    first = run(original)
    kept = first.records[:-2]
    again = run(changed, records=kept)
    error = again.diverged
    assert error.path == path
    assert recorded in error.recorded
    assert current in error.current
    assert (again.calls, len(again.records), again.printed) == ([], len(kept), "")


def test_a_difference_in_the_tail_stops_the_run() -> None:
    """A begin without an outcome is compared as well."""
    first = run(original)
    kept = first.records[:2]
    assert run(new_call, records=kept).core.diverged is None
    kept = first.records[:5]
    assert run(ends_early, records=kept).diverged.path == "now"


def test_other_order_of_outcomes_is_kept() -> None:
    """The log's order decides, whatever the order in which the arms ask."""
    order: list[str] = []

    async def arm(wf: Any, id: str) -> None:
        await wf.activity(id, slow, 1, 1)
        order.append(id)

    async def body(wf: Any, ids: str) -> None:
        await wf.parallel(*(arm(wf, id) for id in ids))

    first = run(body, "abc", seed=3)
    recorded = [event.path for event in first.of(ActivityCompleted)]
    order.clear()
    assert run(body, "cba", records=first.records[:-1]).core.diverged is None
    assert order == recorded


async def _beside(wf: Any, order: Order, change: Any, fn: Any) -> Any:
    async def changes() -> None:
        await wf.activity("quick", double, 1)
        change(order)

    return (await wf.parallel(wf.activity("slow", fn, order, "x"), changes()))[0]


def _first_where_quick_is_first(body: Any) -> Ran:
    for seed in range(30):
        first = run(body, seed=seed)
        if [event.path for event in first.of(ActivityCompleted)][:1] == ["quick"]:
            return first
    raise AssertionError("no seed lets the quick leaf end first")


def test_results_refer_to_the_objects_of_the_request() -> None:
    """An arm may change what a call was given while it runs: the result still is the right object."""

    async def body(wf: Any) -> bool:
        order = Order("o", [Line("s", 1)])
        line = order.lines[0]
        got = await _beside(wf, order, lambda order: order.lines.insert(0, Line("t", 2)), first_line)
        return got is line

    first = _first_where_quick_is_first(body)
    assert first.value is True
    assert run(body, records=first.records[:-1]).value is True


def test_two_changes_of_one_argument_are_refused() -> None:
    """A call that changed what an arm changed meanwhile fails, live and on replay: neither change is lost."""

    async def body(wf: Any) -> str:
        order = Order("o")
        try:
            await _beside(wf, order, lambda order: order.notes.append("mine"), annotate)
        except SharedArgument as error:
            return f"{error.path} {order.notes}"
        return "lost"

    first = _first_where_quick_is_first(body)
    assert first.value == "slow ['mine']"
    assert run(body, records=first.records[:-1]).value == first.value


async def first_line(order: Order, _: str) -> Line:
    return order.lines[0]


def used_twice(make: Any) -> Ran:
    async def body(wf: Any) -> str:
        make(wf)
        with pytest.raises(DuplicateId, match="'x' is used twice"):
            make(wf)
        return "refused"

    return run(body)


@pytest.mark.parametrize(
    "make",
    [
        lambda wf: wf.activity("x", len, ""),
        lambda wf: wf.sleep("x", 1),
        lambda wf: wf.wait("x"),
        lambda wf: wf.branch("x", True),
        lambda wf: wf.each("x", []),
        lambda wf: wf.repeat("x"),
        lambda wf: wf.record("x", len, ""),
        lambda wf: wf.var("x", 1),
        lambda wf: wf.list("x"),
        lambda wf: wf.map("x"),
        lambda wf: wf.parallel("x", []),
    ],
)
def test_an_id_is_used_once_in_a_scope(make: Any) -> None:
    """Every primitive refuses an id that its scope has given away."""
    assert used_twice(make).value == "refused"


def test_the_same_id_in_other_scopes() -> None:
    """Iterations and called workflows have ids of their own."""

    async def child(wf: Any) -> int:
        return int(await wf.activity("x", double, 1))

    async def body(wf: Any) -> int:
        total = int(await wf.activity("x", double, 1))
        for scope, i in wf.each("xs", range(2)):
            total += await scope.activity("x", double, i)
        return total + await wf.call("child", child)

    first = run(body)
    assert [event.path for event in first.of(ActivityCompleted)] == ["x", "xs[0]/x", "xs[1]/x", "child/x"]


def test_a_duplicate_key_stops_the_run() -> None:
    """Two items with one author key are an error that names it."""

    async def body(wf: Any) -> None:
        for scope, _ in wf.each("lines", ["a", "b", "a"], key=lambda sku: sku):
            await scope.activity("double", double, 1)

    error = run(body).core.error
    assert isinstance(error, DuplicateId)
    assert "lines[a]" in str(error)
