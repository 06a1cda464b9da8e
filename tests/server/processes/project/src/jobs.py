"""What the servers of the tests run. Leaves note each of their calls in the file CALLS."""

import asyncio
import os
from pathlib import Path

from flopod import wait_for, workflow


async def note(text: str) -> str:
    with Path(os.environ["CALLS"]).open("a") as file:
        file.write(text + "\n")
    return text


@workflow
async def steps(name: str, count: int = 3) -> list[str]:
    """Note `count` steps, one after the other."""
    done: list[str] = []
    for number in range(count):
        done.append(await note(f"{name}:{number}"))
    await note(f"{name}:end")
    return done


@workflow
async def approve(name: str) -> str:
    """Wait until somebody says a word."""
    word = await wait_for("word", str)
    return await note(f"{name}:{word}")


@workflow
async def nap(name: str, seconds: float) -> str:
    """Sleep, and note it."""
    await note(f"{name}:before")
    await asyncio.sleep(seconds)
    return await note(f"{name}:after")


async def pause(seconds: float) -> None:
    await asyncio.sleep(seconds)


@workflow
async def work(name: str, seconds: float) -> str:
    """Take a while over a step, and note it."""
    await note(f"{name}:before")
    await pause(seconds)
    return await note(f"{name}:after")
