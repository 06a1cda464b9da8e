"""Runs workflows through `run_workflow`, on a virtual clock unless a test wants the real one."""

import asyncio
from typing import Any

from msgspec import Raw, json

from flopod.backends.memory import MemoryBackend
from flopod.engine.clock import VirtualClock
from flopod.engine.identity import Identity
from flopod.engine.outcome import RunOutcome
from flopod.engine.run import run_workflow

RUN = "r"
_OF_IDENTITY = set(Identity.__struct_fields__)

calls: list[Any] = []
"""What `note` was called with, since the test began."""


async def note(x: Any) -> Any:
    """A leaf that is counted."""
    calls.append(x)
    return x


def drive(body: Any, *args: Any, backend: MemoryBackend, **options: Any) -> RunOutcome:
    """Start or resume the run in an event loop of its own."""
    options.setdefault("clock", VirtualClock())
    identity = take_identity(options)
    return asyncio.run(run_workflow(body, args, identity=identity, backend=backend, **options))


def real(body: Any, backend: MemoryBackend | None = None, **options: Any) -> RunOutcome:
    """Run on the system's clock."""
    backend = MemoryBackend() if backend is None else backend
    running = run_workflow(body, [], identity=Identity(run_id=RUN), backend=backend, **options)
    return asyncio.run(asyncio.wait_for(running, 20))


def take_identity(options: dict[str, Any]) -> Identity:
    """Take out of `options` what says which run of which build it is."""
    return Identity(run_id=RUN, **{name: options.pop(name) for name in _OF_IDENTITY & options.keys()})


def deliver(backend: MemoryBackend, path: str, event: str, payload: Any) -> None:
    """Put an event into the run's inbox."""
    backend.deliver(RUN, path, event, Raw(json.encode(payload)))


def kinds(backend: MemoryBackend) -> list[str]:
    """Return the kinds of the recorded events."""
    return [type(record.event).__name__ for record in backend.load(RUN)]
