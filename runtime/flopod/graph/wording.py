"""The words of a picture: what a node of a kind is called, what stands in it, what stands at its arms."""

from __future__ import annotations

from flopod.graph.states import NodeState
from flopod.ir import Operation
from flopod.workflow.paths import op_of

KINDS = {
    "activity": "activity",
    "attempt": "attempt",
    "record": "recorded value",
    "wait": "wait for an event",
    "sleep": "sleep",
    "sleep_until": "sleep",
    "timer": "timeout",
    "timer_at": "timeout",
    "branch": "decision",
    "each": "loop over items",
    "repeat": "loop",
    "call": "workflow in this run",
    "child": "child run",
    "race": "race",
    "detach_and_join_later": "detached, joined later",
    "detach_and_forget": "detached, forgotten",
    "forget": "task, forgotten",
    "work": "work beside the main line",
    "for_each": "work for each item",
    "tap": "tap",
    "wait_for_work": "wait for work",
    "compensate": "compensation",
    "undo": "compensation",
    "recursion": "recursion",
    "task": "task",
    "except": "error handler",
    "plain": "plain Python",
    "start": "start",
    "end": "end",
    "fork": "in parallel",
    "join": "together again",
    "return": "return",
    "raise": "error",
    "break": "break",
    "continue": "continue",
    "other": "operation",
}
"""What people call a node of each kind; one that this version does not know is `other`."""

MARKS = frozenset({"start", "end", "fork", "join", "plain", "except", "return", "raise", "break", "continue"})
"""Kinds of nodes that have no path."""

SIDES = {"all": "in parallel", "race": "race", "timeout": "with a timeout", "one": "as defined"}
"""What stands above arms that run side by side."""

_TIMERS = frozenset({"sleep", "sleep_until", "timer", "timer_at"})


def said(node: Operation) -> tuple[str, str]:
    """The label and the detail of an operation."""
    name = op_of(node.id) or node.kind
    if node.beside is not None and node.beside.label:
        return node.beside.label, _beside(node)
    if node.kind == "wait":
        event = node.event if node.event not in ("", "*") else node.given
        return event or name, f"waits for {node.type}" if node.type else "waits for an event"
    if node.kind in _TIMERS:
        return ("timeout" if node.kind.startswith("timer") else "sleep"), node.given or _discriminator(node)
    if node.kind == "race":
        return "first wins", ""
    if node.kind == "compensate":
        return name.replace("undo-", "undo: ", 1), node.given
    if node.kind == "record":
        return name, node.callee
    return name, node.given or _discriminator(node)


def _beside(node: Operation) -> str:
    assert node.beside is not None
    if node.beside.kind == "work":
        return "in the background"
    how = "joined later" if node.beside.mode == "join" else "forgotten"
    return f"{how}, {node.beside.driver}" if node.beside.driver else node.given or how


def _discriminator(node: Operation) -> str:
    return node.id.partition("#")[2]


def leaving(header: str) -> str:
    """What stands at the way out of a loop."""
    return "break" if header in ("while True", "while 1") else "done"


def spoken(kind: str, label: str, state: NodeState | None) -> str:
    """What a screen reader says: `charge_card, activity, done`."""
    parts = [label, KINDS[kind]]
    if state is not None:
        parts.append(state.status)
        if state.attempt > 1:
            parts.append(f"attempt {state.attempt}")
        if counted := _count(kind, state):
            parts.append(counted)
    return ", ".join(parts)


def badge(kind: str, state: NodeState) -> str:
    """What stands in the corner of a node, "" for nothing: `3 of 10`, `try 2`, a tick."""
    parts = [_SIGNS.get(state.status, "")]
    if state.attempt > 1 and state.status in ("running", "retrying", "failed"):
        parts.append(f"try {state.attempt}")
    parts.append(_count(kind, state))
    return " ".join(part for part in parts if part)


_SIGNS = {"done": "✓", "failed": "✕", "running": "▸", "retrying": "↻", "waiting": "…", "sleeping": "z"}


def _count(kind: str, state: NodeState) -> str:
    if state.begun <= 1:
        return ""
    if kind in ("each", "repeat"):
        return f"{state.ended} passes" if state.ended != 1 else "1 pass"
    return f"{state.ended} of {state.begun}" if state.ended < state.begun else f"{state.begun}"
