"""Each case run plain and compiled, killed after every record of its log, and with completions shuffled."""

import pytest

from tests.golden.conftest import built
from tests.harness.cases import case_names, load_case, scenarios
from tests.harness.checks import same_after_kills, same_as_plain

RUNS = list(scenarios(case_names("run")))
SHUFFLED = [(name, number) for name, number in RUNS if load_case(name).shuffle]


@pytest.mark.parametrize(("case", "number"), RUNS)
def test_compiled_does_what_plain_python_does(case: str, number: int) -> None:
    """Value, error, leaf calls and output are those of the source under plain CPython."""
    scenario = load_case(case).scenarios[number]
    life = same_as_plain(built(case), scenario)
    ended_by = life.outcome.error.partition(" ")[0].removeprefix("builtins:")
    assert ended_by == scenario.raises


@pytest.mark.parametrize(("case", "number"), RUNS)
def test_killed_after_any_record_it_ends_the_same_way(case: str, number: int) -> None:
    """A resume from each prefix of the log gives the same end, and repeats nothing that is recorded."""
    made, scenario = built(case), load_case(case).scenarios[number]
    life = same_as_plain(made, scenario)
    assert same_after_kills(made, scenario, life) == len(life.lines) + 1


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize(("case", "number"), SHUFFLED)
def test_completions_in_another_order(case: str, number: int, seed: int) -> None:
    """Leaves that complete in another order: plain and compiled agree, and so do the resumes."""
    made, scenario = built(case), load_case(case).scenarios[number]
    life = same_as_plain(made, scenario, seed)
    same_after_kills(made, scenario, life, seed=seed)
