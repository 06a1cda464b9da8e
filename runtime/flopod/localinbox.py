"""Where an uncompiled `wait_for` finds its events: a mapping of queues, a file, or the terminal.

Each source answers with the payload's JSON data, or NOTHING once the timeout is over.
"""

import asyncio
import os
import sys
import threading
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Protocol

import msgspec

from flopod.errors import BadInput

INBOX_VARIABLE = "FLOPOD_INBOX"
NOTHING: Final = object()

_FIRST_PAUSE, _GROWTH, _LONGEST_PAUSE = 0.01, 1.5, 3600.0
_FILE_PAUSE = 0.5
_taken: dict[str, set[int]] = {}


class Inbox(Protocol):
    """An in-process inbox that knows by itself when something comes."""

    async def take(self, event: str, timeout: float | None) -> Any:
        """Return the next payload of an event, NOTHING after so many seconds."""
        ...


Queues = Mapping[str, deque[Any]] | Inbox


async def receive(event: str, timeout: float | None, queues: Queues | None) -> Any:
    """Return the next payload of an event, from the first source that there is.

    `timeout` is in seconds; `queues` is the in-process inbox, if one is in use.
    """
    if queues is not None and not isinstance(queues, Mapping):
        return await queues.take(event, timeout)
    if queues is not None:
        return await _poll(lambda: _from_queue(queues, event), timeout, _LONGEST_PAUSE)
    path = os.environ.get(INBOX_VARIABLE)
    if path:
        return await _poll(lambda: _from_file(path, event), timeout, _FILE_PAUSE)
    return await _from_terminal(event, timeout)


async def _poll(look: Any, timeout: float | None, longest: float) -> Any:
    """Look again and again, less and less often, until something is there or the time is over."""
    loop = asyncio.get_running_loop()
    end = None if timeout is None else loop.time() + timeout
    pause = _FIRST_PAUSE
    while (found := look()) is NOTHING:
        left = None if end is None else end - loop.time()
        if left is not None and left <= 0:
            return NOTHING
        await asyncio.sleep(pause if left is None else min(pause, left))
        pause = min(pause * _GROWTH, longest)
    return found


def _from_queue(queues: Mapping[str, deque[Any]], event: str) -> Any:
    waiting = queues.get(event)
    return waiting.popleft() if waiting else NOTHING


def _from_file(path: str, event: str) -> Any:
    """Take the first line of the event that has not been taken: `{"event": ..., "payload": ...}`."""
    taken = _taken.setdefault(path, set())
    for number, line in enumerate(_complete_lines(Path(path))):
        if number not in taken and line.strip():
            item = _parse_line(path, number, line)
            if item.get("event") == event:
                taken.add(number)
                return item.get("payload")
    return NOTHING


def _complete_lines(path: Path) -> list[bytes]:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return []
    lines = content.split(b"\n")
    return lines if _is_json(lines[-1]) else lines[:-1]


def _is_json(line: bytes) -> bool:
    try:
        msgspec.json.decode(line)
    except msgspec.DecodeError:
        return False
    return True


def _parse_line(path: str, number: int, line: bytes) -> dict[str, Any]:
    try:
        item = msgspec.json.decode(line)
    except msgspec.DecodeError as error:
        raise BadInput(f"{path}, line {number + 1} is not JSON: {error}") from None
    if not isinstance(item, dict):
        raise BadInput(f'{path}, line {number + 1}: write {{"event": "...", "payload": ...}}')
    return item


async def _from_terminal(event: str, timeout: float | None) -> Any:
    """Ask for the payload on the terminal, in a thread, since nothing else can be interrupted."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[str] = loop.create_future()

    def accept(line: str) -> None:
        if not answer.done():
            answer.set_result(line)

    def ask() -> None:
        print(f"waiting for {event!r}; its payload as JSON: ", end="", file=sys.stderr, flush=True)
        line = sys.stdin.readline()
        with suppress(RuntimeError):  # the loop may have ended meanwhile
            loop.call_soon_threadsafe(accept, line)

    threading.Thread(target=ask, daemon=True, name="flopod-ask").start()
    try:
        async with asyncio.timeout(timeout):
            return _read_answer(event, await answer)
    except TimeoutError:
        return NOTHING


def _read_answer(event: str, line: str) -> Any:
    if not line.strip():
        raise BadInput(
            f"nothing was given for the event {event!r}; answer on the terminal, or set {INBOX_VARIABLE} "
            'to a file with lines {"event": ..., "payload": ...}'
        )
    try:
        return msgspec.json.decode(line.strip())
    except msgspec.DecodeError as error:
        raise BadInput(f"the payload of {event!r} is not JSON: {error}") from None
