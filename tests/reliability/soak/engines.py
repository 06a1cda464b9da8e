"""Engines with twenty runs each, killed: every run ends once, and no slot of a limit is lost."""

import subprocess
import sys
from functools import partial
from itertools import chain
from pathlib import Path

from tests.contract.support import Place
from tests.reliability.soak import server
from tests.reliability.soak.books import Books
from tests.reliability.soak.cases import environment
from tests.reliability.soak.trial import Trial, at_random

_WRITES = 12


def kill_engines(place: Place, folder: Path, seed: int, most: int) -> int:
    """Kill an engine on an empty place, once and then at most so often; return the kills when one ended."""
    store, journal = place.open(), folder / f"engine{seed}.journal"
    for n in range(server.RUNS):
        store.deliver(f"run{n}", "go", "go", b"7")
    books = [Books(f"run{n}", journal) for n in range(server.RUNS)]
    trial = Trial(partial(_start, place, journal), books, store)
    surely = f"after:{1 + seed % 4}"
    end = trial.run(chain([surely], at_random(seed, most - 1, _WRITES)))
    assert (end.status, end.out) == (0, "all\n"), f"seed {seed} in {place.kind}: {end}"
    trial.check()
    return trial.kills


def _start(place: Place, journal: Path, kill: str) -> "subprocess.Popen[str]":
    where = place.address.removeprefix("file:").removeprefix("sqlite:")
    command = [sys.executable, server.__file__, place.kind, where]
    return subprocess.Popen(
        command, env=environment(journal, kill), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
