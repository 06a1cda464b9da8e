"""What it costs to detach: one of many forgets, as a multiple of `loop.call_soon` of as many callbacks.

Both are measured in turns in the same process: how long the caller is kept, and how long it takes until all
have run. Times say something about this machine only; the ratios are what flopod adds.
"""

import asyncio
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from statistics import median
from typing import NamedTuple

from table import Row, parser, show

from flopod.detach import create_microtask_batch_driver, detach_and_forget

Callback = Callable[[int], None]
Schedule = Callable[[Callback, int], object]


class Taken(NamedTuple):
    """Seconds for all: until the caller goes on, and until all have run."""

    calls: float
    runs: float


async def measured(schedule: Schedule, count: int) -> Taken:
    """Schedule `count` children, and wait until each has run."""
    ended = asyncio.Event()
    left = count

    def child(_: int) -> None:
        nonlocal left
        left -= 1
        if not left:
            ended.set()

    began = time.perf_counter()
    for number in range(count):
        schedule(child, number)
    returned = time.perf_counter()
    await ended.wait()
    return Taken(returned - began, time.perf_counter() - began)


async def pairs(count: int, rounds: int) -> list[tuple[Taken, Taken]]:
    """Take turns between callbacks and forgets, after a round to warm up."""
    driver = create_microtask_batch_driver()
    call_soon = asyncio.get_running_loop().call_soon

    def forget(child: Callback, number: int) -> None:
        detach_and_forget(driver, child, number)

    async def both() -> tuple[Taken, Taken]:
        return await measured(call_soon, count), await measured(forget, count)

    await both()
    return [await both() for _ in range(rounds)]


def rows(count: int, rounds: int) -> Iterator[Row]:
    """The cost of one forget of `count`."""
    found = asyncio.run(pairs(count, rounds))
    for part, goal in (("calls", "<= 15x"), ("runs", "<= 40x")):
        both = [(getattr(floor, part), getattr(forget, part)) for floor, forget in found]
        yield Row(
            f"a forget of {count:,}, {'the call' if part == 'calls' else 'to its end'}",
            "",
            found=median(forget for _, forget in both) / count * 1e6,
            unit="us",
            goal=goal,
            floor=median(floor for floor, _ in both) / count * 1e6,
            ratio=median(forget / floor for floor, forget in both),
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table, or JSON."""
    options = parser(__doc__)
    options.add_argument("--count", type=int, default=10_000, help="children a round (default: 10000)")
    options.add_argument("--rounds", type=int, default=11, help="rounds to take the median of (default: 11)")
    asked = options.parse_args(arguments)
    return show(rows(asked.count, asked.rounds), asked.json)


if __name__ == "__main__":
    sys.exit(main())
