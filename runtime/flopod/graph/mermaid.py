"""A picture as a Mermaid flowchart. Ids are made up here, and no word of an author's can leave its label."""

from __future__ import annotations

import re
from collections.abc import Iterator

from flopod.graph.icons import tone
from flopod.graph.layout import PILLS
from flopod.graph.nesting import Nesting
from flopod.graph.parts import Diagram, Edge, Node
from flopod.graph.states import States
from flopod.graph.text import clean

_INDENT = "    "
_UNSAFE = re.compile(r"[^\w .,:=+()\-…]|_(?=_)", re.ASCII)
_WIDEST = 80
_ARROWS = {"next": "-->", "back": "-->", "error": "-.->", "always": "-.->", "beside": "-.->"}
_CLASSES = {
    "wait": "stroke:#b7791f",
    "beside": "stroke:#8250c4,stroke-dasharray:4 3",
    "fail": "stroke:#c6283d",
    "running": "fill:#dbe7ff,stroke:#2563eb,color:#1c2330",
    "retrying": "fill:#fdf0d5,stroke:#b7791f,color:#1c2330",
    "waiting": "fill:#fdf0d5,stroke:#b7791f,color:#1c2330",
    "sleeping": "fill:#fdf0d5,stroke:#b7791f,color:#1c2330",
    "done": "fill:#d9f2e3,stroke:#15803d,color:#1c2330",
    "failed": "fill:#fbdde1,stroke:#c6283d,color:#1c2330",
    "skipped": "stroke:#98a2b3,color:#98a2b3",
}


def mermaid(diagram: Diagram, states: States | None = None) -> str:
    """Write the picture, with `states` as classes of its nodes."""
    nesting = Nesting(diagram)
    lines = ["flowchart TD", *_inside(nesting, "", states or {}, 1)]
    lines += [_INDENT + _edge(edge, nesting) for edge in diagram.edges]
    used = {word for line in lines for word in re.findall(r":::(\w+)$", line)}
    lines += [f"{_INDENT}classDef {name} {style}" for name, style in _CLASSES.items() if name in used]
    return "\n".join(lines) + "\n"


def _inside(nesting: Nesting, cluster: str, states: States, depth: int) -> Iterator[str]:
    """The nodes and subgraphs directly in a cluster."""
    indent = _INDENT * depth
    for node in nesting.nodes(cluster):
        yield f"{indent}{nesting.name(node.id)}{_shape(node)}{_class(node, states)}"
    for one in nesting.clusters(cluster):
        yield f'{indent}subgraph {nesting.name(one.id)}["{_escaped(one.label) or " "}"]'
        yield from _inside(nesting, one.id, states, depth + 1)
        yield f"{indent}end"


def _shape(node: Node) -> str:
    detail = _escaped(node.detail)
    text = f'"{_escaped(node.label) or " "}{"<br/>" if detail else ""}{detail}"'
    match node.kind:
        case "branch":
            return f"{{{{{text}}}}}"
        case "call":
            return f"[[{text}]]"
        case "join":
            return '((" "))'
        case kind if kind in PILLS or kind in ("wait", "sleep", "sleep_until", "timer", "timer_at"):
            return f"([{text}])"
        case "each" | "repeat":
            return f"({text})"
        case _:
            return f"[{text}]"


def _class(node: Node, states: States) -> str:
    state = states.get(node.id)
    name = state.status if state is not None and state.status in _CLASSES else ""
    name = name or ("fail" if node.kind in ("raise", "except") else tone(node.kind))
    return f":::{name}" if name in _CLASSES else ""


def _edge(edge: Edge, nesting: Nesting) -> str:
    word = f'|"{_escaped(edge.label)}"|' if edge.label else ""
    return f"{nesting.name(edge.source)} {_ARROWS[edge.kind]}{word} {nesting.name(edge.target)}"


def _escaped(text: str) -> str:
    """Text as it may stand between quotes: what could mean anything there as the number of the character."""
    text = clean(text)
    text = text if len(text) <= _WIDEST else text[: _WIDEST - 1] + "…"
    return "".join(
        one if ord(one) > 126 else _UNSAFE.sub(lambda found: f"#{ord(found[0])};", one) for one in text
    )
