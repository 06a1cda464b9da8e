"""Checks one random program: plain, compiled, resumed from prefixes of its log."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from flopod.events import Event, kind_of
from flopod_compiler.garbage import collector_paused
from tests.differential.body import Chooser
from tests.differential.coverage import Coverage
from tests.differential.cuts import sampled
from tests.differential.detaches import detaches
from tests.differential.families import family
from tests.differential.generate import program
from tests.harness.cases import Scenario
from tests.harness.checks import OnCrash, same_after_kills, same_as_plain
from tests.harness.compiled import Build, Refused, build
from tests.harness.plain import Stuck, run_plain
from tests.harness.snapshots import snapshot_each_iteration

LONGEST = 160
INPUTS = (0, 5)
SNAPSHOTS = {0: nullcontext, 5: snapshot_each_iteration}


class Checked(Protocol):
    """A program, plain and compiled; `emitted` is its module."""

    emitted: str

    def count_calls(self, given: int) -> int:
        """How many leaves it calls for an input, as plain Python. Raises Stuck."""
        ...

    def check(self, given: int, cuts: int, on_crash: OnCrash) -> int:
        """Compare it with plain Python and resume it so often (0: after each write); returns how often.

        Raises AssertionError.
        """
        ...


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


class _Alone:
    """A program with one run."""

    def __init__(self, made: Build) -> None:
        self._made = made
        self.emitted = made.compiled.sources["flow"]

    def count_calls(self, given: int) -> int:
        made = self._made
        return len(run_plain(made.plain, made.workflow, made.callees, Scenario(args=(given,))).calls)

    def check(self, given: int, cuts: int, on_crash: OnCrash) -> int:
        scenario = Scenario(args=(given,))
        life = same_as_plain(self._made, scenario)
        some = sampled(len(life.lines) + 1, cuts)
        return same_after_kills(self._made, scenario, life, cuts=some, on_crash=on_crash)


@contextmanager
def _opened(text: str) -> Iterator[Checked]:
    """A program given as text. Raises Refused."""
    # a finalizer that formats a traceback parses, and CPython 3.11 cannot nest that
    if detaches(text):
        with family(text) as found:
            yield found
    else:
        with collector_paused():
            made = compiled_text(text)
        yield _Alone(made)


def check_program(rng: Chooser, size: int, coverage: Coverage, cuts: int = 12) -> Verdict:
    """Make a program and check it for two inputs, for the second with a snapshot after every iteration.

    With `cuts` 0 it is resumed from every prefix of its logs.
    """
    verdict = Verdict(program(rng, size, coverage))
    try:
        with _opened(verdict.text) as made:
            coverage.count_loops(made.emitted)
            for given in INPUTS:
                _check_input(made, given, coverage, cuts, verdict)
                if verdict.fault:
                    break
    except Refused as refused:
        coverage.refused.update(refused.codes)
        verdict.skipped = str(refused)
    return verdict


def _check_input(made: Checked, given: int, coverage: Coverage, cuts: int, verdict: Verdict) -> None:
    def crashed(event: Event | None) -> None:
        coverage.crashes["nothing" if event is None else kind_of(event)] += 1

    try:
        with SNAPSHOTS[given]():
            count = made.count_calls(given)
            if count > LONGEST:
                verdict.skipped = f"{count} leaf calls"
            else:
                coverage.resumes += made.check(given, cuts, crashed)
    except Exception as error:
        verdict.fault = f"input {given}: {type(error).__name__}: {error}"


def fault_of(text: str) -> str:
    """The kind of the first fault of a program, "" if it has none; for the shrinker."""
    try:
        with _opened(text) as made:
            for given in INPUTS:
                with SNAPSHOTS[given]():
                    if made.count_calls(given) > LONGEST:
                        return ""
                    made.check(given, 0, lambda _: None)
    except (Refused, Stuck):
        return ""
    except Exception as error:
        return f"{type(error).__name__} {str(error).partition(' ')[0]}"
    return ""
