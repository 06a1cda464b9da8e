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


def ending_text(outcome: RunOutcome) -> str:
    """Say how a run ended: equal texts for equal ends, types and attributes included."""
    if outcome.error is not None:
        return f"{outcome.status} with {outcome.error!r} ({error_text(outcome.error)})"
    try:
        shown = codec.encode(outcome.value).decode("utf-8", "surrogatepass")
    except SerializableError:
        return f"{outcome.status} with {outcome.value!r}"
    exact = "" if shown == repr(outcome.value) else f" ({shown})"
    return f"{outcome.status} with {outcome.value!r}{exact}"


def compare_ends(left: RunOutcome, right: RunOutcome) -> None:
    """Check that a plain and a compiled run ended the same. Raises Mismatch."""
    plain, compiled = ending_text(left), ending_text(right)
    if plain != compiled:
        raise Mismatch(f"the compiled run ends otherwise:\n  plain:    {plain}\n  compiled: {compiled}")


def compare_calls(left: Sequence[Call], right: Sequence[Call], left_name: str, right_name: str) -> None:
    """Check that two runs called the same with the same, in the same order. Raises Mismatch."""
    calls = ([one.shown for one in left], [one.shown for one in right])
    compare_lines("leaf calls", *calls, left_name, right_name)


def compare_lines(what: str, left: Any, right: Any, left_name: str, right_name: str) -> None:
    """Check that two lists of lines are the same. Raises Mismatch with their difference."""
    if left != right:
        lines = difflib.unified_diff(left, right, left_name, right_name, lineterm="", n=1)
        raise Mismatch("\n  ".join([f"{what} differ", *lines]))
