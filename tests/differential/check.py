"""Checks one random program: plain, compiled, resumed from prefixes of its log."""

from __future__ import annotations

import random
import tempfile
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from flopod.events import Event
from flopod_compiler.garbage import collector_paused
from tests.differential.body import Chooser
from tests.differential.coverage import Coverage
from tests.differential.generate import program
from tests.harness.cases import Scenario
from tests.harness.checks import same_after_kills, same_as_plain
from tests.harness.compiled import Build, Life, Refused, build
from tests.harness.plain import Stuck, run_plain
from tests.harness.snapshots import snapshot_each_iteration

LONGEST = 160
INPUTS = (0, 5)
SNAPSHOTS = {0: nullcontext, 5: snapshot_each_iteration}


@dataclass
class Verdict:
    """What was checked of a program; `fault` says what was wrong, if anything."""

    text: str
    fault: str = ""
    skipped: str = ""


def compiled_text(text: str) -> Build:
    """Compile a module given as text. Raises Refused."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "flow.py").write_text(text, encoding="utf-8")
        return build(Path(folder), "flow")


def check_program(rng: Chooser, size: int, coverage: Coverage, cuts: int = 12) -> Verdict:
    """Make a program and check it for two inputs, for the second with a snapshot after every iteration.

    With `cuts` 0 it is resumed from every prefix of its logs.
    """
    with collector_paused():  # a finalizer that formats a traceback parses, and CPython 3.11 cannot nest that
        text = program(rng, size, coverage)
        verdict = Verdict(text)
        try:
            made = compiled_text(text)
        except Refused as refused:
            coverage.refused.update(refused.codes)
            verdict.skipped = str(refused)
            return verdict
        coverage.count_loops(made.compiled.sources["flow"])
    for given in INPUTS:
        try:
            with SNAPSHOTS[given]():
                _check_input(made, Scenario(args=(given,)), coverage, cuts, verdict)
        except Exception as error:
            verdict.fault = f"input {given}: {type(error).__name__}: {error}"
        if verdict.fault:
            break
    return verdict


def _check_input(made: Build, scenario: Scenario, coverage: Coverage, cuts: int, verdict: Verdict) -> None:
    plain = run_plain(made.plain, made.workflow, made.callees, scenario)
    if len(plain.calls) > LONGEST:
        verdict.skipped = f"{len(plain.calls)} leaf calls"
        return
    life = same_as_plain(made, scenario)

    def crashed(event: Event | None) -> None:
        coverage.crashes["nothing" if event is None else _kind(event)] += 1

    coverage.resumes += same_after_kills(made, scenario, life, cuts=sampled(life, cuts), on_crash=crashed)


def fault_of(text: str) -> str:
    """The kind of the first fault of a program, "" if it has none; for the shrinker."""
    try:
        made = compiled_text(text)
        for given in INPUTS:
            scenario = Scenario(args=(given,))
            if len(run_plain(made.plain, made.workflow, made.callees, scenario).calls) > LONGEST:
                return ""
            with SNAPSHOTS[given]():
                same_after_kills(made, scenario, same_as_plain(made, scenario))
    except (Refused, Stuck):
        return ""
    except Exception as error:
        return f"{type(error).__name__} {str(error).partition(' ')[0]}"
    return ""


def _kind(event: Event) -> str:
    return str(event.__struct_config__.tag)


def sampled(life: Life, cuts: int) -> list[int]:
    """All prefixes, or some, the same ones for the same log."""
    every = range(len(life.lines) + 1)
    if cuts == 0 or len(every) <= cuts:
        return list(every)
    return sorted(random.Random(len(every)).sample(every, cuts))
