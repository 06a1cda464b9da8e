"""An engine that another one may take runs from: `rival_server.py KIND PLACE NAME FOLDER [stops]`.

Its leaves note in FOLDER that they were called, by which engine, and return when that has the file `go-NAME`.
With `stops` the process stops itself in the middle of its first commit.
"""

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

from flopod.backends import Backend, PostgresBackend, sqlite
from flopod.current import current_activity
from flopod.engine import engine as engines
from flopod.engine.engine import Engine
from flopod.engine.registry import HandWritten
from tests.reliability.soak.server import STORES
from tests.reliability.workflows import asking, stepping, sum_of, two_children

LEASE = 2.0
NAME, FOLDER = (sys.argv[3], Path(sys.argv[4])) if len(sys.argv) > 4 else ("", Path())


async def work(x: int) -> int:
    with (FOLDER / "journal").open("a") as journal:
        here = current_activity()
        journal.write(f"{NAME} {here.run_id} {here.path}\n")
    while not (FOLDER / f"go-{NAME}").exists():
        await asyncio.sleep(0.005)
    return x


async def parent(wf: Any, n: int) -> int:
    handles = two_children(wf)
    first = int(await wf.activity("first", work, n))
    return first + await sum_of(handles)


WORKFLOWS = {"steps": stepping(work, 3), "asks": asking(work, "answer", lambda _: 1), "parent": parent}
KINDS = ("steps", "asks", "parent", "steps", "asks")
RUNS = {f"run{n}": (kind, n) for n, kind in enumerate(KINDS)}
RESULTS = {"run0": 3, "run1": 9, "run2": 9, "run3": 6, "run4": 12}


async def main(store: Backend) -> None:
    async with Engine(store, HandWritten(WORKFLOWS)) as engine:
        handles = [await engine.start(kind, [n], run_id=run_id) for run_id, (kind, n) in RUNS.items()]
        noting = asyncio.create_task(note_refusals(engine))
        results = {handle.run_id: await handle.result() for handle in handles}
        noting.cancel()
        assert results == RESULTS, results
    print("all")


async def note_refusals(engine: Engine) -> None:
    """Write a file once another process was found to have all the runs that were started."""
    refused: set[str] = set()
    while not refused.issuperset(RUNS):
        refused |= engine._refusals._refused
        await asyncio.sleep(0.005)
    (FOLDER / f"refused-{NAME}").touch()


def stop_in_a_commit() -> None:
    """Stop the process when the lock of the database is held, once."""
    real = sqlite._insert

    def stop(*arguments: Any) -> bool:
        sqlite._insert = real
        os.kill(os.getpid(), signal.SIGSTOP)
        return real(*arguments)

    sqlite._insert = stop


if __name__ == "__main__":
    engines._AGAIN = 0.1
    opened = STORES[sys.argv[1]](sys.argv[2])
    if isinstance(opened, PostgresBackend):
        opened._holds.life = LEASE
    if sys.argv[5:] == ["stops"]:
        stop_in_a_commit()
    asyncio.run(main(opened))
