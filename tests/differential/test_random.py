"""Random programs: plain, compiled, killed and resumed."""

import random

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.differential.check import check_program, fault_of
from tests.differential.coverage import Coverage
from tests.differential.generate import CONSTRUCTS, program
from tests.differential.shrink import shrink

seeds = st.integers(0, 2**32 - 1)
sizes = st.integers(2, 14)


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(seed=seeds, size=sizes)
def test_random_programs_do_the_same_compiled_and_resumed(coverage: Coverage, seed: int, size: int) -> None:
    """A program nobody has seen gives the same value, error, leaf calls and output in every form."""
    verdict = check_program(random.Random(seed), size, coverage)
    if verdict.fault:
        small = shrink(verdict.text, fault_of, limit=200)
        pytest.fail(f"seed {seed}, size {size}: {verdict.fault}\n\n{small}")


def test_generator_reaches_every_construct() -> None:
    """A few hundred programs hold each construct that the generator can write."""
    coverage = Coverage()
    for seed in range(300):
        program(random.Random(seed), 12, coverage)
    assert coverage.missing(CONSTRUCTS) == []


@given(seed=seeds, size=sizes)
@settings(max_examples=30, deadline=None, derandomize=True)
def test_the_same_seed_gives_the_same_program(seed: int, size: int) -> None:
    """A seed and a size name a program, so that a failure can be looked at again."""
    first = program(random.Random(seed), size, Coverage())
    assert first == program(random.Random(seed), size, Coverage())


def test_shrinking_keeps_what_fails() -> None:
    """The shrinker drops what has no part in a failure."""
    text = program(random.Random(1), 8, Coverage())

    def fails(candidate: str) -> str:
        return "sub" if "return" in candidate and "await" in candidate else ""

    small = shrink(text, fails, limit=300)
    assert fails(small) == "sub"
    assert len(small) < len(text)
