"""Many runs at once on one virtual clock: queues, limits, schedules, hooks, and an engine that goes down."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from flopod import Hooks, StoppedByHook
from flopod.engine.limits import Limit, Queue, Rate
from flopod.testing import Flopod, TestFailure, never, takes

START = datetime(2026, 1, 1, tzinfo=UTC)


async def work(name: str) -> str:
    return name


async def job(wf: Any, name: str = "x") -> str:
    done: str = await wf.activity("work", work, name)
    return done


async def sleeper(wf: Any, duration: str) -> str:
    await wf.sleep("sleep", duration)
    return duration


async def asking(wf: Any) -> Any:
    return await wf.wait("answer", timeout="2d")


async def starting(wf: Any) -> Any:
    return await wf.child("asking", "asking").wait()


@pytest.fixture
def bare() -> Any:
    """The harness without a project."""
    made = Flopod()
    yield made
    made.close()


def names(runs: list[Any]) -> list[str]:
    return [run.run_id for run in runs]


# -- queues ----------------------------------------------------------------------------------------


def test_a_queue_lets_so_many_run_at_a_time(bare: Flopod) -> None:
    """Two at once, an hour each: five of them need three hours."""
    queues = {"q": Queue(limit=Limit(concurrency=2))}
    engine = bare.engine(job, queues=queues, leaves={"work": takes("1h", "ok")})
    runs = [engine.start(job, queue="q") for _ in range(5)]
    assert [run.status for run in runs] == ["running"] * 2 + ["pending"] * 3
    assert [run.result() for run in runs] == ["ok"] * 5
    assert [(run.begun or START) - START for run in runs] == [timedelta(hours=n) for n in (0, 0, 1, 1, 2)]
    assert engine.elapsed == timedelta(hours=3)


def test_a_key_that_is_held_up_holds_up_no_other(bare: Flopod) -> None:
    """One at a time for each key; the run of the other key begins at once."""
    queues = {"q": Queue(per_key=Limit(concurrency=1))}
    engine = bare.engine(job, queues=queues, leaves={"work": takes("1h", "ok")})
    runs = [engine.start(job, queue="q", key=key) for key in "aab"]
    assert [run.status for run in runs] == ["running", "pending", "running"]
    engine.advance("90m")
    assert [run.status for run in runs] == ["completed", "running", "completed"]


def test_a_rate_lets_so_many_begin_in_a_while(bare: Flopod) -> None:
    """Two a minute, at the exact times."""
    engine = bare.engine(job, queues={"q": Queue(limit=Limit(rate=Rate(2, "1m")))})
    runs = [engine.start(job, queue="q") for _ in range(5)]
    assert [run.status for run in runs] == ["completed"] * 2 + ["pending"] * 3
    engine.advance("59s")
    assert [run.begun is None for run in runs] == [False] * 2 + [True] * 3
    engine.settle()
    assert [((run.begun or START) - START).total_seconds() for run in runs] == [0, 0, 60, 60, 120]


def test_a_higher_priority_goes_first(bare: Flopod) -> None:
    """Of those in line when a place is free; `runs` has the order in which they began."""
    engine = bare.engine(job, limits={"job": Limit(concurrency=1)}, leaves={"work": takes("1m", "ok")})
    for number, priority in enumerate([0, 0, 5, 1]):
        engine.start(job, run_id=f"r{number}", priority=priority)
    assert names(engine.runs()) == ["r0", "r1", "r2", "r3"]
    engine.settle()
    assert names(engine.runs()) == ["r0", "r2", "r3", "r1"]
    assert [call.run_id for call in engine.calls("work")] == ["r0", "r2", "r3", "r1"]


def test_the_queue_of_a_workflow_is_that_of_its_mark(flopod: Flopod) -> None:
    """As in production a start that names no queue stands in that of `@workflow(queue=...)`."""
    engine = flopod.engine(
        queues={"slow": Queue(limit=Limit(concurrency=1))}, leaves={"fetch": takes("5m", "F")}
    )
    first, second = engine.start("queueing", "a"), engine.start("queueing", "b")
    assert (first.queue, second.status) == ("slow", "pending")
    assert second.result() == "F"
    assert engine.elapsed == timedelta(minutes=10)


def test_children_and_events_reach_the_right_run(bare: Flopod) -> None:
    """An event for a parent goes to the child that waits for it; others keep waiting."""
    engine = bare.engine(starting, asking)
    first, second = engine.start(starting), engine.start(starting)
    first.deliver("answer", 1)
    second.deliver("answer", 2, after="3h")
    assert (first.result(), engine.elapsed.total_seconds()) == (1, 0)
    assert second.waiting == ["answer"]
    assert (second.result(), engine.elapsed) == (2, timedelta(hours=3))
    assert len(engine.runs(asking)) == 2


def test_a_run_can_be_paused_cancelled_and_tried_again(bare: Flopod) -> None:
    """What an operator does, in one engine."""
    engine = bare.engine(sleeper, job, leaves={"work": [OSError("down"), "up"]})
    failed, slept, paused = engine.start(job), engine.start(sleeper, "1h"), engine.start(sleeper, "2h")
    assert isinstance(failed.error, OSError)
    assert failed.retry().result() == "up"
    slept.cancel("no more")
    paused.pause("wait")
    engine.advance("5h")
    assert (slept.status, paused.status) == ("cancelled", "paused")
    assert paused.resume().result() == "2h"


# -- schedules -------------------------------------------------------------------------------------


def test_a_cron_expression_starts_its_runs_over_days(bare: Flopod) -> None:
    """At three in Berlin, on both sides of the change of clocks, within a moment of real time."""
    before = time.perf_counter()
    engine = bare.engine(job, start=datetime(2026, 3, 27, tzinfo=UTC))
    engine.schedule("nightly", job, "n", cron="30 2 * * *", zone="Europe/Berlin")
    engine.advance("4d")
    berlin = [run.started.astimezone(ZoneInfo("Europe/Berlin")) for run in engine.runs(schedule="nightly")]
    assert [f"{at:%d %H:%M}" for at in berlin] == ["27 02:30", "28 02:30", "29 03:00", "30 02:30"]
    assert [run.result() for run in engine.runs(job)] == ["n"] * 4
    assert time.perf_counter() - before < 5


def test_months_of_a_schedule_pass_in_no_time(bare: Flopod) -> None:
    """Nothing wakes the engine but what is due."""
    before = time.perf_counter()
    engine = bare.engine(job)
    engine.schedule("daily", job, every="1d")
    engine.advance("200d")
    assert len(engine.runs()) == 200
    assert time.perf_counter() - before < 10


def test_a_schedule_of_one_time_is_due_once(bare: Flopod) -> None:
    """And then there is nothing more to do."""
    engine = bare.engine(job)
    engine.schedule("launch", job, at="2026-01-05T09:00:00+00:00")
    engine.settle()
    assert names(engine.runs()) == ["launch-20260105T090000Z"]
    assert engine.elapsed == timedelta(days=4, hours=9)


@pytest.mark.parametrize(
    ("overlap", "hours"), [("skip", [1, 3, 5]), ("queue", [1, 2.5, 4]), ("allow", [1, 2, 3, 4, 5])]
)
def test_an_overlap_is_dealt_with(bare: Flopod, overlap: Any, hours: list[float]) -> None:
    """Runs of ninety minutes, every hour: when each of them began."""
    engine = bare.engine(sleeper)
    engine.schedule("hourly", sleeper, "90m", every="1h", overlap=overlap)
    engine.advance("5h")
    begun = [run.begun - START for run in engine.runs() if run.begun is not None]
    assert [one / timedelta(hours=1) for one in begun] == hours


def test_a_run_can_take_the_place_of_the_one_before(bare: Flopod) -> None:
    """With `cancel` the old one ends when the new one starts."""
    engine = bare.engine(sleeper)
    engine.schedule("hourly", sleeper, "90m", every="1h", overlap="cancel")
    engine.advance("3h")
    assert [run.status for run in engine.runs()] == ["cancelled", "cancelled", "waiting"]
    assert [run.ended for run in engine.runs()][:2] == [START + timedelta(hours=n) for n in (2, 3)]


@pytest.mark.parametrize(("catch_up", "missed"), [("1m", []), ("2h", [5, 6]), ("1d", [3, 4, 5, 6])])
def test_what_was_due_while_it_was_down_is_made_up_for(
    bare: Flopod, catch_up: str, missed: list[int]
) -> None:
    """As far back as `catch_up` says, when another process begins."""
    engine = bare.engine(job)
    engine.schedule("hourly", job, every="1h", catch_up=catch_up, overlap="allow")
    engine.advance("2h 30m").stop()
    engine.advance("4h").restart()
    late = [run for run in engine.runs() if run.started == START + timedelta(hours=6, minutes=30)]
    assert names(late) == [f"hourly-20260101T{hour:02}0000Z" for hour in missed]
    engine.advance("1h")
    assert len(engine.runs()) == 2 + len(missed) + 1


def test_a_schedule_is_paused_and_removed(bare: Flopod) -> None:
    """What is changed between two steps of the test counts from the next one on."""
    engine = bare.engine(job)
    engine.schedule("hourly", job, every="1h")
    engine.advance("90m")
    engine.schedules.pause("hourly")
    engine.advance("3h")
    assert len(engine.runs()) == 1
    engine.schedules.pause("hourly", paused=False)
    engine.advance("1h")
    engine.schedules.remove("hourly")
    engine.advance("1d")
    assert len(engine.runs()) == 2


# -- hooks -----------------------------------------------------------------------------------------


class Watching(Hooks):
    """Notes what it is told, and lets runs in while it is open."""

    def __init__(self) -> None:
        self.is_open = True
        self.broken = False
        self.seen: list[str] = []

    def should_run(self, run: Any) -> bool:
        self.seen.append(f"should {run.run_id}")
        return self.is_open

    async def before_start(self, run: Any) -> bool:
        self.seen.append(f"start {run.run_id}")
        return True

    def before_step(self, step: Any) -> None:
        if self.broken:
            raise RuntimeError("no")
        self.seen.append(f"before {step.path}")

    async def after_step(self, step: Any, end: Any) -> None:
        self.seen.append(f"after {step.path} {end.value}")

    def on_event(self, run: Any, event: Any) -> None:
        self.seen.append(f"{type(event).__name__} of {run.run_id}")


ALL = [
    "should a",
    "start a",
    "RunStarted of a",
    "ActivityStarted of a",
    "before work",
    "ActivityCompleted of a",
    "after work x",
    "RunCompleted of a",
]


def test_hooks_are_called_in_an_engine(bare: Flopod) -> None:
    """Each of them, in their order, and by a schedule too."""
    hooks = Watching()
    engine = bare.engine(job, hooks=hooks)
    engine.start(job, run_id="a").result()
    assert hooks.seen == ALL
    hooks.seen.clear()
    engine.schedule("s", job, every="1h")
    engine.advance("1h")
    assert hooks.seen == [one.replace(" a", " s-20260101T010000Z") for one in ALL]


def test_a_hook_refuses_a_start(bare: Flopod) -> None:
    """The error is that of production, and nothing is in the store."""
    hooks = Watching()
    hooks.is_open = False
    engine = bare.engine(job, hooks=hooks)
    with pytest.raises(StoppedByHook, match="should_run returned False"):
        engine.start(job)
    assert engine.runs() == []


def test_hooks_are_called_for_one_run(bare: Flopod) -> None:
    """Without an engine as well; after the no of a hook the run is resumed."""
    hooks = Watching()
    run = bare.run(job, run_id="a", hooks=hooks)
    assert run.result() == "x"
    assert hooks.seen == ALL
    hooks.broken = True
    run = bare.run(job, hooks=hooks)
    with pytest.raises(StoppedByHook, match="before_step raised"):
        run.result()
    assert run.calls() == []
    bare.crash_all()
    hooks.broken = False
    assert run.resume().result() == "x"


def test_hooks_are_told_of_children(flopod: Flopod) -> None:
    """Those that a run starts in a test have the same hooks."""
    hooks = Watching()
    run = flopod.run("parent", 1, hooks=hooks)
    run.result()
    runs = {"test", *run.children}
    assert {one.split()[1] for one in hooks.seen if one.startswith("should")} == runs
    assert {one.split()[2] for one in hooks.seen if one.startswith("RunCompleted")} == runs
    assert len(runs) == 3


# -- an engine that goes down ----------------------------------------------------------------------


def test_a_crash_leaks_no_slots_and_repeats_what_was_in_flight(bare: Flopod) -> None:
    """The slots are those of the runs that go on; a leaf in flight is called again."""
    queues = {"q": Queue(limit=Limit(concurrency=2))}
    engine = bare.engine(job, queues=queues, leaves={"work": takes("1h", "ok")})
    runs = [engine.start(job, str(number), queue="q") for number in range(3)]
    assert names(runs) == ["run-001", "run-002", "run-003"]
    engine.advance("30m").crash()
    engine.advance("10m").restart()
    assert [run.status for run in runs] == ["running", "running", "pending"]
    assert [run.result() for run in runs] == ["ok"] * 3
    assert [call.args[0] for call in engine.calls("work")] == ["0", "1", "0", "1", "2"]


def test_a_stop_lets_leaves_end(bare: Flopod) -> None:
    """As a SIGTERM does: what ends within the grace is not repeated."""
    engine = bare.engine(job, leaves={"work": takes("5s", "ok")})
    run = engine.start(job)
    engine.stop().restart()
    assert run.result() == "ok"
    assert len(engine.calls("work")) == 1


def test_timers_that_were_due_meanwhile_go_off_at_the_restart(bare: Flopod) -> None:
    """The run was put away, and comes back."""
    engine = bare.engine(sleeper, asking)
    slept, asked = engine.start(sleeper, "1h"), engine.start(asking)
    engine.stop().advance("3h")
    assert (slept.status, engine.elapsed) == ("waiting", timedelta(hours=3, seconds=0))
    asked.deliver("answer", "late")
    engine.restart()
    assert (slept.status, asked.result()) == ("completed", "late")


# -- what is wrong with a test ---------------------------------------------------------------------


def test_what_cannot_be_is_said(bare: Flopod) -> None:
    """Unknown workflows and runs, an engine that is down, a run that never ends."""
    with pytest.raises(TestFailure, match="no project"):
        bare.engine()
    with pytest.raises(TestFailure, match="hand-written workflow"):
        bare.engine(work)
    engine = bare.engine(job, asking, leaves={"work": never})
    with pytest.raises(TestFailure, match="no workflow 'jop'; did you mean 'job'"):
        engine.start("jop")
    with pytest.raises(TestFailure, match="does not take this input"):
        engine.start(job, 1, 2, 3)
    with pytest.raises(TestFailure, match="no run 'r'"):
        engine.run("r")
    run = engine.start(job)
    with pytest.raises(TestFailure, match="the leaf at 'work' does not return"):
        run.result()
    with pytest.raises(TestFailure, match=r"stop\(\) or crash\(\)"):
        engine.restart()
    engine.crash()
    with pytest.raises(TestFailure, match=r"call restart\(\)"):
        run.result()


def test_a_schedule_without_end_needs_advance(bare: Flopod) -> None:
    """`settle` says so instead of going on for ever."""
    engine = bare.engine(sleeper)
    engine.schedule("s", sleeper, 1, every="1s", overlap="skip")
    with pytest.raises(TestFailure, match=r"the schedule 's' is due again and again; .*advance"):
        engine.settle()
