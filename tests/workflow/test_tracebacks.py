"""The text of a traceback: the author's frames, in groups and causes too."""

from __future__ import annotations

import asyncio
import re

from flopod.workflow.tracebacks import author_traceback


async def fail(text: str) -> None:
    await asyncio.sleep(0)
    raise ValueError(text)


async def together() -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(fail("one"))
        group.create_task(fail("two"))


async def late() -> None:
    async with asyncio.timeout(0):
        await asyncio.sleep(10)


def raised_by(work: object) -> BaseException:
    try:
        asyncio.run(work)  # type: ignore[arg-type]
    except BaseException as error:
        return error
    raise AssertionError("nothing was raised")


def functions(text: str) -> list[str]:
    return re.findall(r"line \d+, in (\w+)", text)


def test_frames_of_asyncio_are_left_out() -> None:
    """Of a task group, the group's frames and those of each member are the author's."""
    text = author_traceback(raised_by(together()))
    assert functions(text) == ["raised_by", "together", "fail", "fail"]
    assert "ValueError: one" in text
    assert "ValueError: two" in text


def test_what_asyncio_raises_itself_keeps_the_way_there() -> None:
    """A timeout ends with the author's line that waited, and with its own words."""
    text = author_traceback(raised_by(late()))
    assert set(functions(text)) == {"raised_by", "late"}
    assert text.rstrip().endswith("TimeoutError")


def test_all_frames_can_be_asked_for() -> None:
    """With `whole` it is Python's own text."""
    error = raised_by(together())
    assert functions(author_traceback(error, whole=True)).count("__aexit__") > 0
