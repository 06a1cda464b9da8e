"""The checks catch compilers and runtimes that are broken on purpose."""

import ast
from dataclasses import replace

import pytest

from flopod.workflow.arguments import Arguments
from tests.differential.breaking import Fault
from tests.differential.faults import FAULTS
from tests.harness.cases import Case, load_case
from tests.harness.checks import same_after_kills, same_as_plain
from tests.harness.compiled import Build, build


def check_case(made: Build, case: Case) -> None:
    """All checks of a case; raises AssertionError when one fails."""
    for scenario in case.scenarios:
        same_after_kills(made, scenario, same_as_plain(made, scenario))


def broken(made: Build, fault: Fault) -> Build:
    """The build with the fault in its emitted module."""
    module = made.workflow.partition(":")[0]
    tree = ast.parse(made.compiled.sources[module])
    assert fault.change(tree), "the fault found nothing to break"
    return replace(made, compiled=made.compiled.replaced({module: ast.unparse(tree)}))


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_injected_miscompilation_is_caught(fault: Fault) -> None:
    """Emitted code with this fault fails the checks that the right code passes."""
    case = load_case(fault.case)
    made = build(case.source, case.workflow)
    check_case(made, case)
    with pytest.raises(AssertionError):
        check_case(broken(made, fault), case)


def test_unchanged_code_survives_the_round_trip() -> None:
    """Parsing and unparsing alone, without a fault, is not caught."""
    case = load_case("augmented_assignment")
    made = build(case.source, case.workflow)
    check_case(broken(made, Fault("none", case.name, lambda _: True)), case)


def test_lost_change_of_an_argument_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """A runtime that forgets what a leaf did to its arguments fails the checks."""
    case = load_case("leaf_changes_argument")
    made = build(case.source, case.workflow)
    monkeypatch.setattr(Arguments, "changed", lambda *_: False)
    with pytest.raises(AssertionError):
        check_case(made, case)
