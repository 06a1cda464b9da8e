"""Edits programs by seed and counts what became of the ids of the calls that are still there."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from flopod.log.lineage import Lineage
from tests.edits import structure
from tests.edits.build import Made, Refused, make
from tests.edits.kinds import EDITS
from tests.edits.programs import WORKFLOW, program
from tests.edits.tree import Draft, mark, mark_new

PREPARED = {"merge_loops": structure.split_loop}
_TRIES = 40


@dataclass
class Tally:
    """Of the ids whose call is still there: how many were kept, lost, or given to another call."""

    kept: int = 0
    lost: int = 0
    wrong: int = 0
    notes: list[str] = field(default_factory=list)

    @property
    def share(self) -> float:
        """The kept ones in percent."""
        total = self.kept + self.lost + self.wrong
        return 100 * self.kept / total if total else 100.0

    def add(self, other: Tally) -> None:
        self.kept += other.kept
        self.lost += other.lost
        self.wrong += other.wrong
        self.notes += other.notes


@dataclass(frozen=True)
class Pair:
    """A program before and after an edit, the latter built with the lock of the former."""

    kind: str
    seed: int
    before: Made
    after: Made

    @property
    def name(self) -> str:
        return f"{self.kind} of program {self.seed}"


def pairs(kind: str, count: int, first: int = 0, *, runs: bool = False) -> Iterator[Pair]:
    """`count` pairs of one kind, of programs from the seed `first` on; half of them are long."""
    made, seed = 0, first
    while made < count:
        if seed > first + _TRIES * count:
            raise AssertionError(f"{kind} fits too few programs")
        found = pair(kind, seed, runs=runs)
        seed += 1 if found is not None else 2
        if found is not None:
            made += 1
            yield found


def pair(kind: str, seed: int, *, runs: bool = False) -> Pair | None:
    """The pair of a kind and a program, None if the edit does not fit it."""
    rng = random.Random(f"{kind} {seed}")
    before = _base(seed, kind if kind in PREPARED else "", runs)
    if before is None:
        return None
    for _ in range(4):
        draft = Draft(before.program)
        if EDITS[kind](draft, rng):
            mark_new(draft.program)
            try:
                return Pair(kind, seed, before, make(draft.program, before.lock, runs=runs))
            except Refused:
                continue
    return None


@lru_cache(maxsize=256)
def _base(seed: int, prepared: str, runs: bool) -> Made | None:
    found = mark(program(seed, detaches=not runs))  # the world of these tests runs one run
    if prepared:
        draft = Draft(found)
        if not PREPARED[prepared](draft, random.Random(seed)):
            return None
        found = draft.program
    return make(found, None, runs=runs)


def tally(found: Pair, *, locked: bool) -> Tally:
    """Compare the paths of every mark that is in both programs."""
    before = _translated(found) if locked else found.before.unlocked
    after = found.after.paths if locked else found.after.unlocked
    result = Tally()
    owners = {path: number for number, paths in before.items() for path in paths}
    for number, paths in after.items():
        others = {owners[path] for path in paths if path in owners} - {number}
        if others:
            result.wrong += 1
            result.notes.append(f"{found.name}: {sorted(paths)} was {sorted(map(str, others))}")
        elif number not in before:
            continue
        elif before[number] & paths:
            result.kept += 1
        else:
            result.lost += 1
            result.notes.append(f"{found.name}: {sorted(before[number])} is {sorted(paths)}")
    return result


def _translated(found: Pair) -> dict[int, set[str]]:
    """The old paths as the new build reads them; what is gone for it is left out."""
    manifest = found.after.manifest
    lineage = Lineage(manifest, manifest.workflows[WORKFLOW])
    generation = found.before.manifest.generation
    result: dict[int, set[str]] = {}
    for number, paths in found.before.paths.items():
        today = (lineage.today(path, generation) for path in paths)
        result[number] = {path for path in today if path is not None}
    return result
