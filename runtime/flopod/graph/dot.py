"""A picture in the DOT language of Graphviz. Ids are made up here; all words are quoted strings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from flopod.graph.layout import PILLS
from flopod.graph.nesting import Nesting
from flopod.graph.parts import Cluster, Diagram, Edge, Node
from flopod.graph.states import States
from flopod.graph.text import clean
from flopod.graph.wording import KINDS

_INDENT = "  "
_STYLES = {
    "error": {"style": "dashed", "color": "#c6283d"},
    "always": {"style": "dashed"},
    "beside": {"style": "dotted", "color": "#8250c4", "constraint": "false"},
    "back": {"color": "#4f63d2"},
}
_FILLS = {
    "running": "#dbe7ff",
    "retrying": "#fdf0d5",
    "waiting": "#fdf0d5",
    "sleeping": "#fdf0d5",
    "done": "#d9f2e3",
    "failed": "#fbdde1",
    "skipped": "#eef0f4",
}
_SHAPES = {"branch": "hexagon", "call": "component", "join": "point", "child": "box3d"}


def dot(diagram: Diagram, states: States | None = None) -> str:
    """Write the picture, with `states` as colours of its nodes."""
    nesting = Nesting(diagram)
    lines = [
        f"digraph {_quoted(diagram.workflow)} {{",
        f"{_INDENT}compound=true;",
        f'{_INDENT}node [shape=box, style="rounded,filled", fillcolor="#ffffff", color="#98a2b3",'
        ' fontname="Helvetica", fontsize=11];',
        f'{_INDENT}edge [color="#98a2b3", fontname="Helvetica", fontsize=10];',
        *_inside(nesting, "", states or {}, 1),
        *(_INDENT + _edge(edge, nesting) for edge in diagram.edges),
        "}",
    ]
    return "\n".join(lines) + "\n"


def _inside(nesting: Nesting, cluster: str, states: States, depth: int) -> Iterator[str]:
    indent = _INDENT * depth
    for node in nesting.nodes(cluster):
        yield f"{indent}{nesting.name(node.id)} {_attributes(_looks(node, states))};"
    for one in nesting.clusters(cluster):
        yield f"{indent}subgraph cluster_{nesting.name(one.id)} {{"
        yield f"{indent}{_INDENT}graph {_attributes(_frame(one))};"
        yield from _inside(nesting, one.id, states, depth + 1)
        yield f"{indent}}}"


def _frame(cluster: Cluster) -> Mapping[str, str]:
    style = "rounded,dashed" if cluster.kind in ("try", "finally") else "rounded"
    return {
        "label": cluster.label,
        "style": style,
        "color": "#c9d1de",
        "fontname": "Helvetica",
        "fontsize": "10",
    }


def _looks(node: Node, states: States) -> Mapping[str, str]:
    looks = {"label": node.label, "tooltip": f"{KINDS[node.kind]} {node.path}".rstrip()}
    if node.detail:
        looks["label"] += f"\n{node.detail}"
    if node.kind in PILLS:
        looks["shape"] = "oval"
    elif node.kind in _SHAPES:
        looks["shape"] = _SHAPES[node.kind]
    state = states.get(node.id)
    if state is not None and state.status in _FILLS:
        looks["fillcolor"] = _FILLS[state.status]
    return looks


def _edge(edge: Edge, nesting: Nesting) -> str:
    looks = {"label": edge.label} if edge.label else {}
    looks |= _STYLES.get(edge.kind, {})
    source = edge.source
    if nesting.is_cluster(source):
        looks["ltail"] = f"cluster_{nesting.name(source)}"
        source = nesting.any_node(source).id
    attributes = f" {_attributes(looks)}" if looks else ""
    return f"{nesting.name(source)} -> {nesting.name(edge.target)}{attributes};"


def _attributes(values: Mapping[str, str]) -> str:
    return "[" + ", ".join(f"{name}={_quoted(value)}" for name, value in values.items()) + "]"


def _quoted(text: str) -> str:
    """Text as a quoted string; a line end in it begins a new line."""
    lines = [clean(line).replace("\\", "\\\\").replace('"', '\\"') for line in text.split("\n")]
    return '"' + "\\n".join(lines) + '"'
