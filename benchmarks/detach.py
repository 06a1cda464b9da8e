"""What it costs to detach: one of many forgets, as a multiple of `loop.call_soon` of as many callbacks.

Both are measured in turns in the same process: how long the caller is kept, and how long it takes until all
have run. A durable one, in a run on SQLite, is measured against a bare commit of one row. Times say something
about this machine only; the ratios are what flopod adds.
"""

import asyncio
import gc
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from step import Write, bare_commits
from table import Row, parser, show

from flopod import SqliteBackend
from flopod.detach import create_microtask_batch_driver, detach_and_forget, microtask_batch_driver
from flopod.engine.engine import Engine
from flopod.engine.registry import HandWritten

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
    loop = asyncio.get_running_loop()

    def call_soon(callback: Callback, number: int) -> None:
        loop.call_soon(callback, number)

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


async def leaf(number: int) -> int:
    return number


async def forgetting(wf: Any, count: int) -> None:
    """A run that forgets so many children, one after the other, as a loop does."""
    for scope, number in wf.each("numbers", range(count)):
        scope.detach_and_forget("leaf", microtask_batch_driver, leaf, number)


async def durable(file: Path, count: int) -> Taken:
    """Seconds until the run has ended, and until all that it has forgotten has."""
    with SqliteBackend(file) as store:
        began = time.perf_counter()
        async with Engine(store, HandWritten({"forgetting": forgetting})) as engine:
            await (await engine.start("forgetting", [count])).result()
            ended = time.perf_counter()
            while store.open_runs():
                await asyncio.sleep(0.02)
            return Taken(ended - began, time.perf_counter() - began)


def commits(write: Write, count: int) -> float:
    """Seconds for so many commits of one row."""
    began = time.perf_counter()
    for _ in range(count):
        write([b"x" * 200])
    return time.perf_counter() - began


def durable_rows(count: int, rounds: int) -> Iterator[Row]:
    """The cost of one durable forget of `count`, beside one bare commit."""
    found = []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory(prefix="bench-") as here, bare_commits(Path(here)) as write:
            floor = commits(write, min(count, 300)) / min(count, 300)
            taken = asyncio.run(durable(Path(here) / "flopod.db", count))
            found.append((floor, taken.calls / count, taken.runs / count))
    for place, part, goal in ((1, "in the run", "<= 1x"), (2, "to its end", "<= 6x")):
        yield Row(
            f"durable forget of {count:,}, {part}",
            "sqlite",
            found=median(one[place] for one in found) * 1e6,
            unit="us",
            goal=goal,
            floor=median(one[0] for one in found) * 1e6,
            ratio=median(one[place] / one[0] for one in found),
        )


def all_rows(count: int, durable: int, rounds: int) -> Iterator[Row]:
    """Every row of the table; what is imported is none of the garbage that is looked for meanwhile."""
    gc.collect()
    gc.freeze()
    yield from rows(count, rounds)
    yield from durable_rows(durable, max(1, rounds // 4))


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table, or JSON."""
    options = parser(__doc__)
    options.add_argument("--count", type=int, default=10_000, help="children a round (default: 10000)")
    options.add_argument("--rounds", type=int, default=11, help="rounds to take the median of (default: 11)")
    options.add_argument("--durable", type=int, default=10_000, help="those in a run (default: 10000)")
    asked = options.parse_args(arguments)
    return show(all_rows(asked.count, asked.durable, asked.rounds), asked.json)


if __name__ == "__main__":
    sys.exit(main())
