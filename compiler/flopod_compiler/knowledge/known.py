"""What is known of a callable outside the project: the kind of a call, what it changes, why it is refused."""

from __future__ import annotations

from dataclasses import dataclass

from flopod_compiler.model import CallKind


@dataclass(frozen=True, slots=True)
class Known:
    """What a call of something outside the project is.

    `mutates` holds argument positions. `code` and `rewrite` are set for what a workflow may not call:
    the diagnostic, and what to write instead. `is_async` says that a pure call gives an awaitable.
    """

    kind: CallKind
    mutates: frozenset[int | str] = frozenset()
    code: str = ""
    rewrite: str = ""
    is_async: bool = False

    @property
    def refused(self) -> bool:
        return bool(self.code)


PURE = Known(CallKind.PURE)
RECORDABLE = Known(CallKind.RECORDABLE)
LEAF = Known(CallKind.LEAF)
OUTPUT = Known(CallKind.OUTPUT)
IDIOM = Known(CallKind.IDIOM)
PRIMITIVE = Known(CallKind.PRIMITIVE)


def pure(*mutates: int) -> Known:
    """A pure call that changes the arguments at these positions."""
    return Known(CallKind.PURE, frozenset(mutates))


def refused(code: str, rewrite: str) -> Known:
    """A call that a workflow may not make, with the code of the diagnostic and the way out."""
    return Known(CallKind.UNRESOLVED, code=code, rewrite=rewrite)


def words(text: str, prefix: str = "") -> list[str]:
    """The whitespace-separated names of a table, each behind a prefix."""
    return [prefix + word for word in text.split()]
