"""The retry policy of a leaf: whether to try again, and when. Pure: clock and random numbers come in."""

from random import Random
from typing import Any

import msgspec

from flopod.durations import Duration, seconds
from flopod.errors import UsageError

_BACKOFFS = ("exponential", "linear", "fixed")
_Types = tuple[type[BaseException], ...]


class Retry(msgspec.Struct, frozen=True):
    """How often a failing leaf is tried, and with which pauses.

    `max_attempts` counts the first try; None has no limit. The pause before the second try is `delay`,
    then it doubles ("exponential"), grows by as much again ("linear") or stays ("fixed"), up to
    `max_delay`; `jitter` shortens each pause by up to a half, at random. No try begins later than
    `deadline` after the first. Errors of `retry_on` are tried again, except those of `give_up_on`.
    """

    max_attempts: int | None = 3
    backoff: str = "exponential"
    delay: Duration = "1s"
    max_delay: Duration = "1m"
    jitter: bool = True
    deadline: Duration | None = None
    retry_on: type[BaseException] | _Types = (Exception,)
    give_up_on: type[BaseException] | _Types = ()

    def __post_init__(self) -> None:
        count = self.max_attempts
        if count is not None and (isinstance(count, bool) or not isinstance(count, int) or count < 1):
            raise UsageError(f"Retry(max_attempts={count!r}): give a number from 1 on, or None for no limit")
        if self.backoff not in _BACKOFFS:
            raise UsageError(f"Retry(backoff={self.backoff!r}): there is {', '.join(map(repr, _BACKOFFS))}")
        for duration in (self.delay, self.max_delay, self.deadline or 0):
            seconds(duration)
        for name in ("retry_on", "give_up_on"):
            _check_types(name, getattr(self, name))

    def retries(self, error: BaseException) -> bool:
        """Tell whether an error is one to try again after."""
        return isinstance(error, self.retry_on) and not isinstance(error, self.give_up_on)

    def next_delay(self, attempt: int, elapsed: float, rng: Random | None = None) -> float | None:
        """Return the pause in seconds before the next try, or None to give up.

        `attempt` is the number of the try that has failed, from 1; `elapsed` the seconds since the first
        one began. Without `rng` there is no jitter.
        """
        if self.max_attempts is not None and attempt >= self.max_attempts:
            return None
        pause = min(self._pause(attempt), seconds(self.max_delay))
        if self.jitter and rng is not None:
            pause *= rng.uniform(0.5, 1.0)
        if self.deadline is not None and elapsed + pause > seconds(self.deadline):
            return None
        return pause

    def is_over(self, elapsed: float) -> bool:
        """Tell whether no try may begin any more, `elapsed` seconds after the first."""
        return self.deadline is not None and elapsed > seconds(self.deadline)

    def _pause(self, attempt: int) -> float:
        first = seconds(self.delay)
        if self.backoff == "exponential":
            return first * float(2 ** min(attempt - 1, 64))
        return first * attempt if self.backoff == "linear" else first


def _check_types(name: str, given: Any) -> None:
    types = given if isinstance(given, tuple) else (given,)
    for one in types:
        if not (isinstance(one, type) and issubclass(one, BaseException)):
            raise UsageError(f"Retry({name}={given!r}): give an exception class, or a tuple of them")
