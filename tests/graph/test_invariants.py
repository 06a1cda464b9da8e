"""What holds of every picture of every case: where things are, and that nothing is missing or twice."""

import xml.etree.ElementTree as ElementTree
from collections import Counter
from itertools import combinations, pairwise

import msgspec
import pytest

from flopod import ir
from flopod.graph import Cluster, Diagram, Node, Picture, diagram, diagram_of, draw, svg
from flopod.graph.parts import Edge
from flopod.graph.places import Places
from flopod.workflow.paths import op_of
from tests.graph.conftest import manifest_of
from tests.harness.cases import case_names

CASES = [*case_names("run"), "orders"]
STOPS = {"end", "return", "raise", "break", "continue"}
NEW = {"given", "header", "test", "words", "catches"}
STATE = {"var", "list", "map"}
SLACK = 0.2
"""What rounding to tenths of a pixel may come to."""

Box = Node | Cluster


def pictures(case: str) -> list[tuple[str, Diagram]]:
    """The pictures of all workflows of a case."""
    manifest = manifest_of(case)
    return [(name, diagram_of(manifest, name)) for name in manifest.workflows]


def boxes(diagram: Diagram) -> dict[str, Box]:
    """Nodes and clusters by id."""
    return {one.id: one for one in (*diagram.nodes, *diagram.clusters)}


def overlap(one: Box, other: Box, apart: float = -SLACK) -> bool:
    """Whether two boxes are nearer to each other than `apart`."""
    return (
        one.x + one.width + apart > other.x
        and other.x + other.width + apart > one.x
        and one.y + one.height + apart > other.y
        and other.y + other.height + apart > one.y
    )


def contains(outer: Box, inner: Box) -> bool:
    """Whether a box is wholly in another one."""
    return (
        inner.x >= outer.x - SLACK
        and inner.y >= outer.y - SLACK
        and inner.x + inner.width <= outer.x + outer.width + SLACK
        and inner.y + inner.height <= outer.y + outer.height + SLACK
    )


@pytest.mark.parametrize("case", CASES)
def test_boxes_lie_in_each_other_or_apart(case: str) -> None:
    """A box is inside the frame around it, and between two boxes in one frame there is room for a line."""
    for _, drawn in pictures(case):
        found = boxes(drawn)
        whole = Cluster(id="", kind="", width=drawn.width, height=drawn.height)
        groups: dict[str, list[Box]] = {}
        for box in found.values():
            assert contains(found[box.cluster] if box.cluster else whole, box), box
            groups.setdefault(box.cluster, []).append(box)
        for group in groups.values():
            for one, other in combinations(group, 2):
                assert not overlap(one, other, 10), (one, other)


@pytest.mark.parametrize("case", CASES)
def test_edges_go_from_box_to_box_around_all_others(case: str) -> None:
    """A line begins at its source, ends at its target, runs level or upright, and passes through no node."""
    for _, drawn in pictures(case):
        found = boxes(drawn)
        for edge in drawn.edges:
            assert touches(found[edge.source], edge.points[0]), edge
            assert touches(found[edge.target], edge.points[-1]), edge
            for start, end in pairwise(edge.points):
                assert start[0] == end[0] or start[1] == end[1], edge
            for node in drawn.nodes:
                assert node.id in (edge.source, edge.target) or not crosses(edge, node), (edge, node)


def touches(box: Box, point: tuple[float, float]) -> bool:
    """Whether a point is on the border of a box."""
    x, y = point
    level = box.x - SLACK <= x <= box.x + box.width + SLACK
    upright = box.y - SLACK <= y <= box.y + box.height + SLACK
    sides = min(abs(x - box.x), abs(x - box.x - box.width), abs(y - box.y), abs(y - box.y - box.height))
    return level and upright and sides <= SLACK


def crosses(edge: Edge, node: Node) -> bool:
    """Whether a line runs through a node."""
    for (x1, y1), (x2, y2) in pairwise(edge.points):
        line = Node(id="", kind="", label="", x=min(x1, x2), y=min(y1, y2))
        line.width, line.height = max(abs(x1 - x2), 2 * SLACK), max(abs(y1 - y2), 2 * SLACK)
        if overlap(line, node):
            return True
    return False


@pytest.mark.parametrize("case", CASES)
def test_every_path_is_in_the_picture_once(case: str) -> None:
    """Each place at which code can record something is one node, or in one that stands for several."""
    manifest = manifest_of(case)
    for name, drawn in pictures(case):
        shown = Counter(path for node in drawn.nodes if node.path for path in (node.path, *node.covers))
        known = Counter(entry.path for entry in manifest.workflows[name].paths if entry.kind not in STATE)
        assert shown == known
        assert len({node.id for node in drawn.nodes}) == len(drawn.nodes)


@pytest.mark.parametrize("case", CASES)
def test_all_can_be_reached_from_the_start(case: str) -> None:
    """Every node has a way to it, and only ends have none out of them."""
    behind_a_return = {"ping#100"} if case == "assert_and_pass" else set()
    for _, drawn in pictures(case):
        entered = {edge.target for edge in drawn.edges}
        left = {edge.source for edge in drawn.edges}
        for node in drawn.nodes:
            assert node.id in entered | behind_a_return or node.kind == "start", node
        assert "[start]" in left
        assert not left & {node.id for node in drawn.nodes if node.kind in STOPS}


@pytest.mark.parametrize("case", CASES)
def test_svg_is_xml_with_every_node(case: str) -> None:
    """It is well-formed, each node can be read out, and its words are inside its box."""
    for _, drawn in pictures(case):
        root = ElementTree.fromstring(svg(drawn))
        groups = [one for one in root.iter() if "node" in one.get("class", "").split()]
        assert [one.get("data-id") for one in groups] == [node.id for node in drawn.nodes]
        for group, node in zip(groups, drawn.nodes, strict=True):
            assert not node.path or group.get("aria-label", "").startswith(node.label)
            assert not node.path or group.get("tabindex") == "0"


@pytest.mark.parametrize("case", CASES)
def test_json_is_the_diagram(case: str) -> None:
    """What is read back is what was laid out."""
    for name, drawn in pictures(case):
        read = msgspec.json.decode(draw(manifest_of(case), name, "json"), type=Picture)
        assert (read.nodes, read.clusters, read.edges) == (drawn.nodes, drawn.clusters, drawn.edges)
        assert read.states == {}


@pytest.mark.parametrize("case", CASES)
def test_an_older_manifest_can_be_drawn(case: str) -> None:
    """Without the words that builds write down since there are pictures, there is one with all nodes."""
    manifest = manifest_of(case)
    old = msgspec.structs.replace(manifest, ir={name: older(one) for name, one in manifest.ir.items()})
    for name in manifest.workflows:
        drawn = {node.path for node in diagram_of(old, name).nodes if node.path}
        assert drawn == {node.path for node in diagram_of(manifest, name).nodes if node.path}


def older(part: object) -> object:
    """A part of a block tree as it was written before."""
    if isinstance(part, list):
        return [older(one) for one in part if not (isinstance(one, dict) and one.get("node") == "exit")]
    if not isinstance(part, dict):
        return part
    new = NEW | {"kind"} if part.get("node") == "parallel" else NEW
    return {key: older(value) for key, value in part.items() if key not in new}


def test_nothing_follows_a_finally_that_is_only_passed() -> None:
    """Where each way through a `try` returns, the one through its `finally` goes nowhere after it."""
    for case, workflow in (("gather_in_try", "collect"), ("except_in_loop", "import_rows")):
        diagram = diagram_of(manifest_of(case), workflow)
        last = next(one.id for one in diagram.clusters if one.kind == "finally")
        inner = {node.id for node in diagram.nodes if node.cluster == last}
        assert [edge for edge in diagram.edges if edge.kind == "always" and edge.target in inner]
        assert not [edge for edge in diagram.edges if edge.source in inner]


def test_the_words_of_a_node_say_what_it_runs() -> None:
    """An activity is called as its function, a decision and a loop by their source."""
    nodes = {node.id: node for node in diagram_of(manifest_of("orders"), "fulfil").nodes}
    assert nodes["fetch_order"].label == op_of("fetch_order")
    assert nodes["fetch_order"].detail == "order_id"
    assert nodes["lines[*]"].label == "for line in order.lines"
    assert nodes["if-total"].label == "total > LIMIT"
    assert nodes["if-total"].words == ["yes", "no"]
    assert nodes["approved"].detail == "waits for Approval"
    assert (nodes["charge"].file, nodes["charge"].line) == ("shop/orders.py", 30)


def test_a_huge_picture_closes_its_calls() -> None:
    """Calls that double at each level are one node each beyond some size, which stands for all below."""
    levels = 14
    functions = {
        f"f:f{level}": ir.Function("f", f"f{level}", "f.py", 1, calls(level + 1) if level < levels else [])
        for level in range(levels + 1)
    }
    found = diagram(functions, "f:f0")
    assert len(found.nodes) < 3000
    whole = [node for node in found.nodes if node.whole]
    assert whole
    assert Places(found).node(f"{whole[0].path}/a/b/a") is whole[0]


def calls(level: int) -> list[ir.Node]:
    """Two calls of a function of the next level."""
    return [ir.Operation("call", name, 1, f"f:f{level}") for name in "ab"]
