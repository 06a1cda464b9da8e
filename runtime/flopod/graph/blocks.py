"""The picture as a tree of blocks, before anything has a place.

Each block is entered at its top and left at its bottom, on one vertical line, its spine; so a line of blocks
is a line, and blocks side by side never cross.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from flopod.graph.parts import Cluster, Node


class Size(NamedTuple):
    """How far a block reaches from its spine to the left and to the right, and how high it is."""

    left: float = 0
    right: float = 0
    height: float = 0


@dataclass(eq=False, slots=True)
class Block:
    """What all blocks have; `size` is filled in by the layout."""

    size: Size = field(default=Size(), kw_only=True)


@dataclass(eq=False, slots=True)
class Step(Block):
    """One node. What `stops` is not left at its bottom."""

    node: Node
    stops: bool = False


@dataclass(eq=False, slots=True)
class Series(Block):
    """Blocks one after the other."""

    parts: list[Block] = field(default_factory=list)


@dataclass(eq=False, slots=True)
class Side(Block):
    """A block beside the main line, which passes it; `label` says why."""

    block: Block
    label: str = ""


@dataclass(eq=False, slots=True)
class Arm:
    """One of several ways, with the word at it; `place` is how far it is from the spine of all."""

    word: str
    block: Series
    place: float = 0


@dataclass(eq=False, slots=True)
class Split(Block):
    """Ways side by side below a `head`, one of which or all of which are taken, and what they end in."""

    head: Node | None
    arms: list[Arm]
    tail: Node | None = None


@dataclass(eq=False, slots=True)
class Frame(Block):
    """A cluster with its head, if it has one. What `repeats` goes back there, and is left from there.

    A function that `returns` before its end is left from anywhere in it.
    """

    cluster: Cluster
    head: Node | None
    body: Series
    repeats: bool = False
    leaving: str = ""
    returns: bool = False


@dataclass(eq=False, slots=True)
class Guard(Block):
    """A frame whose errors go to one of the `handlers`, beside it; `last` comes after all of them.

    With `passes`, a line leads from the frame to `last` by itself: there are other ways out than the end.
    """

    frame: Frame
    handlers: list[Arm]
    orelse: Series
    last: Frame | None = None
    passes: bool = False


def ends_early(block: Block) -> bool:
    """Whether some way through a block does not come to its end."""
    if isinstance(block, Step):
        return block.stops
    return not isinstance(block, Side) and any(map(ends_early, inside(block)))


def returns(block: Block) -> bool:
    """Whether a part of a function returns before the end of this."""
    if isinstance(block, Step):
        return block.node.kind == "return"
    return not (isinstance(block, Side) or _is_call(block)) and any(map(returns, inside(block)))


def _is_call(block: Block) -> bool:
    return isinstance(block, Frame) and block.cluster.kind == "call"


def inside(block: Block) -> Iterator[Block]:
    """The blocks directly inside a block, in order."""
    match block:
        case Series():
            yield from block.parts
        case Side():
            yield block.block
        case Split():
            yield from (arm.block for arm in block.arms)
        case Frame():
            yield block.body
        case Guard():
            yield block.frame
            yield block.orelse
            yield from (arm.block for arm in block.handlers)
            if block.last is not None:
                yield block.last
        case _:
            return
