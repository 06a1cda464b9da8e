"""What the harness itself promises: lives that share nothing, timers in order, every leaf recorded."""

import asyncio
import sys
from types import ModuleType

import pytest

from tests.harness.cases import Scenario, load_case
from tests.harness.checks import Mismatch, compare, same_as_plain
from tests.harness.compiled import build, run_compiled
from tests.harness.outcome import LeafCall, Outcome
from tests.harness.plain import IdleLoop, run_plain
from tests.harness.program import Program
from tests.harness.recorder import PendingCall, Recorder
from tests.harness.snapshots import snapshot_each_iteration


def test_each_life_has_arguments_of_its_own() -> None:
    """A workflow that changes its input changes it for no other life, and not in the scenario."""
    case = load_case("changes_its_input")
    made, scenario = build(case.source, case.workflow), case.scenarios[0]
    before = repr(scenario)
    plain = run_plain(made.plain, made.workflow, made.callees, scenario)
    assert run_compiled(made, scenario).outcome.value == plain.value
    assert repr(scenario) == before


def test_arguments_that_are_one_object_stay_one_object() -> None:
    """Two arguments that share an object share its copy."""
    row = [1]
    (left, right), _ = Scenario(args=(row, row)).given()
    assert left is right
    assert left is not row


def test_timers_due_together_fire_in_the_order_they_were_set() -> None:
    """Equal moments are equal however they were added up; in them, first set is first fired."""
    fired: list[int] = []
    with asyncio.Runner(loop_factory=lambda: IdleLoop(None)) as runner:
        runner.run(_set_timers(fired))
        assert runner.get_loop().time() == 10
    assert fired == [*range(20), 20, 21, 22, 23]


async def _set_timers(fired: list[int]) -> None:
    loop = asyncio.get_running_loop()
    for number in range(20):
        loop.call_at(5, fired.append, number)
    loop.call_later(10, fired.append, 20)
    await asyncio.sleep(9.1)
    loop.call_later(0.9, fired.append, 21)
    await asyncio.sleep(0.2)
    loop.call_at(10, fired.append, 22)
    loop.call_later(0.7, fired.append, 99).cancel()
    await asyncio.sleep(0.3 + 0.4)
    fired.append(23)


DECORATED = """
import functools

def twice(function):
    calls = []
    @functools.wraps(function)
    async def run(number, *, by=1):
        calls.append(number)
        return [await function(number + by), await function(number), len(calls)]
    return run

def loud(function):
    def run(number):
        return function(number) + "!"
    return run

@twice
async def ask(number):
    return number

@loud
def say(number):
    return str(number)

other = ask
"""


def test_leaf_behind_a_closure_is_recorded() -> None:
    """A wrapper with free variables and defaults is recorded once, and does what it did."""
    with Program({"flow": DECORATED}).imported() as modules:
        flow = modules["flow"]
        recorder = _installed(modules, "flow:ask", "flow:say")
        assert asyncio.run(flow.ask(4)) == [5, 4, 1]
        assert asyncio.run(flow.other(4, by=2)) == [6, 4, 2]
        assert flow.say(3) == "3!"
    assert [(call.name, call.arguments) for call in recorder.calls] == [
        ("ask", "[[4],{}]"),
        ("ask", '[[4],{"by":2}]'),
        ("say", "[[3],{}]"),
    ]


def _installed(modules: dict[str, ModuleType], *callees: str) -> Recorder:
    async def at_once(_: PendingCall) -> None:
        return None

    recorder = Recorder(at_once)
    recorder.install(modules, callees)
    return recorder


def test_wrapper_with_the_globals_of_a_library_is_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A decorator may come from a module that is no part of the program."""
    library = ModuleType("some_library")
    exec(DECORATED.partition("@twice\nasync")[0], library.__dict__)
    monkeypatch.setitem(sys.modules, "some_library", library)
    text = "from some_library import loud\n\n@loud\ndef say(number):\n    return str(number)\n"
    with Program({"flow": text}).imported() as modules:
        recorder = _installed(modules, "flow:say")
        assert modules["flow"].say(1) == "1!"
    assert [call.name for call in recorder.calls] == ["say"]


def test_decorated_leaves_are_compared() -> None:
    """The calls of decorated leaves are seen plain and compiled."""
    case = load_case("decorated_leaf")
    made = build(case.source, case.workflow)
    calls = same_as_plain(made, case.scenarios[1]).outcome.calls
    assert [call.name for call in calls] == ["ask", "look"] * 3


def test_snapshots_are_written_after_each_iteration() -> None:
    """Where the cost of a snapshot is left out of account, each iteration but the one that leaves has one."""
    case = load_case("changes_its_input")
    made, scenario = build(case.source, case.workflow), case.scenarios[0]
    with snapshot_each_iteration():
        lines = same_as_plain(made, scenario).lines
    assert sum(b"iteration_completed" in line for line in lines) == 2


def test_a_void_call_may_be_missing_and_no_other() -> None:
    """Where a void and a real call look alike one of them suffices; without the real one nothing does."""
    first, second = LeafCall("m:a", "[]"), LeafCall("m:b", "[]")
    plain = Outcome(calls=[first, first, second], void={0})
    for calls in ([first, first, second], [first, second]):
        compare(plain, Outcome(calls=calls), Scenario(), "plain", "compiled")
    for calls in ([second], [first, first], [first, second, second]):
        with pytest.raises(Mismatch, match="leaf calls differ"):
            compare(plain, Outcome(calls=calls), Scenario(), "plain", "compiled")
