"""Leaves: each notes its calls in the file CALLS, and takes as long as the file PACE says."""

import asyncio
import os
from pathlib import Path

from desk.types import Parcel


async def stamp(text: str) -> str:
    """Put a stamp on it."""
    await noted(f"stamp {text}")
    return f"stamped {text}"


async def weigh(parcel: Parcel, count: int, express: bool) -> float:
    """What it weighs, in all."""
    await noted(f"weigh {parcel.title}")
    return parcel.weight * count + express


async def send(text: str) -> str:
    """Send it."""
    await noted(f"send {text}")
    return f"sent {text}"


async def refuse(text: str) -> None:
    """Say no. Raises ValueError, always."""
    raise ValueError(text)


async def noted(text: str) -> None:
    """Note a call and the process that it is made in, and take a while."""
    with Path(os.environ["CALLS"]).open("a", encoding="utf-8") as file:
        file.write(text + "\n")
    pace = Path(os.environ["PACE"])
    await asyncio.sleep(float(pace.read_text()) if pace.exists() else 0)
