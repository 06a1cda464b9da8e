"""The variables of a run, as `runs show` reads them off its log."""

from collections.abc import Iterable
from typing import Any

from flopod.engine.inspecting import Told
from flopod.events import Event, Record
from tests.workflow.support import run


async def double(number: int) -> int:
    return number * 2


def variables(records: Iterable[Record]) -> dict[str, Any]:
    """What is shown of the variables after these records."""
    told = Told()
    for record in records:
        told.take(record.event)
    return told.variables


def test_a_variable_has_its_last_value_wherever_that_is_written() -> None:
    """Values come from changes and from snapshots, whichever is later; lists and mappings are counted."""

    async def body(wf: Any) -> None:
        total, name, xs = wf.var("total", 0), wf.var("name", "a"), wf.list("xs")
        for scope, i in wf.each("loop", range(3)):
            total.value += await scope.activity("double", double, i)
            xs.append(i)
        name.value = "b"

    ran = run(body)
    for last, expected in ((len(ran.records), "b"), (_last_snapshot(ran.events), "a")):
        assert variables(ran.records[:last]) == {"total": 6, "name": expected, "xs": "3 items"}


def test_shared_values_are_shown_at_each_of_their_places() -> None:
    """An object that two variables hold is written once and shown twice; a cycle ends at itself."""

    async def body(wf: Any) -> None:
        both: list[Any] = [1]
        left, right, ring = wf.var("left", both), wf.var("right", both), wf.var("ring", [])
        ring.value.append(ring.value)
        for scope, i in wf.each("loop", range(2)):
            left.value.append(await scope.activity("double", double, i))
            right.value = left.value

    found = variables(run(body).records)
    assert found["left"] == found["right"] == [1, 0, 2]
    assert found["ring"] == ["<known>"]


def _last_snapshot(events: list[Event]) -> int:
    kinds = [type(event).__name__ for event in events]
    return len(kinds) - kinds[::-1].index("IterationCompleted")
