"""Pictures of workflows, from the manifest of a build: SVG, Mermaid, DOT and JSON of the same diagram."""

from __future__ import annotations

from collections.abc import Callable

from flopod.errors import UnknownWorkflow, UsageError
from flopod.graph.diagram import diagram
from flopod.graph.dot import dot
from flopod.graph.folding import Fold, states
from flopod.graph.json import Picture, json, picture
from flopod.graph.mermaid import mermaid
from flopod.graph.parts import Cluster, Diagram, Edge, Node
from flopod.graph.states import NodeState, States
from flopod.graph.style import CSS
from flopod.graph.svg import svg
from flopod.ir import functions_of
from flopod.manifest import Manifest

FORMATS: dict[str, Callable[[Diagram, States | None], str]] = {
    "svg": svg,
    "mermaid": mermaid,
    "dot": dot,
    "json": json,
}
"""What a picture can be written as."""


def diagram_of(manifest: Manifest, workflow: str) -> Diagram:
    """The picture of a workflow of a build. Raises UnknownWorkflow."""
    entry = manifest.workflows.get(workflow)
    if entry is None:
        raise UnknownWorkflow(workflow, manifest.workflows)
    functions = functions_of(manifest)
    root = f"{entry.module}:{entry.function}"
    if root not in functions:
        raise UsageError(f"build {manifest.build} keeps no block tree of {workflow!r}; build it again")
    return diagram(functions, root, workflow)


def draw(manifest: Manifest, workflow: str, format: str, states: States | None = None) -> str:
    """Write the picture of a workflow as svg, mermaid, dot or json, coloured by `states` if there are any.

    Raises UnknownWorkflow, and UsageError for another format.
    """
    if format not in FORMATS:
        raise UsageError(f"there is no format {format!r}; there is: {', '.join(FORMATS)}")
    return FORMATS[format](diagram_of(manifest, workflow), states)


__all__ = [
    "CSS",
    "FORMATS",
    "Cluster",
    "Diagram",
    "Edge",
    "Fold",
    "Node",
    "NodeState",
    "Picture",
    "States",
    "diagram",
    "diagram_of",
    "dot",
    "draw",
    "json",
    "mermaid",
    "picture",
    "states",
    "svg",
]
