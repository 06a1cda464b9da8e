"""From the block tree of functions to the blocks of a picture; workflows that are called are in place."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from typing import NamedTuple

from msgspec.structs import replace

from flopod import ir
from flopod.graph.blocks import Arm, Block, Frame, Guard, Series, Side, Split, Step, ends_early, returns
from flopod.graph.parts import Cluster, Node
from flopod.graph.text import clean, encodable
from flopod.graph.wording import KINDS, MARKS, SIDES, leaving, said
from flopod.workflow.paths import encode_id, op_of

MANY = 1200
"""With so many nodes in a picture, further calls are one node each."""


class Place(NamedTuple):
    """Where a block stands: the function that it is written in, and what is around it in the picture."""

    here: ir.Function
    stack: tuple[str, ...]
    prefix: str = ""
    cluster: str = ""
    branch: str = ""
    arm: int = 0


class Tree:
    """Makes the blocks of one workflow; `clusters` are those that were made."""

    def __init__(self, functions: Mapping[str, ir.Function]) -> None:
        self._functions = functions
        self._taken: set[str] = set()
        self._numbers = count(1)
        self.clusters: list[Cluster] = []

    def workflow(self, root: str, name: str) -> Series:
        """The whole workflow, from start to end. Raises KeyError if the function is not in the build."""
        function = self._functions[root]
        place = Place(function, (root,))
        start = self._mark(place, "start", name, function.line)
        end = self._mark(place, "end", "end", 0)
        return Series([Step(start), *self._function(function, place).parts, Step(end, stops=True)])

    # -- nodes and clusters

    def _node(self, place: Place, kind: str, path: str, label: str, detail: str, line: int) -> Node:
        path = encodable(path)
        known = kind if kind in KINDS.keys() - MARKS else "other"
        node = Node(id=self._id(path), kind=known, label=label, path=path, detail=detail)
        return self._placed(node, place, line)

    def _mark(self, place: Place, kind: str, label: str, line: int) -> Node:
        """A node without a path."""
        id = f"[{kind}]" if kind in ("start", "end") else f"[{kind}:{next(self._numbers)}]"
        return self._placed(Node(id=id, kind=kind, label=label), place, line)

    def _placed(self, node: Node, place: Place, line: int) -> Node:
        node.label, node.detail = clean(node.label), clean(node.detail)
        node.file, node.line, node.cluster = encodable(place.here.file), line, place.cluster
        node.branch, node.arm = place.branch, place.arm
        return node

    def _id(self, path: str) -> str:
        id, number = path, 2
        while id in self._taken:
            id, number = f"{path}|{number}", number + 1
        self._taken.add(id)
        return id

    def _cluster(self, place: Place, kind: str, label: str = "") -> tuple[Cluster, Place]:
        """A new cluster, and the place inside it."""
        cluster = Cluster(id=f"[{kind}:{next(self._numbers)}]", kind=kind, label=label, cluster=place.cluster)
        self.clusters.append(cluster)
        return cluster, place._replace(cluster=cluster.id)

    # -- blocks

    def _function(self, function: ir.Function, place: Place) -> Series:
        return self._series(_to_its_end(function.body), place)

    def _series(self, block: list[ir.Node], place: Place) -> Series:
        parts: list[Block] = []
        race: ir.Operation | None = None
        for node in block:
            if isinstance(node, ir.Operation) and node.kind == "race":
                parts += self._raced(race, place)
                race = node
            elif isinstance(node, ir.Parallel):
                parts += self._parallel(node, place, race)
                race = None
            else:
                parts += self._block(node, place)
        return Series([*parts, *self._raced(race, place)])

    def _block(self, node: ir.Node, place: Place) -> list[Block]:
        match node:
            case ir.Operation():
                return self._operation(node, place)
            case ir.Branch():
                return [self._branch(node, place)]
            case ir.Loop():
                return self._loop(node, place)
            case ir.Try():
                return [self._try(node, place)]
            case ir.Exit():
                label = f"raise {node.what}" if node.what else node.kind
                return [Step(self._mark(place, node.kind, label, node.line), stops=True)]
            case _:
                return []

    def _branch(self, node: ir.Branch, place: Place) -> Block:
        path = place.prefix + encode_id(node.id)
        head = self._node(place, "branch", path, node.test or op_of(node.id), "", node.line)
        head.words = [clean(word) for word in node.words] or ["yes", "no"]
        blocks = node.arms if len(node.arms) > 1 else [*node.arms, []]
        arms = [
            Arm(_word(head.words, number), self._series(block, place._replace(branch=head.id, arm=number)))
            for number, block in enumerate(blocks)
        ]
        return Split(head, arms)

    def _loop(self, node: ir.Loop, place: Place, beside: str = "") -> list[Block]:
        """A loop, or one that begins its passes side by side: `beside` says until when."""
        path = f"{place.prefix}{encode_id(node.id)}[*]"
        cluster, inner = self._cluster(place, "each" if beside else "loop")
        head = self._node(inner, node.kind, path, node.header or op_of(node.id), beside, node.line)
        cluster.head = head.id
        body = self._series(node.body, inner._replace(prefix=f"{path}/"))
        frame = Frame(cluster, head, body, not beside, "" if node.orelse else leaving(node.header))
        if not node.orelse:
            return [frame]
        orelse = self._series(node.orelse, place)
        return [frame, Split(None, [Arm("no break", orelse), Arm("break", Series())])]

    def _try(self, node: ir.Try, place: Place) -> Block:
        body = self._framed("try", node.body, place, node.line)
        catches = [*node.catches, *["except"] * (len(node.handlers) - len(node.catches))]
        handlers = []
        for header, block in zip(catches, node.handlers, strict=True):
            head = Step(self._mark(place, "except", header, node.line))
            handlers.append(Arm("", Series([head, *self._series(block, place).parts])))
        last = self._framed("finally", node.final, place, node.line) if node.final else None
        orelse = self._series(node.orelse, place)
        parts = (body, orelse, *(arm.block for arm in handlers))
        passes = last is not None and any(ends_early(one) for one in parts)
        return Guard(body, handlers, orelse, last, passes)

    def _framed(self, kind: str, block: list[ir.Node], place: Place, line: int) -> Frame:
        cluster, inner = self._cluster(place, kind, kind)
        body = self._series(block, inner)
        if not body.parts:
            body.parts.append(Step(self._mark(inner, "plain", "plain Python", line)))
        return Frame(cluster, None, body)

    # -- side by side

    def _parallel(self, node: ir.Parallel, place: Place, race: ir.Operation | None) -> list[Block]:
        words = SIDES["race" if race is not None else node.kind]
        arms = [arm for arm in node.arms if arm]
        if len(arms) == 1 and len(arms[0]) == 1 and isinstance(arms[0][0], ir.Loop):
            return [*self._loop(arms[0][0], place, words), *self._raced(race, place)]
        blocks = [one for one in (self._series(arm, place) for arm in arms) if one.parts]
        if len(blocks) < 2:
            return [*(part for one in blocks for part in one.parts), *self._raced(race, place)]
        head = self._mark(place, "fork", words, node.line)
        tail = self._mark(place, "join", "", node.line) if race is None else self._race(race, place)
        return [Split(head, [Arm("", one) for one in blocks], tail)]

    def _raced(self, race: ir.Operation | None, place: Place) -> list[Block]:
        return [] if race is None else [Step(self._race(race, place))]

    def _race(self, race: ir.Operation, place: Place) -> Node:
        return self._node(place, "race", place.prefix + encode_id(race.id), *said(race), race.line)

    # -- operations

    def _operation(self, node: ir.Operation, place: Place) -> list[Block]:
        path = place.prefix + encode_id(node.id)
        block = self._called(node, path, place) or Step(self._simple(node, path, place))
        parts: list[Block] = [block]
        if node.undo:
            label = f"undo: {node.undo.rpartition(':')[2]}"
            undo = self._node(place, "undo", f"{path}/undo", label, "if the run fails", node.line)
            undo.callee = encodable(node.undo)
            parts.append(Side(Step(undo, stops=True)))
        if node.beside is not None or node.kind == "compensate":
            return [Side(Series(parts))]
        return parts

    def _simple(self, node: ir.Operation, path: str, place: Place) -> Node:
        kind = (
            "task" if node.beside is not None and node.kind in ("activity", "call", "attempt") else node.kind
        )
        made = self._node(place, kind, path, *said(node), node.line)
        made.callee = encodable(node.callee)
        if node.kind == "for_each":
            path = made.path
            made.covers = [f"{path}[*]", encodable(f"{path}[*]/{encode_id(op_of(node.id))}")]
        return made

    def _called(self, node: ir.Operation, path: str, place: Place) -> Block | None:
        """The workflow functions that an operation runs in this run; None if it runs none."""
        callees = [one for one in node.callee.split(" | ") if one in self._functions]
        if node.kind not in ir.CALLING or not callees:
            return None
        if len(self._taken) > MANY:
            closed = self._simple(node, path, place)
            closed.whole = True
            return Step(closed)
        cluster, inner = self._cluster(place, "call")
        head = self._simple(node, path, inner)
        cluster.head = head.id
        below = f"{head.covers[-1]}/" if head.covers else f"{path}/"
        several = node.callee.split(" | ")
        if len(several) == 1:
            body = self._callee(several[0], node, below, inner)
        else:
            arms = [Arm(clean(_short(one)), self._callee(one, node, below, inner)) for one in several]
            body = Series([Split(None, arms)])
        return Frame(cluster, head, body, returns=returns(body))

    def _callee(self, callee: str, node: ir.Operation, prefix: str, place: Place) -> Series:
        function = self._functions.get(callee)
        if function is None:
            return Series()
        if callee in place.stack:
            again = self._node(place, "recursion", f"{prefix}**", f"{_short(callee)} again", "", node.line)
            again.callee, again.whole = callee, True
            return Series([Step(again)])
        inner = place._replace(here=function, stack=(*place.stack, callee), prefix=prefix)
        return self._function(function, inner)


def _to_its_end(block: list[ir.Node]) -> list[ir.Node]:
    """The body of a function without the returns at its very end, where it ends anyway."""
    last = block[-1] if block else None
    if isinstance(last, ir.Exit) and last.kind == "return":
        return block[:-1]
    if isinstance(last, ir.Branch) or (isinstance(last, ir.Parallel) and last.kind == "one"):
        return [*block[:-1], replace(last, arms=[_to_its_end(arm) for arm in last.arms])]
    return block


def _word(words: list[str], number: int) -> str:
    word = words[number] if number < len(words) else ""
    return "otherwise" if word in ("", "_") else word


def _short(callee: str) -> str:
    """The last name of `module:outer.<locals>.inner`."""
    return callee.rpartition(":")[2].rpartition(".")[2]
