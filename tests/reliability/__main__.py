"""`python -m tests.reliability --kills 2000 --seed 0`: processes killed at writes and at any moment."""

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.contract.support import Place
from tests.postgres.server import Server
from tests.reliability.soak.cases import Bundle
from tests.reliability.soak.engines import kill_engines
from tests.reliability.soak.soak import Soak

_KINDS = ("file", "sqlite", "postgres")
_OF_ENGINES = 0.2
_MOST = 12


def main() -> int:
    """Kill so many; an AssertionError that names run and store ends it."""
    parser = argparse.ArgumentParser(prog="python -m tests.reliability", description=__doc__)
    parser.add_argument("--kills", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    began, server = time.monotonic(), Server()
    try:
        with tempfile.TemporaryDirectory(prefix="flopod-soak-") as folder:
            of_runs = _kill_runs(server, Path(folder), options.seed, int(options.kills * (1 - _OF_ENGINES)))
            of_engines = _kill_engines(server, Path(folder), options.seed, options.kills - of_runs.total())
    finally:
        server.close()
    print(f"{'killed':<12}{'runs':>8}{'engines':>8}")
    for kind in _KINDS:
        print(f"{kind:<12}{of_runs[kind]:>8}{of_engines[kind]:>8}")
    total = of_runs.total() + of_engines.total()
    print(f"{total} kills, nothing lost and nothing twice ({time.monotonic() - began:.0f} s)")
    return 0


def _kill_runs(server: Server, folder: Path, seed: int, kills: int) -> Counter[str]:
    dsn = server.database()
    places = [Place(kind, folder / kind, dsn) for kind in _KINDS]
    soak = Soak(Bundle(folder / "bundle"), places)
    soak.at_every_write()
    soak.at_random(seed, kills, _MOST)
    for place in places:
        place.close()
    return soak.kills


def _kill_engines(server: Server, folder: Path, seed: int, kills: int) -> Counter[str]:
    done: Counter[str] = Counter()
    number = seed * 1_000_003
    while done.total() < kills:
        kind = _KINDS[number % len(_KINDS)]
        place = Place(kind, folder / f"engine{number}", server.database())
        done[kind] += kill_engines(place, folder, number, _MOST)
        place.close()
        number += 1
    return done


if __name__ == "__main__":
    sys.exit(main())
