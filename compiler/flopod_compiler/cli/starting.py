"""`flopod runs start`: a run that is recorded and not yet executed."""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from flopod.backends.base import Backend, now_ms
from flopod.backends.choose import choose
from flopod.engine import seed
from flopod.engine.call import check_same
from flopod.engine.identity import Identity
from flopod.engine.waits import first_event, wait_points
from flopod.events import RunStarted
from flopod.runid import DEFAULT_RUN_ID, check_run_id
from flopod_compiler.cli.called import called


def record_start(
    src: Path, workflow: str | None, input: str | None, run_id: str | None, backend: str | None
) -> str:
    """Record the first event of a run, unless it is there, and return the run's id.

    Raises InputChanged if the run was started with something else, BadInput, UsageError.
    """
    run_id = check_run_id(run_id if run_id is not None else os.environ.get("FLOPOD_RUN_ID") or DEFAULT_RUN_ID)
    found = called(src, workflow, input)
    hash_seed = seed.current() or seed.DEFAULT_SEED
    points = wait_points(found.entry, import_module)
    identity = Identity.of(run_id, found.manifest, found.entry, points, hash_seed)
    started = identity.started(now_ms(), found.input)
    with choose(backend, os.environ) as store:
        _append(store, started, found.function, given=input is not None)
    return run_id


def _append(store: Backend, started: RunStarted, function: Callable[..., Any], *, given: bool) -> None:
    recorded = first_event(store, started.run_id)
    if recorded is None:
        store.append(started.run_id, 0, [started])
    else:
        check_same(started.run_id, recorded, started.workflow, started.input if given else None, function)
