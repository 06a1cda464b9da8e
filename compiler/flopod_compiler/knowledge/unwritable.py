"""Types outside the project whose values no log can hold: connections, locks, tasks, streams."""

from __future__ import annotations

from flopod_compiler.knowledge.known import words

_UNWRITABLE = frozenset(
    words("Generator AsyncGenerator AsyncIterator AsyncIterable Coroutine Awaitable", "collections.abc.")
    + words(
        "Generator AsyncGenerator AsyncIterator AsyncIterable Coroutine Awaitable IO TextIO BinaryIO",
        "typing.",
    )
    + words(
        "Task Future Lock Queue Event Semaphore Condition TaskGroup StreamReader StreamWriter", "asyncio."
    )
    + words("Lock RLock Thread Event Condition Semaphore", "threading.")
    + words("TextIOWrapper BufferedReader BufferedWriter BufferedRandom FileIO", "io.")
    + words("Client AsyncClient Response", "httpx.")
    + words("Session Response", "requests.")
    + words("ClientSession ClientResponse", "aiohttp.")
    + words("Connection Cursor", "sqlite3.")
    + words("socket.socket ssl.SSLContext ssl.SSLSocket subprocess.Popen multiprocessing.Process")
    + words("concurrent.futures.Future types.ModuleType types.GeneratorType types.FrameType weakref.ref")
)


def is_unwritable(name: str) -> bool:
    """Whether no value of a type outside the project can be written to a log."""
    return name in _UNWRITABLE
