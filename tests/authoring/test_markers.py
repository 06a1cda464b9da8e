"""`workflow` and `activity` as markers, and what a marked leaf does in process."""

import asyncio
import functools
import inspect
import threading
import time
from typing import Any

import pytest

from flopod import ActivityTimeout, Retry, activity, attempt, workflow

QUICK = Retry(max_attempts=3, delay=0.001)


class Flaky:
    """Fails a number of times, then answers."""

    def __init__(self, failures: int, error: type[BaseException] = ValueError) -> None:
        self.left = failures
        self.error = error
        self.calls = 0

    def answer(self, value: int = 7) -> int:
        """Answer, or fail."""
        self.calls += 1
        if self.left > 0:
            self.left -= 1
            raise self.error(self.left)
        return value

    async def answer_later(self, value: int = 7) -> int:
        """The same as a coroutine."""
        await asyncio.sleep(0)
        return self.answer(value)


def test_a_marked_workflow_is_the_same_function() -> None:
    """`@workflow`, with and without options, returns the function itself."""

    async def one(x: int) -> int:
        return x

    assert workflow(one) is one
    assert workflow(name="first", version=2, queue="slow")(one) is one
    options = one.__flopod_workflow__  # type: ignore[attr-defined]
    assert (options.name, options.version, options.queue) == ("first", 2, "slow")


def test_a_leaf_keeps_its_name_text_and_signature() -> None:
    """The wrapper looks like the function, and carries its options in seconds."""

    @activity(name="fetch", timeout="2m", heartbeat="5s", at_most_once=True)
    def fetch_it(key: str, *, deep: bool = False) -> str:
        """Fetch."""
        return key * (2 if deep else 1)

    assert (fetch_it.__name__, fetch_it.__doc__) == ("fetch_it", "Fetch.")
    assert str(inspect.signature(fetch_it)) == "(key: str, *, deep: bool = False) -> str"
    options = fetch_it.__flopod_activity__  # type: ignore[attr-defined]
    assert (options.name, options.timeout, options.heartbeat, options.at_most_once) == ("fetch", 120, 5, True)
    assert options.fn is fetch_it.__wrapped__  # type: ignore[attr-defined]


def test_options_given_again_replace_earlier_ones() -> None:
    """`activity(leaf, ...)` keeps the other options and wraps the bare function once."""
    bare = Flaky(0).answer
    first = activity(bare, name="ask", timeout=5)
    second: Any = activity(first, timeout=9)
    options = second.__flopod_activity__
    assert (options.fn, options.name, options.timeout) == (bare, "ask", 9)


def test_sync_and_async_leaves_stay_what_they_are() -> None:
    """A coroutine function stays one, a partial of one too."""
    flaky = Flaky(0)
    assert inspect.iscoroutinefunction(activity(flaky.answer_later))
    assert inspect.iscoroutinefunction(activity(functools.partial(flaky.answer_later, 3)))
    assert not inspect.iscoroutinefunction(activity(flaky.answer))
    assert activity(flaky.answer)(3) == 3
    assert asyncio.run(activity(flaky.answer_later)(4)) == 4


def test_without_a_policy_a_leaf_is_tried_once() -> None:
    """The first error is the caller's."""
    flaky = Flaky(1)
    with pytest.raises(ValueError, match="0"):
        activity(flaky.answer)()
    assert flaky.calls == 1


def test_a_policy_is_applied_in_process() -> None:
    """Sync and async leaves are tried again; the last error is raised."""
    flaky = Flaky(2)
    assert activity(flaky.answer, retry=QUICK)() == 7
    later = Flaky(2)
    assert asyncio.run(activity(later.answer_later, retry=QUICK)()) == 7
    hopeless = Flaky(9)
    with pytest.raises(ValueError, match="6"):
        activity(hopeless.answer, retry=QUICK)()
    assert (flaky.calls, later.calls, hopeless.calls) == (3, 3, 3)


def test_errors_to_give_up_on_are_not_tried_again() -> None:
    """`give_up_on` ends it at once."""
    flaky = Flaky(1, KeyError)
    with pytest.raises(KeyError):
        activity(flaky.answer, retry=Retry(give_up_on=KeyError))()
    assert flaky.calls == 1


def test_a_timeout_ends_a_leaf() -> None:
    """Sync and async leaves that take too long raise ActivityTimeout with their name."""
    with pytest.raises(ActivityTimeout, match="sleep"):
        activity(time.sleep, timeout=0.02)(0.3)
    with pytest.raises(ActivityTimeout, match="nap"):
        asyncio.run(activity(asyncio.sleep, name="nap", timeout=0.02)(5))


def test_a_leafs_own_timeout_error_is_its_own() -> None:
    """A TimeoutError that the leaf raises itself is not turned into ActivityTimeout."""

    @activity(timeout=5)
    async def own() -> None:
        raise TimeoutError("mine")

    with pytest.raises(TimeoutError, match="mine"):
        asyncio.run(own())


def test_a_leaf_within_its_timeout_answers_or_fails_as_usual() -> None:
    """With a timeout a sync leaf still returns its value and raises its own error."""
    assert activity(Flaky(0).answer, timeout=5)() == 7
    with pytest.raises(ValueError, match="0"):
        activity(Flaky(1).answer, timeout=5)()


def test_attempt_gives_the_result_or_none() -> None:
    """None stands for "every try failed", for sync, async and decorated leaves."""
    assert asyncio.run(attempt(Flaky(1).answer, 5, retry=QUICK)) == 5
    assert asyncio.run(attempt(Flaky(2).answer_later, value=6, retry=QUICK)) == 6
    assert asyncio.run(attempt(Flaky(3).answer_later, retry=QUICK)) is None
    decorated = activity(Flaky(2).answer, retry=Retry(max_attempts=1))
    assert asyncio.run(attempt(decorated, retry=QUICK)) == 7


def test_attempt_lets_a_cancellation_through() -> None:
    """What is not an Exception is not a failed try."""
    flaky = Flaky(1, KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt):
        asyncio.run(attempt(flaky.answer, retry=QUICK))
    assert flaky.calls == 1


class Job:
    """A leaf's receiver: what it remembers of its tries."""

    def __init__(self) -> None:
        self.seen: list[list[int]] = []

    @activity(retry=QUICK)
    def push(self, row: list[int], value: int, *, fail: int) -> list[int]:
        """Append to the row; the first `fail` tries fail after that."""
        row.append(value)
        self.seen.append([*row])
        if len(self.seen) <= fail:
            raise ValueError(row)
        return row


def test_each_try_gets_the_arguments_of_the_call() -> None:
    """A try that changed an argument and failed leaves no trace; what the last one did is in place."""
    job, row = Job(), [1]
    assert job.push(row, 2, fail=1) is row
    assert row == [1, 2]
    assert job.seen == [[1, 2], [1, 2]]


def test_the_error_of_the_last_try_refers_to_the_callers_objects() -> None:
    """Of a call that fails the change of its last try stays, as it does without a policy."""
    job, row = Job(), [1]
    with pytest.raises(ValueError, match="1, 2") as caught:
        job.push(row, 2, fail=9)
    assert caught.value.args[0] is row
    assert row == [1, 2]
    assert job.seen == [[1, 2]] * 3


def test_a_change_made_elsewhere_meanwhile_stays() -> None:
    """A leaf that only reads its argument puts nothing back."""
    row = [1]
    flaky = Flaky(1)

    @activity(retry=QUICK)
    async def read(values: list[int]) -> int:
        await asyncio.sleep(0.01)
        return flaky.answer(len(values))

    async def run() -> list[int]:
        reading = asyncio.create_task(read(row))
        await asyncio.sleep(0.005)
        row.append(2)
        return [await reading, *row]

    assert asyncio.run(run()) == [1, 1, 2]


def test_arguments_that_are_no_data_are_handed_over() -> None:
    """What cannot be written cannot be copied: the leaf gets the objects themselves."""
    lock, row = threading.Lock(), [1]
    flaky = Flaky(1)

    @activity(retry=QUICK)
    def take(held: object, values: list[int]) -> object:
        values.append(flaky.calls)
        flaky.answer()
        return held

    assert take(lock, row) is lock
    assert row == [1, 0, 1]


def test_a_result_that_is_no_data_comes_with_the_changes() -> None:
    """In process a leaf may return anything; its arguments are tried anew all the same."""
    lock, row = threading.Lock(), [1]
    flaky = Flaky(1)

    @activity(retry=QUICK)
    def give(values: list[int]) -> object:
        values.append(flaky.calls)
        flaky.answer()
        return lock

    assert give(row) is lock
    assert row == [1, 1]
