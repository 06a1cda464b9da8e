"""Every program ends the same way from every prefix of its log, and from prefixes of what follows."""

from typing import Any

import pytest

from flopod.errors import DuplicateId
from flopod.events import ActivityFailed
from flopod.workflow.commands import StartLeaf
from tests.workflow import programs
from tests.workflow.support import Body, Simulator, run, sweep

PROGRAMS: list[tuple[Body, tuple[Any, ...]]] = [
    (programs.sequential, (3,)),
    (programs.fulfil, ("A-1", 5)),
    (programs.gathered, (3,)),
    (programs.gather_fails, ()),
    (programs.nested, (3,)),
    (programs.aliases, ()),
    (programs.unbound, ()),
    (programs.while_loop, (30,)),
    (programs.stop_iteration, ()),
    (programs.raises, ()),
    (programs.calls_workflow, (3,)),
    (programs.recorded, ()),
    (programs.break_and_return, ()),
    (programs.mutates_both, ()),
    (programs.handwritten, ()),
    (programs.handwritten_by_key, ()),
    (programs.handwritten_state, ()),
    (programs.handwritten_races, ()),
]


@pytest.mark.parametrize(("body", "args"), PROGRAMS, ids=lambda value: getattr(value, "__name__", ""))
def test_same_end_from_every_prefix(body: Body, args: tuple[Any, ...]) -> None:
    """A run that is cut after any record, twice, ends as if it had not been, and repeats no recorded leaf."""
    sweep(body, *args)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(
    "body", [programs.gathered, programs.gather_fails, programs.handwritten, programs.handwritten_by_key]
)
def test_same_end_when_completions_are_shuffled(body: Body, seed: int) -> None:
    """Whatever the order in which concurrent leaves complete, it is the log's order after a resume."""
    sweep(body, *([4] if body is programs.gathered else []), seed=seed, depth=1)


def test_the_results_of_the_author_s_forms() -> None:
    """Results and errors of `each` are apart, `race` has a winner, state reads as it was written."""
    assert run(programs.handwritten_by_key).value == [["A2", None, "C2"], [1], ["b"]]
    assert run(programs.handwritten_state).value == [7, ["b", "c", "d"], {"fire": 3, "ice": 1}, 4]
    assert run(programs.handwritten_races).value == ["timer", None, "first", 4, [1, 2], {"a": 2, "b": "x"}]


def test_two_items_of_one_key_are_refused() -> None:
    """Before any of them has begun."""

    async def body(wf: Any) -> Any:
        return await wf.each("items", [1, 2, 1], programs.twice, key=lambda item: item)

    ran = run(body)
    assert isinstance(ran.core.error, DuplicateId)
    assert not ran.calls


def test_an_item_keeps_its_place_by_its_key() -> None:
    """The key is in the path, so that an item is found again wherever it stands."""
    ran = run(programs.handwritten_by_key)
    assert set(ran.calls) == {"items[a]/join", "items[b]/fail", "items[c]/join"}


def test_waits_from_every_prefix() -> None:
    """Payloads, timeouts and timers come out the same from every prefix, with mail that came early."""
    mail = [("approved", "approved", {"sku": "x", "qty": 2}), ("right", "side", 7)]
    first = sweep(programs.waits, mail=mail)
    assert first.value == [programs.Line("x", 2), None, [None, 7]]


def test_retries_from_every_prefix() -> None:
    """A leaf that is tried again after errors gives the same result from every prefix."""
    programs.failures.clear()
    first = run(programs.retries)
    assert first.value == ["a", None, ("once",)]
    assert first.calls.count("flaky") == 3
    assert first.calls.count("given-up") == 3
    for cut in range(len(first.records)):
        failed = sum(1 for record in first.records[:cut] if getattr(record.event, "next_try", None))
        programs.failures["a"] = min(failed, 2)
        again = run(programs.retries, records=first.records[:cut], now=first.now)
        assert again.value == first.value
        assert again.calls.count("flaky") <= 3 - min(failed, 2)


def test_a_resume_waits_for_the_recorded_next_try() -> None:
    """The time of the next attempt is in the log: a resume neither hurries nor waits anew."""
    programs.failures.clear()
    first = run(programs.retries)
    cut = next(i for i, event in enumerate(first.events) if isinstance(event, ActivityFailed)) + 1
    failed = first.events[cut - 1]
    resumed = Simulator(programs.retries, (), first.records[:cut], now=failed.at)
    commit = resumed.core.step(failed.at)
    assert not [command for command in commit.commands if isinstance(command, StartLeaf)]
    assert resumed.core.next_due() == failed.next_try
    late = resumed.core.step(failed.next_try)
    assert [command.attempt for command in late.commands if isinstance(command, StartLeaf)] == [2]
