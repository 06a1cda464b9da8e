"""Runs workflows through `run_workflow`, on a virtual clock unless a test wants the real one."""

import asyncio
from typing import Any

from msgspec import Raw, json

from flopod.backends.memory import MemoryBackend
from flopod.engine.clock import VirtualClock
from flopod.engine.outcome import RunOutcome
from flopod.engine.runtime import run_workflow

RUN = "r"


def drive(body: Any, *args: Any, backend: MemoryBackend, **options: Any) -> RunOutcome:
    """Start or resume the run in an event loop of its own."""
    options.setdefault("clock", VirtualClock())
    return asyncio.run(run_workflow(body, args, run_id=RUN, backend=backend, **options))


def deliver(backend: MemoryBackend, path: str, event: str, payload: Any) -> None:
    """Put an event into the run's inbox."""
    backend.deliver(RUN, path, event, Raw(json.encode(payload)))


def kinds(backend: MemoryBackend) -> list[str]:
    """Return the kinds of the recorded events."""
    return [type(record.event).__name__ for record in backend.load(RUN)]
