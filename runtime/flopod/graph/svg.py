"""A picture as SVG: to stand alone, with its style inside, or for a page that has the style sheet."""

from __future__ import annotations

from collections.abc import Iterator
from xml.sax.saxutils import escape, quoteattr

from flopod.graph.icons import icon, tone
from flopod.graph.layout import DETAIL, ICON, LABEL, MONOSPACED, PILLS, SMALL, room, shown
from flopod.graph.lines import rounded
from flopod.graph.parts import Cluster, Diagram, Edge, Node
from flopod.graph.states import NodeState, States
from flopod.graph.style import CSS
from flopod.graph.text import clean, fitted, width
from flopod.graph.wording import KINDS, badge, spoken

_KINDS_OF_EDGES = ("beside", "always", "error", "back", "next")
"""In the order in which they are drawn: later ones lie above."""


def svg(
    diagram: Diagram, states: States | None = None, *, standalone: bool = True, prefix: str = "flopod"
) -> str:
    """Write the picture; `states` colour it by the ids of nodes.

    One that does not stand alone has no style, only classes (`style.CSS` is for the page). `prefix` begins
    the ids in it, which must be unique in a page. Nodes have `data-path`, `data-id` and can be focused.
    """
    return "\n".join(_lines(diagram, states or {}, standalone, prefix)) + "\n"


def _lines(diagram: Diagram, states: States, standalone: bool, prefix: str) -> Iterator[str]:
    high, wide = _number(diagram.height), _number(diagram.width)
    title = quoteattr(f"{diagram.workflow}: the workflow as a picture")
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="flopod-graph" viewBox="0 0 {wide} {high}"'
        f' width="{wide}" height="{high}" role="group" aria-label={title}>'
    )
    if standalone:
        yield f"<style>\n{CSS}</style>"
        yield f'<rect width="{wide}" height="{high}" fill="var(--g-ground)"/>'
    yield "<defs>"
    for kind in _KINDS_OF_EDGES:
        yield (
            f'<marker id="{prefix}-tip-{kind}" class="tip tip-{kind}" viewBox="0 0 8 8" refX="7" refY="4"'
            ' markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse" orient="auto">'
            '<path d="M0 .8L7.4 4L0 7.2z"/></marker>'
        )
    yield "</defs>"
    for cluster in diagram.clusters:
        yield from _cluster(cluster)
    for edge in sorted(diagram.edges, key=lambda one: _KINDS_OF_EDGES.index(one.kind)):
        yield _edge(edge, prefix)
    for edge in diagram.edges:
        yield from _word(edge)
    for node in diagram.nodes:
        yield from _node(node, states.get(node.id))
    yield "</svg>"


def _cluster(cluster: Cluster) -> Iterator[str]:
    x, y, wide, high = map(_number, (cluster.x, cluster.y, cluster.width, cluster.height))
    yield f'<rect class="frame frame-{cluster.kind}" x="{x}" y="{y}" width="{wide}" height="{high}" rx="14"/>'
    if cluster.label:
        x, y = _number(cluster.x + 12), _number(cluster.y + 18)
        yield f'<text class="title" x="{x}" y="{y}">{escape(cluster.label)}</text>'


def _edge(edge: Edge, prefix: str) -> str:
    return (
        f'<path class="edge edge-{edge.kind}" d="{rounded(edge.points)}"'
        f' marker-end="url(#{prefix}-tip-{edge.kind})"/>'
    )


def _word(edge: Edge) -> Iterator[str]:
    if edge.label and edge.label_at is not None:
        x, y = edge.label_at
        yield f'<text class="word" x="{_number(x)}" y="{_number(y)}">{escape(shown(edge.label))}</text>'


# -- nodes


def _node(node: Node, state: NodeState | None) -> Iterator[str]:
    status = f" is-{state.status}" if state is not None else ""
    shape = " pill" if node.kind in PILLS else ""
    yield (
        f'<g class="node kind-{node.kind}{shape} tone-{tone(node.kind)}{status}"'
        f' transform="translate({_number(node.x)} {_number(node.y)})" data-id={quoteattr(node.id)}'
        f" data-path={quoteattr(node.path)}{_access(node, state)}>"
    )
    if node.kind != "join":
        yield f"<title>{escape(_tooltip(node))}</title>"
    yield from _shape(node)
    text = badge(node.kind, state) if state is not None and node.path else ""
    if text:
        yield from _badge(node, text)
    yield "</g>"


def _access(node: Node, state: NodeState | None) -> str:
    if not node.path:
        return ' aria-hidden="true"' if node.kind == "join" else ""
    return f' role="button" tabindex="0" aria-label={quoteattr(spoken(node.kind, node.label, state))}'


def _tooltip(node: Node) -> str:
    place = f"{node.file}:{node.line}" if node.line else ""
    words = (node.label, KINDS[node.kind], node.path, node.callee, place)
    return "\n".join(clean(word) for word in words if word)


def _shape(node: Node) -> Iterator[str]:
    wide, high = _number(node.width), _number(node.height)
    if node.kind == "join":
        yield f'<rect class="bar" width="{wide}" height="{high}" rx="3"/>'
    elif node.kind in PILLS:
        yield f'<rect class="box" width="{wide}" height="{high}" rx="{_number(node.height / 2)}"/>'
        yield _text(node, node.width / 2, node.height / 2 + 4, middle=True)
    elif node.kind == "branch":
        yield f'<path class="box" d="{_hexagon(node.width, node.height)}"/>'
        yield _text(node, node.width / 2, node.height / 2 + 4, middle=True)
    else:
        yield f'<rect class="box" width="{wide}" height="{high}" rx="{9 if node.kind != "wait" else 18}"/>'
        middle = _number(node.height / 2 - 8)
        yield f'<path class="icon" transform="translate(9 {middle})" d="{icon(node.kind)}"/>'
        yield _text(node, ICON, 19 if node.detail else node.height / 2 + 4.5)
        if node.detail:
            words = escape(fitted(node.detail, DETAIL, room(node), mono=True))
            yield f'<text class="detail" x="{ICON}" y="35">{words}</text>'


def _text(node: Node, x: float, y: float, *, middle: bool = False) -> str:
    mono = node.kind in MONOSPACED
    size = SMALL if mono or node.kind in PILLS else LABEL
    words = escape(fitted(node.label, size, room(node), mono=mono, bold=not mono))
    anchor = ' text-anchor="middle"' if middle else ""
    style = "code" if mono else "label"
    return f'<text class="{style}" x="{_number(x)}" y="{_number(y)}"{anchor}>{words}</text>'


def _hexagon(wide: float, high: float) -> str:
    corners = [(14, 0), (wide - 14, 0), (wide, high / 2), (wide - 14, high), (14, high), (0, high / 2)]
    return "M" + "L".join(f"{_number(x)} {_number(y)}" for x, y in corners) + "z"


def _badge(node: Node, text: str) -> Iterator[str]:
    wide = width(text, 10.5) + 14
    yield f'<g class="badge" transform="translate({_number(node.width - wide + 8)} -9)">'
    yield f'<rect width="{_number(wide)}" height="17" rx="8.5"/>'
    yield f'<text x="{_number(wide / 2)}" y="12.2" text-anchor="middle">{escape(text)}</text></g>'


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
