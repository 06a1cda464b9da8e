"""Compares how two runs ended, what they called and what they wrote."""

import difflib
from collections.abc import Sequence
from typing import Any

from flopod import codec
from flopod.engine.outcome import RunOutcome
from flopod.errors import SerializableError
from flopod.testing.calls import Call
from flopod.testing.errors import Mismatch
from flopod.testing.seen import error_text


def outcome_lines(left: RunOutcome, right: RunOutcome, left_name: str, right_name: str) -> list[str]:
    """Say how two runs ended, where that differs: nothing if they ended the same."""
    if _comparable(left) == _comparable(right):
        return []
    width = max(len(left_name), len(right_name))
    return [
        f"  {left_name + ':':<{width + 1}} {_shown(left)}",
        f"  {right_name + ':':<{width + 1}} {_shown(right)}",
    ]


def _comparable(outcome: RunOutcome) -> tuple[str, str]:
    if outcome.error is not None:
        return outcome.status, error_text(outcome.error)
    try:
        return outcome.status, codec.encode(outcome.value).decode("utf-8", "surrogatepass")
    except SerializableError:
        return outcome.status, repr(outcome.value)


def _shown(outcome: RunOutcome) -> str:
    value = outcome.value if outcome.error is None else outcome.error
    return f"{outcome.status} with {value!r}"


def compare_calls(left: Sequence[Call], right: Sequence[Call], left_name: str, right_name: str) -> None:
    """Check that two runs called the same with the same, in the same order. Raises Mismatch."""
    compare_lines(
        "leaf calls", [one.shown for one in left], [one.shown for one in right], left_name, right_name
    )


def compare_lines(what: str, left: Any, right: Any, left_name: str, right_name: str) -> None:
    """Check that two lists of lines are the same. Raises Mismatch with their difference."""
    if left != right:
        lines = difflib.unified_diff(left, right, left_name, right_name, lineterm="", n=1)
        raise Mismatch("\n  ".join([f"{what} differ", *lines]))
