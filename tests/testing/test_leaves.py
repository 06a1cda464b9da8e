"""Scripted leaves: values, errors and functions, by name or by path; and what is seen of calls."""

from decimal import Decimal
from typing import Any

import pytest

from flopod.testing import Flopod, TestFailure, raises, real, returns, takes


def test_what_is_not_scripted_runs_for_real(flopod: Flopod) -> None:
    """The leaf of the source is called."""
    assert flopod.run("fetching", "u").result() == "U"


@pytest.mark.parametrize("name", ["fetch", "flows:fetch", "flows.fetch"])
def test_a_leaf_goes_by_several_names(flopod: Flopod, name: str) -> None:
    """Its own name, and that with its module in both spellings."""
    assert flopod.run("fetching", "u", leaves={name: "scripted"}).result() == "scripted"


def test_the_most_precise_name_counts(flopod: Flopod) -> None:
    """A path comes before the pattern of paths, and that before the name."""
    leaves = {"range[1]/fetch": "path", "range[*]/fetch": "pattern", "fetch": "name"}
    assert flopod.run("collecting", 3, leaves=leaves).result() == ["pattern", "path", "pattern"]
    assert flopod.run("fetching", "u", leaves=leaves).result() == "name"


def test_a_list_is_one_outcome_a_call(flopod: Flopod) -> None:
    """Each attempt takes the next one; the dots repeat the last."""
    leaves = {
        "fetch": [ConnectionError("line"), takes("5m", "first"), lambda url: url * 2, real, "last", ...]
    }
    run = flopod.run("collecting", 5, leaves=leaves)
    assert run.result() == ["first", "11", "2", "last", "last"]
    assert [type(call.error) for call in run.calls("fetch")][:2] == [ConnectionError, type(None)]


def test_what_looks_like_something_else_is_wrapped(flopod: Flopod) -> None:
    """A list as a value, an error with a delay."""
    assert flopod.run("fetching", "u", leaves={"fetch": returns([1, 2])}).result() == [1, 2]
    run = flopod.run("fetching", "u", leaves={"fetch": [takes("1m", raises(OSError)), "then"]})
    assert run.result() == "then"


async def _shouted(url: str) -> str:
    return url + "!"


def test_functions_get_the_arguments(flopod: Flopod) -> None:
    """Plain and asynchronous ones, and such that do not care for arguments."""
    assert flopod.run("fetching", "u", leaves={"fetch": _shouted}).result() == "u!"
    assert flopod.run("fetching", "u", leaves={"fetch": lambda: "none"}).result() == "none"
    assert flopod.run("adding", 3, leaves={"price": lambda number: number * 10}).result() == 30


def test_a_value_of_the_script_is_not_changed(flopod: Flopod) -> None:
    """Each call gets a value of its own."""
    given: dict[str, list[int]] = {"rows": []}
    run = flopod.run("collecting", 2, leaves={"fetch": given})
    first, second = run.result()
    first["rows"].append(1)
    assert (second, given) == ({"rows": []}, {"rows": []})


def test_calls_are_seen_by_path_and_by_name(flopod: Flopod) -> None:
    """Arguments, results, attempts and their order."""
    run = flopod.run("collecting", 2, leaves={"fetch": ["a", OSError("no"), "b"]})
    run.result()
    assert run.paths == ["range[0]/fetch", "range[1]/fetch"]
    leaf = run.path("range[1]/fetch")
    assert (leaf.args, leaf.result, leaf.attempts, len(leaf.calls)) == (("1",), "b", 2, 2)
    assert [(call.path, call.attempt) for call in run.calls("fetch")] == [
        ("range[0]/fetch", 1),
        ("range[1]/fetch", 1),
        ("range[1]/fetch", 2),
    ]
    assert repr(run.calls("range[1]/fetch")[0].error) == "OSError('no')"


def test_variables_and_output_are_seen(flopod: Flopod) -> None:
    """Lists and mappings as they are recorded, and what the workflow prints."""
    run = flopod.run("collecting", 3)
    run.result()
    assert run.variables == {"found": ["0", "1", "2"], "lengths": {0: 2, 1: 4, 2: 6}}
    assert flopod.run("announcing", "x").until_waiting().output == "announcing x\n"


def test_children_are_scripted_and_seen_too(flopod: Flopod) -> None:
    """A run that another starts is beside it, in the same time."""
    run = flopod.run("parent", 3, leaves={"price": lambda number: number * 100})
    assert run.result() == [300, 400]
    assert run.elapsed.total_seconds() == 60
    assert [call.args for call in run.calls("price", run_id="second")] == [(4,)]
    assert run.children[1] == "second"


def test_compensations_are_leaves(flopod: Flopod) -> None:
    """What undoes a step is seen and scripted like it."""
    run = flopod.run("undoing", "x", leaves={"unsend": None})
    assert type(run.error).__name__ == "Denied"
    assert run.path("undo-unsend").args == ("x",)


@pytest.mark.parametrize(
    ("leaves", "message"),
    [
        ({"fetsh": 1}, "there is no leaf 'fetsh'; did you mean 'fetch'?"),
        ({"range[0]/fetsh": 1}, "there is no leaf 'range[0]/fetsh'; did you mean 'range[*]/fetch'"),
        (
            {"doubled": 1},
            "'doubled' is no leaf: no workflow calls it, or the function of flows has no effects",
        ),
        ({"fetch": []}, "the script of 'fetch' is an empty list"),
        ({"fetch": [..., 1]}, "has ... before its end"),
    ],
)
def test_a_script_that_cannot_be_is_an_error(flopod: Flopod, leaves: dict[str, Any], message: str) -> None:
    """It is found when the run is made, with near misses."""
    with pytest.raises(TestFailure) as found:
        flopod.run("collecting", 2, leaves=leaves)
    assert message in str(found.value)


def test_a_script_that_is_too_short_is_an_error(flopod: Flopod) -> None:
    """It fails the test, and is no error that the workflow could handle."""
    with pytest.raises(
        TestFailure, match=r"'fetch' is called once more than its script says: that has 1 outcome"
    ):
        flopod.run("collecting", 2, leaves={"fetch": ["a"]}).result()


def test_strict_names_the_leaf_that_is_not_scripted(flopod: Flopod) -> None:
    """With `strict` nothing runs for real."""
    run = flopod.run("approving", "A-1", strict=True)
    with pytest.raises(TestFailure, match=r"the leaf flows:send at 'send#\(order\)' is not in the script"):
        run.until_waiting()
    assert flopod.run("approving", "A", strict=True, leaves={"send": None}, events={"yes": True}).result()


def test_a_leaf_that_was_not_called_is_an_error(flopod: Flopod) -> None:
    """A path or a name that does not exist is not silently empty."""
    run = flopod.run("collecting", 2)
    run.result()
    with pytest.raises(TestFailure, match=r"no leaf was called at 'range\[7\]/fetch'; did you mean"):
        run.path("range[7]/fetch")
    with pytest.raises(TestFailure, match="there is no leaf 'fetched'; did you mean 'fetch'"):
        run.calls("fetched")


def test_results_keep_their_types(flopod: Flopod) -> None:
    """What the workflow gets has been through the codec, as in production."""
    result = flopod.run("fetching", "u", leaves={"fetch": Decimal("1.50")}).result()
    assert (type(result), str(result)) == (Decimal, "1.50")


def test_what_is_no_data_is_an_error_that_names_the_leaf(flopod: Flopod) -> None:
    """A scripted value that could not be recorded fails as it would in production."""
    error = flopod.run("fetching", "u", leaves={"fetch": returns(object())}).error
    assert type(error).__name__ == "SerializableError"
