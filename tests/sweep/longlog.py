"""`python -m tests.sweep.longlog --events 1000000`: long logs that are never compacted, a quarter and whole.

Resumed they cost in proportion to their length, listed and shown no more memory than a short one.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

from flopod.backends import Backend, FileBackend, MemoryBackend, SqliteBackend
from flopod.engine.identity import Identity
from flopod.engine.run import run_workflow
from flopod.engine.waits import summary_of
from flopod_compiler.cli.inspecting import details

KINDS = ("file", "sqlite")
TIMES = 4
_SLACK = 1.6
_SAME_MB = 24.0
_BATCH = 20_000

called = 0


class Cost(NamedTuple):
    """What one act costs a process of its own: seconds of its processor, and how many MB it grew at most."""

    seconds: float
    mb: float


async def leaf(x: int) -> int:
    global called
    called += 1
    return x


async def long(wf: Any, steps: int) -> int:
    total = 0
    for scope, n in wf.each("steps", range(steps), keep=None):
        total += await scope.activity("leaf", leaf, n)
    return total


def drive(store: Backend, steps: int) -> Any:
    """Start or resume the run."""
    identity = Identity(run_id="run", workflow="long")
    return asyncio.run(run_workflow(long, [steps], identity=identity, backend=store)).value


def opened(kind: str, folder: Path) -> Backend:
    return FileBackend(folder / "runs") if kind == "file" else SqliteBackend(folder / "runs.db")


# -- making --------------------------------------------------------------------------------------


def make(folder: Path, steps: int) -> int:
    """Write the log of a run that lacks only its end into each kind of store; return its length."""
    memory = MemoryBackend()
    drive(memory, steps)
    events = [event for _, event in memory.load("run")[:-1]]
    for kind in KINDS:
        with opened(kind, folder) as store:
            for start in range(0, len(events), _BATCH):
                store.append("run", start, events[start : start + _BATCH])
    return len(events)


# -- measuring -----------------------------------------------------------------------------------


def measured(kind: str, folder: Path, act: str, steps: int) -> Cost:
    """Do an act in a process of its own."""
    command = [sys.executable, "-m", "tests.sweep.longlog", "--act", act, kind, str(folder), str(steps)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return Cost(*json.loads(done.stdout))


def do(act: str, kind: str, folder: Path, steps: int) -> Cost:
    """List, show or resume the run, here."""
    address = f"file:{folder / 'runs'}" if kind == "file" else f"sqlite:{folder / 'runs.db'}"
    store = opened(kind, folder)
    store.summary("nothing")
    before, began = peak(), time.process_time()
    if act == "list":
        assert store.summaries()[0].status == summary_of(store, "run").status == "running"
    elif act == "show":
        assert details("run", address)["activities_done"] == steps
    else:
        assert (drive(store, steps), called) == (sum(range(steps)), 0)
    return Cost(time.process_time() - began, peak() - before)


def peak() -> float:
    """How many MB the memory of this process had at most."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024


def is_fair(act: str, short: Cost, whole: Cost) -> bool:
    """Whether the whole log costs no more than in proportion, or as it is only looked at, what one does."""
    if act == "resume":
        return whole.seconds < short.seconds * TIMES * _SLACK and whole.mb < short.mb * TIMES * _SLACK
    return whole.mb < short.mb + _SAME_MB and (act == "show" or whole.seconds < short.seconds + 1)


def main() -> int:
    """Measure; the exit status is 1 if something costs more than it may."""
    parser = argparse.ArgumentParser(prog="python -m tests.sweep.longlog", description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--act", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    os.environ["FLOPOD_COMPACT"] = "off"
    if options.act:
        act, kind, folder, steps = options.act
        print(json.dumps(do(act, kind, Path(folder), int(steps))))
        return 0
    with tempfile.TemporaryDirectory(prefix="flopod-long-") as place:
        return compare(Path(place), options.events // 2)


def compare(place: Path, steps: int) -> int:
    """Measure each act on both logs in each kind of store, and print a table."""
    lengths = {
        name: make(place / name, count) for name, count in (("short", steps // TIMES), ("whole", steps))
    }
    print(f"{lengths['short']} and {lengths['whole']} events, none of them compacted")
    wrong = 0
    for kind in KINDS:
        for act in ("list", "show", "resume"):
            short = measured(kind, place / "short", act, steps // TIMES)
            whole = measured(kind, place / "whole", act, steps)
            fair = is_fair(act, short, whole)
            wrong += not fair
            costs = f"{short.seconds:8.3f} s {short.mb:7.1f} MB {whole.seconds:8.3f} s {whole.mb:7.1f} MB"
            print(f"{kind:<8}{act:<8}{costs}{'' if fair else '   too much'}", flush=True)
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
