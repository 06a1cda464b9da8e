"""Each kind of store answers as the model does, whatever the operations and whoever of two does them."""

import itertools
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.contract.support import Place
from tests.reliability.stateful.stores import Stores

if TYPE_CHECKING:
    from tests.postgres.server import Server

OPERATIONS = {
    "append",
    "append_many",
    "load",
    "first",
    "compact",
    "summary",
    "mark",
    "find",
    "summaries",
    "open_runs",
    "due_timers",
    "deliver",
    "inbox",
    "news",
    "keep",
    "kept",
    "all_kept",
    "drop",
    "hold",
    "claim",
    "release",
    "delete",
    "reopen",
}
EXAMPLES = {"memory": 60, "file": 40, "sqlite": 40, "postgres": 25}


@pytest.mark.parametrize("kind", EXAMPLES)
def test_a_store_answers_as_the_model_does(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """Answers and errors are those of a dict of runs, until each operation has succeeded."""
    server: Server | None = request.getfixturevalue("postgres") if kind == "postgres" else None
    numbers = itertools.count()

    class Kind(Stores):
        succeeded: ClassVar[Counter[str]] = Counter()

        def new_place(self) -> Place:
            return Place(kind, tmp_path / str(next(numbers)), server.database() if server else "")

    run_state_machine_as_test(
        Kind,
        settings=settings(
            max_examples=EXAMPLES[kind],
            stateful_step_count=40,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert set(Kind.succeeded) == OPERATIONS, set(Kind.succeeded) ^ OPERATIONS
    print(f"{kind}: {dict(sorted(Kind.succeeded.items()))}")
