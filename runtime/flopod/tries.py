"""The arguments of a leaf that is tried again in process: a fresh copy for each try, as in a compiled run.

What the last try did to its copy is done to the caller's objects, in place. Arguments that are no data,
and the object that a method is called on, are handed over as they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Raw

from flopod.errors import SerializableError
from flopod.retry import Retry

if TYPE_CHECKING:
    from flopod.workflow.arguments import Arguments


class Try:
    """One try of a call: the arguments to call with, and the outcome as the caller gets it."""

    def __init__(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.args = args
        self.kwargs = kwargs

    def returned(self, value: Any) -> Any:
        """Return the result of the call."""
        return value

    def raised(self, error: BaseException) -> None:
        """Settle the error that ends the call."""


class Tries:
    """The tries of one call; the first `kept` of its arguments are never copied."""

    def __init__(
        self, name: str, retry: Retry | None, args: tuple[Any, ...], kwargs: dict[str, Any], kept: int = 0
    ) -> None:
        self._plain = Try(args, kwargs)
        self._kept = args[:kept]
        again = retry is not None and retry.max_attempts != 1
        self._original = _original(name, args[kept:], kwargs) if again else None

    def next(self) -> Try:
        """Return the arguments for another try."""
        return self._plain if self._original is None else _Copied(self._original, self._kept)


class _Copied(Try):
    def __init__(self, original: Arguments, kept: tuple[Any, ...]) -> None:
        self._original = original
        self._call = original.copy()
        super().__init__((*kept, *self._call.args), self._call.kwargs)

    def returned(self, value: Any) -> Any:
        from flopod.workflow.arguments import Raised

        outcome = self._call.returned(value)
        if not isinstance(outcome, Raised):
            return self._settled(outcome.result, outcome.state, value)
        changed = self._call.returned(None)
        if isinstance(changed, Raised):
            raise changed.exception
        self._settled(changed.result, changed.state, None)
        return value

    def raised(self, error: BaseException) -> None:
        outcome = self._call.raised(error)
        if outcome.exception is not error:
            raise outcome.exception from error
        found = self._settled(outcome.error, outcome.state, error)
        if found is not error:
            error.args = found.args
            vars(error).update(vars(found))

    def _settled(self, document: Raw, state: Raw | None, live: Any) -> Any:
        """Do to the caller's arguments what was done to the copy, and return `live` as it refers to them."""
        from flopod.workflow.arguments import read_outcome

        if state is None and b'"known"' not in bytes(document):
            return live
        conflict = self._original.conflict(state)
        if conflict is not None:
            raise conflict.exception
        return read_outcome(document, state, self._original.known)


def _original(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Arguments | None:
    """The arguments to copy; None when nothing in them can change or be copied."""
    from flopod.workflow.arguments import Arguments

    try:
        found = Arguments(name, args, kwargs)
        return found if found.known() is not None else None
    except SerializableError:
        return None
