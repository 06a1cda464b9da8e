"""Which open runs of a backend could move to a build: their logs are replayed with it."""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

from flopod.backends.base import Backend
from flopod.backends.choose import choose
from flopod.engine.fitting import fit_of
from flopod.engine.programs import Programs
from flopod.engine.registry import Compiled
from flopod.engine.seed import DEFAULT_SEED
from flopod.engine.waits import summary_of
from flopod.events import FINAL
from flopod.manifest import Manifest
from flopod_compiler.bundle.inplace import install

if TYPE_CHECKING:
    from flopod_compiler.build import Compilation


def open_runs(found: Compilation, manifest: Manifest, backend: str) -> list[dict[str, Any]]:
    """A verdict for each run that is not over: `fits` or `stays`, where it stands, and why."""
    install(found)
    with choose(backend, os.environ) as store:
        open_ones = [one for one in store.summaries() if one.status not in FINAL]
        return [_verdict(store, manifest, one.run_id, one.workflow, one.build) for one in open_ones]


def replayed(found: Compilation, manifest: Manifest, backend: str | None, run_id: str) -> dict[str, Any]:
    """The verdict for one run, over or not. Raises UnknownRun."""
    install(found)
    with choose(backend, os.environ) as store:
        one = summary_of(store, run_id)
        return _verdict(store, manifest, run_id, one.workflow, one.build)


def _verdict(store: Backend, manifest: Manifest, run_id: str, workflow: str, build: str) -> dict[str, Any]:
    found = fit_of(store, Programs(Compiled(manifest, import_module, DEFAULT_SEED)), run_id)
    why = found.reason
    if not why and found.acts:
        why = "what it asks for next is new; what it recorded after that has not been compared"
    verdict = "fits" if found.fits else "stays"
    return {
        "run": run_id,
        "workflow": workflow,
        "build": build,
        "verdict": verdict,
        "at": found.at,
        "why": why,
    }
