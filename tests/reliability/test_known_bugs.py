"""What other durable engines got wrong, one test each; `SHOWN` names the tests of what is shown elsewhere."""

import ast
import asyncio
import gc
from pathlib import Path
from typing import Any

import pytest
from msgspec import Raw

from flopod.backends import Backend
from flopod.backends.memory import MemoryBackend
from flopod.engine import control
from flopod.engine.copies import exported, fork, imported
from flopod.engine.engine import Engine
from flopod.engine.registry import HandWritten
from flopod.engine.runtime import create_runtime
from flopod.errors import InvalidRunId
from flopod.events import ActivityCompleted, ActivityStarted, RunStarted, RunSummary
from tests.contract.support import Place, started, step
from tests.engine.prefixes import resumed
from tests.engine.support import calls, drive, note
from tests.reliability.support import broken, may_break, serve, status, until

SHOWN = {
    "a checkpoint of another operation is taken for this one's result": (
        "tests/workflow/test_divergence.py::test_a_difference_stops_the_run"
    ),
    "an empty run id is taken for none, and each recovery begins another run": (
        "tests/contract/test_run_ids.py::test_a_bad_id_is_refused_everywhere"
    ),
    "a deleted run is deleted in several steps": (
        "tests/engine/test_control.py::test_a_deleted_run_leaves_nothing_behind"
    ),
    "work is executed without its claim": ("tests/postgres/test_holds.py::test_only_one_of_many_takes_over"),
    "two processes execute one run": "tests/cli/test_job.py::test_two_processes_cannot_run_one_run",
    "two executions of one run both write their outcome": (
        "tests/engine/test_runtime.py::test_a_second_writer_stops_the_first"
    ),
    "ids of concurrent steps are counted in the order in which they are scheduled": (
        "tests/workflow/test_divergence.py::test_other_order_of_outcomes_is_kept"
    ),
    "steps of one name in a loop are taken for each other": (
        "tests/workflow/test_divergence.py::test_the_same_id_in_other_scopes"
    ),
    "a detached child is skipped if its parent ends first": (
        "tests/cli/test_children.py::test_killed_at_any_write_a_child_surely_starts"
    ),
    "a pause that meets a step in flight leaves half of it": (
        "tests/engine/test_control.py::test_a_pause_lets_the_leaf_under_way_end_and_starts_no_other"
    ),
    "a key that is throttled holds up the others": (
        "tests/engine/test_queue_limits.py::test_a_throttled_key_holds_up_no_other"
    ),
    "a child that failed has succeeded on replay": (
        "tests/engine/test_children.py::test_a_failed_child_raises_its_error_each_time"
    ),
    "a slot of a limit is lost at a kill": (
        "tests/engine/test_queue_limits.py::test_slots_are_counted_anew_after_a_restart"
    ),
    "a stalled owner writes into the run of the next one": (
        "tests/postgres/test_holds.py::test_a_stalled_owner_is_fenced"
    ),
    "half a last line fuses with the next record": (
        "tests/contract/test_file_faults.py::test_any_cut_of_the_last_line_is_recovered"
    ),
    "a time that the clocks show twice is due twice": (
        "tests/engine/test_schedules.py::test_a_time_of_the_day_is_due_once_a_day"
    ),
    "an answer lost at a commit is a second commit": (
        "tests/postgres/test_faults.py::test_a_lost_answer_to_an_append"
    ),
}


async def one(wf: Any, x: Any) -> Any:
    return await wf.activity("note", note, x)


async def approval(wf: Any, x: Any) -> Any:
    await wf.activity("before", note, ("before", x))
    answer = await wf.wait("approved")
    return await wf.activity("after", note, ("after", x, answer))


@pytest.mark.parametrize("test", SHOWN.values())
def test_what_the_table_names_is_there(test: str) -> None:
    """Each bug that is not tested here is tested where the table says."""
    file, _, name = test.partition("::")
    tree = ast.parse((Path(__file__).parents[2] / file).read_text("utf-8"))
    assert name in [node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]


# -- ids, starts and ends ------------------------------------------------------------------------


@pytest.mark.parametrize("run_id", ["", " "])
def test_an_empty_run_id_is_refused_at_every_entrance(run_id: str) -> None:
    """It is not taken for an id that was left out: an engine, a runtime, a fork and an import refuse it."""
    store = MemoryBackend()
    store.append("run", 0, [started()])

    async def use(engine: Engine) -> None:
        with pytest.raises(InvalidRunId):
            await engine.start("one", [1], run_id=run_id)

    serve(store, {"one": one}, use)
    for enter in (
        lambda: create_runtime(run_id=run_id, backend=store),
        lambda: fork(store, "run", run_id),
        lambda: imported(store, list(exported(store, "run")), run_id),
        lambda: control.cancel(store, run_id),
        lambda: store.delete(run_id),
    ):
        with pytest.raises(InvalidRunId):
            enter()
    assert [run.run_id for run in store.summaries()] == ["run"]


def test_the_id_of_a_deleted_run_starts_clean_for_whoever_knew_it(place: Place) -> None:
    """A store that had read log, summary, inbox and a value of the old run gives nothing of it to the new."""
    store, other = place.open(), place.open()
    store.append("run", 0, [started(), *step(0), *step(1)])
    store.deliver("run", "p", "old", b"1")
    seen = [len(other.load("run")), len(other.inbox("run")), other.summary("run") is not None]
    assert seen == [5, 1, True]
    assert store.delete("run")
    assert (other.load("run"), other.inbox("run")) == ([], [])
    assert (other.summary("run"), other.first("run")) == (None, None)
    assert other.append("run", 0, [started(at=9)]) == 1
    assert other.deliver("run", "p", "new", b"2") == 1
    for each in (store, other):
        assert [item.event for item in each.inbox("run")] == ["new"]
        summary = each.summary("run")
        assert summary is not None
        assert (summary.seq, summary.activities_done, summary.started_at) == (1, 0, 9)


def test_a_delivery_after_a_deletion_is_news(place: Place) -> None:
    """Numbers of what was delivered to the deleted run are not given out again, which engines go by."""
    store, other = place.open(), place.open()
    for run_id in ("old", "new"):
        store.append(run_id, 0, [started(run_id=run_id), *step(0)])
    store.deliver("old", "p", "e", b"1")
    mark, _ = other.news(None)
    assert store.delete("old")
    store.deliver("new", "p", "e", b"2")
    _, run_ids = other.news(mark)
    assert "new" in [run_id for run_id in run_ids if other.inbox(run_id)]


def test_a_second_start_does_not_harm_the_first(store: Backend) -> None:
    """Started again while it runs and after that, it is one run, which goes on in another engine."""

    async def slow(x: int) -> int:
        calls.append(x)
        await asyncio.sleep(0.05)
        return x

    async def three(wf: Any) -> int:
        return sum([int(await wf.activity(f"slow#{n}", slow, n)) for n in range(3)])

    async def twice(engine: Engine) -> None:
        await engine.start("three", run_id="r")
        await until(lambda: bool(calls))
        await engine.start("three", run_id="r")

    async def again(engine: Engine) -> Any:
        first, second = await asyncio.gather(*(engine.start("three", run_id="r") for _ in range(2)))
        return [await first.result(), await second.result()]

    serve(store, {"three": three}, twice)
    assert serve(store, {"three": three}, again) == [3, 3]
    assert calls == [0, 1, 2]


# -- who executes --------------------------------------------------------------------------------


def test_what_was_open_when_the_list_was_read_is_not_executed_again(
    store: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An engine that begins with a list of open runs that others have ended since calls nothing of them."""

    async def begin(engine: Engine) -> None:
        for n in range(5):
            await engine.start("approval", [n], run_id=f"run{n}")
        await until(lambda: len(calls) == 5)

    async def end(engine: Engine) -> None:
        for n in range(5):
            engine.deliver(f"run{n}", "approved", "approved", Raw(b"0"))
            await engine.outcome(f"run{n}")

    async def look(engine: Engine) -> list[Any]:
        return [(await engine.outcome(f"run{n}")).value for n in range(5)]

    workflows = {"approval": approval}
    serve(store, workflows, begin)
    stale: list[RunSummary] = store.open_runs()
    serve(store, workflows, end)
    executed, written = list(calls), [len(store.load(run.run_id)) for run in stale]
    monkeypatch.setattr(store, "open_runs", lambda: stale)
    assert serve(store, workflows, look) == [("after", n, 0) for n in range(5)]
    assert calls == executed
    assert [len(store.load(run.run_id)) for run in stale] == written


def test_of_two_engines_on_one_store_one_executes(store: Backend) -> None:
    """Runs that both find open are executed once."""
    for n in range(10):
        opening = RunStarted(workflow="one", input=Raw(b"[%d]" % n), run_id=f"one{n}")
        store.append(f"one{n}", 0, [opening])

    async def main() -> None:
        registry = HandWritten({"one": one})
        async with Engine(store, registry), Engine(store, registry):
            await until(lambda: all(status(store, f"one{n}") == "completed" for n in range(10)))

    asyncio.run(main())
    assert sorted(calls) == list(range(10))


# -- one run does not reach into another ---------------------------------------------------------


async def cleans_up(wf: Any, name: str) -> None:
    try:
        await wf.wait("never")
    finally:
        await wf.activity("cleanup", note, f"cleanup of {name}")


async def collect() -> bool:
    return gc.collect() >= 0


async def collects(wf: Any) -> Any:
    return [await wf.activity(f"collect#{n}", collect) for n in range(3)]


@pytest.mark.usefixtures("small_heap")
@pytest.mark.parametrize("end", ["put away", "drained"])
def test_a_body_that_is_collected_writes_nothing_anywhere(store: Backend, end: str) -> None:
    """The `finally` of a run that left the memory is no event, of its own run or of the one then stepped."""

    async def begin(engine: Engine) -> None:
        for n in range(5):
            await engine.start("cleans_up", [str(n)], run_id=f"old{n}")
        await until(lambda: sum(run.status == "waiting" for run in store.summaries()) == 5)
        if end == "put away":
            await until(lambda: not engine._live)
            await collecting(engine)

    async def collecting(engine: Engine) -> None:
        await (await engine.start("collects", run_id="other")).result()

    workflows = {"cleans_up": cleans_up, "collects": collects}
    serve(store, workflows, begin, resting=0 if end == "put away" else 8)
    if end == "drained":
        serve(store, workflows, collecting)
    assert {event.path for _, event in store.load("other") if event.path} == {
        f"collect#{n}" for n in range(3)
    }
    for n in range(5):
        assert not any(event.path == "cleanup" for _, event in store.load(f"old{n}"))
    assert calls == []


# -- races and children --------------------------------------------------------------------------


async def late(x: Any) -> Any:
    calls.append(x)
    await asyncio.sleep(60)


async def race(wf: Any) -> Any:
    won = await wf.race(
        "first", quick=wf.activity("quick", note, "quick"), slow=wf.activity("slow", late, "slow")
    )
    await wf.sleep("nap", "1h")
    return [won.name, won.value, await wf.activity("after", note, "after")]


def test_a_race_runs_no_arm_twice_and_no_loser_after_its_end() -> None:
    """From every prefix of the log the winner is the same, and what is recorded is not called again."""
    store = MemoryBackend()
    outcome = drive(race, backend=store)
    assert outcome.value == ["quick", "quick", "after"]
    assert sorted(calls) == ["after", "quick", "slow"]
    calls.clear()
    events = [event for _, event in store.load("r")]
    for count, again in resumed(race, store):
        ended = [event.path for event in events[:count] if isinstance(event, ActivityCompleted)]
        assert again.value == outcome.value
        assert not set(calls) & set(ended), count
        assert len(calls) == len(set(calls))
        assert "slow" not in calls or "quick" not in ended
        calls.clear()
    assert drive(race, backend=store).value == outcome.value
    assert calls == []


async def breaks(_: Any, x: Any) -> None:
    raise LookupError("gone", x)


async def parent(wf: Any) -> Any:
    await wf.activity("first", note, "first")
    try:
        await wf.child("child", breaks, 7).wait()
    except LookupError as error:
        return await wf.activity("then", may_break, list(error.args))
    return "the child succeeded"


def test_a_retried_parent_has_the_child_that_failed_and_no_second_one(store: Backend) -> None:
    """The error of the child is read from its run; only what the parent was given up at runs again."""
    broken[0] = True

    async def fails(engine: Engine) -> None:
        assert (await (await engine.start("parent", run_id="p")).outcome()).status == "failed"

    async def again(engine: Engine) -> Any:
        control.retry(store, "p")
        return (await engine.outcome("p")).value

    workflows = {"parent": parent, "breaks": breaks}
    serve(store, workflows, fails)
    broken[0] = False
    assert serve(store, workflows, again) == ["gone", 7]
    assert calls == ["first", ["gone", 7], ["gone", 7]]
    assert sorted(run.run_id for run in store.summaries()) == ["p", "p.child"]
    begun = [event.path for _, event in store.load("p.child") if isinstance(event, ActivityStarted)]
    assert begun == []
