"""Schedules: when they are due, in all time zones, and what an engine starts for them."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from itertools import islice, pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from flopod.backends.base import Backend
from flopod.backends.memory import MemoryBackend
from flopod.engine.engine import Engine
from flopod.engine.registry import HandWritten
from flopod.engine.schedule import Schedule
from flopod.engine.scheduling import Schedules, Timetable, UnknownSchedule
from flopod.errors import BadInput
from flopod.events import RunStarted

ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]
HOUR = 3_600_000


def ms(text: str) -> int:
    """Milliseconds since the epoch of a time."""
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def local(at: int, zone: str) -> datetime:
    """The time on the clocks of a zone."""
    return datetime.fromtimestamp(at / 1000, UTC).astimezone(ZoneInfo(zone))


# -- when ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize(("hour", "minute"), [(0, 0), (1, 30), (2, 0), (2, 30), (3, 15)])
def test_a_time_of_the_day_is_due_once_a_day(zone: str, hour: int, minute: int) -> None:
    """Over a year: at that time where the clocks show it, after the gap where they leave it out."""
    schedule = Schedule(name="s", workflow="w", cron=f"{minute} {hour} * * *", zone=zone)
    found = list(islice(schedule.times(ms("2025-12-31T23:59:59+14:00")), 366))
    days: list[date] = []
    for at in found:
        shown = local(at, zone)
        days.append(shown.date())
        if (shown.hour, shown.minute) != (hour, minute):
            before = local(at - HOUR, zone)
            assert shown.utcoffset() != before.utcoffset(), shown
    assert all(second - first == timedelta(days=1) for first, second in pairwise(days))


@pytest.mark.parametrize("zone", ZONES)
@given(start=st.integers(ms("2026-01-01T00:00:00+00:00"), ms("2026-12-31T00:00:00+00:00")))
def test_what_is_due_does_not_depend_on_where_one_begins(zone: str, start: int) -> None:
    """Times ascend, and those after any of them are the rest."""
    schedule = Schedule(name="s", workflow="w", cron="*/20 * * * *", zone=zone)
    found = list(islice(schedule.times(start), 30))
    assert all(first < second for first, second in pairwise(found))
    assert list(islice(schedule.times(found[9]), 20)) == found[10:]
    steps = {second - first for first, second in pairwise(found)}
    assert steps == {20 * 60_000} or zone == "Australia/Lord_Howe"  # its clocks are changed by half an hour


def test_intervals_count_from_the_beginning_and_end_at_the_end() -> None:
    """Whenever one looks."""
    schedule = Schedule(name="s", workflow="w", every="90m", since=1000, until=1000 + 4 * 5_400_000)
    assert list(schedule.times(0)) == [1000 + n * 5_400_000 for n in (1, 2, 3, 4)]
    assert list(schedule.times(1000 + 5_400_000)) == [1000 + n * 5_400_000 for n in (2, 3, 4)]
    once = Schedule(name="s", workflow="w", at="2026-05-01T12:00:00+00:00")
    assert list(once.times(0)) == [ms("2026-05-01T12:00:00+00:00")]
    assert list(once.times(ms("2026-05-01T12:00:00+00:00"))) == []


def test_what_was_missed_is_made_up_for_within_its_window() -> None:
    """What was due longer ago is not, even after a long time away; nothing is started twice."""
    now = ms("2026-05-01T12:00:30+00:00")
    schedule = Schedule(
        name="s", workflow="w", cron="* * * * *", catch_up="3m", last=ms("2026-04-01T00:00+00:00")
    )
    found, later = schedule.due(now)
    assert [local(at, "UTC").minute for at in found] == [58, 59, 0]
    assert later == ms("2026-05-01T12:01:00+00:00")
    schedule.last = found[-1]
    assert schedule.due(now) == ([], later)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"cron": "61 * * * *"}, "cron"),
        ({"cron": "* * * * *", "zone": "Europe/Berln"}, "zone"),
        ({"cron": "* * * * *", "every": "1h"}, "every"),
        ({}, "cron"),
        ({"every": "10ms"}, "every"),
        ({"every": "1h", "overlap": "maybe"}, "overlap"),
        ({"every": "1h", "name": "x" * 110}, "name"),
    ],
)
def test_a_schedule_that_cannot_be_kept_says_why(fields: dict[str, Any], field: str) -> None:
    """The error names the field."""
    with pytest.raises(BadInput) as caught:
        Schedules(MemoryBackend()).put(Schedule(**{"name": "s", "workflow": "w", **fields}))
    assert caught.value.field == field


# -- what is started -----------------------------------------------------------------------------

calls: list[str] = []


@pytest.fixture(autouse=True)
def _fresh() -> None:
    calls.clear()


async def note(x: str) -> str:
    calls.append(x)
    return x


async def quick(wf: Any, x: str) -> str:
    return str(await wf.activity("note", note, x))


async def waits(wf: Any, x: str) -> None:
    await wf.activity("note", note, x)
    await wf.wait("never")


WORKFLOWS = HandWritten({"quick": quick, "waits": waits})


def past(*times: int, **fields: Any) -> Schedule:
    """A schedule that was due at so many seconds ago, and is not any more."""
    now = round(time.time() * 1000)
    step = times[0] - times[1] if len(times) > 1 else 1
    since = now - (times[0] + step) * 1000
    return Schedule(
        **{
            "name": "s",
            "workflow": "quick",
            "input": Raw(b'["x"]'),
            "every": f"{step}s",
            "since": since,
            "until": since + len(times) * step * 1000,
            "catch_up": "1h",
            **fields,
        }
    )


def serve(backend: Backend, seconds: float, until: Callable[[], bool] = lambda: True) -> None:
    """Let an engine work until something has happened, and for a while."""

    async def main() -> None:
        async with Engine(backend, WORKFLOWS):
            while not until():
                await asyncio.sleep(0.02)
            await asyncio.sleep(seconds)

    asyncio.run(asyncio.wait_for(main(), 20))


def test_each_time_is_one_run_whoever_starts_it(backend: Backend) -> None:
    """Two engines, one after the other and side by side, start it once; the schedule knows its runs."""
    schedule = past(300, 200, 100, overlap="allow")
    Schedules(backend).put(schedule)

    async def main() -> None:
        async with Engine(backend, WORKFLOWS), Engine(backend, WORKFLOWS):
            while [run.status for run in backend.summaries()] != ["completed"] * 3:
                await asyncio.sleep(0.05)

    asyncio.run(asyncio.wait_for(main(), 20))
    serve(backend, 0.2)
    assert sorted(run.run_id for run in backend.summaries()) == [
        schedule.run_id(at) for at in schedule.times(0)
    ]
    assert [run.attributes for run in backend.summaries()] == [{"schedule": "s"}] * 3
    assert calls == ["x"] * 3


@pytest.mark.parametrize(("overlap", "begun", "open_"), [("skip", 1, 1), ("allow", 3, 3), ("queue", 1, 3)])
def test_an_overlap_is_dealt_with_as_the_schedule_says(
    overlap: str, begun: int, open_: int, backend: Backend
) -> None:
    """While the run before is open: none, all, or one after the other."""
    Schedules(backend).put(past(300, 200, 100, workflow="waits", overlap=overlap))
    serve(backend, 0.3, until=lambda: len(calls) >= begun)
    assert len(calls) == begun
    assert len(Schedules(backend).open_runs("s")) == open_


def test_a_run_can_take_the_place_of_the_one_before(backend: Backend) -> None:
    """With `cancel` only the last one is left."""
    schedule = past(300, 200, 100, workflow="waits", overlap="cancel")
    Schedules(backend).put(schedule)
    left = ["cancelled", "cancelled", "waiting"]
    serve(backend, 0.2, until=lambda: _statuses(backend) == left)
    assert _statuses(backend) == left


def _statuses(backend: Backend) -> list[str]:
    return sorted(run.status for run in backend.summaries())


def test_a_schedule_can_be_paused_changed_and_removed(backend: Backend) -> None:
    """What is put again is in its place; what is gone is named as such."""
    schedules = Schedules(backend)
    schedules.put(past(100))
    schedules.pause("s")
    serve(backend, 0.2)
    assert calls == []
    schedules.pause("s", paused=False)
    serve(backend, 0.1, until=lambda: bool(calls))
    assert calls == ["x"]
    assert [one.name for one in schedules.all()] == ["s"]
    schedules.remove("s")
    assert schedules.all() == []
    with pytest.raises(UnknownSchedule):
        schedules.remove("s")


def test_a_schedule_begins_when_it_is_kept(backend: Backend) -> None:
    """What would have been due before is not made up for."""
    schedules = Schedules(backend)
    schedules.put(Schedule(name="s", workflow="quick", every="1h", catch_up="1d"))
    due, later = schedules.due(round(time.time() * 1000))
    assert due == []
    assert later is not None
    assert later - time.time() * 1000 == pytest.approx(3_600_000, abs=60_000)


def test_a_schedule_of_an_unknown_workflow_holds_up_no_other(backend: Backend) -> None:
    """The error is logged, the others start."""
    Schedules(backend).put(past(100, name="a", workflow="nobody"))
    Schedules(backend).put(past(100, name="b"))
    serve(backend, 0.1, until=lambda: bool(calls))
    assert calls == ["x"]


def test_a_clock_that_is_set_back_does_not_keep_an_engine_from_looking(backend: Backend) -> None:
    """What others have changed is seen within two seconds of any clock, not when it shows that time again."""

    async def begin(_: RunStarted) -> None:
        raise AssertionError

    async def main() -> None:
        timetable = Timetable(Schedules(backend), WORKFLOWS, begin)
        now = ms("2026-06-01T12:00:00+00:00")
        await timetable.start_due(now)
        assert not timetable.is_due(now + 1_999)
        assert timetable.is_due(now + 2_000)
        assert timetable.is_due(now - HOUR)

    asyncio.run(main())
