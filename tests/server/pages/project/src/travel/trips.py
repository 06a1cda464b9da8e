"""Trips: found, approved if they are expensive, booked and paid."""

import asyncio

from flopod import Retry, attempt, start, wait_for, workflow
from travel.services import book, charge, find_flight, find_hotel, note
from travel.types import Cabin, Decision, Declined

BUDGET = 1000


@workflow
async def trip(account: str, cities: list[str], cabin: Cabin = Cabin.ECONOMY) -> dict[str, object]:
    """Plan a round trip through `cities` and pay for it.

    Trips above the budget need somebody's word.
    """
    total = 0
    bookings = []
    for city in cities:
        hotel, flight = await asyncio.gather(find_hotel(city), find_flight(city, cabin))
        price = hotel["price"] + flight["price"]
        bookings.append(await book(city, price))
        total += price
    if total > BUDGET:
        decision = await wait_for("approved", Decision, timeout="48h")
        if decision is None or not decision.approved:
            raise Declined(account)
    payment = await attempt(charge, account, total, retry=Retry(max_attempts=4, delay="50ms"))
    await asyncio.sleep(0.05)
    return {"payment": payment, "bookings": bookings, "total": total}


@workflow
async def family(accounts: list[str], city: str) -> list[object]:
    """One trip for each account, as runs of their own."""
    handles = [start(trip, account, [city]) for account in accounts]
    return [await handle.wait() for handle in handles]


@workflow
async def counted(times: int) -> int:
    """Write to the journal again and again."""
    written = 0
    for number in range(times):
        await note(f"line {number}")
        written += 1
    return written


@workflow
async def paid(account: str, amount: int = 5) -> str:
    """Pay at once."""
    return await charge(account, amount)


@workflow
async def asked() -> object:
    """Wait for anything."""
    return await wait_for("answer")
