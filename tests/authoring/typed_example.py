"""An author's module that must type-check strictly, with the types an editor should see."""

import asyncio
from dataclasses import dataclass
from decimal import Decimal
from typing import assert_type

from flopod import (
    Drained,
    Retry,
    activity,
    attempt,
    for_each,
    log,
    parallel,
    race,
    sleep,
    tap,
    wait_for,
    wait_for_work,
    work,
    workflow,
)


@dataclass
class Approval:
    by: str


@activity(retry=Retry(max_attempts=5, delay="200ms"), timeout="10s")
async def fetch(order_id: str) -> list[str]:
    return [order_id]


@activity
def price(line: str) -> Decimal:
    return Decimal(len(line))


def plain_leaf(line: str) -> int:
    return len(line)


async def note_all(lines: list[str]) -> None:
    log("noted", lines=len(lines))


@workflow
async def fulfil(order_id: str) -> Decimal | None:
    lines = assert_type(await fetch(order_id), list[str])
    total = assert_type(price(lines[0]), Decimal)
    assert_type(activity(plain_leaf, timeout=5)(lines[0]), int)
    assert_type(await attempt(fetch, order_id), list[str] | None)
    assert_type(await attempt(price, "x", retry=Retry(2)), Decimal | None)
    approval = assert_type(await wait_for("approved", Approval, timeout="48h"), Approval | None)
    if approval is None:
        return None
    assert_type(await wait_for("approved", Approval), Approval)
    found = await parallel(a=fetch("1"), b=fetch("2"))
    winner = await race(a=fetch("1"), b=sleep("1s"))
    lines = assert_type(work(note_all, lines), list[str])
    assert_type(work(plain_leaf, lines, connector=lambda all: all[0], when=bool), list[str])
    assert_type(for_each(plain_leaf, lines, concurrency=4, when=lambda all: len(all) > 1), list[str])
    assert_type(await tap(note_all, lines), list[str])
    assert_type(await wait_for_work(fail_on_error=True, timeout="5s"), Drained)
    log("done", arms=len(found), winner=winner.name)
    return total


@workflow(name="second", version=2)
def second(count: int) -> int:
    return count


assert_type(second(3), int)
if __name__ == "__main__":
    asyncio.run(fulfil("A-1"))
