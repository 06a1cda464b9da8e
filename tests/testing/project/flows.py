"""Workflows for the tests of the harness."""

import asyncio
import random
import socket
import threading
import time
from datetime import datetime

from flopod import (
    Retry,
    activity,
    compensate,
    current_activity,
    detach_and_forget,
    race,
    sleep,
    start,
    wait_for,
    workflow,
)
from flopod.detach import microtask_batch_driver


class Denied(Exception):
    """Nobody said yes."""


@activity(retry=Retry(max_attempts=3, delay="1h", max_delay="1h", jitter=False), timeout="10m")
async def fetch(url: str) -> str:
    await asyncio.sleep(1)
    return url.upper()


async def send(text: str) -> None:
    print("sent", text)


async def unsend(text: str) -> None:
    print("unsent", text)


@activity
def price(number: int) -> int:
    return number * 2


def doubled(number: int) -> int:
    return number * 2


@activity(heartbeat="30s", retry=Retry(max_attempts=2, delay=0))
async def beating() -> str:
    await asyncio.sleep(3600 if current_activity().attempt == 1 else 1)
    return "alive"


async def pull() -> str:
    """Something that really takes a moment: first a thread, then a socket."""
    text = await asyncio.to_thread(_slow)
    ours, theirs = socket.socketpair()
    reader, writer = await asyncio.open_connection(sock=ours)
    threading.Timer(0.05, theirs.sendall, [text]).start()
    found = await reader.read(100)
    writer.close()
    theirs.close()
    return found.decode()


def _slow() -> bytes:
    threading.Event().wait(0.05)
    return b"pulled"


@workflow
async def pulling() -> str:
    async with asyncio.timeout(60):
        return await pull()


@workflow
async def fetching(url: str) -> str:
    return await fetch(url)


@workflow
async def approving(order: str) -> str:
    await send(order)
    yes = await wait_for("yes", bool, timeout="48h")
    if not yes:
        raise Denied(order)
    await send("yes")
    return f"{order} approved"


@workflow
async def racing() -> str:
    won = await race(human=wait_for("human", str), robot=fetch("x"), clock=sleep("5m"))
    return f"{won.name} {won.value}"


@workflow
def adding(count: int) -> int:
    total = 0
    for number in range(count):
        total += price(number)
        time.sleep(3600)
    return total


@workflow
async def child(number: int) -> int:
    await asyncio.sleep(60)
    return price(number)


@workflow
async def parent(number: int) -> list[int]:
    first = start(child, number)
    second = start(child, number + 1, run_id="second")
    return [await first.wait(), await second.wait()]


@workflow
async def clocks() -> list[object]:
    begun, seconds, steady = datetime.now(), time.time(), time.monotonic()
    await asyncio.sleep(7200)
    return [str(datetime.now() - begun), time.time() - seconds, time.monotonic() - steady, random.random()]


@workflow
async def undoing(text: str) -> None:
    await send(text)
    compensate(unsend, text)
    raise Denied(text)


@workflow
async def collecting(count: int) -> list[str]:
    found = []
    lengths = {}
    for number in range(count):
        found.append(await fetch(str(number)))
        lengths[number] = doubled(len(found))
    return found


@workflow
async def counting() -> int:
    total = 0
    while True:
        tick = await wait_for("tick", int, timeout="1d")
        if tick is None:
            return total
        total += tick


@workflow
async def both() -> list[str]:
    return list(await asyncio.gather(fetch("a"), fetch("b"), wait_for("last", str)))


@workflow
async def beats() -> str:
    return await beating()


@workflow
async def announcing(what: str) -> None:
    print("announcing", what)
    await wait_for("go")


@workflow
async def asking(names: list[str]) -> list[str]:
    answers = []
    for name in names:
        await fetch(name)
        answers.append(await wait_for("answer", str))
    return answers


@activity
async def flag() -> bool:
    return True


@workflow
async def choosing() -> None:
    if await flag():
        await fetch("first")
    else:
        await fetch("second")


@workflow
async def delegating(order: str) -> str:
    return await start(approving, order, run_id=f"child-{order}").wait()


@workflow(queue="slow")
async def queueing(url: str) -> str:
    return await fetch(url)


class Tap:
    async def pour(self, number: int) -> int:
        await asyncio.sleep(1)
        return number * 2


tap = Tap()


@workflow
async def pouring(number: int) -> int:
    other = Tap()
    return await tap.pour(number) + await other.pour(number)


@workflow
async def telling(text: str) -> str:
    await send(text)
    return await fetch(text)


@workflow
async def detaching(text: str) -> str:
    detach_and_forget(microtask_batch_driver, telling, text)
    asyncio.create_task(send(text))  # noqa: RUF006
    return await fetch("main")
