"""A process that runs runs for a server: started, told what to do, listened to, killed."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping, Sequence

import msgspec

from flopod.server.messages import Message, Report, line, read_report

_LIMIT = 1 << 26
_LOGGER = logging.getLogger("flopod.server")


class Worker:
    """A process started by `command`. `on_report` gets what it tells, `on_end` its exit status.

    `first` is what it reads on its standard input before any message. What it prints goes to standard error
    of this process. It ends when this process does, however that ends: its standard input is closed then.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        on_report: Callable[[Report], None],
        on_end: Callable[[int], None],
        first: bytes = b"",
    ) -> None:
        self._command = command
        self._environment = environment
        self._on_report = on_report
        self._on_end = on_end
        self._first = first
        self._process: asyncio.subprocess.Process | None = None
        self._listening: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start the process. Raises OSError."""
        self._process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env=dict(self._environment),
            limit=_LIMIT,
        )
        if self._first and self._process.stdin is not None:
            self._process.stdin.write(self._first)
        self._listening = asyncio.create_task(self._listen(self._process), name="flopod worker")

    @property
    def pid(self) -> int | None:
        """The process, None before it is started."""
        return None if self._process is None else self._process.pid

    @property
    def is_alive(self) -> bool:
        return self._process is not None and self._process.returncode is None

    def tell(self, message: Message) -> bool:
        """Send a message; returns whether there is a process that may read it."""
        if self._process is None or self._process.stdin is None or not self.is_alive:
            return False
        with contextlib.suppress(ConnectionError, RuntimeError):
            self._process.stdin.write(line(message))
            return True
        return False

    def kill(self) -> None:
        """End the process with SIGKILL, as a crash does."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()

    async def stop(self, seconds: float) -> None:
        """Let the process leave its runs in order and end; it is killed after `seconds`."""
        if self._process is None or self._listening is None:
            return
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            async with asyncio.timeout(seconds):
                await asyncio.shield(self._listening)
        except TimeoutError:
            self.kill()
            await self._listening

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        async for text in process.stdout:
            try:
                report = read_report(text)
            except msgspec.DecodeError:
                _LOGGER.warning("a worker printed %r among its messages", text[:200])
                continue
            self._on_report(report)
        self._on_end(await process.wait())
