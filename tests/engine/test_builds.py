"""Runs under another build: a difference counts as intended only if the plan of the lock names it."""

from __future__ import annotations

from enum import Enum
from typing import Any

import pytest

from flopod.backends.memory import MemoryBackend
from flopod.engine.fitting import fit
from flopod.engine.identity import Identity
from flopod.errors import BuildMismatch, DivergenceError
from flopod.events import RunDiverged, RunResumed, RunStarted
from flopod.log import Lineage
from flopod.manifest import Edit, Moved
from tests.engine.generations import NEW, Body, called, leaf, lineage, past
from tests.engine.support import RUN, drive


async def other(x: Any) -> Any:
    called.append(("other", x))
    return x


async def first(wf: Any) -> Any:
    a = await wf.activity("a", leaf, 1)
    b = await wf.activity("b", leaf, 2)
    return a + b + await wf.activity("c", leaf, 3)


async def with_new(wf: Any) -> Any:
    a = await wf.activity("a", leaf, 1)
    new = await wf.activity("new", leaf, 100)
    b = await wf.activity("b", leaf, 2)
    return a + b + new + await wf.activity("c", leaf, 3)


async def without_b(wf: Any) -> Any:
    return await wf.activity("a", leaf, 1) + await wf.activity("c", leaf, 3)


async def with_changed(wf: Any) -> Any:
    a = await wf.activity("a", other, 7)
    return a + await wf.activity("b", leaf, 2) + await wf.activity("c", leaf, 3)


async def pay(wf: Any) -> Any:
    return await wf.activity("b", leaf, 2)


async def with_helper(wf: Any) -> Any:
    a = await wf.activity("a", leaf, 1)
    return a + await wf.call("pay", pay) + await wf.activity("c", leaf, 3)


GONE = Edit("b", gone="g2")


CHANGED = Edit("a", changed="g2")


MOVED = lineage(
    Edit("pay", since="g2"),
    Edit("pay/b", since="g2"),
    Edit("b", gone="g2"),
    moves=(Moved("b", "pay/b", "g2"),),
)


def recorded(cut: int) -> MemoryBackend:
    """A run of the first build that was killed after `cut` records."""
    backend = MemoryBackend()
    drive(first, backend=backend, build="b1", lineage=past())
    called.clear()
    return backend.prefix(RUN, cut, crashed=True)


CASES = [
    (with_new, lineage(NEW), 106, [100], "new"),
    (without_b, lineage(GONE), 4, [], "gone"),
    (with_changed, lineage(CHANGED), 6, [], "changed"),
    (with_helper, MOVED, 6, [], "moved"),
]


@pytest.mark.parametrize(("body", "plan", "value", "calls", "name"), CASES, ids=[case[4] for case in CASES])
def test_what_the_plan_names_is_accepted(
    body: Body, plan: Lineage, value: int, calls: list[Any], name: str
) -> None:
    """New calls run in the past, gone outcomes are dropped, changed and moved ones are taken over."""
    backend = recorded(6)
    assert drive(body, backend=backend, build="b2", lineage=plan).value == value, name
    assert called == [*calls, 3]
    resumed = [record.event for record in backend.load(RUN) if isinstance(record.event, RunResumed)]
    assert [(event.build, event.generation) for event in resumed] == [("b2", "g2")]


@pytest.mark.parametrize(("body", "plan", "value", "calls", "name"), CASES, ids=[case[4] for case in CASES])
def test_a_log_of_two_builds_is_replayed_alike(
    body: Body, plan: Lineage, value: int, calls: list[Any], name: str
) -> None:
    """Killed at any record after the change of builds, the run ends the same way and repeats nothing."""
    for cut in range(3, 8):
        backend = recorded(cut)
        drive(body, backend=backend, build="b2", lineage=plan)
        total = len(backend.lines(RUN))
        for again in range(cut + 1, total):
            once_more = backend.prefix(RUN, again, crashed=True)
            done = {
                r.event.path for r in once_more.load(RUN) if type(r.event).__name__ == "ActivityCompleted"
            }
            called.clear()
            assert drive(body, backend=once_more, build="b2", lineage=plan).value == value, (name, cut, again)
            assert "new" not in done or 100 not in called, calls


@pytest.mark.parametrize(("body", "plan", "value", "calls", "name"), CASES, ids=[case[4] for case in CASES])
def test_what_the_plan_does_not_name_diverges(
    body: Body, plan: Lineage, value: int, calls: list[Any], name: str
) -> None:
    """The same programs with an empty plan: nothing is written, nothing is called."""
    del plan, value, calls
    backend = recorded(6)
    with pytest.raises(BuildMismatch, match="needs the build b1"):
        drive(body, backend=backend, build="b2", lineage=lineage())
    assert (len(backend.lines(RUN)), called) == (6, []), name


def test_a_divergence_after_a_new_call_belongs_to_the_build_that_made_it() -> None:
    """The new call has run, so no older build can take the run back: it is recorded, and said each time."""

    async def new_and_wrong(wf: Any) -> Any:
        return await wf.activity("new", leaf, 100) + await wf.activity("c", leaf, 3)

    backend = recorded(7)
    for _ in range(2):
        with pytest.raises(DivergenceError, match=r"diverged at 'a'(?s:.*)older builds cannot take"):
            drive(new_and_wrong, backend=backend, build="b2", lineage=lineage(NEW))
    events = [event for _, event in backend.load(RUN)]
    assert isinstance(events[-1], RunDiverged)
    assert drive(with_new, backend=backend, build="b3", lineage=lineage(NEW)).value == 106


def test_several_new_calls_side_by_side_keep_their_order() -> None:
    """Outcomes of new calls are appended in the order in which they came, and so delivered again."""

    async def body(wf: Any) -> Any:
        order: list[int] = []

        async def arm(n: int) -> None:
            await wf.activity(f"new#{n}", leaf, n)
            order.append(n)
            await wf.activity("a" if n == 1 else "b", leaf, n)
            order.append(10 + n)

        await wf.parallel(arm(1), arm(2))
        await wf.activity("c", leaf, 3)
        return order

    plan = lineage(Edit("new#1", since="g2"), Edit("new#2", since="g2"))
    backend = recorded(6)
    value = drive(body, backend=backend, build="b2", lineage=plan).value
    for cut in range(7, len(backend.lines(RUN))):
        again = drive(body, backend=backend.prefix(RUN, cut, crashed=True), build="b2", lineage=plan)
        assert sorted(again.value) == sorted(value)
    final = backend.prefix(RUN, len(backend.lines(RUN)) - 1, crashed=True)
    assert drive(body, backend=final, build="b2", lineage=plan).value == value


def test_a_build_without_the_lock_of_a_run_refuses_it() -> None:
    """Ids may mean something else there, even where the log would fit."""
    with pytest.raises(BuildMismatch, match=r"it was made with a flopod\.lock"):
        drive(first, backend=recorded(6), build="b1")
    with pytest.raises(BuildMismatch, match="does not know"):
        drive(first, backend=recorded(6), build="b2", lineage=lineage(knows=False))
    assert called == []


def test_a_run_without_a_lock_goes_on_under_the_first_one() -> None:
    """The first lock gives the ids that there were without it; a later one may not."""
    backend = MemoryBackend()
    drive(first, backend=backend, build="b0")
    cut = backend.prefix(RUN, 6, crashed=True)
    with pytest.raises(BuildMismatch):
        drive(first, backend=backend.prefix(RUN, 6, crashed=True), build="b2", lineage=lineage())
    assert drive(first, backend=cut, build="b1", lineage=past()).value == 6


def test_within_a_generation_nothing_is_lenient() -> None:
    """A build of the same generation, or the same build, has the strict rules."""
    with pytest.raises((BuildMismatch, DivergenceError)):
        drive(with_new, backend=recorded(6), build="b1-again", lineage=past())
    assert called == []


async def with_new_for_b(wf: Any) -> Any:
    a = await wf.activity("a", leaf, 1)
    new = await wf.activity("new", leaf, 100)
    return a + new + await wf.activity("c", leaf, 3)


def test_what_no_code_asks_for_stops_a_run_before_anything_new_is_called() -> None:
    """The plan does not say that `b` is gone, so nothing may be called in its place."""
    backend = recorded(6)
    before = backend.lines(RUN)
    called.clear()
    plan = lineage(NEW, paths=("a", "new", "c"))
    with pytest.raises(BuildMismatch, match="diverged at 'b'"):
        drive(with_new_for_b, backend=backend, build="b2", lineage=plan)
    assert (called, backend.lines(RUN)) == ([], before)


async def with_b_in_a_loop(wf: Any) -> Any:
    a = await wf.activity("a", leaf, 1)
    for scope, x in wf.each("xs", [2]):
        a += await scope.activity("b", leaf, x)
    return a + await wf.activity("c", leaf, 3)


IN_A_LOOP = lineage(
    GONE,
    Edit("xs[*]", since="g2"),
    Edit("xs[*]/b", since="g2", again=True),
    paths=("a", "xs[*]", "xs[*]/b", "c"),
)


def test_a_call_that_may_be_one_that_is_gone_is_not_made_again() -> None:
    """Once that has a result the run stays with its build, which the other cannot know to be the same."""
    backend = recorded(6)
    before = backend.lines(RUN)
    with pytest.raises(BuildMismatch, match=r"such a call at 'xs\[\*\]/b' instead"):
        drive(with_b_in_a_loop, backend=backend, build="b2", lineage=IN_A_LOOP)
    assert (called, backend.lines(RUN)) == ([], before)


def test_a_call_that_has_no_result_may_be_made_elsewhere() -> None:
    """What was not done yet is done once."""
    done = drive(with_b_in_a_loop, backend=recorded(2), build="b2", lineage=IN_A_LOOP)
    assert (done.value, called) == (6, [1, 2, 3])


class Phase(Enum):
    NEW = 1


class Renamed(Enum):
    FRESH = 1


Renamed.__qualname__ = "Phase"


async def phases(wf: Any) -> Any:
    carried = wf.var("carried", None)
    for scope, x in wf.each("xs", list(range(40))):
        await scope.activity("leaf", leaf, x)
        carried.value = phase_now(), x
    return await wf.activity("end", leaf, 0)


async def reading(wf: Any) -> Any:
    wf.record("phase", phase_now)
    return await wf.activity("end", leaf, 0)


async def constant(wf: Any) -> Any:
    wf.constant("PHASE", phase_now())
    return await wf.activity("end", leaf, 0)


def phase_now() -> Any:
    return next(iter(Phase))


@pytest.mark.parametrize(("body", "path"), [(phases, "xs"), (reading, "phase"), (constant, "PHASE")])
def test_what_cannot_be_read_stops_the_run_and_is_no_error_of_the_body(
    monkeypatch: pytest.MonkeyPatch, body: Body, path: str
) -> None:
    """A run that failed could not be taken back by the build that can read it."""
    backend = MemoryBackend()
    drive(body, backend=backend, build="b1", lineage=past())
    cut = backend.prefix(RUN, len(backend.lines(RUN)) - 2, crashed=True)
    before = cut.lines(RUN)
    monkeypatch.setitem(globals(), "Phase", Renamed)
    called.clear()
    with pytest.raises(BuildMismatch, match=rf"diverged at '{path}'(.|\n)*no member 'NEW'"):
        drive(body, backend=cut, build="b2", lineage=lineage())
    assert (called, cut.lines(RUN)) == ([], before)


def test_a_run_is_judged_without_calling_anything() -> None:
    """`fit` says where it stands, whether it would go on, and why not."""
    records = recorded(6).load(RUN)

    def of(plan: Lineage) -> Identity:
        return Identity(run_id=RUN, build="b2", lineage=plan)

    good = fit(without_b, records, of(lineage(GONE)))
    assert (good.fits, good.at, good.acts) == (True, ["c"], False)
    early = fit(with_new, records, of(lineage(NEW)))
    assert (early.fits, early.at, early.acts) == (True, ["new"], True)
    bad = fit(without_b, records, of(lineage()))
    assert not bad.fits
    assert "diverged at 'b'" in bad.reason
    assert "does not know" in fit(first, records, of(lineage(knows=False))).reason
    assert called == []


def test_the_log_says_which_generation_wrote_it() -> None:
    """The first event names the generation of the lock."""
    started = recorded(3).load(RUN)[0].event
    assert isinstance(started, RunStarted)
    assert started.generation == "g1"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("b", "pay/b"),
        ("xs[3]/b", "ys[3]/b"),
        ("xs[3]/q[1]/b", "ys[3]/q[1]/b"),
        ("xs[3]/c", "ys#2[3]/c"),
        ("gone[1]/x", None),
        ("call/inner", None),
        ("bb", "bb"),
    ],
)
def test_old_paths_are_read_as_those_of_today(path: str, expected: str | None) -> None:
    """The longest beginning that moved is replaced, with its keys; what lies in something gone is gone."""
    known = lineage(
        Edit("gone[*]", gone="g2"),
        Edit("call", gone="g2"),
        moves=(
            Moved("b", "pay/b", "g2"),
            Moved("xs[*]", "ys[*]", "g2"),
            Moved("xs[*]/c", "ys#2[*]/c", "g2"),
        ),
    )
    assert known.today(path, "g1") == expected
    assert known.today(path, "g2") == path
