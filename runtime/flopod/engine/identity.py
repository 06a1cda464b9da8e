"""What a run is, beside its code: its id, its workflow, and the build that runs it."""

from collections.abc import Mapping, Sequence

from msgspec import Raw, Struct
from msgspec.structs import replace

from flopod import codec
from flopod.engine.call import renamed
from flopod.errors import BuildMismatch
from flopod.events import Attribute, Record, RunResumed, RunStarted, WaitPoint
from flopod.log import Lineage
from flopod.log.history import RESUMED_ON_PURPOSE, History
from flopod.manifest import Manifest, WorkflowEntry


class Identity(Struct, frozen=True, kw_only=True):
    """A run of `workflow` under a build.

    `lineage` is what this build knows of those before, None without a lock; `waits` are where the run can
    wait, `hash_seed` what it iterates sets by; `sync` says that the author's workflow is a plain function.
    `queue` is the one that the workflow names.
    """

    run_id: str
    workflow: str = "main"
    build: str = ""
    build_name: str = ""
    lineage: Lineage | None = None
    waits: Sequence[WaitPoint] = ()
    hash_seed: int = 0
    sync: bool = False
    queue: str = ""

    @classmethod
    def of(
        cls,
        run_id: str,
        manifest: Manifest,
        entry: WorkflowEntry,
        waits: Sequence[WaitPoint] = (),
        hash_seed: int = 0,
    ) -> "Identity":
        """Return the identity of a run of one of the workflows of a build."""
        return cls(
            run_id=run_id,
            workflow=entry.name,
            build=manifest.build,
            build_name=manifest.name,
            lineage=Lineage(manifest, entry) if manifest.generation else None,
            waits=waits,
            hash_seed=hash_seed,
            sync=entry.sync,
            queue=entry.queue,
        )

    @property
    def generation(self) -> str:
        """The state of the lock that the build was made with, "" without one."""
        return "" if self.lineage is None else self.lineage.generation

    def read(self, records: Sequence[Record]) -> History:
        """Return the run's log as this build sees it."""
        return History(records, self.lineage, self.build)

    def started(
        self,
        at: int,
        input: Raw | None,
        *,
        queue: str = "",
        key: str = "",
        priority: int = 0,
        attributes: Mapping[str, Attribute] | None = None,
    ) -> RunStarted:
        """Return the first event of the run: without a `queue` it stands in the one of its workflow."""
        return RunStarted(
            at=at,
            workflow=self.workflow,
            input=Raw(b"[]") if input is None else input,
            build=self.build,
            build_name=self.build_name,
            generation=self.generation,
            waits=list(self.waits),
            hash_seed=self.hash_seed,
            run_id=self.run_id,
            sync=self.sync,
            queue=queue or self.queue,
            key=key,
            priority=priority,
            attributes=dict(attributes or {}),
            versions=codec.typed_versions(),
        )

    def resumed(self, at: int, history: History, *, crashed: bool) -> RunResumed:
        """Return the event with which this build goes on with the run."""
        moved = self.generation != history.generation
        return RunResumed(
            at=at,
            build=self.build,
            generation=self.generation,
            crashed=crashed,
            reason=RESUMED_ON_PURPOSE if history.paused is not None else "",
            waits=list(self.waits) if moved else [],
        )

    def call_of(self, started: RunStarted) -> RunStarted:
        """Return the start of the run, with its arguments named as this build names them."""
        lineage = self.lineage
        if lineage is None or started.generation == lineage.generation:
            return started
        return replace(
            started, input=renamed(started.input, lambda name: lineage.parameter(name, started.generation))
        )

    def check_known(self, history: History) -> None:
        """Check that this build can judge what others recorded. Raises BuildMismatch."""
        for generation in sorted(history.generations):
            if self.lineage is None and generation:
                raise self.mismatch(history, "it was made with a flopod.lock, this build without")
            if self.lineage is not None and not self.lineage.knows(generation):
                raise self.mismatch(history, "the flopod.lock of this build does not know that one")

    def mismatch(self, history: History, why: str) -> BuildMismatch:
        """Return the error that names the build that the run needs."""
        return BuildMismatch(self.run_id, history.build or "(none)", self.build or "(none)", why)
