"""An engine with many runs under limits, started by the soak as a process: `server.py KIND PLACE`."""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

from flopod import activity
from flopod.backends import Backend, FileBackend, PostgresBackend, SqliteBackend
from flopod.current import current_activity
from flopod.engine.engine import Engine
from flopod.engine.limits import Limit, Queue
from flopod.engine.registry import HandWritten
from flopod.retry import Retry
from tests.reliability.workflows import asking, stepping, sum_of, two_children

ROOM = 3
RUNS = 20
QUEUES = {"line": Queue(limit=Limit(concurrency=ROOM), per_key=Limit(concurrency=2))}
JOURNAL = Path(os.environ.get("SOAK_JOURNAL", os.devnull))
STORES: dict[str, Any] = {"file": FileBackend, "sqlite": SqliteBackend, "postgres": PostgresBackend}
inside: set[str] = set()


async def work(x: int) -> int:
    """Note that it was executed, and that there are not more side by side than there may be."""
    here = current_activity()
    run_id = here.run_id.partition(".")[0]
    with JOURNAL.open("a") as journal:
        journal.write(json.dumps([here.run_id, here.path, here.attempt, repr(x)]) + "\n")
    inside.add(run_id)
    assert len(inside) <= ROOM, f"{inside} are under way, and there is room for {ROOM}"
    await asyncio.sleep(0.002)
    inside.discard(run_id)
    if x == 3 and here.attempt < 2:
        raise LookupError(x)
    return x


PATIENTLY = activity(work, retry=Retry(max_attempts=2, delay=0.005, jitter=False))


async def meet(x: int) -> int:
    """Wait until as many are here as there is room for: a slot that leaked would keep one out."""
    inside.add(str(x))
    met = JOURNAL.with_suffix(".met")
    async with asyncio.timeout(20):
        while len(inside) < ROOM and not met.exists():
            await asyncio.sleep(0.002)
    met.touch()
    return x


async def parent(wf: Any, n: int) -> int:
    return await sum_of(two_children(wf)) + n


async def meets(wf: Any, n: int) -> int:
    return int(await wf.activity("meet", meet, n))


WORKFLOWS = {
    "steps": stepping(PATIENTLY, 4),
    "waits": asking(work, "go", lambda n: n + 100),
    "parent": parent,
    "meets": meets,
}
KINDS = ("steps", "waits", "steps", "parent")
EXPECTED = {"steps": lambda n: 6 + n, "waits": lambda n: 2 * n + 107, "parent": lambda n: 13 + n}


async def main(store: Backend) -> None:
    async with Engine(store, HandWritten(WORKFLOWS), queues=QUEUES, resting=4) as engine:
        handles = []
        for n in range(RUNS):
            kind = KINDS[n % len(KINDS)]
            handles.append(
                await engine.start(kind, [n], run_id=f"run{n}", queue="line", key=str(n % 4), priority=n % 3)
            )
        found = [await handle.result() for handle in handles]
        assert found == [EXPECTED[KINDS[n % len(KINDS)]](n) for n in range(RUNS)], found
        inside.clear()
        starts = [
            engine.start("meets", [n], run_id=f"meets{n}", queue="line", key=str(n)) for n in range(ROOM)
        ]
        for handle in await asyncio.gather(*starts):
            await handle.result()
    print("all")


if __name__ == "__main__":
    asyncio.run(main(STORES[sys.argv[1]](sys.argv[2])))
