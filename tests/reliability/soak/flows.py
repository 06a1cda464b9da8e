"""Workflows for the soak: each leaf notes that it was executed, with its run, path, attempt and arguments."""

import asyncio
import json
import os

from flopod import Retry, activity, attempt, compensate, current_activity, sleep, start, wait_for, workflow


def journal(*arguments: object) -> int:
    """Write a line that is there even if the process is killed right after; return the attempt."""
    here = current_activity()
    line = json.dumps([here.run_id, here.path, here.attempt, repr(arguments)]) + "\n"
    file = os.open(os.environ["SOAK_JOURNAL"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    os.write(file, line.encode())
    os.close(file)
    return here.attempt


async def add(a: int, b: int) -> int:
    journal(a, b)
    await asyncio.sleep(0.002)
    return a + b


def double(a: int) -> int:
    journal(a)
    return 2 * a


@activity(retry=Retry(max_attempts=3, delay="10ms", jitter=False))
async def third_time(x: int) -> int:
    if journal(x) < 3:
        raise LookupError(x)
    return x


@activity(retry=Retry(max_attempts=2, delay="5ms", jitter=False))
async def never(x: int) -> int:
    journal(x)
    raise ValueError(f"never {x}")


def undo(what: str) -> None:
    journal(what)


@workflow
async def loops(rows: int) -> list[object]:
    totals = []
    total = 0
    for row in range(rows):
        for column in range(2):
            if column == row:
                continue
            total = await add(total, row * column)
        totals.append(total)
        while total < 3 * row:
            total = await add(total, 1)
    return [totals, total]


@workflow
async def gathers(count: int) -> list[object]:
    first = await asyncio.gather(*(add(n, n) for n in range(count)))
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(add(n, 1)) for n in first]
    pair = await asyncio.gather(add(1, 1), never(7), return_exceptions=True)
    return [first, [task.result() for task in tasks], pair[0], str(pair[1])]


@workflow
async def retries(count: int) -> list[object]:
    found: list[object] = []
    for n in range(count):
        found.append(await third_time(n))
        found.append(await attempt(never, n, retry=Retry(max_attempts=2, delay="5ms", jitter=False)))
        try:
            await never(n)
        except ValueError as error:
            found.append(str(error))
    return found


@workflow
async def timers(count: int) -> list[object]:
    found: list[object] = []
    for n in range(count):
        await sleep(0.01)
        try:
            async with asyncio.timeout(0.02):
                await wait_for("nothing")
        except TimeoutError:
            found.append(await add(n, n))
        found.append(await wait_for("nobody", timeout="10ms"))
    await asyncio.gather(asyncio.sleep(0.03), asyncio.sleep(0.01), add(1, 2))
    return found


@workflow
async def waits(names: list[str]) -> list[object]:
    found: list[object] = []
    for name in names:
        answer = await wait_for("approved", int)
        found.append([name, answer, await add(answer, 1)])
    return found


@workflow
async def ship(parcel: int) -> int:
    packed = await add(parcel, 100)
    return double(packed)


@workflow
async def children(count: int) -> list[object]:
    handles = [start(ship, n) for n in range(count)]
    billed = double(count)
    return [billed, *await asyncio.gather(*(handle.wait() for handle in handles))]


@workflow
async def compensations(count: int) -> None:
    for n in range(count):
        compensate(undo, f"{n}")
        await add(n, n)
    await never(count)


@workflow
async def compacted(rounds: int) -> int:
    total = 0
    n = 0
    while n < rounds:
        n += 1
        total = await add(total, n)
        await asyncio.sleep(0)
    return total


@workflow
def plain(count: int) -> list[int]:
    found = []
    for n in range(count):
        found.append(double(n) + double(n + 1))
    return found
