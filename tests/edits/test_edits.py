"""Edited programs: the ids of the calls that are still there, and the runs that were recorded before."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

import flopod_compiler.lock.match as matching
from tests.edits.__main__ import HEAD, Row, measure, report
from tests.edits.beside import OF_SEVERAL_RUNS
from tests.edits.build import Refused, make
from tests.edits.kinds import EDITS
from tests.edits.measure import Pair, Tally, pairs, tally
from tests.edits.programs import program
from tests.edits.resume import resume
from tests.edits.tree import Draft, mark, mark_new

PAIRS, FIRST = 3, 1


def test_there_are_many_kinds_of_edit() -> None:
    """Each kind has a sentence that says what it does."""
    assert len(EDITS) >= 25
    assert all(function.__doc__ for function in EDITS.values())


def test_calls_that_stay_keep_their_ids(record_property: Callable[[str, object], None]) -> None:
    """No id ever goes to another call; with the lock 99.5 % are kept, without it 98 %."""
    total = Row("all")
    lines = [HEAD]
    for kind in EDITS:
        row = measure(kind, PAIRS, FIRST, 0, 0)
        lines.append(row.text())
        total.add(row)
    record_property("edits", "\n".join([lines[0], total.text()]))
    assert report(total) == [], "\n".join(lines)
    assert 2 * total.long >= total.pairs, "long programs are rare"


@pytest.mark.parametrize("kind", [kind for kind in EDITS if kind not in OF_SEVERAL_RUNS])
def test_runs_recorded_before_the_edit_go_on_or_stop(kind: str) -> None:
    """A resumed run ends with the values of its own calls, or stops as diverged with its log as it was."""
    for found in pairs(kind, 1, len(kind), runs=True):
        assert resume(found, 2).wrong == []


def test_programs_that_call_a_few_leaves_all_the_time() -> None:
    """Where calls can hardly be told apart an id may be lost, but none is wrong."""
    total = Tally()
    for kind in sorted(EDITS)[::2]:
        found = _crowded(kind, 7)
        if found is not None:
            total.add(tally(found, locked=True))
            total.add(tally(found, locked=False))
    assert [note for note in total.notes if " was " in note] == []
    assert total.kept > 500


def _crowded(kind: str, seed: int) -> Pair | None:
    base = mark(program(seed, crowded=True))
    before = make(base, None, runs=False)
    draft = Draft(base)
    if not EDITS[kind](draft, random.Random(seed)):
        return None
    mark_new(draft.program)
    try:
        return Pair(kind, seed, before, make(draft.program, before.lock, runs=False))
    except Refused:
        return None


def test_a_lock_that_matches_by_order_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """The suite sees wrong ids: with calls paired in their order it finds some."""

    def by_order(
        candidates: list[matching.Candidate], _: Callable[..., float], found: dict[object, object]
    ) -> None:
        for call, old in candidates:
            if call not in found and old not in found.values():
                found[call] = old

    monkeypatch.setattr(matching, "assign", by_order)
    total = Tally()
    for kind in ("delete_call", "duplicate_elsewhere", "insert_known_leaf", "swap_neighbours"):
        for found in pairs(kind, 4, 100):
            total.add(tally(found, locked=True))
    assert total.wrong > 0
