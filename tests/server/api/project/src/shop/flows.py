"""Workflows of all kinds, for the tests of the API."""

from dataclasses import dataclass
from pathlib import Path

from flopod import activity, sleep, wait_for, workflow


@dataclass
class Line:
    sku: str
    qty: int = 1


@dataclass
class Order:
    id: str
    lines: list[Line]


@dataclass
class Approval:
    by: str
    amount: int = 0


@activity()
async def say(text: str) -> str:
    return text


@activity()
async def price(line: Line) -> int:
    return line.qty * 10


async def book(path: str, text: str) -> None:
    with Path(path).open("a") as file:
        file.write(text + "\n")


async def breaks(path: str) -> str:
    if not Path(path).exists():
        raise LookupError(f"no {path}")
    return "mended"


@workflow
async def greet(name: str, times: int = 1) -> str:
    """Say hello to somebody, some times."""
    return await say(f"hello {name}" * times)


@workflow
async def total(order: Order) -> int:
    """Sum up the prices of an order."""
    found = 0
    for line in order.lines:
        found += await price(line)
    return found


@workflow
async def approve(order: str) -> str:
    """Ask a person about an order."""
    await say(order)
    answer = await wait_for("approved", Approval, timeout="48h")
    return await say(f"{order} by {answer.by}" if answer is not None else "nobody")


@workflow
async def confirm(order: str) -> str:
    """Ask two people, one after the other."""
    first = await wait_for("approved", Approval)
    second = await wait_for("confirmed", Approval)
    return f"{order} by {first.by} and {second.by}"


@workflow(queue="naps")
async def nap(seconds: float) -> str:
    await sleep(seconds)
    return await say("awake")


@workflow
async def mends(path: str) -> str:
    """Fail until there is a file."""
    await say("first")
    return await breaks(path)


@workflow
async def noted(path: str, text: str) -> str:
    """Leave a line in a file."""
    await book(path, text)
    return text
