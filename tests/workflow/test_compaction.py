"""Long loops: a bounded log, bounded memory, a resume that costs what is open, and nothing lost with it."""

import gc
import os
import sys
from pathlib import Path
from typing import Any

from flopod.events import (
    Compacted,
    EventReceived,
    Log,
    Record,
    Recorded,
    RunResumed,
    RunStarted,
    RunSummary,
    SleepStarted,
    fold,
)
from flopod.events.spans import merged, size, without
from flopod.stop import STOP
from tests.workflow.support import Ran, Simulator, run

ROUNDS = 20_000
KEPT = 400
GROWN = 2_000


async def answer(number: int) -> int:
    return number % 7


async def polling(wf: Any, rounds: int) -> int:
    """A `while True` as the compiler emits it: a leaf, a variable, now and then a wait, a sleep."""
    total = wf.var("total", 0)
    loop = wf.repeat("loop")
    while scope := loop.next():
        found = await scope.activity("answer", answer, total.value)
        total.value += 1
        if scope.branch("if-found", found == 3):
            await scope.wait("approved", timeout="10m")
        wf.print("round", total.value)
        await scope.sleep("sleep", "1m")
        if total.value == rounds:
            return int(total.value)
    raise AssertionError


async def by_callback(wf: Any, rounds: int) -> int:
    """The same as one writes it by hand: all that it carries is in durable variables and `keep`."""
    total = wf.var("total", 0)
    seen: list[int] = []

    async def once(scope: Any, number: int) -> Any:
        found = await scope.activity("answer", answer, number)
        seen[:] = [*seen[-3:], found]
        total.value += 1
        await scope.sleep("sleep", "1m")
        return STOP if total.value == rounds else None

    assert await wf.repeat("loop", once, keep=(seen,)) == rounds
    assert seen == [number % 7 for number in range(rounds - len(seen), rounds)]
    return int(total.value)


class Watched(Simulator):
    """Notes how large the log gets, and how many blocks of memory are taken at some points."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.largest = 0
        self.blocks: list[int] = []
        self.turns = 0

    def _turn(self) -> bool:
        self.turns += 1
        self._printed.clear()
        self._commits.clear()
        self.largest = max(self.largest, len(self.records))
        if self.turns % 10_000 == 0:
            gc.collect()
            self.blocks.append(sys.getallocatedblocks())
        return super()._turn()


def test_a_loop_without_end_has_a_bounded_log_and_memory() -> None:
    """20,000 rounds: never more than some hundred records, no memory that grows, no costly resume."""
    process = Watched(polling, (ROUNDS,), compact=128)
    ran = process.run()
    assert ran.value == ROUNDS
    assert ran.records[-1].seq > 5 * ROUNDS
    assert process.largest < KEPT
    assert len(process.blocks) >= 4
    assert process.blocks[-1] - process.blocks[1] < GROWN


def test_a_callback_that_says_what_it_changes_has_a_bounded_log() -> None:
    """Killed anywhere it goes on; without `keep` it is replayed as a whole."""
    process = Watched(by_callback, (3_000,), compact=128)
    assert process.run().value == 3_000
    assert process.largest < KEPT
    compacted = run(by_callback, 60, compact=1)
    assert len(compacted.records) < 30
    for count in range(2, len(compacted.records)):
        again = Simulator(by_callback, (60,), compacted.records[:count], now=compacted.now, compact=1).run()
        assert again.value == 60, count


def test_a_resume_costs_what_is_open() -> None:
    """After 3,000 rounds a resume reads some hundred records and begins a handful of operations anew."""
    first = run(polling, 3_000, compact=128)
    assert isinstance(first.records.pop().event, type(first.core.ended))
    begun: list[Any] = []
    process = Simulator(polling, (3_000,), first.records, now=first.now, compact=128)
    opened = process.core.opened
    process.core.opened = lambda operation: (begun.append(operation), opened(operation))[1]  # type: ignore[assignment]
    again = process.run()
    assert again.value == 3_000
    assert len(first.records) < KEPT
    assert len(begun) <= 6


def whole_and_compacted(rounds: int = 60, **options: Any) -> tuple[Ran, Ran]:
    return run(polling, rounds, **options), run(polling, rounds, compact=1, **options)


def summary_of(records: list[Record]) -> RunSummary:
    found: RunSummary | None = None
    for seq, event in records:
        found = fold(found, seq, event)
    assert found is not None
    return found


def test_a_summary_folded_from_what_is_left_is_that_of_the_whole() -> None:
    """The counts of what is gone are in the record that says so."""
    mail = [("loop[3]/approved", "approved", number) for number in range(1)]
    whole, compacted = whole_and_compacted(mail=mail)
    assert len(compacted.records) < len(whole.records) / 5
    left, right = summary_of(whole.records), summary_of(compacted.records)
    for name in (
        "activities_started",
        "activities_done",
        "retries",
        "crashes",
        "inbox",
        "status",
        "started_at",
    ):
        assert getattr(left, name) == getattr(right, name), name
    assert (right.sleeps, right.waits, right.running) == ({}, {}, {})


def test_every_number_is_in_the_log_or_listed_as_gone() -> None:
    """Numbers are never used twice, and the last record of its kind lists each one that is missing."""
    compacted = run(polling, 60, compact=1)
    last = compacted.of(Compacted)[-1]
    assert len(compacted.of(Compacted)) <= 2
    numbers = [record.seq for record in compacted.records]
    assert numbers == sorted(set(numbers))
    missing = without([(1, numbers[-1])], numbers)
    assert merged([*missing, *last.dropped]) == last.dropped
    assert size(missing) + len(numbers) == numbers[-1]


def test_mail_that_nobody_took_stays() -> None:
    """An event for a wait to come outlives the iterations in which it lay there, and is taken then."""
    mail = [("loop[3]/approved", "approved", "now"), ("loop[52]/approved", "approved", "later")]
    compacted = run(polling, 50, mail=mail, compact=1)
    assert [event.path for event in compacted.of(EventReceived)] == ["loop[52]/approved"]
    again = run(polling, 60, records=compacted.records[:-1], now=compacted.now, compact=1)
    assert again.value == 60
    assert again.of(EventReceived) == []
    assert again.core.history.last_inbox == 2


class UntilItWaits(Simulator):
    """A process that ends when only time passes; `due` is when the next one should look."""

    due = 0

    def _turn(self) -> bool:
        before = self.now
        more = super()._turn()
        self.due = self.now
        return more and self.now == before


def test_resumes_by_one_build_leave_nothing() -> None:
    """A run that wakes up for every round keeps no record of each process that drove it."""
    records: list[Record] = []
    largest, now = 0, Simulator(polling, (1,)).now
    for life in range(150):
        process = UntilItWaits(polling, (10_000,), records, now=now, compact=1, crashed=life % 2 == 0)
        process.run()
        records, now = process.records, process.due
        largest = max(largest, len(records))
    assert largest < 60
    assert summary_of(records).crashes == 75 - 1
    assert summary_of(records).activities_done > 100


TABLE = {"limit": 3}


async def reads_constants(wf: Any, rounds: int) -> int:
    total = wf.var("total", 0)
    for scope, number in wf.each("numbers", range(rounds)):
        limit = wf.constant("flow.TABLE", TABLE)["limit"]
        total.value += limit + await scope.activity("answer", answer, number)
    return int(total.value)


def test_the_value_of_a_module_level_name_stays() -> None:
    """It is recorded in the iteration that reads it first, and does not go with it, nor keep the loop."""
    whole, compacted = run(reads_constants, 40), run(reads_constants, 40, compact=1)
    assert compacted.value == whole.value
    assert len(compacted.records) < 20
    assert len(compacted.of(Recorded)) == 1
    TABLE["limit"] = 100
    try:
        assert run(reads_constants, 40, records=compacted.records[:-1], compact=1).value == whole.value
    finally:
        TABLE["limit"] = 3


async def under_a_timer(wf: Any, rounds: int) -> int:
    import asyncio

    total = wf.var("total", 0)
    async with asyncio.timeout(wf.timer("timeout", 10**6)):
        for scope, number in wf.each("numbers", range(rounds)):
            total.value += await scope.activity("answer", answer, number)
    return int(total.value)


def test_what_is_open_around_the_loop_stays() -> None:
    """The begin of a timer that is set around the loop is none of its records."""
    compacted = run(under_a_timer, 40, compact=1)
    assert len(compacted.of(SleepStarted)) == 1
    assert run(under_a_timer, 40, records=compacted.records[:-2], compact=1).value == compacted.value


async def uncaptured(wf: Any, rounds: int) -> int:
    total = wf.var("total", 0)
    for outer, _ in wf.each("outer", range(rounds)):
        handle = Path(os.devnull).open()  # noqa: SIM115
        for scope, number in outer.each("inner", range(2), keep=(handle,)):
            total.value += await scope.activity("answer", answer, number)
        handle.close()
    return int(total.value)


def test_a_loop_that_cannot_be_captured_says_so_once() -> None:
    """The warning names the object, and comes once for all iterations around the loop."""
    compacted = run(uncaptured, 30, compact=1)
    warnings = [event for event in compacted.of(Log) if event.logger == "flopod"]
    assert [event.path for event in warnings] == ["outer[0]/inner"]
    assert "TextIOWrapper" in warnings[0].message
    assert len(compacted.records) < 30


def test_without_compaction_everything_stays() -> None:
    """Turned off, no record goes and none says so."""
    whole = run(polling, 40)
    assert whole.of(Compacted) == []
    assert [record.seq for record in whole.records] == list(range(1, len(whole.records) + 1))


def test_what_came_before_the_loop_stays() -> None:
    """The prefix, its output included, is not touched: it is not printed a second time."""

    async def body(wf: Any) -> int:
        wf.print("before")
        await wf.activity("answer", answer, 1)
        wf.print("between")
        return await polling(wf, 20)

    compacted = run(body, compact=1)
    assert [event.message for event in compacted.of(Log)][:2] == ["before\n", "between\n"]
    again = run(body, records=compacted.records[:-1], now=compacted.now, compact=1)
    assert "before" not in again.printed
    assert isinstance(again.records[0].event, RunStarted)
    assert len(again.of(RunResumed)) <= 1


async def pushes(wf: Any, count: int) -> int:
    found = wf.list("found")
    for scope, number in wf.each("numbers", range(count)):
        found.append(await scope.activity("answer", answer, number))
    return len(found)


def written(count: int, **options: Any) -> int:
    """How many bytes of values a run with so many pushes writes."""
    total = 0

    class Weighing(Simulator):
        def _commit(self, commit: Any) -> None:
            nonlocal total
            for event in commit.events:
                total += sum(len(value) for value in map(bytes, _raws(event)))
            super()._commit(commit)

    assert Weighing(pushes, (count,), **options).run().value == count
    return total


def _raws(event: Any) -> list[Any]:
    values = [getattr(event, name) for name in event.__struct_fields__]
    return [value for value in values if type(value).__name__ == "Raw"]


def test_many_pushes_are_not_quadratic() -> None:
    """Four times as many pushes write about four times as much."""
    assert written(10_000, compact=128) < 6 * written(2_500, compact=128)
