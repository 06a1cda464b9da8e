"""Processes started one after the other and killed as a plan says, until one comes to its end."""

import random
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence

from flopod.backends import Backend
from tests.reliability.soak.books import Books
from tests.reliability.soak.cases import End, end_of

_KILLED = -9
_EARLIEST, _LATEST = 0.05, 0.6


class Trial:
    """What `start(kill)` runs on a store, where `kill` is what the killer is told. `books`: of its runs."""

    def __init__(
        self, start: "Callable[[str], subprocess.Popen[str]]", books: Sequence[Books], store: Backend
    ) -> None:
        self.kills = 0
        self._start = start
        self._books = books
        self._store = store

    def run(self, plan: Iterator[str]) -> End:
        """Start it again and again, killed each time as the plan says, unkilled when that is through."""
        while (end := self._once(next(plan, ""))).status == _KILLED:
            self.kills += 1
            for each in self._books:
                each.killed(self._store)
        return end

    def check(self) -> None:
        """Check logs and journal of all runs when the last process has ended."""
        for each in self._books:
            each.ended(self._store)

    def _once(self, kill: str) -> End:
        when, _, amount = kill.partition(":")
        process = self._start("" if when == "at" else kill)
        if when == "at":
            _kill_after(process, float(amount))
        return end_of(process)


def _kill_after(process: "subprocess.Popen[str]", seconds: float) -> None:
    end = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < end:
        time.sleep(0.002)
    process.kill()


def at_random(seed: int, most: int, writes: int = 4) -> Iterator[str]:
    """At most so many kills: before or after one of the next `writes`, or at any moment."""
    chance = random.Random(seed)
    for _ in range(most):
        when = chance.choice(("before", "after", "after", "at"))
        if when == "at":
            yield f"at:{chance.uniform(_EARLIEST, _LATEST):.3f}"
        else:
            yield f"{when}:{chance.randint(1, writes)}"
