"""Gives nodes and clusters their places, from the top down, and draws the edges between them on the way."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from flopod.graph.blocks import Arm, Block, Frame, Guard, Series, Side, Split, Step
from flopod.graph.layout import APART, CHANNEL, DROP, ERRORS, GAP, HANDLER, JOIN, SPLIT, above, below
from flopod.graph.lines import Point, straightened
from flopod.graph.parts import Edge, Node


@dataclass(frozen=True, slots=True)
class End:
    """An edge that has left its source and has not come to its target."""

    source: str
    points: tuple[Point, ...]
    label: str = ""
    label_at: Point | None = None
    kind: str = "next"

    def via(self, *points: Point) -> End:
        """The edge, longer."""
        return replace(self, points=(*self.points, *points))

    def named(self, label: str, at: Point) -> End:
        """The edge with a word at it, behind the word that it has."""
        both = f"{self.label}, {label}" if self.label else label
        return replace(self, label=both, label_at=at) if label else self


Ends = list[End]


class Placing:
    """Places blocks; `edges` are those that were drawn."""

    def __init__(self) -> None:
        self.edges: list[Edge] = []

    def place(self, block: Block, x: float, y: float, ends: Ends) -> Ends:
        """Place a block with its spine at `x` and its top at `y`; `ends` lead into it, others out of it."""
        match block:
            case Step():
                self._at(block.node, x, y, ends)
                return [] if block.stops else [_from(block.node)]
            case Series():
                return self._series(block.parts, x, y, ends)
            case Side():
                return self._side(block, x, y, ends)
            case Split():
                return self._split(block, x, y, ends)
            case Frame():
                return self._frame(block, x, y, ends)
            case Guard():
                return self._guard(block, x, y, ends)
            case _:
                raise TypeError(block)

    def _at(self, node: Node, x: float, y: float, ends: Iterable[End]) -> None:
        node.x, node.y = x - node.width / 2, y
        for end in ends:
            self._edge(end, node, (x, y))

    def _edge(self, end: End, target: Node, *points: Point) -> None:
        line = [(round(x, 1), round(y, 1)) for x, y in straightened(end.via(*points).points)]
        self.edges.append(
            Edge(
                source=end.source,
                target=target.id,
                kind=end.kind,
                label=end.label,
                points=line,
                label_at=end.label_at and (round(end.label_at[0], 1), round(end.label_at[1], 1)),
            )
        )

    def _series(self, parts: list[Block], x: float, y: float, ends: Ends) -> Ends:
        for part in parts:
            ends = self.place(part, x, y, ends)
            y += part.size.height + GAP
        return ends

    def _side(self, side: Side, x: float, y: float, ends: Ends) -> Ends:
        """The line goes on at the spine; the block hangs on it."""
        at = x + APART + side.block.size.left
        hanging = [
            End(end.source, (*end.points, (x, y), (at, y)), side.label, (x + 6, y - 4), kind="beside")
            for end in ends
        ]
        self.place(side.block, at, y + DROP, hanging)
        return ends

    def _split(self, split: Split, x: float, y: float, ends: Ends) -> Ends:
        if split.head is not None:
            self._at(split.head, x, y, ends)
            y += split.head.height
            ends = [_from(split.head)]
        bottom = y + SPLIT + max(arm.block.size.height for arm in split.arms) + JOIN
        found = [end for arm in split.arms for end in self._arm(arm, x, y, bottom, ends)]
        if split.tail is None:
            return found
        self._at(split.tail, x, bottom, found)
        return [_from(split.tail)]

    def _arm(self, arm: Arm, x: float, y: float, bottom: float, ends: Ends) -> Ends:
        """One arm, from the spine of all to the spine of all."""
        at = x + arm.place
        turn = y + 16
        entering = [end.via((x, turn), (at, turn)).named(arm.word, (at + 6, turn + 18)) for end in ends]
        leaving = self.place(arm.block, at, y + SPLIT, entering)
        joining = bottom - JOIN / 2
        return [end.via((at, joining), (x, joining), (x, bottom)) for end in leaving]

    def _frame(self, frame: Frame, x: float, y: float, ends: Ends) -> Ends:
        cluster, size = frame.cluster, frame.size
        cluster.x, cluster.y = x - size.left, y
        cluster.width, cluster.height = size.left + size.right, size.height
        at, bottom = y + above(frame), y + size.height
        if frame.head is not None:
            self._at(frame.head, x, at, ends)
            at += frame.head.height + GAP
            ends = [_from(frame.head)]
        ends = self.place(frame.body, x, at, ends)
        if frame.head is None or not frame.repeats:
            returned = [End(cluster.id, ((x, bottom),))] if frame.returns else []
            return [*(end.via((x, bottom)) for end in ends), *returned]
        self._back(frame, frame.head, x, bottom - below(frame), ends)
        return [self._out(frame, frame.head, x, bottom)]

    def _back(self, frame: Frame, head: Node, x: float, y: float, ends: Ends) -> None:
        """From the end of the body to the head, at the right."""
        channel = frame.cluster.x + frame.cluster.width - CHANNEL / 2
        right, middle = head.x + head.width, head.middle[1]
        for end in ends:
            turned = replace(end.via((x, y + 14), (channel, y + 14), (channel, middle)), kind="back")
            self._edge(turned, head, (right, middle))

    def _out(self, frame: Frame, head: Node, x: float, bottom: float) -> End:
        """From the head out of the loop, at the left."""
        channel, middle = frame.cluster.x + CHANNEL / 2, head.middle[1]
        points = ((head.x, middle), (channel, middle), (channel, bottom - 14), (x, bottom - 14), (x, bottom))
        return End(head.id, points, frame.leaving, (channel + 10, bottom - 19))

    def _guard(self, guard: Guard, x: float, y: float, ends: Ends) -> Ends:
        parts: list[Block] = [guard.frame, *([guard.orelse] if guard.orelse.parts else [])]
        found = self._series(parts, x, y, ends)
        last = guard.last.size.height + GAP if guard.last is not None else 0
        bottom = y + guard.size.height - last
        for handler in guard.handlers:
            found += self._handler(guard, handler, x, y, bottom)
        found = [end.via((x, bottom)) for end in found]
        if guard.last is None:
            return found
        always = [self._always(guard, x, bottom)] if guard.passes else []
        leaving = self.place(guard.last, x, bottom + GAP, [*found, *always])
        return leaving if found else []

    def _always(self, guard: Guard, x: float, bottom: float) -> End:
        """From the frame to what comes after it in any case, at the left."""
        frame = guard.frame.cluster
        top, left = frame.y + ERRORS, min(frame.x, x - guard.orelse.size.left) - CHANNEL / 2
        return End(frame.id, ((frame.x, top), (left, top), (left, bottom), (x, bottom)), kind="always")

    def _handler(self, guard: Guard, handler: Arm, x: float, y: float, bottom: float) -> Ends:
        frame = guard.frame.cluster
        at, top = x + handler.place, y + ERRORS
        error = End(frame.id, ((frame.x + frame.width, top), (at, top)), kind="error")
        leaving = self.place(handler.block, at, y + HANDLER, [error])
        return [end.via((at, bottom - JOIN / 2), (x, bottom - JOIN / 2)) for end in leaving]


def _from(node: Node) -> End:
    return End(node.id, ((node.x + node.width / 2, node.y + node.height),))
