"""The page of what compiles is the one that its cases give."""

from tests.golden.language import GROUPS, PAGE, page
from tests.harness.cases import case_names, load_case


def test_language_page_is_current() -> None:
    """docs/language.md is what `python -m tests.golden.language` writes."""
    assert PAGE.read_text("utf-8") == page(), "run: python -m tests.golden.language"


def test_every_group_has_a_heading() -> None:
    """No case is left out of the page because its group has no heading."""
    groups = {load_case(name).group for name in case_names("run")}
    assert groups == set(GROUPS)
