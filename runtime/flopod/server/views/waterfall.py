"""The operations of a run as rows of bars along one scale of time, nested by their paths."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from flopod.server.views.course import Attempt, Course, Operation
from flopod.server.views.timescale import Scale
from flopod.server.views.values import error_line
from flopod.server.views.words import counted, duration, precisely

_FEW = 8
_ENDS = 3
_MORE = 50
_MOST_ROWS = 400
_ROOM_RIGHT = 82
_ROOM_LEFT = 15
_PAD = 0.6
_DOWN = frozenset({"crashed", "left", "rewound"})
HATCHED = frozenset({"wait", "sleep", "child", "detach"})
"""Kinds of operations in which nothing is done here."""


class Bar(NamedTuple):
    """A bar from `x` to `x + width`, in percent; `kind` is what it shows: a try, a wait, a pause, ..."""

    kind: str
    x: float
    width: float
    title: str


class Row(NamedTuple):
    """A line of the waterfall. A `group` (a loop, an iteration, a scope) covers the rows below it.

    `more` is the path of a loop, and `start` the iteration, that its link shows; `text` stands at `text_x`,
    right or left of the bars or inside of them.
    """

    label: str
    path: str
    depth: int
    kind: str
    state: str
    bars: Sequence[Bar] = ()
    text: str = ""
    text_x: float = 0
    text_at: str = "right"
    group: bool = False
    more: str = ""
    start: int = 0


class Tick(NamedTuple):
    """A line of the scale; one of a `cut` says how long the time is that it stands for."""

    x: float
    text: str
    cut: bool = False


class Waterfall(NamedTuple):
    """All of it. `now` is where now is, None for a run that is over."""

    rows: list[Row]
    ticks: list[Tick]
    marks: list[Bar]
    now: float | None
    left_out: int


class _Node:
    """A place in the tree of paths."""

    __slots__ = ("children", "key", "label", "operation", "path")

    def __init__(self, label: str, path: str, key: bool = False) -> None:
        self.label = label
        self.path = path
        self.key = key
        self.operation: Operation | None = None
        self.children: dict[str, _Node] = {}

    def below(self) -> Iterator[Operation]:
        """The operations in it."""
        if self.operation is not None:
            yield self.operation
        for child in self.children.values():
            yield from child.below()


def waterfall(course: Course, now: int, opened: Mapping[str, int] | None = None) -> Waterfall:
    """Lay a run out in time. `opened` says from which iteration on a long loop is to be shown."""
    until = course.ended if course.ended is not None else max(now, course.last)
    scale = Scale(course.started, until, _busy(course, until))
    root = _tree(course)
    drawn = _Drawn(scale, until, opened or {}, course)
    rows = [row for child in root.children.values() for row in drawn.rows(child, 0)]
    return Waterfall(
        rows[:_MOST_ROWS],
        list(_ticks(scale)),
        [
            _span(
                "down" if mark.kind in _DOWN else mark.kind,
                scale,
                mark.since,
                mark.at,
                mark.text,
            )
            for mark in course.marks
        ],
        scale.x(now) if course.ended is None else None,
        max(0, len(rows) - _MOST_ROWS),
    )


def _busy(course: Course, until: int) -> Iterator[tuple[int, int]]:
    """When leaves were being called, and when something else began or ended."""
    for one in course.operations.values():
        if one.kind == "activity":
            for attempt in one.attempts:
                yield attempt.begun, until if attempt.ended is None else attempt.ended
        else:
            yield one.begun, one.begun
            if one.ended is not None:
                yield one.ended, one.ended


def _tree(course: Course) -> _Node:
    root = _Node("", "")
    for one in course.operations.values():
        node = root
        for segment in one.path.split("/"):
            node = _descend(node, segment)
        node.operation = one
    return root


def _descend(node: _Node, segment: str) -> _Node:
    """The place of a segment; one with a key is a place in a loop."""
    loop, bracket, key = segment.partition("[")
    base = f"{node.path}/{loop}" if node.path else loop
    child = node.children.setdefault(loop, _Node(loop, base))
    if not bracket:
        return child
    return child.children.setdefault(key, _Node(f"[{key}", f"{base}[{key}", key=True))


def _ticks(scale: Scale) -> Iterator[Tick]:
    step = scale.step
    for distance in scale.ticks():
        yield Tick(scale.x(scale.since + distance), precisely(distance, step) if distance else "0")
    for piece in scale.pieces:
        if piece.cut:
            yield Tick((piece.left + piece.right) / 2, duration(piece.until - piece.since), True)


def _span(kind: str, scale: Scale, since: int, until: int, title: str) -> Bar:
    x = scale.x(since)
    return Bar(kind, round(x, 3), round(max(scale.x(until) - x, 0), 3), title)


class _Drawn:
    """Makes the rows of a tree."""

    def __init__(self, scale: Scale, until: int, opened: Mapping[str, int], course: Course) -> None:
        self._scale = scale
        self._until = until
        self._opened = opened
        self._course = course

    def rows(self, node: _Node, depth: int) -> Iterator[Row]:
        """The row of a node and those of what is below it."""
        if not node.children and node.operation is not None:
            yield self._operation(node.operation, node.label, depth)
            return
        yield self._group(node, depth)
        children = list(node.children.values())
        if not any(child.key for child in children):
            for child in children:
                yield from self.rows(child, depth + 1)
        elif len(children) <= _FEW:
            for child in children:
                yield from self._iteration(child, depth + 1)
        else:
            yield from self._long(node, children, depth + 1)

    def _long(self, node: _Node, children: list[_Node], depth: int) -> Iterator[Row]:
        """Some iterations of a long loop: the first and last ones, or those from where it was opened."""
        start = self._opened.get(node.path)
        begin, end = (_ENDS, len(children) - _ENDS)
        if start is not None:
            begin = min(max(start, 0), len(children) - 1)
            chosen = [(0, begin), (begin, begin + _MORE), (begin + _MORE, len(children))]
            yield from self._elided(node, chosen[0], depth)
            for child in children[slice(*chosen[1])]:
                yield from self._iteration(child, depth)
            yield from self._elided(node, chosen[2], depth)
            return
        for child in children[:begin]:
            yield from self._iteration(child, depth)
        yield from self._elided(node, (begin, end), depth)
        for child in children[end:]:
            yield from self._iteration(child, depth)

    def _elided(self, node: _Node, span: tuple[int, int], depth: int) -> Iterator[Row]:
        amount = span[1] - span[0]
        if amount > 0:
            start = max(span[0], span[1] - _MORE) if span[0] == 0 else span[0]
            yield Row(f"… {amount:,} more", node.path, depth, "more", "", more=node.path, start=start)

    def _iteration(self, node: _Node, depth: int) -> Iterator[Row]:
        """An iteration with a single operation is one row."""
        only = next(iter(node.children.values()), None)
        if len(node.children) == 1 and only is not None and not only.children and only.operation is not None:
            yield self._operation(only.operation, f"{node.label} {only.label}", depth)
        else:
            yield from self.rows(node, depth)

    def _operation(self, one: Operation, label: str, depth: int) -> Row:
        took = self._end(one.ended) - one.begun
        text = "" if one.kind in ("branch", "recorded") else duration(took)
        if len(one.attempts) > 1:
            text += f" · {counted(len(one.attempts), 'try', 'tries')}"
        inside = "within" if one.kind in HATCHED else "inside"
        x, where = self._beside(one.begun, self._end(one.ended), inside)
        return Row(label, one.path, depth, one.kind, one.state, list(self._bars(one)), text, x, where)

    def _beside(self, begun: int, ended: int, inside: str) -> tuple[float, str]:
        """Where there is room for a text at a bar."""
        left, right = self._scale.x(begun), self._scale.x(ended)
        if right <= _ROOM_RIGHT:
            return round(right + _PAD, 3), "right"
        return (round(left - _PAD, 3), "left") if left >= _ROOM_LEFT else (round(right - _PAD, 3), inside)

    def _bars(self, one: Operation) -> Iterator[Bar]:
        if one.kind in HATCHED:
            yield _span(
                one.kind, self._scale, one.begun, self._end(one.ended), one.event or one.child or one.kind
            )
            return
        before: Attempt | None = None
        for attempt in one.attempts:
            if before is not None and before.ended is not None:
                yield _span("pause", self._scale, before.ended, attempt.begun, "until the next try")
            is_last = attempt is one.attempts[-1]
            state = one.state if is_last and attempt.error is None else "failed"
            title = (
                f"try {attempt.number}: {error_line(attempt.error) if attempt.error is not None else state}"
            )
            yield _span(state, self._scale, attempt.begun, self._end(attempt.ended), title)
            before = attempt
        if one.state == "retrying" and before is not None and before.ended is not None:
            yield _span("pause", self._scale, before.ended, self._until, "until the next try")

    def _group(self, node: _Node, depth: int) -> Row:
        below = list(node.below())
        begun = min(one.begun for one in below)
        ended = max(self._end(one.ended) for one in below)
        state = _worst(below)
        iterations = sum(child.key for child in node.children.values())
        known = max(iterations, self._course.loops.get(node.path, 0))
        text = counted(known, "iteration") if iterations else ""
        if known > iterations > 0 and self._course.dropped:
            text += f", {iterations:,} still in the log"
        x, where = self._beside(begun, ended, "within")
        bar = _span("group", self._scale, begun, ended, duration(ended - begun))
        return Row(node.label, node.path, depth, "group", state, [bar], text, x, where, True)

    def _end(self, ended: int | None) -> int:
        return self._until if ended is None else ended


def _worst(operations: Sequence[Operation]) -> str:
    """The state of many: what goes on stands above what has ended."""
    states = {one.state for one in operations}
    order = ("running", "retrying", "waiting", "sleeping", "failed", "cancelled")
    return next((state for state in order if state in states), "done")
