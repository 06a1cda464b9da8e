"""The checks: plain against compiled, and every resume against the run that was not interrupted."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Callable, Iterable

from flopod import codec
from flopod.events import Event, Log, RunCompleted, RunFailed, decode_line
from flopod.testing.matrix import Called, completed, differing_calls
from tests.harness.cases import Scenario
from tests.harness.compiled import Build, Life, run_compiled
from tests.harness.outcome import LeafCall, Outcome, Output
from tests.harness.plain import run_plain

OnCrash = Callable[[Event | None], None]


class Mismatch(AssertionError):
    """Two runs that must be equal are not."""


def same_as_plain(made: Build, scenario: Scenario, seed: int | None = None) -> Life:
    """Run plain and compiled and compare value, error, leaf calls and output; returns the compiled run."""
    plain = run_plain(made.plain, made.workflow, made.callees, scenario, seed=seed)
    life = run_compiled(made, scenario, seed=seed)
    compare(plain, life.outcome, scenario, "plain", "compiled")
    return life


def compare(left: Outcome, right: Outcome, scenario: Scenario, left_name: str, right_name: str) -> None:
    """Raise Mismatch unless two outcomes are equal."""
    _equal("error", left.error, right.error, left_name, right_name)
    _equal("value", left.value, right.value, left_name, right_name)
    other = [_shown(call, scenario) for call in right.calls]
    mine = _seen(left, other, scenario)
    _equal("leaf calls", mine, other, left_name, right_name)
    _equal("standard output", left.output.stdout, right.output.stdout, left_name, right_name)
    _equal("standard error", left.output.stderr, right.output.stderr, left_name, right_name)
    _equal("log records", left.output.records, right.output.records, left_name, right_name)


def _seen(left: Outcome, other: list[str], scenario: Scenario) -> list[str]:
    """The calls of `left`; of those that are void any may be missing on the other side."""
    certain, reached = [], {0}
    for place, call in enumerate(left.calls):
        label = _shown(call, scenario)
        further = {at + 1 for at in reached if other[at : at + 1] == [label]}
        if place in left.void:
            reached |= further
        else:
            reached = further
            certain.append(label)
    return other if len(other) in reached else certain


def _equal(what: str, left: object, right: object, left_name: str, right_name: str) -> None:
    if left == right:
        return
    if isinstance(left, list) and isinstance(right, list):
        lines = difflib.unified_diff(left, right, left_name, right_name, lineterm="", n=1)
        raise Mismatch("\n  ".join([f"{what} differ", *lines]))
    raise Mismatch(f"{what} differ\n  {left_name}: {left}\n  {right_name}: {right}")


def _shown(call: LeafCall, scenario: Scenario) -> str:
    return call.name if call.name in scenario.opaque else f"{call.callee} {call.arguments}"


def same_after_kills(
    made: Build,
    scenario: Scenario,
    first: Life,
    *,
    seed: int | None = None,
    cuts: Iterable[int] | None = None,
    on_crash: OnCrash = lambda _: None,
) -> int:
    """Resume from each prefix of the log (or from those in `cuts`) and compare; returns how many."""
    events = [decode_line(line).event for line in first.lines]
    chosen = list(range(len(first.lines) + 1) if cuts is None else cuts)
    for cut in chosen:
        on_crash(events[cut - 1] if cut else None)
        again = run_compiled(made, scenario, seed=seed, log=first.lines[:cut], life=1)
        _same_end(first, again, events[:cut], scenario, f"resumed after {cut} of {len(events)} records")
    return len(chosen)


def same_after_kills_of_compacted(made: Build, scenario: Scenario, depth: int = 2) -> Counter[str]:
    """Run and resume with a log that is compacted as often as can be, from each state a kill can leave.

    Resumes from every state of the first life, and from some of those that follow; returns the kinds of
    the events it was killed after.
    """
    whole = run_compiled(made, scenario)
    first = run_compiled(made, scenario, compact=1)
    _equal("the run", _seen_of(whole, scenario), _seen_of(first, scenario), "not compacted", "compacted")
    killed: Counter[str] = Counter()
    _resume_compacted(made, scenario, first, first, depth, killed)
    return killed


def _seen_of(life: Life, scenario: Scenario) -> list[str]:
    outcome = life.outcome
    calls = [_shown(call, scenario) for call in outcome.calls]
    return [outcome.error, outcome.value, outcome.output.stdout, outcome.output.stderr, *calls]


def _resume_compacted(
    made: Build, scenario: Scenario, first: Life, life: Life, depth: int, killed: Counter[str]
) -> None:
    step = 1 if life is first else max(1, len(life.kills) // 3)
    for number, kill in enumerate(life.kills[::step]):
        again = run_compiled(made, scenario, log=kill.lines, past=kill.events, life=1, compact=1)
        name = f"resumed from state {number * step} of {len(life.kills)} ({len(kill.lines)} records)"
        _same_end(first, again, kill.events, scenario, name)
        killed[type(kill.events[-1]).__name__ if kill.events else ""] += 1
        if depth > 1:
            _resume_compacted(made, scenario, first, again, depth - 1, killed)


def _same_end(first: Life, again: Life, kept: list[Event], scenario: Scenario, name: str) -> None:
    _equal("error", first.outcome.error, again.outcome.error, "uninterrupted", name)
    _equal("value", first.outcome.value, again.outcome.value, "uninterrupted", name)
    done = completed(kept)
    repeated = done & set(again.started)
    if repeated:
        raise Mismatch(f"{name}: {sorted(repeated)} ran again although their completion is recorded")
    if kept and isinstance(kept[-1], RunCompleted | RunFailed):
        return
    missing, more = differing_calls(_calls(first, scenario), _calls(again, scenario), kept)
    _equal("leaf calls", missing, more, "uninterrupted", name)
    _same_output(first.outcome.output, again.outcome.output, kept, name)


def _calls(life: Life, scenario: Scenario) -> list[Called]:
    """Each call of a life with its path."""
    shown = [_shown(call, scenario) for call in life.outcome.calls]
    return list(zip(life.started, shown, strict=True))


def _same_output(first: Output, again: Output, kept: list[Event], name: str) -> None:
    whole = _recorded(kept) + again
    _equal("standard output", first.stdout, whole.stdout, "uninterrupted", name)
    _equal("standard error", first.stderr, whole.stderr, "uninterrupted", name)
    _equal("log records", first.records, whole.records, "uninterrupted", name)


def _recorded(events: Iterable[Event]) -> Output:
    """What the process before had written: everything that its log holds."""
    output = Output()
    for event in events:
        if not isinstance(event, Log):
            continue
        if event.stream == "stdout":
            output.stdout += event.message
        elif event.stream == "stderr":
            output.stderr += event.message
        elif not event.logger:
            fields = codec.decode(event.fields) if event.fields else {}
            output.stderr += " ".join([event.message, *(f"{k}={v}" for k, v in fields.items())]) + "\n"
        elif not event.logger.startswith("flopod"):
            output.records.append(f"{event.level}:{event.logger}:{event.message}")
    return output
