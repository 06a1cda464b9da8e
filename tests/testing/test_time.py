"""Virtual time: sleeps, timeouts, retries and slow leaves pass at once, in their order."""

import asyncio
import datetime as dates
import time

import pytest

from flopod.testing import Flopod, never, takes


def test_two_days_pass_in_no_time(flopod: Flopod) -> None:
    """A wait of 48 hours ends by its timeout, and the test takes less than a second."""
    before = time.perf_counter()
    run = flopod.run("approving", "A-1")
    assert repr(run.error) == "Denied('A-1')"
    assert run.elapsed == dates.timedelta(hours=48)
    assert time.perf_counter() - before < 1


def test_time_stands_still_until_it_is_advanced(flopod: Flopod) -> None:
    """`until_waiting` stops at the wait; `advance` lets exactly so much time pass."""
    run = flopod.run("approving", "A-1").until_waiting()
    assert (run.waiting, run.elapsed.total_seconds()) == (["yes"], 0)
    run.advance("47h")
    assert (run.waiting, run.elapsed) == (["yes"], dates.timedelta(hours=47))
    run.advance("1h")
    assert (run.waiting, run.status) == ([], "failed")


def test_sleeps_before_a_wait_pass_by_themselves(flopod: Flopod) -> None:
    """`until_waiting` goes over a retry, and stops before the timeout of the wait."""
    run = flopod.run("both", leaves={"fetch": [ConnectionError(), "A", "B"]}).until_waiting("last")
    assert run.elapsed.total_seconds() == 0
    run.advance("1h")
    assert [call.attempt for call in run.calls("fetch")] == [1, 1, 2]


@pytest.mark.parametrize(
    ("robot", "human", "winner", "minutes"),
    [("4m", None, "robot r", 4), ("6m", None, "clock None", 5), ("4m", "3m", "human h", 3)],
)
def test_the_fastest_wins_a_race(
    flopod: Flopod, robot: str, human: str | None, winner: str, minutes: int
) -> None:
    """Leaves that take time, events that come later and timers are in order by the virtual clock."""
    events = {} if human is None else {"human": takes(human, "h")}
    run = flopod.run("racing", leaves={"fetch": takes(robot, "r")}, events=events)
    assert run.result() == winner
    assert run.elapsed == dates.timedelta(minutes=minutes)


def test_a_leaf_that_never_returns_runs_into_its_timeout(flopod: Flopod) -> None:
    """The timeout of an attempt and the pause before the next one pass at once."""
    run = flopod.run("fetching", "u", leaves={"fetch": [never, "second"]})
    assert run.result() == "second"
    assert run.elapsed == dates.timedelta(hours=1, minutes=10)


def test_a_heartbeat_is_missed_in_virtual_time(flopod: Flopod) -> None:
    """An attempt of an hour without a sign of life ends after its thirty seconds."""
    run = flopod.run("beats")
    assert run.result() == "alive"
    assert run.elapsed == dates.timedelta(seconds=31)


def test_clocks_of_the_workflow_are_virtual(flopod: Flopod) -> None:
    """What a workflow reads from time and datetime moves with its sleeps."""
    assert flopod.run("clocks", leaves={"random.random": 0.5}).result() == ["2:00:00", 7200.0, 7200.0, 0.5]


def test_a_test_says_when_it_begins(flopod: Flopod) -> None:
    """`start` is the time of the first event; by default it is the same in every run."""
    run = flopod.run("fetching", "u", start=dates.datetime(2030, 5, 17))
    run.result()
    assert run.events[0].at == dates.datetime(2030, 5, 17, tzinfo=dates.UTC).timestamp() * 1000
    assert run.now == dates.datetime(2030, 5, 17, 0, 0, 1, tzinfo=dates.UTC)
    assert flopod.run("fetching", "u").now == dates.datetime(2026, 1, 1, tzinfo=dates.UTC)


def test_the_clocks_are_the_real_ones_between(flopod: Flopod) -> None:
    """Only while a run goes on are they its own."""
    flopod.run("fetching", "u").result()
    assert abs(time.time() - dates.datetime.now().timestamp()) < 5


def test_it_works_in_an_asynchronous_test(flopod: Flopod) -> None:
    """A loop that runs already is no obstacle, and goes on afterwards."""

    async def main() -> str:
        result: str = flopod.run("fetching", "u").result()
        await asyncio.sleep(0)
        return result

    assert asyncio.run(main()) == "U"


def test_threads_and_sockets_are_waited_for(flopod: Flopod) -> None:
    """What a leaf really waits for comes before the clock jumps on."""
    run = flopod.run("pulling")
    assert run.result() == "pulled"
    assert run.elapsed.total_seconds() == 0
