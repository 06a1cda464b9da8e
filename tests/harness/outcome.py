"""What can be seen of a run from outside, in a form that two runs can be compared by."""

from __future__ import annotations

from dataclasses import dataclass, field

from flopod.testing.seen import Output, captured, error_text, value_text

__all__ = ["LeafCall", "Outcome", "Output", "captured", "error_text", "value_text"]


@dataclass(frozen=True)
class LeafCall:
    """One call of a leaf, its arguments as encoded text."""

    callee: str
    arguments: str

    @property
    def name(self) -> str:
        return self.callee.rpartition(":")[2].rpartition(".")[2]


@dataclass
class Outcome:
    """How a run ended, which leaves it called in which order, and what it wrote.

    `value` is the encoded result, `error` the type and encoded arguments of the exception that ended it.
    `void` holds the places of calls that were cancelled before the program came to rest: whether the world
    saw them depends on nothing that a program can rely on.
    """

    value: str = ""
    error: str = ""
    calls: list[LeafCall] = field(default_factory=list)
    void: set[int] = field(default_factory=set)
    output: Output = field(default_factory=Output)
