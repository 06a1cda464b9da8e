"""The eight programs of detach, compiled: killed again and again, they end the same, each effect is there."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.examples.kills import Case, ends_the_same
from tests.examples.test_detach import PROGRAMS

pytestmark = pytest.mark.process

VARIANTS = ["short", "medium-len", "a-much-longer-variant", "tiny", "middle"]
WRONG = "vendor 503: temporarily unavailable"
CASES = {
    "fire_and_forget": Case(
        "process_order",
        ["order-42"],
        "order-42 is processed",
        ["accepted order-42", "telemetry order.processed order-42"],
        detached=1,
    ),
    "join_later_fanout": Case(
        "best_variant",
        [VARIANTS],
        {"scores": [5, 10, 21, 4, 6], "statuses": ["done"] * 5, "best": 21},
        [f"scored {each}" for each in VARIANTS],
        detached=5,
    ),
    "bare_runtime": Case("take_stock", [["lamps", "desks"]], 10, ["counted lamps", "counted desks"]),
    "immediate_for_tests": Case(
        "compare", [], ["running", "queued", "done", "done"], ["ran immediate", "ran microtask"], detached=2
    ),
    "error_handling": Case(
        "order_three",
        [],
        {
            "outcomes": ["ok:first", f"caught {WRONG}", "ok:third"],
            "statuses": ["done", "failed", "done"],
            "errors": ["None", WRONG, "None"],
        },
        ["called first", "called third"],
        detached=3,
    ),
    "status_polling": Case(
        "watch",
        [],
        {"at_first": 10, "statuses": ["done"] * 10, "results": list(range(10))},
        [f"done {number}" for number in range(10)],
        detached=10,
    ),
    "graceful_shutdown": Case("burst", [], 20, [f"shipped {number}" for number in range(20)], detached=20),
    "builder_native": Case(
        "evaluate",
        [{"order_id": "order-99", "config_a": 7, "config_b": 13}],
        40,
        ["telemetry order.created order-99", "scored 7", "scored 13"],
        detached=3,
    ),
}


def test_each_program_is_killed() -> None:
    """None is left out."""
    assert sorted(CASES) == sorted(PROGRAMS)


@pytest.mark.parametrize("program", PROGRAMS)
def test_it_ends_the_same_however_it_is_killed(
    program: str, built: Callable[[str], Path], tmp_path: Path, record_property: Any
) -> None:
    """By SIGKILL at writes, several times; each child's effect is there, and its recorded end is one."""
    kills = ends_the_same(tmp_path, built("detach"), CASES[program])
    record_property("kills of the programs of detach", f"{program}: {kills}")
