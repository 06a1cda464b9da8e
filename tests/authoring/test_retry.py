"""The retry policy: which errors, how often, with which pauses."""

from random import Random
from typing import Any

import pytest

from flopod import Retry
from flopod.errors import FlopodError


def pauses(policy: Retry, rng: Random | None = None) -> list[float | None]:
    """The pauses after the first five failures."""
    return [policy.next_delay(attempt, 0.0, rng) for attempt in range(1, 6)]


def test_the_default_tries_three_times_and_doubles() -> None:
    """Pauses of one and two seconds, then it gives up."""
    assert pauses(Retry()) == [1, 2, None, None, None]


def test_backoffs() -> None:
    """Exponential doubles up to the limit, linear grows by the delay, fixed stays."""
    assert pauses(Retry(None, "exponential", "1s", "5s")) == [1, 2, 4, 5, 5]
    assert pauses(Retry(None, "linear", 2)) == [2, 4, 6, 8, 10]
    assert pauses(Retry(None, "fixed", "500ms")) == [0.5] * 5


def test_jitter_shortens_by_up_to_a_half() -> None:
    """With random numbers each pause lies between half of itself and itself, and they differ."""
    policy = Retry(max_attempts=None, backoff="fixed", delay=10)
    found = [policy.next_delay(1, 0.0, Random(seed)) for seed in range(50)]
    assert all(pause is not None and 5 <= pause <= 10 for pause in found)
    assert len(set(found)) > 10
    assert Retry(jitter=False).next_delay(1, 0.0, Random(1)) == 1


def test_no_try_begins_after_the_deadline() -> None:
    """A pause that would end after the deadline is not made."""
    policy = Retry(max_attempts=None, delay=10, backoff="fixed", deadline="1m")
    assert policy.next_delay(1, 50.0) == 10
    assert policy.next_delay(1, 50.1) is None


def test_very_many_attempts_do_not_overflow() -> None:
    """The doubling stops at `max_delay`, whatever the number of the attempt."""
    assert Retry(max_attempts=None).next_delay(10_000, 0.0) == 60


def test_which_errors_are_tried_again() -> None:
    """Those of `retry_on` without those of `give_up_on`; never a cancellation by default."""
    policy = Retry(retry_on=(OSError,), give_up_on=FileNotFoundError)
    assert policy.retries(ConnectionError())
    assert not policy.retries(FileNotFoundError())
    assert not policy.retries(ValueError())
    assert not Retry().retries(KeyboardInterrupt())


@pytest.mark.parametrize(
    "options",
    [
        {"max_attempts": 0},
        {"max_attempts": True},
        {"backoff": "slowly"},
        {"delay": "soon"},
        {"retry_on": "Exception"},
        {"give_up_on": (int,)},
    ],
    ids=str,
)
def test_a_wrong_policy_is_refused_where_it_is_written(options: dict[str, Any]) -> None:
    """The error names the value."""
    with pytest.raises(FlopodError) as caught:
        Retry(**options)
    assert repr(next(iter(options.values()))) in str(caught.value)
