"""What a control plane stands on: a store of runs, their build, and somebody who runs them."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from msgspec import Raw, Struct

from flopod.backends.base import Backend
from flopod.errors import FlopodError
from flopod.events import Attribute
from flopod.manifest import Manifest, WorkflowEntry


class NotRunning(FlopodError):
    """Nobody runs the workflows now; it says why, and what to do."""


class Build(NamedTuple):
    """A build as people see it: its manifest, the author's texts and those emitted for them, by file.

    The names of files are those of the manifest: relative to the source root, with slashes.
    """

    manifest: Manifest
    sources: Mapping[str, str]
    emitted: Mapping[str, str]


class WorkflowInfo(NamedTuple):
    """A workflow that can be started: what its author says of it, and the JSON schema of its input.

    `schema` describes an object of the parameters by name; it is made from the annotations.
    """

    entry: WorkflowEntry
    description: str
    schema: Mapping[str, Any]


class Start(Struct, frozen=True, kw_only=True):
    """A run to be started; `input` is decoded JSON: an object (by name) or an array (by place).

    The run id of a `fresh` run was just made, so that there cannot be a run of that id.
    """

    workflow: str
    input: Any
    run_id: str
    queue: str = ""
    key: str = ""
    priority: int = 0
    attributes: Mapping[str, Attribute] = {}
    fresh: bool = False


class Host(Protocol):
    """Runs the workflows of one build, here or in a process of its own. What else there is to do with a run
    goes through the store, which every process shares."""

    backend: Backend

    @property
    def build(self) -> Build:
        """The build that new runs are started with."""
        ...

    def build_of(self, build: str) -> Build | None:
        """Return the build of that id, None if it is not known here any more."""
        ...

    def workflows(self) -> Sequence[WorkflowInfo]:
        """Return what can be started, in the order of the names."""
        ...

    async def start(self, start: Start) -> None:
        """Start a run durably: it surely runs once this returns. The same start again is no other run.

        Raises UnknownWorkflow, BadInput, InvalidRunId, InputChanged, StoppedByHook, StorageError, NotRunning.
        """
        ...

    async def bound(self, workflow: str, input: Any) -> Raw:
        """Return an input as a log holds it, for what starts later: schedules, forks.

        Raises UnknownWorkflow, BadInput, NotRunning.
        """
        ...

    def look(self) -> None:
        """Look now at what was changed in the store: schedules."""
        ...

    def trouble(self) -> str:
        """Return why no run would go on here now, "" if all is well."""
        ...

    def notice(self, run_id: str) -> str:
        """Return why a run that is open goes on nowhere, "" if nothing is known of that."""
        ...
