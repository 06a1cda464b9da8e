"""Folds the records of a run into how the nodes of its picture stand, one by one as they come."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from flopod import events as e
from flopod.events import Event, Record
from flopod.graph.parts import Diagram, Node
from flopod.graph.places import Places
from flopod.graph.states import NodeState
from flopod.log.rewind import effective

_ORDER = ("running", "retrying", "waiting", "sleeping")
"""Of several things that go on at a node, the first of these is its status."""
_LOOPS = frozenset({"each", "repeat"})


@dataclass(slots=True)
class _Tally:
    """What has happened at one node; `open` are the paths at which something goes on, and what.

    Of a loop or a call `passes` says how many operations go on in each pass, `counted` how many passes are
    known to have ended in each of its instances.
    """

    begun: int = 0
    ended: int = 0
    failed: int = 0
    attempt: int = 0
    last: str = "idle"
    open: dict[str, str] = field(default_factory=dict)
    passes: dict[str, int] = field(default_factory=dict)
    counted: dict[str, int] = field(default_factory=dict)


def states(records: Iterable[Record], diagram: Diagram) -> dict[str, NodeState]:
    """How each node of a picture stands in the run with these records, by the ids of nodes."""
    fold = Fold(diagram)
    fold.add(records)
    return fold.states()


class Fold:
    """How the nodes of a picture stand in a run; `add` brings it up to more records.

    Of the records those are kept that it is folded from, for a run that is rewound.
    """

    def __init__(self, diagram: Diagram) -> None:
        self._diagram = diagram
        self._places = Places(diagram)
        self._kept: list[Record] = []
        self._reset()

    def _reset(self) -> None:
        self._tallies: dict[str, _Tally] = {}
        self._taken: dict[str, Any] = {}
        self._status = ""
        self._compacted = False
        self._failing = ""

    def add(self, records: Iterable[Record]) -> None:
        """Take in what has happened since, in the order of the log."""
        for record in records:
            if isinstance(record.event, e.RunRewound):
                self._rewind(record)
            elif (step := _STEPS.get(type(record.event))) is not None:
                self._kept.append(record)
                step(self, record.event)

    def _rewind(self, rewound: Record) -> None:
        self._kept = list(effective([*self._kept, rewound]))
        self._reset()
        for record in self._kept:
            _STEPS[type(record.event)](self, record.event)

    # -- events

    def _run(self, event: Event) -> None:
        self._status = _STATUS[type(event)]

    def _begin(self, event: Event, status: str, callee: str = "") -> None:
        node = self._places.node(event.path, callee)
        if node is None:
            return
        tally = self._tally(node)
        tally.begun += event.path not in tally.open
        tally.open[event.path] = status
        tally.attempt = 1
        for path, head in self._places.heads(event.path):
            passes = self._tally(head).passes
            passes[path] = passes.get(path, 0) + 1

    def _end(self, event: Event, last: str, callee: str = "") -> None:
        node = self._open_node(event.path, callee)
        if node is None:
            return
        tally = self._tally(node)
        if tally.open.pop(event.path, None) is None:
            tally.begun += 1
        else:
            self._leave(event.path)
        tally.ended += 1
        tally.failed += last == "failed"
        tally.last = last
        if last == "failed":
            self._failing = event.path

    def _leave(self, path: str) -> None:
        for around, head in self._places.heads(path):
            self._tally(head).passes[around] -= 1

    def _open_node(self, path: str, callee: str) -> Node | None:
        """The node at which a path is open, which only its begin could tell from others with that path."""
        for node in self._places.all(path):
            if path in self._tally(node).open:
                return node
        return self._places.node(path, callee)

    def _tally(self, node: Node) -> _Tally:
        return self._tallies.setdefault(node.id, _Tally())

    def _activity_started(self, event: e.ActivityStarted) -> None:
        self._begin(event, "running", event.callee)

    def _activity_failed(self, event: e.ActivityFailed) -> None:
        if event.next_try is None:
            self._end(event, "failed")
        else:
            self._goes_on(event.path, "retrying", event.attempt + 1)
        self._attempt(event.path, event.attempt + (event.next_try is not None))

    def _activity_progress(self, event: e.ActivityProgress) -> None:
        self._goes_on(event.path, "running", event.attempt)

    def _activity_completed(self, event: e.ActivityCompleted) -> None:
        self._end(event, "done")
        self._attempt(event.path, event.attempt)

    def _goes_on(self, path: str, status: str, attempt: int) -> None:
        node = self._open_node(path, "")
        if node is not None and path in self._tally(node).open:
            self._tally(node).open[path] = status
            self._attempt(path, attempt)

    def _attempt(self, path: str, attempt: int) -> None:
        node = self._open_node(path, "")
        if node is not None:
            self._tally(node).attempt = attempt

    def _child_ended(self, event: e.ChildEnded) -> None:
        self._end(event, "done" if event.error is None else "failed")

    def _detached(self, event: e.Detached) -> None:
        self._begin(event, "running", event.workflow)
        if event.mode == "forget":
            self._end(event, "done")

    def _branch_taken(self, event: e.BranchTaken) -> None:
        self._end(event, "done")
        self._taken[event.path] = msgspec.json.decode(event.key)

    def _iteration_completed(self, event: e.IterationCompleted) -> None:
        head = self._places.exact(f"{event.path}[*]")
        if head is not None:
            counted = self._tally(head).counted
            counted[event.path] = max(counted.get(event.path, 0), event.index + 1)

    def _abandoned(self, event: e.Abandoned) -> None:
        for path in event.paths:
            node = self._open_node(path, "")
            if node is not None and self._tally(node).open.pop(path, None) is not None:
                self._leave(path)
                tally = self._tally(node)
                tally.begun -= 1
                tally.last = tally.last if tally.ended else "skipped"

    def _step_error(self, event: e.StepError) -> None:
        node = self._places.exact(event.path)
        if node is not None:
            self._tally(node).last = "failed"

    def _compensated(self, event: e.Compensated) -> None:
        """Its leaf has ended before, if it came so far as to be called."""
        node = self._places.node(event.path, event.callee)
        if node is not None:
            tally = self._tally(node)
            tally.begun = tally.ended = max(tally.ended, 1)
            tally.last = "done" if event.error is None else "failed"

    def _compaction(self, _: e.Compacted) -> None:
        self._compacted = True

    # -- what it comes to

    def states(self) -> dict[str, NodeState]:
        """How each node stands now."""
        found = {node.id: self._state(node) for node in self._diagram.nodes}
        nodes = {node.id: node for node in self._diagram.nodes}
        for node in self._diagram.nodes:
            state = found[node.id]
            if state.status != "idle":
                continue
            if self._compacted and self._was_passed(node, found):
                state.status = "done"
            elif (self._status in _OVER and node.path) or self._is_left_out(node, nodes):
                state.status = "skipped"
        return found

    def _state(self, node: Node) -> NodeState:
        if node.kind in ("start", "end"):
            return NodeState(self._status_of_mark(node.kind))
        tally = self._tallies.get(node.id)
        if tally is None:
            return NodeState()
        if node.kind in _LOOPS or (tally.passes and not tally.begun):
            return self._state_of_head(tally)
        status = next((one for one in _ORDER if one in tally.open.values()), tally.last)
        if tally.open and self._status in _OVER:
            status = tally.last if tally.ended else "skipped"
        return NodeState(status, tally.begun, tally.ended, tally.failed, tally.attempt)

    def _status_of_mark(self, kind: str) -> str:
        if kind == "start":
            return "done" if self._status else "idle"
        return {"completed": "done", "failed": "failed", "cancelled": "failed"}.get(self._status, "idle")

    def _state_of_head(self, tally: _Tally) -> NodeState:
        """Of a loop or a call: its passes, by what goes on in them."""
        begun = max(len(tally.passes), sum(tally.counted.values()))
        going = sum(1 for count in tally.passes.values() if count)
        failed = self._status == "failed" and any(self._failing.startswith(f"{one}/") for one in tally.passes)
        over = self._status in _OVER
        status = "failed" if failed else "running" if going and not over else "done" if begun else "idle"
        return NodeState(status, begun, begun - going, int(failed), 0)

    def _was_passed(self, node: Node, found: dict[str, NodeState]) -> bool:
        """Whether every pass of the loop around a node has come by it, of which the records may be gone."""
        around = node.path.rpartition("[*]/")[0]
        head = self._places.exact(f"{around}[*]") if around else None
        return head is not None and node.branch == head.branch and found[head.id].ended > 0

    def _is_left_out(self, node: Node, nodes: dict[str, Node]) -> bool:
        """Whether it is in an arm that was not taken, by a decision that is met once."""
        while node.branch:
            arm, node = node.arm, nodes[node.branch]
            taken = self._arm(node)
            if taken is not None and taken != arm:
                return True
        return False

    def _arm(self, branch: Node) -> int | None:
        if branch.path not in self._taken or not branch.words:
            return None
        key = self._taken[branch.path]
        if branch.label.startswith("match "):
            return branch.words.index(key) if key in branch.words else None
        word = "yes" if key else "no"
        return branch.words.index(word) if word in branch.words else None


_OVER = frozenset({"completed", "failed", "cancelled"})
_STATUS: dict[type[Event], str] = {
    e.RunStarted: "running",
    e.RunResumed: "running",
    e.RunCompleted: "completed",
    e.RunFailed: "failed",
    e.RunCancelled: "cancelled",
}
_STEPS: dict[type[Event], Callable[[Fold, Any], None]] = {
    **dict.fromkeys(_STATUS, Fold._run),
    e.ActivityStarted: Fold._activity_started,
    e.ActivityFailed: Fold._activity_failed,
    e.ActivityProgress: Fold._activity_progress,
    e.ActivityCompleted: Fold._activity_completed,
    e.SleepStarted: lambda fold, event: fold._begin(event, "sleeping"),
    e.SleepCompleted: lambda fold, event: fold._end(event, "done"),
    e.WaitStarted: lambda fold, event: fold._begin(event, "waiting"),
    e.WaitCompleted: lambda fold, event: fold._end(event, "done"),
    e.ChildStarted: lambda fold, event: fold._begin(event, "waiting", event.workflow),
    e.ChildCompleted: Fold._child_ended,
    e.Detached: Fold._detached,
    e.DetachEnded: Fold._child_ended,
    e.BranchTaken: Fold._branch_taken,
    e.Recorded: lambda fold, event: fold._end(event, "done"),
    e.RaceWon: lambda fold, event: fold._end(event, "done"),
    e.IterationCompleted: Fold._iteration_completed,
    e.Abandoned: Fold._abandoned,
    e.StepError: Fold._step_error,
    e.Compensated: Fold._compensated,
    e.Compacted: Fold._compaction,
}
