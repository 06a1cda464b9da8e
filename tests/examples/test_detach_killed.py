"""The eight programs of detach, compiled: killed again and again, they end the same, each effect is there."""

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from flopod.backends import Backend, SqliteBackend
from flopod.events import FINAL, ActivityCompleted, Detached, DetachEnded
from tests.examples.test_detach import PROGRAMS
from tests.reliability.soak.cases import End, end_of, environment

pytestmark = pytest.mark.process

_KILLED = -9


class Case(NamedTuple):
    """A workflow of a program: its input, its result, and what it and its children do to the world."""

    workflow: str
    input: list[Any]
    result: Any
    effects: list[str]
    detached: int = 0


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
PLANS = [
    ["after:1"],
    ["before:2", "after:1", "after:1"],
    ["after:2", "after:3"],
    ["after:4", "before:4", "after:5"],
    ["after:7", "after:2", "after:2", "after:6"],
]


def test_each_program_is_killed() -> None:
    """None is left out."""
    assert sorted(CASES) == sorted(PROGRAMS)


@pytest.mark.parametrize("program", PROGRAMS)
def test_it_ends_the_same_however_it_is_killed(
    program: str, built: Callable[[str], Path], tmp_path: Path, record_property: Any
) -> None:
    """By SIGKILL at writes, several times; each child's effect is there, and its recorded end is one."""
    case, kills = CASES[program], 0
    for number, plan in enumerate(PLANS):
        folder = tmp_path / str(number)
        folder.mkdir()
        kills += _end_in(folder, built("detach"), case, plan)
    assert kills >= len(PLANS)
    record_property("kills of the programs of detach", f"{program}: {kills}")


def _end_in(folder: Path, bundle: Path, case: Case, plan: Sequence[str]) -> int:
    """Start it again and again, killed as the plan says, and check how it ends; how often it was killed."""
    ends = [_run(folder, bundle, case, kill) for kill in plan]
    last = _run(folder, bundle, case, "")
    assert last.status == 0, last
    found = json.loads(last.out)
    if isinstance(found, dict):
        found.pop("looks", None)
    assert found == case.result
    lines = (folder / "effects.txt").read_text("utf-8").splitlines()
    assert sorted(set(lines)) == sorted(case.effects), plan
    with SqliteBackend(folder / ".flopod" / "flopod.db") as store:
        _check(store, case)
    return [end.status for end in ends].count(_KILLED)


def _run(folder: Path, bundle: Path, case: Case, kill: str) -> End:
    """Start or resume it; `kill` is what the killer is told."""
    process = subprocess.Popen(
        [sys.executable, str(bundle), case.workflow, "--input", json.dumps(case.input), "-q"],
        env=environment(folder / "journal", kill),
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    return end_of(process)


def _check(store: Backend, case: Case) -> None:
    """Each child was detached once and joined once at most; every run is over, with one outcome a leaf."""
    events = [event for _, event in store.load("main-run")]
    children = [event for event in events if isinstance(event, Detached)]
    joined = [event.path for event in events if isinstance(event, DetachEnded)]
    assert len(children) == len({one.id for one in children}) == case.detached
    assert len(joined) == len(set(joined))
    for run_id in ("main-run", *(one.child for one in children)):
        done = [event.path for _, event in store.load(run_id) if isinstance(event, ActivityCompleted)]
        assert len(done) == len(set(done)), run_id
        summary = store.summary(run_id)
        assert summary is not None
        assert summary.status in FINAL, run_id
