"""Loops under another build: what their iterations recorded, and what became of it."""

from __future__ import annotations

from typing import Any

import pytest

from flopod.backends.memory import MemoryBackend
from flopod.errors import BuildMismatch
from flopod.manifest import Edit
from tests.engine.generations import NEW, Body, called, leaf, lineage, past
from tests.engine.support import RUN, drive


def moved_loop(kept: bool) -> Body:
    async def body(wf: Any) -> Any:
        sum_of = wf.var("sum", 0)
        for scope, x in wf.each("xs", list(range(40))):
            sum_of.value += await scope.activity("leaf" if kept else "other", leaf, x)
        return sum_of.value + await wf.activity("end", leaf, 0)

    return body


def test_what_completed_iterations_called_need_not_be_asked_for() -> None:
    """They belong to the build that completed them."""
    backend = MemoryBackend()
    drive(moved_loop(kept=True), backend=backend, build="b1", lineage=past())
    cut = len(backend.lines(RUN)) - 2
    called.clear()
    plan = lineage(Edit("xs[*]/other", since="g2"), paths=("xs[*]", "xs[*]/other", "end"))
    done = drive(
        moved_loop(kept=False), backend=backend.prefix(RUN, cut, crashed=True), build="b2", lineage=plan
    )
    assert (done.value, called) == (780, [0])


def compacted_loop() -> MemoryBackend:
    """A run that was killed right after its log had lost all but the last iteration."""
    backend = MemoryBackend()
    drive(moved_loop(kept=True), backend=backend, build="b1", lineage=past())
    lines = backend.lines(RUN)
    last = max(number for number, line in enumerate(lines) if b'"kind":"compacted"' in line)
    assert last < 12
    assert b'"path":"end"' in lines[last - 1]
    return backend.prefix(RUN, last + 1, crashed=True)


def test_a_compacted_loop_that_no_code_asks_for_stops_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """What its iterations called is gone from the log, and is not passed over as if it had never been."""
    monkeypatch.setenv("FLOPOD_COMPACT", "1")
    left = compacted_loop()

    async def renamed(wf: Any) -> Any:
        await wf.activity("new", leaf, 1)
        for scope, x in wf.each("ys", list(range(40))):
            await scope.activity("leaf", leaf, x)
        return await wf.activity("end", leaf, 0)

    called.clear()
    plan = lineage(NEW, Edit("ys[*]", since="g2"), paths=("new", "ys[*]", "ys[*]/leaf", "end"))
    with pytest.raises(BuildMismatch):
        drive(renamed, backend=left, build="b2", lineage=plan)
    assert called == []


def test_a_compacted_loop_that_begins_otherwise_asks_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its snapshot does not fit and its past is gone: a call that is new inside of it is not made."""
    monkeypatch.setenv("FLOPOD_COMPACT", "1")
    left = compacted_loop()

    async def begins_otherwise(wf: Any) -> Any:
        sum_of = wf.var("sum", 7)
        for scope, x in wf.each("xs", list(range(40))):
            sum_of.value += await scope.activity("new", leaf, x)

    called.clear()
    plan = lineage(Edit("xs[*]/new", since="g2"), paths=("xs[*]", "xs[*]/new", "xs[*]/leaf", "end"))
    with pytest.raises(BuildMismatch):
        drive(begins_otherwise, backend=left, build="b2", lineage=plan)
    assert called == []


def loop(total: int, extra: str = "") -> Body:
    async def body(wf: Any) -> Any:
        sum_of = wf.var("sum", total)
        if extra:
            sum_of.value += await wf.activity(extra, leaf, 50)
        for scope, x in wf.each("xs", list(range(40))):
            sum_of.value += await scope.activity("leaf", leaf, x)
        return sum_of.value + await wf.activity("end", leaf, 0)

    return body


def test_a_snapshot_of_another_build_counts_if_the_loop_began_alike() -> None:
    """Completed iterations belong to the build that completed them, but not to another beginning."""
    backend = MemoryBackend()
    drive(loop(0), backend=backend, build="b1", lineage=past())
    cut = len(backend.lines(RUN)) - 2
    called.clear()
    same = drive(loop(0), backend=backend.prefix(RUN, cut, crashed=True), build="b2", lineage=lineage())
    assert (same.value, called) == (780, [0])
    called.clear()
    plan = lineage(Edit("new", since="g2"))
    new = drive(loop(0, "new"), backend=backend.prefix(RUN, cut, crashed=True), build="b2", lineage=plan)
    assert (new.value, called) == (830, [50, 0])
