"""A host for pages: an engine on a store, with the workflows of a compiled source."""

import asyncio
import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from flopod import codec
from flopod.backends.base import Backend
from flopod.engine.engine import Engine
from flopod.engine.inputs import bind
from flopod.engine.registry import Compiled
from flopod.manifest import WorkflowEntry
from flopod.server.host import Build, Start, WorkflowInfo
from flopod_compiler.project import sources
from flopod_compiler.testing.source import Source

TRAVEL = Path(__file__).parent / "project" / "src"


class World:
    """Runs the workflows of `source` on `backend`, inside of `async with`."""

    def __init__(self, source: Source, backend: Backend) -> None:
        self.backend = backend
        self._source = source
        self._installed = source.installed()
        registry = Compiled(source.manifest, source.import_module, 0)
        self.engine = Engine(backend, registry)

    @property
    def build(self) -> Build:
        compilation = self._source.compilation
        emitted = {one.module.relpath: one.text for one in compilation.lowered.values()}
        return Build(self._source.manifest, sources(compilation.project), emitted)

    def build_of(self, build: str) -> Build | None:
        return self.build if build == self._source.manifest.build else None

    def workflows(self) -> Sequence[WorkflowInfo]:
        entries = self._source.manifest.workflows
        return [self._info(entries[name]) for name in sorted(entries)]

    async def start(self, start: Start) -> None:
        entry = self._source.manifest.workflows[start.workflow]
        args, kwargs = bind(entry, self._function(entry), start.input)
        await self.engine.start(start.workflow, args, kwargs, run_id=start.run_id)

    def trouble(self) -> str:
        return ""

    async def __aenter__(self) -> "World":
        self._installed.__enter__()
        await self.engine.__aenter__()
        return self

    async def __aexit__(self, *error: Any) -> None:
        await self.engine.__aexit__(*error)
        self._installed.__exit__(*error)

    async def until(self, run_id: str, *statuses: str) -> None:
        """Wait until a run has one of these statuses."""
        for _ in range(1000):
            summary = self.backend.summary(run_id)
            if summary is not None and summary.status in statuses:
                return
            await asyncio.sleep(0.01)
        raise AssertionError(f"{run_id} is {None if summary is None else summary.status}, not {statuses}")

    def _function(self, entry: WorkflowEntry) -> Callable[..., Any]:
        found: Callable[..., Any] = getattr(self._source.import_module(entry.module), entry.function)
        return found

    def _info(self, entry: WorkflowEntry) -> WorkflowInfo:
        function = self._function(entry)
        return WorkflowInfo(entry, inspect.getdoc(function) or "", _schema(function))


def _schema(function: Callable[..., Any]) -> dict[str, Any]:
    """The schema of the parameters, with the definitions of all at its root."""
    properties: dict[str, Any] = {}
    definitions: dict[str, Any] = {}
    required = []
    for name, parameter in inspect.signature(function).parameters.items():
        schema = dict(codec.json_schema(parameter.annotation) or {})
        definitions |= schema.pop("$defs", {})
        if parameter.default is parameter.empty:
            required.append(name)
        else:
            schema = {**schema, "default": codec.plain(parameter.default)}
        properties[name] = schema
    return {"type": "object", "properties": properties, "required": required, "$defs": definitions}
