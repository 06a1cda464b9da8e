"""A host for pages: an engine on a store, with the workflows of a compiled source."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from flopod.backends.base import Backend
from flopod.server.enginehost import EngineHost
from flopod.server.host import Start
from flopod_compiler.project import sources
from flopod_compiler.testing.source import Source

TRAVEL = Path(__file__).parent / "project" / "src"


class World(EngineHost):
    """A host that tests wait for."""

    async def begin(self, workflow: str, run_id: str, *statuses: str, **input: Any) -> None:
        """Start a run, and wait until it has one of these statuses."""
        await self.start(Start(workflow=workflow, input=input, run_id=run_id))
        await self.until(run_id, *statuses)

    async def until(self, run_id: str, *statuses: str) -> None:
        """Wait until a run has one of these statuses."""
        found = ""
        for _ in range(2000):
            summary = self.backend.summary(run_id)
            found = "" if summary is None else summary.status
            if found in statuses:
                return
            await asyncio.sleep(0.005)
        raise AssertionError(f"{run_id} is {found}, not {statuses}")


@asynccontextmanager
async def world(source: Source, backend: Backend) -> AsyncIterator[World]:
    """Run the workflows of a source on a store."""
    compilation = source.compilation
    emitted = {one.module.relpath: one.text for one in compilation.lowered.values()}
    texts = sources(compilation.project)
    with source.installed():
        async with World(
            backend, source.manifest, source.import_module, sources=texts, emitted=emitted
        ) as host:
            yield host
