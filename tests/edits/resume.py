"""Runs recorded before an edit, resumed after it: they end as they should, or stop and lose nothing."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field

from flopod.events import ActivityCompleted, IterationCompleted, Record, RunCompleted
from flopod.log.lineage import pattern_of
from tests.edits.measure import Pair
from tests.edits.programs import WORKFLOW
from tests.edits.world import Build, Identity, Ran, known_results, ready, run


@dataclass
class Resumed:
    """How many resumed runs went on with the edited program, how many stopped, and what was wrong."""

    completed: int = 0
    diverged: int = 0
    wrong: list[str] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)

    def add(self, other: Resumed) -> None:
        self.completed += other.completed
        self.diverged += other.diverged
        self.wrong += other.wrong
        self.reasons += other.reasons


def resume(pair: Pair, cuts: int) -> Resumed:
    """Record a run of the program before the edit, and resume it with the one after from some prefixes."""
    before, after = ready(pair.before), ready(pair.after)
    first = run(before)
    rng = random.Random(pair.name)
    found = Resumed()
    for cut in sorted(rng.sample(range(1, len(first.records)), min(cuts, len(first.records) - 1))):
        _resume_from(before, after, first, cut, f"{pair.name}, cut after {cut}", found, rng)
    return found


def _resume_from(
    before: Build, after: Build, first: Ran, cut: int, name: str, found: Resumed, rng: random.Random
) -> None:
    kept = first.records[:cut]
    known = known_results(before, kept)
    again = run(after, kept, known)
    if [record.seq for record in again.records[:cut]] != [record.seq for record in kept]:
        found.wrong.append(f"{name}: the log was changed")
    if again.diverged is not None:
        found.diverged += 1
        found.reasons[str(again.diverged)] += 1
        return
    found.completed += 1
    repeated = _done(before, after, kept) & set(again.calls)
    if repeated:
        found.wrong.append(f"{name}: {repeated} ran again although they are recorded and kept")
    expected = run(after, (), known)
    if again.value != expected.value and not _touches_completed_loop(after, kept):
        found.wrong.append(f"{name}: {again.value!r} instead of {expected.value!r}")
    mixed = again.records[: rng.randint(cut, len(again.records))]
    last = run(after, mixed, known | known_results(after, mixed))
    if last.diverged is not None or last.value not in (again.value, None) or not _same_end(last, again):
        found.wrong.append(f"{name}: resumed once more from {len(mixed)} it ends otherwise: {last.diverged}")


def _done(before: Build, after: Build, kept: list[Record]) -> set[Identity]:
    """The calls with a recorded outcome that the edited program still has under their id."""
    ended = [event.path for _, event in kept if isinstance(event, ActivityCompleted)]
    lineage, generation = after.lineage, before.lineage.generation
    now = {path: lineage.today(path, generation) for path in ended}
    same = (after.identity(path or "") for path in now.values())
    return {one for one in same if one is not None} & {before.identity(path) for path in ended}


def _same_end(last: Ran, again: Ran) -> bool:
    return last.value == again.value or isinstance(last.records[-1].event, RunCompleted)


def _touches_completed_loop(after: Build, kept: list[Record]) -> bool:
    """Whether a call changed in a loop of which the log has completed iterations.

    Those belong to the build that completed them, so the run rightly ends with values of both.
    """
    loops = {f"{pattern_of(event.path)}[*]/" for _, event in kept if isinstance(event, IterationCompleted)}
    edits = after.made.manifest.workflows[WORKFLOW].edits
    return any(edit.path.startswith(loop) for edit in edits for loop in loops)
