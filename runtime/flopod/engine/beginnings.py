"""When runs began before this process: a rate counts them, or each restart would let more of them begin."""

import time

from flopod.backends.base import Backend, Filter
from flopod.engine.clock import Clock
from flopod.engine.ready import Place, Ready
from flopod.events import RunSummary


def recall(backend: Backend, ready: Ready, clock: Clock) -> None:
    """Tell `ready` of the runs in the store that began recently enough to count."""
    since = clock.now() - ready.longest_rate * 1000
    if not ready.longest_rate:
        return
    found = [
        (at, Place.of(run))
        for run in backend.find(Filter(updated_after=int(since)))
        if ready.has_rate(Place.of(run)) and (at := _begun(backend, run)) is not None and at > since
    ]
    for at, place in sorted(found):
        ready.recall(place, time.monotonic() - max(clock.now() - at, 0) / 1000)


def _begun(backend: Backend, run: RunSummary) -> int | None:
    """When a run went on from its first record, None if it stands in line."""
    if run.status == "pending":
        return None
    second = next(iter(backend.scan(run.run_id, 1)), None)
    return None if second is None else second.event.at
