"""What an engine does: one-step runs a second, how soon an event wakes a run, how much waiting runs weigh.

The floor of the runs is grouped commits of the rows that they write, in the same process; that of the import
is `import asyncio, msgspec, sqlite3`. Times say something about this machine only.
"""

import asyncio
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from msgspec import Raw
from table import Row, parser, show

from flopod import FileBackend, SqliteBackend
from flopod.backends.base import Backend, Batch
from flopod.engine.engine import Engine
from flopod.engine.registry import HandWritten
from flopod.events import ActivityCompleted, ActivityStarted, RunCompleted, RunStarted

_STARTS_A_SECOND = 800
_ARRIVALS_A_SECOND = 1500
_WITHIN = 60.0

_OPENER = """
import asyncio, importlib.util, resource, sys, time
began = time.perf_counter()
for name in ("starlette.applications", "uvicorn"):
    if importlib.util.find_spec(name.partition(".")[0]):
        __import__(name)
from flopod import FileBackend, SqliteBackend
from flopod.engine.engine import Engine
from flopod.engine.registry import HandWritten
kind, place = sys.argv[1:]

async def main():
    async with Engine((FileBackend if kind == "file" else SqliteBackend)(place), HandWritten({})) as engine:
        assert engine.load.asleep
        print(time.perf_counter() - began)
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)

asyncio.run(main())
"""
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


async def growth(store: Backend, count: int) -> tuple[float, float]:
    """Megabytes of the process after so many runs of one step, and after ten times as many."""
    async with Engine(store, WORKFLOWS) as engine:
        found: list[float] = []
        for more in (count, 9 * count):
            left = iter(range(more))

            async def client(numbers: Iterator[int] = left) -> None:
                for number in numbers:
                    await (await engine.start("one_step", [number])).result()

            await asyncio.gather(*(client() for _ in range(64)))
            found.append(_resident())
        return found[0], found[1]


async def arriving(store: Backend, rate: int, seconds: float) -> float:
    """The share of a processor that is used while runs of one step come one by one, so many a second."""
    async with Engine(store, WORKFLOWS) as engine:

        async def start(number: int) -> None:
            assert await (await engine.start("one_step", [number])).result() == number

        began, used = time.perf_counter(), time.process_time()
        async with asyncio.TaskGroup() as starts:
            for number in range(round(rate * seconds)):
                await asyncio.sleep(max(began + number / rate - time.perf_counter(), 0))
                starts.create_task(start(number))
        return (time.process_time() - used) / (time.perf_counter() - began)


def opening(kind: str, place: str) -> tuple[float, float]:
    """Seconds until a new process serves a store, imports of a server included, and its megabytes at most."""
    command = [sys.executable, "-c", _OPENER, kind, place]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    seconds, megabytes = done.stdout.split()
    return float(seconds), float(megabytes)


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


def importing(rounds: int) -> tuple[float, float, float]:
    """Seconds to import what flopod needs, seconds to import flopod, and the ratio."""

    def seconds(code: str) -> float:
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        return time.perf_counter() - began

    pairs = [(seconds("import asyncio, msgspec, sqlite3"), seconds("import flopod")) for _ in range(rounds)]
    floors, wholes = zip(*pairs, strict=True)
    return median(floors), median(wholes), median(whole / floor for floor, whole in pairs)


def measure(kind: str, count: int, asleep: int, rounds: int, within: float) -> Iterator[Row]:
    """All measurements on one store, each in an empty place."""

    def place() -> tuple[Backend, str]:
        return opened(kind, Path(tempfile.mkdtemp(dir=name)))

    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        found = asyncio.run(runs_a_second(place()[0], count, 64))
        floor = commits_a_second(place()[0], count, 64)
        yield Row("one-step runs, 64 at a time", kind, found, "/s", ">= 5,000 /s", floor, floor / found)
        for apart, goal in ((False, "<= 1.5 ms"), (True, "<= 50 ms")):
            store, where = place()
            latency = asyncio.run(wake_up(store, where, kind, rounds, apart=apart))
            yield Row(f"event to run, {'other' if apart else 'same'} process", kind, latency, "ms", goal)
        share = asyncio.run(arriving(place()[0], _ARRIVALS_A_SECOND, rounds / 10))
        yield Row(f"{_ARRIVALS_A_SECOND:,} starts/s one by one: processor", kind, share * 100, "%", "<= 60 %")
        before, after = asyncio.run(growth(place()[0], 2 * count))
        yield Row(f"process after {20 * count:,} runs", kind, after, "MB", "<= 1.1x", before, after / before)
        store, where = place()
        waited = asyncio.run(waiting(store, asleep))
        yield Row(f"{asleep:,} waiting runs", kind, waited, "MB", "< 150 MB")
        store.close()
        late, megabytes = opening(kind, where)
        yield Row("restart with them, imports included", kind, late, "s", "< 3 s")
        yield Row("which then has", kind, megabytes, "MB", "< 300 MB")
        sleeping, most, late = asyncio.run(waking(place()[0], asleep, within))
        yield Row(f"{asleep:,} sleeping runs", kind, sleeping, "MB", "< 150 MB")
        yield Row(f"all due within {within:g} s: at most", kind, most, "MB", "bounded")
        yield Row("the last one ended after that", kind, late, "s")


def rows(
    stores: Sequence[str], count: int, asleep: int, rounds: int, within: float = _WITHIN
) -> Iterator[Row]:
    """The import, and every store; the runs that sleep are due within so many seconds."""
    floor, whole, ratio = importing(11)
    yield Row("import of flopod", "", whole * 1e3, "ms", "<= 2x", floor * 1e3, ratio)
    for kind in stores:
        yield from measure(kind, count, asleep, rounds, within)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table, or JSON."""
    options = parser(__doc__)
    options.add_argument("--runs", type=int, default=10_000)
    options.add_argument("--asleep", type=int, default=100_000)
    options.add_argument("--rounds", type=int, default=50)
    options.add_argument("--stores", nargs="+", default=["sqlite"], choices=["sqlite", "file"])
    asked = options.parse_args(arguments)
    return show(rows(asked.stores, asked.runs, asked.asleep, asked.rounds), asked.json)


if __name__ == "__main__":
    sys.exit(main())
