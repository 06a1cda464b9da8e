"""`python -m tests.sweep --programs 2000`: checks random programs by seed, on all processors."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import sys
import time
import warnings
from dataclasses import dataclass, field

from tests.differential.check import check_program, fault_of
from tests.differential.coverage import Coverage
from tests.differential.generate import CONSTRUCTS, program
from tests.differential.shrink import shrink


@dataclass
class Batch:
    """What one process found in a range of seeds."""

    coverage: Coverage = field(default_factory=Coverage)
    faults: list[tuple[int, int, str]] = field(default_factory=list)
    checked: int = 0
    too_long: int = 0


def size_of(seed: int, largest: int) -> int:
    """The size of the program of a seed: all sizes up to the largest take turns."""
    return 2 + seed % (largest - 1)


def check_seeds(seeds: list[int], largest: int, cuts: int) -> Batch:
    """Check the program of each seed."""
    warnings.simplefilter("ignore")
    batch = Batch()
    for seed in seeds:
        size = size_of(seed, largest)
        try:
            verdict = check_program(random.Random(seed), size, batch.coverage, cuts)
        except (Exception, BaseExceptionGroup) as error:
            batch.faults.append((seed, size, f"the compiler crashed: {type(error).__name__}: {error}"))
            continue
        if verdict.fault:
            batch.faults.append((seed, size, verdict.fault))
        elif verdict.skipped:
            batch.too_long += verdict.skipped.endswith("leaf calls")
        else:
            batch.checked += 1
    return batch


def sweep(options: argparse.Namespace) -> Batch:
    """Check all seeds in parallel and add up what was found."""
    seeds = range(options.seed, options.seed + options.programs)
    chunks = [list(seeds[start : start + 25]) for start in range(0, len(seeds), 25)]
    total = Batch()
    # bodies that were abandoned stay in memory, so a process does not live for ever
    with multiprocessing.Pool(options.processes, maxtasksperchild=4) as pool:
        jobs = [pool.apply_async(check_seeds, (chunk, options.size, options.cuts)) for chunk in chunks]
        for number, job in enumerate(jobs, start=1):
            part = job.get()
            total.coverage.add(part.coverage)
            total.faults += part.faults
            total.checked += part.checked
            total.too_long += part.too_long
            for seed, size, fault in part.faults:
                print(f"seed {seed} (size {size}): {fault.splitlines()[0]}", file=sys.stderr)
            done = min(number * 25, len(seeds))
            print(f"{done} of {len(seeds)}, {len(total.faults)} divergences", file=sys.stderr)
    return total


def show(seed: int, size: int) -> None:
    """Print the program of a seed, made small if it fails."""
    text = program(random.Random(seed), size, Coverage())
    print(shrink(text, fault_of, limit=1000) if fault_of(text) else text)


def main() -> int:
    """Run the sweep; the exit status is 1 if anything diverged or was seen too seldom."""
    parser = argparse.ArgumentParser(prog="python -m tests.sweep", description=__doc__)
    parser.add_argument("--programs", type=int, default=2000)
    parser.add_argument("--size", type=int, default=14, help="about the number of statements of the largest")
    parser.add_argument("--seed", type=int, default=0, help="of the first program")
    parser.add_argument("--cuts", type=int, default=8, help="resumes of each run; 0: one a record")
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    parser.add_argument(
        "--show", type=int, metavar="SEED", help="print the program of a seed, shrunk, and stop"
    )
    options = parser.parse_args()
    if options.show is not None:
        show(options.show, size_of(options.show, options.size))
        return 0
    began = time.monotonic()
    total = sweep(options)
    return report(total, time.monotonic() - began)


def report(total: Batch, seconds: float) -> int:
    """Print the coverage table, the faults and the summary; returns the exit status."""
    print(total.coverage.table(), end="\n\n")
    for seed, size, fault in total.faults[:20]:
        print(f"seed {seed} (size {size}): {fault}\n")
    missing = [*total.coverage.missing(CONSTRUCTS), *total.coverage.not_killed()]
    if missing:
        print(f"seen less often than {total.coverage.programs} programs must: {', '.join(missing)}\n")
    refused = total.coverage.programs - total.checked - total.too_long - len(total.faults)
    print(
        f"{total.coverage.programs} programs, {total.coverage.resumes} resumes, "
        f"{len(total.faults)} divergences ({total.checked} checked, {refused} refused by the compiler, "
        f"{total.too_long} too long; {seconds:.0f} s)"
    )
    return 1 if total.faults or missing else 0


if __name__ == "__main__":
    sys.exit(main())
