"""What it costs to resume: a long loop that was compacted, and many steps that were not.

Each is set against a floor of the same process: for the loop the resume of a run that has just begun, for
the steps reading and decoding their rows. A resume goes from opening the store to the first new leaf.
Times say something about this machine only; the ratios are what flopod adds.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from table import Row, parser, show

from flopod import FileBackend, SqliteBackend
from flopod.backends import disk
from flopod.backends.base import Backend
from flopod.engine.clock import VirtualClock
from flopod.engine.identity import Identity
from flopod.engine.run import run_workflow

Open = Callable[[], Backend]


class Stop:
    """The process ends when the leaf is called with `at`."""

    at = -1
    reached: asyncio.Event


async def leaf(number: int) -> int:
    if number == Stop.at:
        Stop.reached.set()
        await asyncio.Event().wait()
    return number


async def looping(wf: Any) -> None:
    """A loop without end, as the compiler emits it."""
    total = wf.var("total", 0)
    loop = wf.repeat("loop")
    while scope := loop.next():
        await scope.activity("leaf", leaf, total.value)
        total.value += 1


async def stepping(wf: Any) -> None:
    """Steps that no loop could skip."""
    number = 0
    while True:
        await wf.activity(f"leaf#{number}", leaf, number)
        number += 1


async def drive(workflow: Any, store: Backend, until: int) -> None:
    """Run until the leaf is called with `until`, and end there as a kill does."""
    Stop.at, Stop.reached = until, asyncio.Event()
    identity = Identity(run_id="run")
    run = run_workflow(workflow, [], identity=identity, backend=store, clock=VirtualClock())
    driving = asyncio.create_task(run)
    reached = asyncio.create_task(Stop.reached.wait())
    await asyncio.wait([driving, reached], return_when=asyncio.FIRST_COMPLETED)
    if not reached.done():
        raise RuntimeError(f"the run ended: {driving.result()}")


def recorded(workflow: Any, until: int, open_store: Open) -> None:
    """Leave the log of a run that was killed in step `until`, written without waiting for the disk."""
    synced, disk._fdatasync = disk._fdatasync, lambda _: None
    try:
        with open_store() as store:
            if isinstance(store, SqliteBackend):
                with store._database.writing as db:
                    db.execute("PRAGMA synchronous = OFF")
            asyncio.run(drive(workflow, store, until))
    finally:
        disk._fdatasync = synced


def resumed(workflow: Any, until: int, open_store: Open) -> float:
    """Seconds from opening the store to the first leaf that is called."""

    async def until_reached(store: Backend) -> float:
        await drive(workflow, store, until)
        return time.perf_counter() - began

    with asyncio.Runner() as runner:
        runner.get_loop()
        began = time.perf_counter()
        with open_store() as store:
            return runner.run(until_reached(store))


def reading(open_store: Open) -> float:
    """Seconds to read and decode the rows of a run."""
    began = time.perf_counter()
    with open_store() as store:
        store.load("run")
        return time.perf_counter() - began


def row(work: str, store: str, pairs: Sequence[tuple[float, float]], goal: str) -> Row:
    """Medians over the rounds."""
    return Row(
        f"resume after {work}",
        store,
        found=median(resume for _, resume in pairs) * 1e3,
        unit="ms",
        goal=goal,
        floor=median(floor for floor, _ in pairs) * 1e3,
        ratio=median(resume / floor for floor, resume in pairs),
    )


def measure(folder: Path, kind: str, iterations: int, steps: int, rounds: int) -> list[Row]:
    """Measure both resumes on one store."""

    def place(name: str) -> Open:
        if kind == "file":
            return lambda: FileBackend(folder / name)
        return lambda: SqliteBackend(folder / f"{name}.db")

    recorded(looping, 1, fresh := place("fresh"))
    recorded(looping, iterations, long := place("long"))
    recorded(stepping, steps, flat := place("flat"))
    loops = [(resumed(looping, 1, fresh), resumed(looping, iterations, long)) for _ in range(rounds)]
    straight = [(reading(flat), resumed(stepping, steps, flat)) for _ in range(rounds)]
    return [
        row(f"{iterations:,} iterations", kind, loops, "<= 1.5x"),
        row(f"{steps:,} steps", kind, straight, "<= 3x"),
    ]


def rows(stores: Sequence[str], iterations: int, steps: int, rounds: int) -> Iterator[Row]:
    """Measure every store, each in a folder of its own."""
    for kind in stores:
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            yield from measure(Path(folder), kind, iterations, steps, rounds)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table, or JSON."""
    options = parser(__doc__)
    options.add_argument("--iterations", type=int, default=100_000)
    options.add_argument("--steps", type=int, default=10_000)
    options.add_argument("--rounds", type=int, default=11, help="rounds to take the median of (default: 11)")
    options.add_argument("--stores", nargs="+", default=["sqlite", "file"], choices=["sqlite", "file"])
    asked = options.parse_args(arguments)
    return show(rows(asked.stores, asked.iterations, asked.steps, asked.rounds), asked.json)


if __name__ == "__main__":
    sys.exit(main())
