"""Which runs that rest could not go on with a build: found out before somebody waits for them."""

from itertools import islice
from typing import NamedTuple

from flopod.backends.base import Backend
from flopod.engine.fitting import fit_of
from flopod.engine.programs import Programs
from flopod.engine.registry import Registry
from flopod.errors import FlopodError

_MOST = 200


class Stuck(NamedTuple):
    """A run that cannot go on, and why."""

    run_id: str
    reason: str


def stuck_runs(backend: Backend, registry: Registry, build: str) -> list[Stuck]:
    """Return the runs of other builds that do not fit `build`, whose programs are those of `registry`.

    Nothing is called or written. Of many runs only the eldest are tried.
    """
    others = (run for run in backend.each_open() if run.build != build)
    tried = [Stuck(run.run_id, _why_not(backend, registry, run.run_id)) for run in islice(others, _MOST)]
    return [each for each in tried if each.reason]


def _why_not(backend: Backend, registry: Registry, run_id: str) -> str:
    try:
        return fit_of(backend, Programs(registry), run_id).reason
    except FlopodError:
        return ""  # who takes the run up says what is wrong with it
