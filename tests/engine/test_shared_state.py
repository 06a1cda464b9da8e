"""State that the items of a hand-written `each` share: a variable, a list and a mapping from outside."""

from typing import Any

from flopod.backends.memory import MemoryBackend
from tests.engine.controlled import go
from tests.engine.support import calls, note


async def sums(wf: Any) -> Any:
    total, seen, squares = wf.var("total", 0), wf.list("seen"), wf.map("squares")

    async def square(scope: Any, item: int, _index: int) -> int:
        own = scope.var("own", item)
        await own.update(lambda value: value * value)
        await scope.activity("note", note, item)
        await total.update(lambda value: value + own.value)
        await seen.push(item)
        await squares.set(str(item), own.value)
        return int(own.value)

    each = await wf.each("items", [1, 2, 3], square, concurrency=2)
    await wf.activity("last", note, "last")
    return [each.results, total.value, sorted(seen), squares.map]


def test_what_items_share_is_there_after_a_resume() -> None:
    """After any record, items that have ended count in what they have changed, and do nothing twice."""
    backend = MemoryBackend()
    expected = [[1, 4, 9], 14, [1, 2, 3], {"1": 1, "2": 4, "3": 9}]
    assert go(backend, sums).value == expected
    lines = backend.lines("r")
    for count in range(1, len(lines)):
        calls.clear()
        done = b"".join(lines[:count]).count(b'"activity_completed"')
        assert go(backend.prefix("r", count), sums).value == expected, count
        assert len(calls) == 4 - done, count
