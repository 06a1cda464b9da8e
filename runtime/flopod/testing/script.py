"""What leaves give in a test, as its author writes it: a value, an error, a function, one after the other.

A script is a mapping of names to that. What was dealt to an attempt once is dealt to it again after a crash.
"""

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import EllipsisType
from typing import Any, TypeAlias

from msgspec import Struct

from flopod.durations import Duration, seconds
from flopod.log.lineage import pattern_of
from flopod.testing.errors import TestFailure, near

NEVER = float("inf")


class Outcome(Struct, frozen=True):
    """What becomes of one call, `after` so many seconds: `value`, `error`, or what `function` gives or raises.

    With none of these, what is called runs for real.
    """

    value: Any = None
    error: BaseException | None = None
    function: Callable[..., Any] | None = None
    after: float = 0.0
    real: bool = False


Script: TypeAlias = Mapping[str, Any]


def returns(value: Any) -> Outcome:
    """Say that a leaf returns a value; needed only for a list, a function or an exception."""
    return Outcome(value=value)


def raises(error: BaseException | type[BaseException]) -> Outcome:
    """Say that a leaf raises an error; an exception by itself says the same."""
    return Outcome(error=error() if isinstance(error, type) else error)


def takes(duration: Duration, outcome: Any = None) -> Outcome:
    """Say that a leaf needs so long, by the virtual clock, for its outcome: `takes("2h", "ok")`."""
    of = outcome_of(outcome)
    return Outcome(of.value, of.error, of.function, of.after + seconds(duration), of.real)


never = Outcome(after=NEVER)
"""A leaf that never returns."""

real = Outcome(real=True)
"""A leaf that runs for real, once among scripted outcomes, or after a while: `takes("1h", real)`."""


def outcome_of(given: Any) -> Outcome:
    """Return what one entry of a script says."""
    if isinstance(given, Outcome):
        return given
    if isinstance(given, BaseException) or (isinstance(given, type) and issubclass(given, BaseException)):
        return raises(given)
    if callable(given) and not isinstance(given, type):
        return Outcome(function=given)
    return Outcome(value=given)


class Line:
    """One entry of a script: the name it is for, and the outcomes in their order.

    A list is one outcome a call; `...` at its end repeats the last one. Anything else is for every call.
    """

    def __init__(self, name: str, given: Any) -> None:
        self.name = name
        outcomes = given if isinstance(given, list) else [given, ...]
        self._repeats = bool(outcomes) and isinstance(outcomes[-1], EllipsisType)
        self._outcomes = [outcome_of(one) for one in outcomes if not isinstance(one, EllipsisType)]
        self._dealt = 0
        self._check(outcomes)

    def _check(self, outcomes: Sequence[Any]) -> None:
        dots = sum(isinstance(one, EllipsisType) for one in outcomes)
        if not self._outcomes:
            raise TestFailure(
                f"the script of {self.name!r} is an empty list, which is no outcome; for a leaf that returns "
                "one write returns([])"
            )
        if dots > self._repeats:
            raise TestFailure(
                f"the script of {self.name!r} has ... before its end; it repeats the last outcome"
            )

    def deal(self) -> Outcome:
        """Return the outcome of the next call. Raises TestFailure if there is none."""
        count = len(self._outcomes)
        if self._dealt < count:
            self._dealt += 1
            return self._outcomes[self._dealt - 1]
        if self._repeats:
            return self._outcomes[-1]
        plural = "outcome" if count == 1 else "outcomes"
        raise TestFailure(
            f"{self.name!r} is called once more than its script says: that has {count} {plural}; "
            "add one, or ... at its end to repeat the last"
        )


class Names(Struct, frozen=True):
    """What a leaf can go by in a script, the most precise first."""

    path: str
    callee: str
    op: str = ""

    def all(self) -> list[str]:
        """Return them, without those that are the same."""
        module, _, qualname = self.callee.partition(":")
        given = [
            self.path,
            pattern_of(self.path) if self.path else "",
            self.callee,
            f"{module}.{qualname}",
            self.op or op_of(self.path),
            qualname,
            qualname.rpartition(".")[2],
        ]
        return [name for name in dict.fromkeys(given) if name]


def op_of(path: str) -> str:
    """Return the name of a leaf in its path: `lines[2]/price_line#second` is a `price_line`."""
    return path.rpartition("/")[2].partition("#")[0].partition("[")[0]


class Dealer:
    """Deals the outcomes of a script to calls, each attempt its own."""

    def __init__(self, script: Script | None, *, strict: bool = False, what: str = "leaf") -> None:
        self.strict = strict
        self._lines = {name: Line(name, given) for name, given in (script or {}).items()}
        self._dealt: dict[tuple[str, int], Outcome] = {}
        self._what = what

    @property
    def names(self) -> list[str]:
        return list(self._lines)

    def deal(self, names: Names, attempt: int = 1) -> Outcome | None:
        """Return the outcome of an attempt, None if the script says nothing of it. Raises TestFailure."""
        known = self._dealt.get((names.path, attempt)) if names.path else None
        if known is not None:
            return known
        line = next((self._lines[name] for name in names.all() if name in self._lines), None)
        if line is None:
            self._refuse(names)
            return None
        outcome = line.deal()
        if names.path:
            self._dealt[names.path, attempt] = outcome
        return outcome

    def _refuse(self, names: Names) -> None:
        if not self.strict:
            return
        leaf = names.all()[-1]
        place = f" at {names.path!r}" if names.path else ""
        raise TestFailure(
            f"the leaf {names.callee}{place} is not in the script, and would run for real (strict=True); "
            f"write leaves={{{leaf!r}: ...}}" + (near(leaf, self._lines) if self._lines else "")
        )

    def check(self, known: Iterable[Names]) -> None:
        """Check that each name is that of a leaf which there is. Raises TestFailure with near misses."""
        names = [names.all() for names in known]
        every = {name for each in names for name in each}
        for name in self._lines:
            if name not in every and pattern_of(name) not in every:
                shown = [short for each in names for short in (each[-1], *each[:1])]
                raise TestFailure(
                    f"the script names the {self._what} {name!r}, which there is not" + near(name, shown)
                )


def call(function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """Call what a script has in the place of a leaf; one that takes no argument is called without any."""
    if (args or kwargs) and _takes_nothing(function):
        return function()
    return function(*args, **kwargs)


def _takes_nothing(function: Callable[..., Any]) -> bool:
    try:
        return not inspect.signature(function).parameters
    except (TypeError, ValueError):
        return False
