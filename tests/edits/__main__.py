"""`python -m tests.edits --pairs 12 --seed 0`: edits programs, prints what became of ids and runs."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import time
from dataclasses import dataclass, field
from functools import partial

from tests.edits.beside import OF_SEVERAL_RUNS
from tests.edits.measure import EDITS, Tally, pairs, tally
from tests.edits.resume import Resumed, resume

KEPT_LOCKED, KEPT_UNLOCKED = 99.5, 98.0


@dataclass
class Row:
    """What became of the pairs of one kind, or of all."""

    kind: str
    locked: Tally = field(default_factory=Tally)
    unlocked: Tally = field(default_factory=Tally)
    resumed: Resumed = field(default_factory=Resumed)
    pairs: int = 0
    long: int = 0

    def add(self, other: Row) -> None:
        self.locked.add(other.locked)
        self.unlocked.add(other.unlocked)
        self.resumed.add(other.resumed)
        self.pairs += other.pairs
        self.long += other.long

    def text(self) -> str:
        counts = (
            f"{one.kept:6} {one.lost:5} {one.wrong:5} {one.share:7.2f} %"
            for one in (self.locked, self.unlocked)
        )
        runs = self.resumed
        return " | ".join(
            [
                f"{self.kind:28} {self.pairs:5}",
                *counts,
                f"{runs.completed:6} {runs.diverged:5} {len(runs.wrong):5}",
            ]
        )


HEAD = " | ".join(
    [
        f"{'edit':28} pairs",
        *(f"{'kept':>6}  lost wrong {'':9}" for _ in range(2)),
        f"{'ended':>6} stops wrong",
    ]
)


def measure(kind: str, count: int, seed: int, runs: int, cuts: int) -> Row:
    """The row of one kind: `count` pairs, of which `runs` are also run and resumed from `cuts` prefixes."""
    row = Row(kind)
    for found in pairs(kind, count, seed):
        row.locked.add(tally(found, locked=True))
        row.unlocked.add(tally(found, locked=False))
        row.pairs += 1
        row.long += found.before.program.size() > 60
    if runs and kind not in OF_SEVERAL_RUNS:
        for found in pairs(kind, runs, seed, runs=True):
            row.resumed.add(resume(found, cuts))
    return row


def report(total: Row) -> list[str]:
    """What is not as it should be."""
    locked, unlocked, runs = total.locked, total.unlocked, total.resumed
    faults = [f"wrong: {note}" for note in [*locked.notes, *unlocked.notes] if " was " in note]
    faults += runs.wrong
    if locked.share < KEPT_LOCKED:
        faults.append(f"with the lock only {locked.share:.2f} % are kept")
    if unlocked.share < KEPT_UNLOCKED:
        faults.append(f"without the lock only {unlocked.share:.2f} % are kept")
    return faults


def main() -> int:
    """Edit, compile, resume; the exit status is 1 if an id or a value was wrong, or too few were kept."""
    parser = argparse.ArgumentParser(prog="python -m tests.edits", description=__doc__)
    parser.add_argument("--pairs", type=int, default=12, help="programs of each kind of edit")
    parser.add_argument("--seed", type=int, default=0, help="of the first program")
    parser.add_argument(
        "--runs", type=int, default=4, help="of these programs are also run, edited and resumed"
    )
    parser.add_argument("--cuts", type=int, default=4, help="prefixes to resume each run from")
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    options = parser.parse_args()
    began, total = time.monotonic(), Row("all")
    print(f"{'':34} | {'with flopod.lock':29} | {'without':29} | resumed runs\n{HEAD}")
    work = partial(measure, count=options.pairs, seed=options.seed, runs=options.runs, cuts=options.cuts)
    with multiprocessing.Pool(options.processes) as pool:
        for row in pool.imap(work, EDITS):
            print(row.text(), flush=True)
            total.add(row)
    print(total.text(), end="\n\n")
    for note in total.locked.notes:
        print(f"lost: {note}")
    faults = report(total)
    for fault in faults[:40]:
        print(fault)
    seconds = time.monotonic() - began
    print(f"{len(EDITS)} kinds, {total.long} of {total.pairs} programs over 60 lines, {seconds:.0f} s")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
