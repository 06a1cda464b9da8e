"""`python -m tests.fuzz --seed 1 --sources 2000`: many mutated sources; status 1 at a failure."""

from __future__ import annotations

import argparse
import tempfile
import traceback
from pathlib import Path

from tests.fuzz.check import fuzz


def main() -> int:
    """Fuzz, and print how often each code was found."""
    options = argparse.ArgumentParser(prog="python -m tests.fuzz")
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--sources", type=int, default=500)
    chosen = options.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="flopod-fuzz-"))
    try:
        found = fuzz(folder, chosen.seed, chosen.sources)
    except Exception:
        traceback.print_exc()
        return 1
    print(f"{chosen.sources} mutated sources, no internal error and no hang")
    print("  ".join(f"{code} {count}" for code, count in found.items()))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
