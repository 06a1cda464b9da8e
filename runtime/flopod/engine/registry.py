"""The workflows that an engine can run, by name: those of a build, or hand-written functions."""

import operator
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any, Protocol

from msgspec import Struct

from flopod.engine.identity import Identity
from flopod.engine.run import Workflow
from flopod.engine.waits import wait_points
from flopod.errors import UnknownWorkflow
from flopod.events import WaitPoint
from flopod.manifest import Manifest


class Program(Struct, frozen=True):
    """A workflow and what identifies its runs."""

    fn: Workflow
    identify: Callable[[str], Identity]


class Registry(Protocol):
    """Where an engine finds the code of a run."""

    def name_of(self, fn: Callable[..., Any]) -> str | None:
        """Return the name of a workflow, None for a function that is none."""
        ...

    def identify(self, run_id: str, workflow: str) -> Identity:
        """Return the identity of a run of what is no workflow of its own: a function that was detached."""
        ...

    def load(self) -> None:
        """Import what the workflows stand in, so that what they detach is there."""
        ...

    def program(self, workflow: str) -> Program:
        """Return the workflow of that name. Raises UnknownWorkflow."""
        ...


class HandWritten:
    """Functions `async def main(wf, ...)` by name; `build` tells their versions apart."""

    def __init__(self, workflows: Mapping[str, Workflow], build: str = "") -> None:
        self._workflows = workflows
        self._build = build

    def program(self, workflow: str) -> Program:
        fn = self._workflows.get(workflow)
        if fn is None:
            raise UnknownWorkflow(workflow, self._workflows)
        queue = getattr(getattr(fn, "__flopod_workflow__", None), "queue", None) or ""
        return Program(
            fn, lambda run_id: Identity(run_id=run_id, workflow=workflow, build=self._build, queue=queue)
        )

    def name_of(self, fn: Callable[..., Any]) -> str | None:
        return next((name for name, one in self._workflows.items() if one is fn), None)

    def identify(self, run_id: str, workflow: str) -> Identity:
        return Identity(run_id=run_id, workflow=workflow, build=self._build)

    def load(self) -> None:
        """Do nothing: they are at hand."""


class Compiled:
    """The workflows of a build, imported when they are first run."""

    def __init__(
        self, manifest: Manifest, import_module: Callable[[str], ModuleType], hash_seed: int
    ) -> None:
        self._manifest = manifest
        self._import = import_module
        self._hash_seed = hash_seed
        self._known: dict[str, Program] = {}
        self._names = {(one.module, one.function): one.name for one in manifest.workflows.values()}

    def program(self, workflow: str) -> Program:
        found = self._known.get(workflow)
        if found is None:
            found = self._known[workflow] = self._find(workflow)
        return found

    def name_of(self, fn: Callable[..., Any]) -> str | None:
        return self._names.get((getattr(fn, "__module__", ""), getattr(fn, "__qualname__", "")))

    def identify(self, run_id: str, workflow: str) -> Identity:
        return Identity(
            run_id=run_id,
            workflow=workflow,
            build=self._manifest.build,
            build_name=self._manifest.name,
            hash_seed=self._hash_seed,
        )

    def load(self) -> None:
        for module in {one.module: None for one in self._manifest.workflows.values()}:
            self._import(module)

    def _find(self, workflow: str) -> Program:
        entry = self._manifest.workflows.get(workflow)
        if entry is None:
            raise UnknownWorkflow(workflow, self._manifest.workflows)
        fn = operator.attrgetter(entry.function)(self._import(entry.module))
        points: list[WaitPoint] = wait_points(entry, self._import)
        manifest, seed = self._manifest, self._hash_seed
        return Program(fn, lambda run_id: Identity.of(run_id, manifest, entry, points, seed))
