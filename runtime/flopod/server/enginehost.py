"""A host that runs the workflows of one build in this process, on an engine."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from types import ModuleType
from typing import Any

from msgspec import Raw

from flopod.backends.base import Backend
from flopod.engine import seed
from flopod.engine.engine import Engine
from flopod.engine.hooks import load_hooks
from flopod.engine.inputs import Arguments, bind
from flopod.engine.registry import Compiled
from flopod.errors import UnknownWorkflow
from flopod.manifest import Manifest, WorkflowEntry
from flopod.server.host import Build, Start, WorkflowInfo
from flopod.server.inputschema import function_of, workflow_infos
from flopod.server.observed import observed
from flopod.workflow.inputs import call_document

ImportModule = Callable[[str], ModuleType]


class EngineHost(AbstractAsyncContextManager["EngineHost"]):
    """Runs `manifest`'s workflows on `backend`: `async with EngineHost(...) as host`.

    Within the block the open runs of the store go on, and new ones can be started. `import_module` gives the
    compiled modules, `sources` and `emitted` are texts to show. `options` are those of Engine.
    """

    def __init__(
        self,
        backend: Backend,
        manifest: Manifest,
        import_module: ImportModule,
        *,
        sources: Mapping[str, str] | None = None,
        emitted: Mapping[str, str] | None = None,
        **options: Any,
    ) -> None:
        self.backend = observed(backend)
        self._build = Build(manifest, sources or {}, emitted or {})
        self._infos = workflow_infos(manifest, import_module)
        self._functions = {
            entry.name: function_of(entry, import_module) for entry in manifest.workflows.values()
        }
        hash_seed = seed.current() or seed.DEFAULT_SEED
        options.setdefault("hooks", load_hooks(manifest.hooks, import_module))
        self._engine = Engine(self.backend, Compiled(manifest, import_module, hash_seed), **options)
        self._is_leaving = False

    async def __aenter__(self) -> "EngineHost":
        await self._engine.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._is_leaving = True
        await self._engine.drain()

    @property
    def engine(self) -> Engine:
        """The engine, for who wants to know how loaded it is."""
        return self._engine

    @property
    def build(self) -> Build:
        return self._build

    def build_of(self, build: str) -> Build | None:
        return self._build if build == self._build.manifest.build else None

    def workflows(self) -> Sequence[WorkflowInfo]:
        return self._infos

    async def start(self, start: Start) -> None:
        args, kwargs = self._arguments(start.workflow, start.input)
        await self._engine.start(
            start.workflow,
            args,
            kwargs,
            run_id=start.run_id,
            fresh=start.fresh,
            queue=start.queue,
            key=start.key,
            priority=start.priority,
            attributes=start.attributes,
        )

    async def bound(self, workflow: str, input: Any) -> Raw:
        return call_document(*self._arguments(workflow, input))

    def _arguments(self, workflow: str, input: Any) -> Arguments:
        return bind(self._entry(workflow), self._functions[workflow], input)

    def _entry(self, workflow: str) -> WorkflowEntry:
        found = self._build.manifest.workflows.get(workflow)
        if found is None:
            raise UnknownWorkflow(workflow, self._build.manifest.workflows)
        return found

    def look(self) -> None:
        self._engine.look()

    def trouble(self) -> str:
        if self._is_leaving:
            return "the server stops; runs go on when it is started again"
        return "" if self._engine.is_serving else "the engine does not run"

    def notice(self, run_id: str) -> str:  # noqa: ARG002
        return ""
