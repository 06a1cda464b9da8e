"""How nodes stand in a run: on the logs of real runs, at every record of them, and in what is rare."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import pytest
from msgspec import Raw

from flopod import events as e
from flopod import ir
from flopod.events import Event, Record, decode_line
from flopod.graph import Diagram, Fold, NodeState, diagram, diagram_of, states, svg
from flopod.graph.places import Places
from tests.golden.conftest import built
from tests.graph.conftest import manifest_of
from tests.harness.cases import case_names, load_case
from tests.harness.compiled import run_compiled

CASES = [name for name in case_names("run") if not load_case(name).detaches]
OVER = {"idle", "done", "failed", "skipped"}
NOTHING = Raw(b"null")


@cache
def run_of(case: str) -> list[Record]:
    """The log of the first run of a case."""
    life = run_compiled(built(case), load_case(case).scenarios[0])
    return [decode_line(line) for line in life.lines]


def diagram_of_case(case: str) -> Diagram:
    """The picture of the workflow that a case runs."""
    return diagram_of(manifest_of(case), load_case(case).workflow if case != "orders" else "fulfil")


def log(*events: Event) -> list[Record]:
    """Records of events, behind the start of a run."""
    started = e.RunStarted(workflow="fulfil", input=NOTHING)
    return [Record(seq, event) for seq, event in enumerate([started, *events], 1)]


def begun(path: str, callee: str = "") -> Event:
    return e.ActivityStarted(path=path, callee=callee, fingerprint="")


def ended(path: str) -> Event:
    return e.ActivityCompleted(path=path, result=NOTHING)


def called(path: str) -> list[Event]:
    return [begun(path), ended(path)]


def failed(path: str, attempt: int = 1, next_try: int | None = None) -> Event:
    return e.ActivityFailed(path=path, attempt=attempt, error=NOTHING, next_try=next_try)


def orders(*events: Event) -> dict[str, NodeState]:
    """The nodes of the example after these events."""
    return states(log(*events), diagram_of_case("orders"))


@pytest.mark.parametrize("case", CASES)
def test_every_record_is_at_a_node(case: str) -> None:
    """What a run records of an operation is at a node of the picture, at each depth of a recursion."""
    places = Places(diagram_of_case(case))
    for _, event in run_of(case):
        if isinstance(event, e.ActivityStarted | e.SleepStarted | e.WaitStarted | e.BranchTaken | e.RaceWon):
            assert places.node(event.path, getattr(event, "callee", "")) is not None, event


@pytest.mark.parametrize("case", CASES)
def test_a_run_that_is_over_has_nothing_going_on(case: str) -> None:
    """At its end each node is done, failed or skipped; the picture is drawn with that."""
    diagram, records = diagram_of_case(case), run_of(case)
    assert isinstance(records[-1].event, e.RunCompleted | e.RunFailed)
    found = states(records, diagram)
    assert set(found) == {node.id for node in diagram.nodes}
    for node in diagram.nodes:
        assert found[node.id].status in (OVER - {"idle"} if node.path else OVER), node
    if isinstance(records[-1].event, e.RunCompleted) and "[end]" in found:
        assert found["[end]"].status == "done"
    assert "is-running" not in svg(diagram, found).partition("</style>")[2]


@pytest.mark.parametrize("case", CASES)
def test_records_can_come_one_by_one(case: str) -> None:
    """A fold that goes on with each record is at every one of them where a new one is."""
    diagram, records = diagram_of_case(case), run_of(case)[:80]
    fold = Fold(diagram)
    for number, record in enumerate(records, 1):
        fold.add([record])
        assert fold.states() == states(records[:number], diagram)


def test_an_activity_goes_from_running_over_tries_to_done() -> None:
    """A failed attempt is retried, and the number of the attempt is known all the time."""
    start = begun("fetch_order")
    again = failed("fetch_order", 1, 5)
    assert orders(start)["fetch_order"] == NodeState("running", 1, 0, 0, 1)
    assert orders(start, again)["fetch_order"] == NodeState("retrying", 1, 0, 0, 2)
    under_way = e.ActivityProgress(path="fetch_order", attempt=2)
    assert orders(start, again, under_way)["fetch_order"].status == "running"
    done = e.ActivityCompleted(path="fetch_order", result=NOTHING, attempt=2)
    assert orders(start, again, done)["fetch_order"] == NodeState("done", 1, 1, 0, 2)
    assert orders(start, failed("fetch_order"))["fetch_order"] == NodeState("failed", 1, 1, 1, 1)


def test_waits_and_sleeps_stand_out() -> None:
    """A wait waits, a sleep sleeps."""
    assert orders(e.WaitStarted(path="approved", event="approved"))["approved"].status == "waiting"
    assert orders(e.SleepStarted(path="sleep", due=1))["sleep"].status == "sleeping"
    assert (
        orders(e.SleepStarted(path="sleep", due=1), e.SleepCompleted(path="sleep"))["sleep"].status == "done"
    )


def test_a_loop_counts_its_passes() -> None:
    """Passes are counted as they begin and end, and the calls in them too."""
    passes = [event for n in range(3) for event in called(f"lines[{n}]/price_line")]
    found = orders(*passes, begun("lines[3]/price_line"))
    assert found["lines[*]"] == NodeState("running", 4, 3)
    assert found["lines[*]/price_line"] == NodeState("running", 4, 3, 0, 1)
    assert orders(*passes)["lines[*]"] == NodeState("done", 3, 3)


def test_passes_that_were_compacted_are_known_by_the_last() -> None:
    """The record that completed the last pass says how many there were, and what is in each was done."""
    last = e.IterationCompleted(path="lines", index=9)
    found = orders(last, e.Compacted(dropped=[(2, 30)], totals=e.Totals()))
    assert found["lines[*]"] == NodeState("done", 10, 10)
    assert found["lines[*]/price_line"].status == "done"
    assert orders(last)["lines[*]/price_line"].status == "idle"


def test_the_arm_that_was_not_taken_is_skipped() -> None:
    """A decision that is met once leaves out its other arm at once."""
    assert orders(e.BranchTaken(path="if-total", key=Raw(b"false")))["approved"].status == "skipped"
    assert orders(e.BranchTaken(path="if-total", key=Raw(b"true")))["approved"].status == "idle"
    assert orders(e.BranchTaken(path="if-total", key=Raw(b'"no"')))["approved"].status == "idle"


def test_words_decide_a_match() -> None:
    """Of a `match` the recorded word says which arm was taken."""
    found = states(run_of("match_values"), diagram_of_case("match_values"))
    taken = [id for id, state in found.items() if id.startswith("act#") and state.status == "done"]
    assert taken == ["act#go"]


def test_the_loser_of_a_race_is_skipped() -> None:
    """What was given up before it ended has not failed."""
    found = states(run_of("race_and_parallel"), diagram_of_case("race_and_parallel"))
    assert found["sleep"] == NodeState("skipped", 0, 0, 0, 1)
    assert found["race#first"].status == "done"


def test_a_failure_is_seen_on_the_loops_around_it() -> None:
    """The loop in which a run has failed is marked, the others are not."""
    broken = [begun("lines[0]/price_line"), failed("lines[0]/price_line")]
    over = e.RunFailed(error=NOTHING)
    found = orders(begun("fetch_order"), ended("fetch_order"), *broken, over)
    assert found["lines[*]"].status == "failed"
    assert found["lines[*]/price_line"].status == "failed"
    assert found["charge"].status == "skipped"
    assert orders(*broken)["lines[*]"].status == "done"


def test_a_rewound_run_stands_where_it_was() -> None:
    """What a retry takes back has not happened; what comes after it has."""
    before = [begun("fetch_order"), failed("fetch_order"), e.RunFailed(error=NOTHING)]
    rewound = e.RunRewound(to=2, path="fetch_order")
    found = orders(*before, rewound)
    assert found["fetch_order"] == NodeState("running", 1, 0, 0, 1)
    assert found["charge"].status == "idle"
    assert orders(*before, rewound, ended("fetch_order"))["fetch_order"].status == "done"


def test_functions_with_paths_in_common_are_told_apart_by_what_they_call() -> None:
    """One call may run one of several functions; the node is that whose leaf was called."""
    manifest = manifest_of("helper_chosen")
    diagram = diagram_of(manifest, "flow")
    ids = [node.id for node in diagram.nodes if node.path == "chosen/leaf"]
    assert ids == ["chosen/leaf", "chosen/leaf|2"]
    found = states(log(begun("chosen/leaf", "flow:leaf"), ended("chosen/leaf")), diagram)
    assert [found[one].status for one in ids] == ["done", "idle"]
    assert found["chosen"].status == "done"


def test_an_operation_ends_where_it_began() -> None:
    """Of functions with a path in common the one whose leaf was called is the one that ends."""
    leaf, other = (ir.Operation("activity", "leaf", 2, callee) for callee in ("f:leaf", "f:other"))
    call = ir.Operation("call", "chosen", 1, "f:one | f:two")
    bodies: dict[str, list[ir.Node]] = {"f:root": [call], "f:one": [leaf], "f:two": [other]}
    functions = {name: ir.Function("f", name[2:], "f.py", 1, body) for name, body in bodies.items()}
    picture = diagram(functions, "f:root")
    path = "chosen/leaf"
    found = states(log(begun(path, "f:other"), failed(path, 1, 9), ended(path)), picture)
    assert (found[path].status, found[f"{path}|2"].status) == ("idle", "done")


def test_ten_thousand_records_are_folded_at_once() -> None:
    """What is kept and done for a record does not grow with the log."""
    records = log(*(make(f"lines[{n}]/price_line") for n in range(5000) for make in (begun, ended)))
    assert states(records, diagram_of_case("orders"))["lines[*]"] == NodeState("done", 5000, 5000)


def words_of(found: dict[str, NodeState], label: str) -> Sequence[str]:
    """What a screen reader says of the nodes with a label."""
    lines = svg(diagram_of_case("orders"), found, standalone=False).splitlines()
    said = [line.partition('aria-label="')[2].partition('"')[0] for line in lines]
    return [one for one in said if one.startswith(label)]


def test_a_state_can_be_read_out() -> None:
    """Name, kind and status, and how often."""
    assert words_of(orders(begun("charge"), ended("charge")), "charge") == ["charge, activity, done"]
    retried = orders(begun("charge"), failed("charge", 1, 9))
    assert words_of(retried, "charge") == ["charge, activity, retrying, attempt 2"]
    twice = orders(begun("lines[0]/price_line"), ended("lines[0]/price_line"), begun("lines[1]/price_line"))
    assert words_of(twice, "price_line") == ["price_line, activity, running, 1 of 2"]
    assert words_of(twice, "for line") == ["for line in order.lines, loop over items, running, 1 pass"]
