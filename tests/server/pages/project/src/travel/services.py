"""The services that the agency calls; a test says how they behave."""

import asyncio

from travel.types import Cabin

pace = [0.0]
"""How long a call takes, in seconds."""

trouble: dict[str, int] = {}
"""How often a service still fails, by its name."""


async def find_hotel(city: str) -> dict[str, object]:
    """The best hotel of a city."""
    await _work("find_hotel")
    return {"city": city, "name": f"Hotel {city}", "stars": 4, "price": 90 + 7 * len(city)}


async def find_flight(city: str, cabin: Cabin) -> dict[str, object]:
    """The next flight to a city."""
    await _work("find_flight")
    return {"to": city, "cabin": cabin.value, "price": 120 * len(city)}


async def book(city: str, price: int) -> str:
    """Book all of it."""
    await _work("book")
    return f"B-{city}-{price}"


async def charge(account: str, amount: int) -> str:
    """Take the money. Raises ConnectionError while the bank is away."""
    await _work("charge")
    return f"P-{account}-{amount}"


async def note(text: str) -> None:
    """Write to the journal."""
    await _work("note" if text else "nothing")


async def _work(name: str) -> None:
    await asyncio.sleep(pace[0])
    if trouble.get(name, 0) > 0:
        trouble[name] -= 1
        raise ConnectionError(f"{name}: the bank hung up <script>alert(1)</script>")
