"""The sizes of blocks, from the inside out: what stands in a row or in a column decides how large it is."""

from __future__ import annotations

from collections.abc import Sequence

from flopod.graph.blocks import Arm, Block, Frame, Guard, Series, Side, Size, Split, Step, inside
from flopod.graph.parts import Node
from flopod.graph.text import fitted, width

GAP = 30
"""Between blocks that follow each other."""
SPLIT = 46
"""Between a decision and its arms, where their words stand."""
JOIN = 30
"""Below arms, where they come together."""
APART = 28
"""Between blocks side by side."""
PADDING = 16
"""Between a frame and what is in it."""
CHANNEL = 30
"""The same, where a line runs inside the frame."""
TITLE = 28
"""Above what is in a frame that has a title and no head."""
ERRORS, HANDLER = 16, 40
"""How far below the top of its frame errors leave it, and their handlers begin."""
DROP = 16
"""How far below its line a block begins that hangs on it."""

LABEL, DETAIL, SMALL = 13.0, 11.0, 11.5
"""Sizes of fonts: of labels, of what stands below them, of words at edges and in small nodes."""
ICON = 30
"""The room at the left of a node for its icon."""
_WIDEST, _WIDEST_WORD = 260, 150

PILLS = frozenset({"start", "end", "return", "raise", "break", "continue", "except", "fork", "plain"})
"""Kinds of small nodes with one word in them."""
MONOSPACED = frozenset({"branch", "each", "repeat", "raise", "except"})
"""Kinds whose label is code."""


def measure(block: Block) -> Size:
    """Give the block, all in it and their nodes their sizes."""
    for part in inside(block):
        measure(part)
    match block:
        case Step():
            block.size = _node(block.node)
        case Series():
            block.size = column([part.size for part in block.parts])
        case Side():
            size = block.block.size
            block.size = Size(0, APART + size.left + size.right, DROP + size.height)
        case Split():
            block.size = _split(block)
        case Frame():
            block.size = _frame(block)
        case Guard():
            block.size = _guard(block)
        case _:
            raise TypeError(block)
    return block.size


def column(sizes: Sequence[Size]) -> Size:
    """The size of blocks one below the other."""
    if not sizes:
        return Size()
    height = sum(size.height for size in sizes) + GAP * (len(sizes) - 1)
    return Size(max(size.left for size in sizes), max(size.right for size in sizes), height)


# -- nodes


def _node(node: Node) -> Size:
    node.width, node.height = _extent(node)
    return Size(node.width / 2, node.width / 2, node.height)


def _extent(node: Node) -> tuple[float, float]:
    mono = node.kind in MONOSPACED
    if node.kind == "join":
        return 36, 6
    if node.kind in PILLS:
        return min(width(node.label, SMALL, mono=mono, bold=not mono) + 24, _WIDEST), 26
    words = width(node.label, SMALL if mono else LABEL, mono=mono, bold=not mono)
    words = max(words, width(node.detail, DETAIL, mono=True))
    edges = 36 if node.kind == "branch" else ICON + 14
    return min(max(words + edges, 104), _WIDEST), 46 if node.detail else 36


def room(node: Node) -> float:
    """How wide the words in a node may be."""
    if node.kind in PILLS:
        return node.width - 20
    return node.width - (32 if node.kind == "branch" else ICON + 10)


# -- side by side


def _split(block: Split) -> Size:
    left, right = arranged(block.arms)
    middle = _middle(block)
    for arm in block.arms:
        arm.place -= middle
    half = max((one.width / 2 for one in (block.head, block.tail) if one is not None), default=0)
    for one in (block.head, block.tail):
        if one is not None:
            _node(one)
            half = max(half, one.width / 2)
    height = SPLIT + max(arm.block.size.height for arm in block.arms) + JOIN
    height += sum(one.height for one in (block.head, block.tail) if one is not None)
    return Size(max(half, left + middle), max(half, right - middle), height)


def arranged(arms: Sequence[Arm]) -> tuple[float, float]:
    """Place arms in a row, the first at 0; how far they reach to the left and to the right of that."""
    at = 0.0
    before = 0.0
    for number, arm in enumerate(arms):
        left, right = _reach(arm)
        at = at + before + APART + left if number else 0.0
        arm.place, before = at, right
    return (_reach(arms[0])[0], at + before) if arms else (0, 0)


def _reach(arm: Arm) -> tuple[float, float]:
    """How far an arm reaches from its spine, with its word, which stands right of it."""
    word = width(shown(arm.word), SMALL) + 12 if arm.word else 0
    return max(arm.block.size.left, 8), max(arm.block.size.right, word, 8)


def shown(word: str) -> str:
    """As much of a word at an edge as there is room for."""
    return fitted(word, SMALL, _WIDEST_WORD)


def _middle(block: Split) -> float:
    """Where the spine of all arms is: at the only one that is not empty, else in the middle."""
    places = [arm.place for arm in block.arms if arm.block.parts]
    if block.tail is None and len(places) == 1:
        return places[0]
    return (block.arms[0].place + block.arms[-1].place) / 2 if block.arms else 0


# -- frames


def _frame(frame: Frame) -> Size:
    if frame.head is not None:
        _node(frame.head)
    parts = [frame.body.size] if frame.body.parts else []
    if frame.head is not None:
        parts.insert(0, Size(frame.head.width / 2, frame.head.width / 2, frame.head.height))
    size = column(parts)
    side = CHANNEL if frame.repeats else PADDING
    title = width(frame.cluster.label, DETAIL) + 24
    right = max(size.right + side, title - size.left - side)
    return Size(size.left + side, right, size.height + above(frame) + below(frame))


def below(frame: Frame) -> float:
    """The room at the bottom of a frame: for the way back and the way out of a loop."""
    return PADDING + 26 if frame.repeats else PADDING


def above(frame: Frame) -> float:
    """The room at the top of a frame."""
    return PADDING if frame.head is not None else TITLE


def _guard(block: Guard) -> Size:
    column_ = column([block.frame.size, block.orelse.size]) if block.orelse.parts else block.frame.size
    right, height = column_.right, column_.height
    if block.handlers:
        _, reach = arranged(block.handlers)
        first = column_.right + APART + _reach(block.handlers[0])[0]
        for handler in block.handlers:
            handler.place += first
            height = max(height, HANDLER + handler.block.size.height)
        right = first + reach
        height += JOIN
    left = column_.left + (CHANNEL if block.passes else 0)
    if block.last is not None:
        left, right = max(left, block.last.size.left), max(right, block.last.size.right)
        height += GAP + block.last.size.height
    return Size(left, right, height)
