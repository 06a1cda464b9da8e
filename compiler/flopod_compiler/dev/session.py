"""The source as it is: compiled anew when it changes, and run if it has no errors."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

from flopod.backends.base import Backend
from flopod.server.builds import KeptBuilds
from flopod.server.host import Build
from flopod_compiler.dev.compiling import Compiled, compile_source
from flopod_compiler.dev.runner import Runner
from flopod_compiler.dev.saying import BAD, GOOD, WARNING, Terminal
from flopod_compiler.dev.watching import changed, look


class Session:
    """Compiles `src` whenever it changes, and has its runner run it.

    `told` is called after each change that a page shows. `chosen` is the backend of the command line.
    """

    def __init__(
        self, src: Path, backend: Backend, chosen: str | None, told: Callable[[], None], terminal: Terminal
    ) -> None:
        self.runner = Runner(chosen, told, terminal)
        self.kept = KeptBuilds(backend)
        self.compiled = Compiled()
        self.is_compiling = True
        self._src = src
        self._told = told
        self._terminal = terminal

    @property
    def build(self) -> Build | None:
        """The last build without errors, None before there is any."""
        return None if self.runner.image is None else self.runner.image.build

    async def follow(self) -> None:
        """Compile and run the source, now and after each change, until cancelled."""
        seen = look(self._src)
        while True:
            began = time.perf_counter()
            compiled = await asyncio.to_thread(compile_source, self._src, in_color=self._terminal.in_color)
            await self._take(compiled, time.perf_counter() - began)
            seen = await changed(self._src, seen)
            self.is_compiling = True
            self._told()

    async def _take(self, compiled: Compiled, seconds: float) -> None:
        self.compiled, self.is_compiling = compiled, False
        self._say(compiled, seconds)
        image, runs = compiled.image, self.runner.image
        if image is not None and (image != runs or self.runner.state.broken):
            await asyncio.to_thread(self.kept.keep, image.build)
            await self.runner.run(image)
        self._told()

    def _say(self, compiled: Compiled, seconds: float) -> None:
        terminal = self._terminal
        if compiled.image is None:
            rest = "the last good build runs" if self.build else "nothing runs"
            terminal.say(BAD, f"{compiled.verdict}; {rest}")
        else:
            manifest = compiled.image.build.manifest
            mark = WARNING if compiled.findings else GOOD
            terminal.say(mark, f"{compiled.verdict} in {seconds:.2f} s: build {manifest.build[:12]}")
        for text in (compiled.trouble, compiled.said, *compiled.plan):
            if text:
                terminal.show(text, indent="  ")

    def trouble(self) -> str:
        """Return why no run goes on now, "" if all is well."""
        if self.build is None:
            return "the source is being compiled" if self.is_compiling else "the source has errors"
        return self.runner.trouble()

    async def close(self) -> None:
        """Let the runs rest in order."""
        await self.runner.close()
