"""Resumes a run of the engine from every prefix of its log, as after a kill."""

from collections.abc import Iterator
from typing import Any

from flopod.backends.memory import MemoryBackend
from flopod.engine.outcome import RunOutcome
from flopod.events import Event
from tests.engine.support import RUN, drive


def events_of(backend: MemoryBackend) -> list[Event]:
    """Return what has happened in the run."""
    return [record.event for record in backend.load(RUN)]


def through(backend: MemoryBackend, kind: type[Event]) -> MemoryBackend:
    """Return a store that was killed right after the first event of a kind."""
    count = next(n for n, one in enumerate(events_of(backend), 1) if isinstance(one, kind))
    return backend.prefix(RUN, count)


def resumed(
    body: Any, backend: MemoryBackend, *args: Any, **options: Any
) -> Iterator[tuple[int, RunOutcome]]:
    """Resume from each prefix of the run's log; gives its length and how the run ended."""
    for count in range(1, len(backend.load(RUN)) + 1):
        yield count, drive(body, *args, backend=backend.prefix(RUN, count), **options)
