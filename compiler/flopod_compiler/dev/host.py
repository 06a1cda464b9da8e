"""What the pages of `flopod dev` stand on: a session in the place of an engine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Raw

from flopod.backends.base import Backend
from flopod.manifest import Manifest
from flopod.server.host import Build, Start, WorkflowInfo
from flopod_compiler.dev.session import Session

_NOTHING = Build(Manifest("", "", {}), {}, {})


class DevHost:
    """Runs the workflows of the source as it is, in the worker of a session."""

    def __init__(self, backend: Backend, session: Session) -> None:
        self.backend = backend
        self.session = session

    @property
    def build(self) -> Build:
        """The last build without errors; one with no workflows before there is any."""
        return self.session.build or _NOTHING

    def build_of(self, build: str) -> Build | None:
        return self.session.kept.get(build)

    def workflows(self) -> Sequence[WorkflowInfo]:
        entries = self.build.manifest.workflows
        found = [one for one in self.session.runner.state.startable if one.name in entries]
        return [WorkflowInfo(entries[one.name], one.description, one.schema) for one in found]

    async def start(self, start: Start) -> None:
        await self.session.runner.start(start)

    async def bound(self, workflow: str, input: Any) -> Raw:
        return await self.session.runner.bound(workflow, input)

    def trouble(self) -> str:
        return self.session.trouble()

    def notice(self, run_id: str) -> str:
        return self.session.runner.state.misfits.get(run_id, "")

    def look(self) -> None:
        self.session.runner.look()
