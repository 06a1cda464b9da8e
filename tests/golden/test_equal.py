"""Each case run plain and compiled, killed after every record of its log, and with completions shuffled."""

import pytest

from tests.golden.conftest import built
from tests.harness.cases import case_names, load_case, scenarios
from tests.harness.checks import same_after_kills, same_after_kills_of_compacted, same_as_plain
from tests.harness.snapshots import snapshot_each_iteration


def has_captured_loops(name: str) -> bool:
    """Whether the emitted code of a case has a loop that may be fast-forwarded."""
    texts = [path.read_text("utf-8") for path in load_case(name).expected.glob("*.py")]
    headers = [line for text in texts for line in text.splitlines() if ".each(" in line or ".repeat(" in line]
    return any("keep=None" not in line for line in headers)


RUNS = list(scenarios([name for name in case_names("run") if not load_case(name).detaches]))
LOOPS = [(name, number) for name, number in RUNS if has_captured_loops(name)]
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


@pytest.mark.parametrize(("case", "number"), LOOPS)
def test_resumed_from_a_snapshot_after_any_iteration(case: str, number: int) -> None:
    """A snapshot after each iteration of each captured loop, and a resume from it, change nothing."""
    made, scenario = built(case), load_case(case).scenarios[number]
    with snapshot_each_iteration():
        same_after_kills(made, scenario, same_as_plain(made, scenario))


@pytest.mark.parametrize(("case", "number"), LOOPS)
def test_killed_at_any_write_of_a_log_that_is_compacted(case: str, number: int) -> None:
    """With a log that loses whatever it can, at once, each state that a kill leaves leads to the same end."""
    made, scenario = built(case), load_case(case).scenarios[number]
    with snapshot_each_iteration():
        same_after_kills_of_compacted(made, scenario, depth=1)


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize(("case", "number"), SHUFFLED)
def test_completions_in_another_order(case: str, number: int, seed: int) -> None:
    """Leaves that complete in another order: plain and compiled agree, and so do the resumes."""
    made, scenario = built(case), load_case(case).scenarios[number]
    life = same_as_plain(made, scenario, seed)
    same_after_kills(made, scenario, life, seed=seed)
