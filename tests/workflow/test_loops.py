"""Loops: paths and keys, what may be fast-forwarded, and what a jump checks and skips."""

from collections import deque
from typing import Any

import pytest

from flopod.events import ActivityCompleted, IterationCompleted, Log
from flopod.workflow.iterated import is_skippable
from tests.workflow.programs import add, double
from tests.workflow.support import Ran, run

bodies: list[Any] = []


async def totals(wf: Any, items: Any, extra: int = 0) -> int:
    total = wf.var("total", 0)
    for scope, i in wf.each("xs", items):
        bodies.append(i)
        wf.print("at", i)
        total.value += await scope.activity("add", add, i, extra)
    return int(total.value)


def cut_after_last_snapshot(first: Ran) -> int:
    return max(i for i, e in enumerate(first.events) if isinstance(e, IterationCompleted)) + 1


def test_paths_of_keyed_iterations_are_encoded() -> None:
    """Keys are percent-encoded, nothing is cut or lower-cased."""

    async def body(wf: Any) -> None:
        for scope, _ in wf.each("lines", ["A/b", "x[1]#%"], key=lambda key: key):
            await scope.activity("double#of it", double, 1)

    paths = [event.path for event in run(body).of(ActivityCompleted)]
    assert paths == ["lines[A%2Fb]/double#of it", "lines[x%5B1%5D%23%25]/double#of it"]


def test_a_jump_does_not_hand_out_items() -> None:
    """Items of completed iterations are passed over; outer prints of theirs do not come again."""
    first = run(totals, range(10))
    cut = cut_after_last_snapshot(first)
    bodies.clear()
    again = run(totals, range(10), records=first.records[:cut])
    assert bodies == []
    assert again.value == first.value
    assert again.printed == ""
    assert len(again.of(Log)) == 10


def test_prints_of_the_tail_survive_a_jump() -> None:
    """What the skipped iterations printed at an outer scope does not swallow later prints."""

    async def body(wf: Any) -> None:
        for scope, i in wf.each("xs", range(6)):
            wf.print("begin", i)
            await scope.activity("add", add, i, i)
            wf.print("end", i)

    first = run(body)
    expected = [f"{word} {i}\n" for i in range(6) for word in ("begin", "end")]
    for cut in range(len(first.records)):
        again = run(body, records=first.records[:cut])
        assert [event.message for event in again.of(Log)] == expected


def test_a_jump_checks_the_last_item() -> None:
    """Another iterable than the recorded one diverges, and names the item."""
    first = run(totals, [1, 2, 3, 4])
    cut = cut_after_last_snapshot(first)
    again = run(totals, [9, 9, 9, 9], records=first.records[:cut])
    assert again.diverged.path.startswith("xs[")
    assert "the item 9" in again.diverged.current
    short = run(totals, [1], records=first.records[:cut])
    assert "only 1 items" in short.diverged.current


def test_a_replayed_iteration_checks_its_item() -> None:
    """A loop that is not jumped compares the items of recorded iterations as well."""

    async def beside(wf: Any, items: Any) -> int:
        got, _ = await wf.parallel(totals(wf, items), wf.wait("stop", timeout=1))
        return int(got)

    first = run(totals, [1, 2, 3])
    kept = first.records[: cut_after_last_snapshot(first)]
    assert run(beside, [1, 2, 3], records=kept).value == first.value
    assert run(beside, [1, 2, 4], records=kept).core.diverged is not None


def test_a_jump_never_passes_over_something_else() -> None:
    """What the log holds before the loop has to be asked for; it is not taken for a part of the loop."""

    async def with_step_before(wf: Any) -> int:
        await wf.activity("before", double, 1)
        return await totals(wf, range(4))

    first = run(with_step_before)
    again = run(totals, range(4), records=first.records[: cut_after_last_snapshot(first)])
    assert again.diverged.path == "before"


def test_nested_loops_jump_in_both() -> None:
    """A resume inside the inner loop skips the completed part of both."""

    async def body(wf: Any) -> list[int]:
        found = wf.list("found")
        for outer, i in wf.each("outer", range(4)):
            for inner, j in outer.each("inner", range(4)):
                bodies.append((i, j))
                found.append(await inner.activity("add", add, i * 10, j))
        return list(found)

    first = run(body)
    inner = [
        i for i, e in enumerate(first.events) if isinstance(e, IterationCompleted) and "outer[2]" in e.path
    ]
    cut = inner[0] + 1
    outer_done = first.events[: inner[0]]
    assert any(isinstance(e, IterationCompleted) and e.path == "outer" for e in outer_done)
    bodies.clear()
    assert run(body, records=first.records[:cut]).value == first.value
    assert bodies[0] > (2, 0)


@pytest.mark.parametrize(
    "items",
    [
        [1, 2],
        (1, 2),
        range(3),
        "ab",
        {1: 2},
        {1, 2},
        deque([1]),
        {1: 2}.items(),
        {1: 2}.values(),
        enumerate([1, 2]),
        zip([1], (2,), strict=False),
        reversed([1, 2]),
        reversed((1, 2)),
        enumerate(zip("ab", reversed([1]), strict=False)),
    ],
)
def test_builtin_collections_can_be_skipped(items: Any) -> None:
    """Passing over their items runs no code of the author."""
    assert is_skippable(items)


def test_other_iterables_cannot_be_skipped() -> None:
    """Generators and the author's own iterables are replayed."""

    class Own:
        def __len__(self) -> int:
            return 1

        def __getitem__(self, i: int) -> int:
            raise IndexError

    for items in [
        (x for x in "a"),
        map(str, [1]),
        zip([1], (x for x in "a"), strict=False),
        reversed(Own()),
        Own(),
    ]:  # type: ignore[call-overload]
        assert not is_skippable(items)


def test_a_loop_over_a_generator_is_replayed() -> None:
    """Its items come from the author's code again, and the result is the same."""

    async def body(wf: Any) -> int:
        return await totals(wf, (i * 2 for i in range(4)))

    first = run(body)
    assert not first.of(IterationCompleted)
    bodies.clear()
    assert run(body, records=first.records[:-2]).value == first.value
    assert bodies == [0, 2, 4, 6]


def test_a_long_loop_keeps_snapshots_in_proportion() -> None:
    """A growing state is written less and less often: snapshots stay below the events they replace."""

    async def body(wf: Any) -> int:
        found = wf.list("found")
        for scope, i in wf.each("xs", range(300)):
            found.append(await scope.activity("double", double, i))
        return len(found)

    first = run(body)
    snapshots = sum(len(bytes(event.snapshot)) for event in first.of(IterationCompleted))
    everything = sum(120 + len(bytes(event.result)) for event in first.of(ActivityCompleted))
    assert 0 < snapshots < 3 * everything
    bodies.clear()
    assert run(body, records=first.records[: len(first.records) // 2]).value == 300


def test_keep_none_is_never_captured() -> None:
    """Comprehensions and fan-outs leave no snapshot."""

    async def body(wf: Any) -> list[int]:
        return [await scope.activity("double", double, i) for scope, i in wf.each("xs", range(3), keep=None)]

    first = run(body)
    assert first.value == [0, 2, 4]
    assert not first.of(IterationCompleted)


def test_a_sleep_loop_commits_now_and_then() -> None:
    """A loop of timers that are due at once does not grow one commit without bound."""

    async def body(wf: Any) -> None:
        for scope, _ in wf.each("xs", range(400), keep=None):
            await scope.sleep("sleep", 0.0001)

    assert len(run(body).commits) >= 3
