"""Which runs that are over may be deleted: none that another one, not over yet, needs."""

from collections.abc import Iterable, Sequence

from flopod.backends.base import Backend
from flopod.events import FINAL, RunSummary
from flopod.log.offspring import unended


def awaited(backend: Backend, runs: Sequence[RunSummary]) -> dict[str, str]:
    """Return those of the runs that others wait for, each with the one that does."""
    wanted = {one.run_id for one in runs}
    found: dict[str, str] = {}
    for parent in _parents(backend, runs, wanted):
        for child in unended(backend.load(parent)).keys() & wanted:
            found[child] = parent
    return found


def needed(backend: Backend, runs: Sequence[RunSummary]) -> dict[str, str]:
    """Return those of the runs that have begun others which go on, each with one of these.

    A job finds them by the run that it is given.
    """
    wanted = {one.run_id for one in runs}
    found: dict[str, str] = {}
    seen: set[str] = set()
    for run in backend.each_open():
        above = run.parent
        # Above one that was seen, what is wanted has its open run already.
        while above is not None and above not in seen:
            seen.add(above)
            if above in wanted:
                found[above] = run.run_id
            summary = backend.summary(above)
            above = None if summary is None else summary.parent
    return found


def _parents(backend: Backend, runs: Iterable[RunSummary], wanted: set[str]) -> list[str]:
    """The runs that are not over and may wait for one of these: their parents, and who says so."""
    owners = {one.parent for one in runs if one.parent is not None}
    alive = [one for one in map(backend.summary, sorted(owners)) if one is not None]
    found = [one.run_id for one in alive if one.status not in FINAL]
    found += [one.run_id for one in backend.each_open() if not wanted.isdisjoint(one.children.values())]
    return list(dict.fromkeys(found))
