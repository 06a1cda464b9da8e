"""An engine brings each run to the status that a model says, whatever it is told and by whom."""

import itertools
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from flopod.backends import Backend, FileBackend, MemoryBackend, SqliteBackend
from tests.reliability.stateful.engines import Engines

ORDERS = {
    "start",
    "deliver",
    "cancel",
    "pause",
    "resume",
    "retry",
    "fork",
    "export and import",
    "prune",
    "restart",
}
EXAMPLES = 40


@pytest.mark.parametrize("kind", ["memory", "file", "sqlite"])
def test_an_engine_does_what_it_is_told(kind: str, tmp_path: Path) -> None:
    """Start, deliver, cancel, pause, resume, retry, fork, export, import, prune, restart, in any order."""
    numbers = itertools.count()
    made: dict[str, Callable[[], Backend]] = {
        "memory": MemoryBackend,
        "file": lambda: FileBackend(tmp_path / str(next(numbers))),
        "sqlite": lambda: SqliteBackend(tmp_path / f"{next(numbers)}.db"),
    }

    class Kind(Engines):
        succeeded: ClassVar[Counter[str]] = Counter()

        def new_store(self) -> Backend:
            return made[kind]()

    run_state_machine_as_test(
        Kind,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=25,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
    print(f"{kind}: {dict(sorted(Kind.succeeded.items()))}")
    assert set(Kind.succeeded) == ORDERS, set(Kind.succeeded) ^ ORDERS
