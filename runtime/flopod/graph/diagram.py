"""The picture of a workflow, laid out: `diagram`, which all formats are written from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from flopod import ir
from flopod.graph.blocks import Block, Frame, Split, Step, inside
from flopod.graph.layout import measure
from flopod.graph.parts import Cluster, Diagram, Node
from flopod.graph.placing import Placing
from flopod.graph.text import clean
from flopod.graph.tree import Tree

MARGIN = 20


def diagram(functions: Mapping[str, ir.Function], root: str, name: str = "") -> Diagram:
    """Draw the workflow function `root` (`module:qualname`), with what it calls in its own run.

    `name` is what the workflow is called. Raises KeyError if the build has no such function.
    """
    tree = Tree(functions)
    name = clean(name or functions[root].qualname)
    block = tree.workflow(root, name)
    size = measure(block)
    placing = Placing()
    placing.place(block, size.left + MARGIN, MARGIN, [])
    reached = {edge.target for edge in placing.edges}
    nodes = [node for node in _nodes(block) if node.kind != "end" or node.id in reached]
    boxes: list[Node | Cluster] = [*nodes, *tree.clusters]
    for box in boxes:
        box.x, box.y, box.width, box.height = map(_rounded, (box.x, box.y, box.width, box.height))
    return Diagram(
        workflow=name,
        nodes=nodes,
        clusters=tree.clusters,
        edges=placing.edges,
        width=_rounded(size.left + size.right + 2 * MARGIN),
        height=_rounded(size.height + 2 * MARGIN),
    )


def _rounded(length: float) -> float:
    return round(length, 1)


def _nodes(block: Block) -> Iterator[Node]:
    """The nodes of a block, in the order in which they are read."""
    match block:
        case Step():
            yield block.node
        case Split(head=head) | Frame(head=head) if head is not None:
            yield head
        case _:
            pass
    for part in inside(block):
        yield from _nodes(part)
    if isinstance(block, Split) and block.tail is not None:
        yield block.tail
