"""The author surface of flopod: markers, primitives, and what is not compiled yet."""

from __future__ import annotations

from flopod_compiler.knowledge.known import PRIMITIVE, PURE, Known, refused, words

WORKFLOW = "flopod.workflow"
ACTIVITY = "flopod.activity"
ATTEMPT = "flopod.attempt"
COMPENSATE = "flopod.compensate"
WAIT_FOR = "flopod.wait_for"
START = "flopod.start"
JOINED = "flopod.detach_and_join_later"
FORGOTTEN = "flopod.detach_and_forget"
FORGET = "flopod.forget"
"""A task of a leaf or workflow that nobody awaits; authors have no such name."""

WORK = "flopod.work"
FOR_EACH = "flopod.for_each"
TAP = "flopod.tap"
WAIT_FOR_WORK = "flopod.wait_for_work"

AT_ONCE = frozenset({ACTIVITY, COMPENSATE, "flopod.log", JOINED, FORGOTTEN, WORK, FOR_EACH})
"""Primitives that give no awaitable."""

ON_LEAVES = frozenset({ATTEMPT, COMPENSATE})
"""Primitives whose first argument is the leaf that they are about."""

NAMING = ON_LEAVES | {START}
"""Primitives whose first argument is the function that they are about."""

RACE = "flopod.race"
PARALLEL = "flopod.parallel"

_PRIMITIVES = (
    "activity attempt compensate sleep sleep_until wait_for log race parallel start "
    "detach_and_join_later detach_and_forget work for_each tap wait_for_work"
)
CHECKED = frozenset(words(f"{_PRIMITIVES} Retry", "flopod."))
"""What is there to be called by authors, and can be asked what it takes."""

_NOT_YET = {
    "create_runtime": "a workflow is started by its runtime; call another workflow as a function",
}

_OF_LEAVES = {
    "current_activity": "ask in a function that the workflow calls, which is a leaf",
    "heartbeat": "beat in a function that the workflow calls, which is a leaf",
}

AUTHOR_TABLE: dict[str, Known] = {
    **dict.fromkeys(words(_PRIMITIVES, "flopod."), PRIMITIVE),
    **{f"flopod.{name}": refused("FLP600", rewrite) for name, rewrite in _NOT_YET.items()},
    **{f"flopod.{name}": refused("FLP124", rewrite) for name, rewrite in _OF_LEAVES.items()},
    "flopod.Retry": PURE,
}

_SURFACE = frozenset([*words(_PRIMITIVES), *_NOT_YET, *_OF_LEAVES, "workflow", "Retry", "STOP"])


def canonical(qualified: str) -> str:
    """The name on flopod's surface for any module of the package that it was imported from."""
    if qualified.startswith("flopod."):
        last = qualified.rpartition(".")[2]
        if last in _SURFACE:
            return f"flopod.{last}"
    return qualified
