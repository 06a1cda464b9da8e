"""An engine with a run whose leaf kills the process: `deadly_server.py KIND PLACE HOW LEAF JOURNAL`."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flopod import Retry, activity
from flopod.backends import Backend
from flopod.engine.engine import Engine
from flopod.engine.registry import HandWritten
from tests.reliability.soak.server import STORES

MAX_CRASHES = 3
OTHERS = 5
WAYS: dict[str, Callable[[], None]] = {
    "exit": lambda: os._exit(3),
    "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "abort": os.abort,
}
inside: set[int] = set()


def note(journal: Path, line: str) -> None:
    with journal.open("a") as file:
        file.write(f"{line}\n")


def deaths(journal: Path) -> int:
    return journal.read_text().split().count("death") if journal.exists() else 0


async def die(how: str, place: str) -> None:
    """Kill the process: as long as that parks nobody, when all others have a leaf under way."""
    journal = Path(place)
    while deaths(journal) < MAX_CRASHES - 1 and len(inside) < OTHERS:
        await asyncio.sleep(0.002)
    note(journal, "death")
    WAYS[how]()


def die_in_a_thread(how: str, place: str) -> None:
    asyncio.run(die(how, place))


async def fail_and_die(how: str, place: str) -> None:
    """Fail at the first attempt, and kill the process at the next."""
    journal = Path(place)
    if "failed" not in (journal.read_text() if journal.exists() else ""):
        note(journal, "failed")
        raise LookupError
    await die(how, place)


LEAVES = {
    "coroutine": die,
    "plain": die_in_a_thread,
    "second": activity(fail_and_die, retry=Retry(max_attempts=2, delay=0.001, jitter=False)),
}


async def outlast(n: int, place: str) -> int:
    """Be under way at every death but the last, which the deadly leaf dies alone."""
    inside.add(n)
    journal = Path(place)
    note(journal, f"work{n}")
    while deaths(journal) < MAX_CRASHES - 1:
        await asyncio.sleep(0.002)
    inside.discard(n)
    return n


async def deadly(wf: Any, how: str, leaf: str, journal: str) -> None:
    await wf.activity("die", LEAVES[leaf], how, journal)


async def good(wf: Any, n: int, journal: str) -> int:
    return int(await wf.activity("first", outlast, n, journal)) + int(
        await wf.activity("second", outlast, n, journal)
    )


async def main(store: Backend, how: str, leaf: str, journal: str) -> None:
    async with Engine(store, HandWritten({"deadly": deadly, "good": good})) as engine:
        await engine.start("deadly", [how, leaf, journal], run_id="deadly")
        for n in range(OTHERS):
            await engine.start("good", [n, journal], run_id=f"good{n}")
        for run_id in ("deadly", *(f"good{n}" for n in range(OTHERS))):
            outcome = await engine.outcome(run_id)
            print(run_id, outcome.status, outcome.value, outcome.reason, flush=True)


if __name__ == "__main__":
    asyncio.run(main(STORES[sys.argv[1]](sys.argv[2]), *sys.argv[3:]))
