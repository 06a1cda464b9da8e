"""What the tests queue: leaves that note that they were called, fail, or take their time."""

import asyncio
from typing import Any

called: list[Any] = []
"""What the blocks were called with, and marks of the main line, in order."""


async def note(value: Any) -> Any:
    """A block that is noted, and is over at once."""
    called.append(value)
    return "what a block gives is dropped"


async def fail(value: Any) -> None:
    """A block that fails."""
    called.append(value)
    await asyncio.sleep(0)
    raise LookupError(value)


async def slow(value: Any) -> None:
    """A block that is noted when it begins and when it ends."""
    called.append(f"{value} begins")
    await asyncio.sleep(0.02)
    called.append(f"{value} ends")


def plain(value: Any) -> None:
    """A block that is a plain function."""
    called.append(value)


def double(value: Any) -> Any:
    """A connector."""
    called.append(f"connector of {value}")
    return value * 2
