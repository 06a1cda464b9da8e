"""Bundles of examples, killed at writes again and again: how they end, what they did, what is recorded."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from flopod.backends import Backend, SqliteBackend
from flopod.events import FINAL, ActivityCompleted, Detached, DetachEnded
from tests.reliability.soak.cases import End, end_of, environment

_KILLED = -9


class Case(NamedTuple):
    """A workflow of a program: its input, its result, and what it and its children do to the world."""

    workflow: str
    input: list[Any]
    result: Any
    effects: list[str]
    detached: int = 0


PLANS = [
    ["after:1"],
    ["before:2", "after:1", "after:1"],
    ["after:2", "after:3"],
    ["after:4", "before:4", "after:5"],
    ["after:7", "after:2", "after:2", "after:6"],
]
"""What is told to the killer, process by process: at which of its writes each dies."""


def ends_the_same(folder: Path, bundle: Path, case: Case) -> int:
    """Let a bundle be killed by every plan, in a folder each; how often that was."""
    kills = 0
    for number, plan in enumerate(PLANS):
        place = folder / str(number)
        place.mkdir()
        kills += end_in(place, bundle, case, plan)
    assert kills >= len(PLANS)
    return kills


def end_in(folder: Path, bundle: Path, case: Case, plan: Sequence[str]) -> int:
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
