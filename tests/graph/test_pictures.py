"""The pictures that were looked at, in each format."""

import pytest
from syrupy.assertion import SnapshotAssertion

from flopod.graph import FORMATS, diagram_of, draw, svg
from tests.graph.conftest import manifest_of

ENDINGS = {"mermaid": "mmd"}
CASES = [
    *(("orders", "fulfil", one) for one in FORMATS),
    *(("match_guards", "filter_orders", one) for one in ("mermaid", "dot")),
    *(("try_else_finally", "transfer", one) for one in ("mermaid", "dot")),
    *(("side_nested", "flow", one) for one in ("mermaid", "dot")),
    ("helper_chosen", "flow", "mermaid"),
    ("race_and_parallel", "flow", "mermaid"),
]


@pytest.mark.parametrize(("case", "workflow", "format"), CASES)
def test_a_picture_is_the_one_that_was_looked_at(
    case: str, workflow: str, format: str, golden: SnapshotAssertion
) -> None:
    """Each format says the same as when somebody read it."""
    name = f"{case}.{ENDINGS.get(format, format)}"
    assert draw(manifest_of(case), workflow, format) == golden(name=name)


@pytest.mark.parametrize("case", ["match_guards", "try_else_finally", "side_nested", "compensations"])
def test_a_picture_for_a_page_is_the_one_that_was_looked_at(case: str, golden: SnapshotAssertion) -> None:
    """Embedded, it has classes and no style of its own."""
    manifest = manifest_of(case)
    workflow = next(iter(sorted(manifest.workflows, key=lambda one: -len(manifest.workflows[one].paths))))
    text = svg(diagram_of(manifest, workflow), standalone=False)
    assert "style" not in text
    assert text == golden(name=f"{case}.svg")
