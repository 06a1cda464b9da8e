"""Random programs: plain, compiled, killed and resumed."""

import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.differential.check import check_program, fault_of
from tests.differential.coverage import CRASHES, Coverage
from tests.differential.generate import CONSTRUCTS, program
from tests.differential.shrink import shrink
from tests.forms import FORMS
from tests.harness.cases import case_names

seeds = st.integers(0, 2**32 - 1)
sizes = st.integers(2, 14)
PROGRAMS = 70


def test_random_programs_do_the_same_compiled_and_resumed(
    record_property: Callable[[str, object], None],
) -> None:
    """A program nobody has seen gives the same value, error, leaf calls and output in every form.

    What the programs were made of is not below the minimum for so many.
    """
    coverage = Coverage()
    for seed in range(PROGRAMS):
        verdict = check_program(random.Random(seed), 2 + seed % 13, coverage)
        if verdict.fault:
            small = shrink(verdict.text, fault_of, limit=200)
            pytest.fail(f"seed {seed}: {verdict.fault}\n\n{small}")
    record_property("random programs", coverage.table())
    assert [*coverage.missing(CONSTRUCTS), *coverage.not_killed()] == []


def test_generator_reaches_every_construct_and_nesting() -> None:
    """Fifteen hundred programs hold each construct, and each construct in each other that it may stand in."""
    coverage = Coverage()
    for seed in range(1500):
        program(random.Random(seed), 12, coverage)
    assert coverage.missing(CONSTRUCTS) == []


def test_every_form_of_python_is_somewhere() -> None:
    """Each of the 67 forms that compiles has golden cases, each with a limit has a case that is refused."""
    assert len(FORMS) == 67
    for form in FORMS.values():
        assert form.cases or form.refused, form.title
        assert set(form.random.split()) <= CONSTRUCTS
        assert set(form.cases.split()) <= set(case_names("run", everywhere=True))
        assert set(form.refused.split()) <= set(case_names("refused"))


def test_too_few_of_anything_is_named() -> None:
    """The minimum counts grow with the number of programs, and say what is below them."""
    coverage = Coverage(programs=8000, resumes=40_000)
    coverage.constructs.update({"for": 200, "while": 199})
    coverage.pairs.update({("for", "try"): 2, ("while", "try"): 1})
    coverage.crashes.update(dict.fromkeys(CRASHES, 80) | {"log": 3})
    coverage.count_loops("for a in wf.each('x', y, keep=None):\n    [0 for _ in wf.each('z', y, keep=None)]")
    assert coverage.missing(frozenset({"for", "while"}), frozenset(coverage.pairs)) == [
        "while (199 of 200)",
        "while > try (1 of 2)",
    ]
    assert coverage.not_killed() == ["log (3 of 80)", "captured loops (0 beside 1 that are replayed)"]
    assert Coverage(programs=20).not_killed() == []


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
