"""`python -m tests.sweep.long --rounds 1000000`: a loop without end, its log and memory watched."""

from __future__ import annotations

import argparse
import gc
import resource
import sys
import time

from tests.workflow.test_compaction import GROWN, KEPT, Watched, polling


def main() -> int:
    """Run it; the exit status is 1 if the log or the memory grew with the rounds."""
    parser = argparse.ArgumentParser(prog="python -m tests.sweep.long", description=__doc__)
    parser.add_argument("--rounds", type=int, default=1_000_000)
    options = parser.parse_args()
    began = time.monotonic()
    process = Watched(polling, (options.rounds,), compact=128)
    ran = process.run()
    gc.collect()
    seconds = time.monotonic() - began
    grown = process.blocks[-1] - process.blocks[1]
    kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(
        f"{options.rounds} rounds, {ran.records[-1].seq} events, at most {process.largest} records, "
        f"{grown:+} blocks of memory since the first tenth, {kilobytes // 1024} MB at most ({seconds:.0f} s)"
    )
    return 1 if ran.value != options.rounds or process.largest > KEPT or grown > GROWN else 0


if __name__ == "__main__":
    sys.exit(main())
