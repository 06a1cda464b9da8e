"""Runs the pipeline plainly: `PYTHONPATH=src python -m chat`."""

import asyncio
import logging
import sys
from typing import Any

from chat.model import Message
from chat.pipeline import answer
from chat.services import Unavailable, file


def expect(what: str, found: Any, wanted: Any) -> None:
    """End the program with a line about it if `found` is not `wanted`."""
    if found != wanted:
        sys.exit(f"REGRESSION: {what}: expected {wanted!r}, got {found!r}")


def lines(session: str) -> list[str]:
    """What was done for a session, by what is written in the file."""
    return sorted(line for line in file().read_text("utf-8").splitlines() if session in line.split())


async def main() -> None:
    """Answer three messages: all is well, analytics is down, the record cannot be written."""
    file().unlink(missing_ok=True)
    logging.disable(logging.CRITICAL)  # what fails beside the answers is logged

    reply = await answer(Message("s1", " tell me about workflows "))
    expect("the answer", (reply.text, reply.saved), ("TELL ME ABOUT WORKFLOWS!", 2))
    wanted = ["analytics response_generated s1 28", "charged s1 28", "journal s1"]
    expect("what was done beside it", lines("s1"), [*wanted, "transcript s1 TELL ME ABOUT WORKFLOWS"])
    warmed = [line for line in file().read_text("utf-8").splitlines() if line.startswith("warmed")]
    expect("what is warm", warmed, ["warmed more about workflows"])

    reply = await answer(Message("quiet", "hello"))
    expect("the answer without analytics", reply.text, "HELLO!")
    expect(
        "what was done without analytics",
        lines("quiet"),
        ["charged quiet 7", "journal quiet", "transcript quiet HELLO"],
    )

    try:
        await answer(Message("locked", "hello"))
    except Unavailable as error:
        expect("the error", str(error), "the transcript of the session 'locked' cannot be written")
    else:
        sys.exit("REGRESSION: an answer without a record was sent")
    expect("what was done without a record", lines("locked"), ["charged locked 7"])
    print("OK: answers are on record, and nothing else holds them up")


if __name__ == "__main__":
    asyncio.run(main())
