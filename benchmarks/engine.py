"""What an engine does: one-step runs a second, how soon an event wakes a run, how much waiting runs weigh.

The floor of the runs is grouped commits of the rows that they write, in the same process; that of the import
is `import asyncio, msgspec, sqlite3`. Times say something about this machine only.
"""

import argparse
import asyncio
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from msgspec import Raw

from flopod import FileBackend, SqliteBackend
from flopod.backends.base import Backend, Batch
from flopod.engine.engine import Engine
from flopod.engine.registry import HandWritten
from flopod.events import ActivityCompleted, ActivityStarted, RunCompleted, RunStarted

_STARTS_A_SECOND = 800
_WITHIN = 60.0

_DELIVERER = """
import sys, time
from msgspec import Raw
from flopod import FileBackend, SqliteBackend
kind, place = sys.argv[1:]
store = FileBackend(place) if kind == "file" else SqliteBackend(place)
for line in sys.stdin:
    began = time.time_ns()
    store.deliver(line.strip(), "go", "go", Raw(b"%d" % began))
"""


@dataclass(frozen=True)
class Row:
    """One measurement, its unit, and the goal."""

    work: str
    store: str
    found: float
    unit: str
    goal: str


async def leaf(x: int) -> int:
    return x


async def one_step(wf: Any, x: int) -> int:
    return int(await wf.activity("leaf", leaf, x))


async def woken(wf: Any) -> int:
    sent = await wf.wait("go")
    return time.time_ns() - int(sent)


async def sleeper(wf: Any) -> None:
    await wf.wait("never", timeout="30d")


async def timed(wf: Any, due: int) -> int:
    await wf.sleep_until("due", due / 1000)
    return int(await wf.activity("leaf", leaf, due))


WORKFLOWS = HandWritten({"one_step": one_step, "woken": woken, "sleeper": sleeper, "timed": timed})


def opened(kind: str, folder: Path) -> tuple[Backend, str]:
    place = str(folder if kind == "file" else folder / "runs.db")
    return (FileBackend(place) if kind == "file" else SqliteBackend(place)), place


async def runs_a_second(store: Backend, count: int, clients: int) -> float:
    """Runs of one step, started and awaited by so many clients."""
    async with Engine(store, WORKFLOWS) as engine:
        left = iter(range(count))

        async def client() -> None:
            for number in left:
                handle = await engine.start("one_step", [number])
                assert await handle.result() == number

        began = time.perf_counter()
        await asyncio.gather(*(client() for _ in range(clients)))
        return count / (time.perf_counter() - began)


def commits_a_second(store: Backend, count: int, clients: int) -> float:
    """Grouped commits of the same rows: two commits a run."""
    first = [
        RunStarted(workflow="w", input=Raw(b"[1]"), at=1),
        ActivityStarted(path="leaf", callee="a:b", fingerprint="0" * 16, at=1),
    ]
    second = [ActivityCompleted(path="leaf", result=Raw(b"1"), at=2), RunCompleted(result=Raw(b"1"), at=2)]
    began = time.perf_counter()
    for start in range(0, count, clients):
        names = [f"r{number}" for number in range(start, start + clients)]
        store.append_many([Batch(name, 0, first) for name in names])
        store.append_many([Batch(name, 2, second) for name in names])
    return count / (time.perf_counter() - began)


async def wake_up(store: Backend, place: str, kind: str, rounds: int, *, apart: bool) -> float:
    """Milliseconds from the delivery of an event to the run that takes it, here or from another process."""
    process = None
    if apart:
        command = [sys.executable, "-c", _DELIVERER, kind, place]
        process = await asyncio.create_subprocess_exec(*command, stdin=subprocess.PIPE)
    found: list[int] = []
    async with Engine(store, WORKFLOWS) as engine:
        for number in range(rounds):
            handle = await engine.start("woken", run_id=f"w{number}")
            await asyncio.sleep(0.02)
            if process is None or process.stdin is None:
                engine.deliver(handle.run_id, "go", "go", Raw(b"%d" % time.time_ns()))
            else:
                process.stdin.write(f"{handle.run_id}\n".encode())
                await process.stdin.drain()
            found.append(await handle.result())
    if process is not None and process.stdin is not None:
        process.stdin.close()
        await process.wait()
    return median(found) / 1e6


async def waiting(store: Backend, count: int) -> float:
    """Megabytes that so many waiting runs add to the process."""
    async with Engine(store, WORKFLOWS) as engine:
        await (await engine.start("one_step", [1])).result()
        before = _resident()
        for start in range(0, count, 200):
            await asyncio.gather(*(engine.start("sleeper") for _ in range(start, min(start + 200, count))))
        await asyncio.sleep(0.5)
        return _resident() - before


async def waking(store: Backend, count: int, within: float) -> tuple[float, float, float]:
    """Runs that sleep, and are then all due within so many seconds.

    Returns the megabytes that they add while they sleep and at most while they resume, and how many seconds
    after the last one was due all had ended.
    """
    async with Engine(store, WORKFLOWS) as engine:
        await (await engine.start("one_step", [1])).result()
        before = _resident()
        first = int((time.time() + count / _STARTS_A_SECOND) * 1000)
        names: list[str] = []
        for start in range(0, count, 200):
            dues = [first + int(number / count * within * 1000) for number in range(start, start + 200)]
            begun = await asyncio.gather(*(engine.start("timed", [due]) for due in dues[: count - start]))
            names += [handle.run_id for handle in begun]
        asleep = _resident() - before
        ended = asyncio.create_task(_all_ended(names, engine))
        most = asleep
        while not ended.done():
            await asyncio.sleep(0.1)
            most = max(most, _resident() - before)
        return asleep, most, time.time() - first / 1000 - within


async def _all_ended(names: Sequence[str], engine: Engine) -> None:
    for name in names:
        await engine.outcome(name)


def _resident() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def importing(rounds: int) -> float:
    """The ratio of importing flopod to importing what it needs."""

    def seconds(code: str) -> float:
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        return time.perf_counter() - began

    pairs = [(seconds("import asyncio, msgspec, sqlite3"), seconds("import flopod")) for _ in range(rounds)]
    return median(whole / floor for floor, whole in pairs)


def measure(kind: str, count: int, asleep: int, rounds: int) -> list[Row]:
    """All measurements on one store, each in an empty place."""
    rows: list[Row] = []

    def add(work: str, found: float, unit: str, goal: str) -> None:
        rows.append(Row(work, kind, found, unit, goal))

    def place() -> tuple[Backend, str]:
        return opened(kind, Path(tempfile.mkdtemp(dir=name)))

    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        found = asyncio.run(runs_a_second(place()[0], count, 64))
        add("one-step runs, 64 at a time", found, "/s", ">= 5000")
        add("grouped commits of the same rows", commits_a_second(place()[0], count, 64), "/s", "")
        for apart, goal in ((False, "<= 1.5"), (True, "<= 50")):
            store, where = place()
            latency = asyncio.run(wake_up(store, where, kind, rounds, apart=apart))
            add(f"event to run, {'other' if apart else 'same'} process", latency, "ms", goal)
        add(f"{asleep} waiting runs", asyncio.run(waiting(place()[0], asleep)), "MB", "< 150")
        sleeping, most, late = asyncio.run(waking(place()[0], asleep, _WITHIN))
        add(f"{asleep} sleeping runs", sleeping, "MB", "< 150")
        add(f"all due within {_WITHIN:g} s: at most", most, "MB", "bounded")
        add("the last one ended after that", late, "s", "")
    return rows


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table, or JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--asleep", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--stores", nargs="+", default=["sqlite"], choices=["sqlite", "file"])
    options = parser.parse_args(arguments)
    rows = [Row("import of flopod", "", importing(11), "x", "<= 2")]
    for kind in options.stores:
        rows += measure(kind, options.runs, options.asleep, options.rounds)
    if options.json:
        print(json.dumps([asdict(one) for one in rows], indent=2))
        return 0
    for one in rows:
        print(f"{one.work:<36}{one.store:<8}{one.found:>10.1f} {one.unit:<4}{one.goal}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
