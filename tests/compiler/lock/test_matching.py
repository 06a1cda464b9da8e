"""The lock keeps the id of a call that is still there, and never gives it to another one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.compiler.lock.support import HEAD, Shop, live, plan, update_of

TWO = "a = await fetch(x)\nb = await fetch(x + 1)\nreturn a, b"


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def test_a_second_call_leaves_the_first_its_bare_id(shop: Shop) -> None:
    """Only the new call gets a name."""
    shop.build("await fetch(x)")
    made = shop.build("await fetch(x)\nawait fetch(xs)")
    assert live(update_of(made).lock) == ["fetch", "fetch#(xs)"]
    assert plan(made) == ["+ fetch#(xs)"]


def test_the_call_that_is_left_keeps_its_name(shop: Shop) -> None:
    """An id does not become bare because the other call went."""
    shop.build(TWO)
    made = shop.build("b = await fetch(x + 1)\nreturn b")
    assert live(update_of(made).lock) == ["fetch#b"]
    assert plan(made) == ["- fetch#a"]


def test_a_spent_id_is_never_given_again(shop: Shop) -> None:
    """A call in the place of one that went, with its variable, gets another id."""
    shop.build(TWO)
    shop.build("b = await fetch(x + 1)\nreturn b")
    made = shop.build("b = await fetch(x + 1)\nc = await charge(b)\na = await fetch(c, xs)\nreturn a, b")
    assert "fetch#a" not in live(update_of(made).lock)
    gone = [entry.path for entry in update_of(made).lock.functions["flow:main"] if entry.gone]
    assert gone == ["fetch#a"]


def test_of_two_calls_that_nothing_tells_apart_neither_is_guessed(shop: Shop) -> None:
    """One of two equal neighbours goes: the other gets a new id."""
    shop.build("await charge(x)\nawait fetch()\nawait fetch()\nawait charge(xs)")
    made = shop.build("await charge(x)\nawait fetch()\nawait charge(xs)")
    assert sorted(plan(made)) == ["+ fetch", "- fetch#(charge..fetch)", "- fetch#(fetch..charge)"]


def test_the_first_of_a_call_and_its_copy_is_the_old_one(shop: Shop) -> None:
    """The line that runs first has the recorded outcome."""
    shop.build("await fetch(x)\nreturn 1")
    made = shop.build("await fetch(x)\nawait fetch(x)\nreturn 1")
    assert live(update_of(made).lock)[0] == "fetch"
    assert len(plan(made)) == 1


def test_a_call_that_went_and_came_elsewhere_is_not_made_again(shop: Shop) -> None:
    """Nothing tells whether it is the same: the manifest says so of the new one, and only of that."""
    shop.build("for y in xs:\n    await fetch(y)\n    await charge(x)\nreturn 1")
    made = shop.build(
        "for y in xs:\n    await fetch(y)\nwhile x:\n    await charge(x)\n    x -= 1\nawait fetch(1)"
    )
    assert made.manifest is not None
    edits = made.manifest.workflows["main"].edits
    assert [edit.path for edit in edits if edit.again] == ["loop[*]/charge"]


def test_a_renamed_leaf_keeps_its_ids(shop: Shop) -> None:
    """Its function is gone, another one is called just like it."""
    shop.build("a = await fetch(x)\nreturn await charge(a)")
    made = shop.build("a = await load(x)\nreturn await charge(a)", head=HEAD.replace("fetch", "load"))
    assert live(update_of(made).lock) == ["fetch", "charge"]
    assert plan(made) == ["~ fetch: flow:fetch is now flow:load"]
    assert 'wf.activity("fetch", load, x)' in made.lowered["flow"].text


def test_another_leaf_in_its_place_is_another_call(shop: Shop) -> None:
    """The old function is still there, so this is no rename."""
    shop.build("a = await fetch(x)\nreturn a")
    made = shop.build("a = await charge(x)\nreturn a")
    assert sorted(plan(made)) == ["+ charge", "- fetch"]


def test_a_renamed_collection_keeps_the_ids_in_its_loop(shop: Shop) -> None:
    """The loop is known by what it holds."""
    shop.build("rows = [x]\nfor row in rows:\n    await fetch(row)")
    made = shop.build("lines = [x]\nfor row in lines:\n    await fetch(row)")
    assert live(update_of(made).lock) == ["rows[*]", "rows[*]/fetch"]
    assert plan(made) == ["~ rows[*]: (rows) is now (lines)"]


def test_a_changed_argument_is_in_the_plan(shop: Shop) -> None:
    """The id stays; the plan says what was and what is."""
    shop.build("return await fetch(x, 'slow')")
    assert plan(shop.build("return await fetch(x, 'fast')")) == ["~ fetch: (x, 'slow') is now (x, 'fast')"]


def test_a_pragma_wins(shop: Shop) -> None:
    """A call that is given an id has it, and what it had recorded goes along."""
    shop.build("a = await fetch(x)\nreturn await charge(a)")
    made = shop.build("a = await fetch(x)  # flopod: id=first\nreturn await charge(a)")
    lock = update_of(made).lock
    assert live(lock) == ["fetch#first", "charge"]
    assert [(move.old, move.new) for move in lock.moves] == [("fetch", "fetch#first")]


def test_extraction_moves_the_path(shop: Shop) -> None:
    """What was recorded in the workflow belongs to the helper's call now."""
    shop.build("for y in xs:\n    a = await fetch(y)\n    await charge(a)")
    head = HEAD + "@workflow\nasync def pay(y: int) -> None:\n    a = await fetch(y)\n    await charge(a)\n\n"
    made = shop.build("for y in xs:\n    await pay(y)", head=head)
    assert [(move.old, move.new) for move in update_of(made).lock.moves if move.workflow == "main"] == [
        ("xs[*]/fetch", "xs[*]/pay/fetch"),
        ("xs[*]/charge", "xs[*]/pay/charge"),
    ]


def test_a_call_that_now_runs_many_times_is_another_one(shop: Shop) -> None:
    """A recorded outcome of one call is not that of the first of many."""
    shop.build("await fetch(x)")
    made = shop.build("for y in xs:\n    await fetch(x)")
    assert update_of(made).lock.moves == []
    assert "- fetch" in plan(made)


def test_reordered_calls_are_in_the_plan(shop: Shop) -> None:
    """One of two that changed places is marked: it may be asked for before what was recorded."""
    shop.build("await fetch(x)\nawait charge(x)")
    made = shop.build("await charge(x)\nawait fetch(x)")
    assert len(plan(made)) == 1
    assert plan(made)[0].endswith("in another order")


def test_a_renamed_workflow_function_keeps_its_ids(shop: Shop) -> None:
    """It is known by the calls in it."""
    shop.build(TWO)
    made = shop.build("b = await fetch(x + 1)\na = await fetch(x)\nreturn a, b", name="other")
    assert sorted(live(update_of(made).lock, "flow:other")) == ["fetch#a", "fetch#b"]
