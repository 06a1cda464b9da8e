"""The world of the pipeline, simulated: each call is a line in the file that EFFECTS names."""

import asyncio
import os
from pathlib import Path

from chat.model import Draft, Message, Usage


class Unavailable(Exception):
    """A service cannot be reached."""


def file() -> Path:
    """Where the lines go: `effects.txt` in the working directory, if nothing is said."""
    return Path(os.environ.get("EFFECTS", "effects.txt"))


def note(line: str) -> None:
    """Append a line."""
    with file().open("a", encoding="utf-8") as out:
        out.write(f"{line}\n")


async def ask_agent(message: Message) -> Draft:
    """Let the agent answer."""
    note(f"agent {message.text}")
    await asyncio.sleep(0.01)
    words = message.text.split()
    follow_ups = [f"more about {word}" for word in words if len(word) > 5]
    return Draft(message.session, message.text.upper(), 7 * len(words), follow_ups)


async def save_transcript(draft: Draft) -> None:
    """Write the answer to the transcript of its session, which the law wants to be complete."""
    if draft.session == "locked":
        raise Unavailable("the transcript of the session 'locked' cannot be written")
    await asyncio.sleep(0.005)
    note(f"transcript {draft.session} {draft.text}")


async def charge_tokens(draft: Draft) -> None:
    """Charge the session for what the agent took."""
    note(f"charged {draft.session} {draft.tokens}")


async def report_usage(usage: Usage) -> None:
    """Tell analytics, which is down for the session `quiet`."""
    if usage.session == "quiet":
        raise Unavailable("analytics 503")
    await asyncio.sleep(0.005)
    note(f"analytics {usage.event} {usage.session} {usage.tokens}")


async def warm_cache(question: str) -> None:
    """Prepare the answer to a question that is likely to come next."""
    await asyncio.sleep(0.005)
    note(f"warmed {question}")


async def write_journal(draft: Draft) -> None:
    """Write a line in the journal of the operators."""
    note(f"journal {draft.session}")
