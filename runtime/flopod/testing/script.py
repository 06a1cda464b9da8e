"""What leaves give in a test, as its author writes it: a value, an error, a function, one after the other.

A script is a mapping of names to that. What was dealt to an attempt once is dealt to it again after a crash.
"""

import copy
import inspect
from collections.abc import Callable, Container, Mapping, Sequence
from types import EllipsisType
from typing import Any, TypeAlias

from msgspec import Struct

from flopod.durations import Duration, seconds
from flopod.engine.waits import matches
from flopod.log.lineage import pattern_of
from flopod.testing.errors import TestFailure, near

NEVER = float("inf")


class Outcome(Struct, frozen=True):
    """What becomes of one call, `after` so many seconds: `value`, `error`, or what `function` gives.

    With none of these, what is called runs for real.
    """

    value: Any = None
    error: BaseException | None = None
    function: Callable[..., Any] | None = None
    after: float = 0.0
    real: bool = False

    async def give(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Return or raise what this is, for a call with these arguments."""
        value = self.give_now(*args, **kwargs)
        return await value if self.function is not None and inspect.isawaitable(value) else value

    def give_now(self, *args: Any, **kwargs: Any) -> Any:
        """Return or raise what this is, where nothing can be awaited."""
        if self.error is not None:
            raise self.error.with_traceback(None)
        if self.function is not None:
            return _call(self.function, args, kwargs)
        return _fresh(self.value)


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

    @property
    def is_over(self) -> bool:
        """Whether all outcomes are dealt, and the last is not repeated."""
        return self._dealt == len(self._outcomes) and not self._repeats

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
    """What a leaf or an event can go by in a script; `callee` is `module:qualname`, or the event."""

    path: str
    callee: str
    op: str = ""

    def all(self) -> list[str]:
        """Return them, the most precise first."""
        module, colon, qualname = self.callee.partition(":")
        given = [self.path, pattern_of(self.path), self.callee]
        if colon:
            given += [f"{module}.{qualname}", qualname, qualname.rpartition(".")[2]]
        given.append(self.op or op_of(self.path))
        return [name for name in dict.fromkeys(given) if name]

    def matches(self, name: str) -> bool:
        """Whether `name` is one of them, or a path that this is the pattern of."""
        return name in self.all() or (bool(self.path) and matches(self.path, name))

    @property
    def short(self) -> str:
        """What one calls it in a script."""
        return self.op or op_of(self.path) or self.all()[-1]


def op_of(path: str) -> str:
    """Return the name of a leaf in its path: `lines[2]/price_line#second` is a `price_line`."""
    return path.rpartition("/")[2].partition("#")[0].partition("[")[0]


class Dealer:
    """Deals the outcomes of a script to calls, each attempt its own.

    A call that is not in a `strict` script is an error. A script that `ends` says nothing more at its end,
    where one more call of another is an error.
    """

    def __init__(self, script: Script | None, *, strict: bool = False, ends: bool = False) -> None:
        self.strict = strict
        self._ends = ends
        self._lines = {name: Line(name, given) for name, given in (script or {}).items()}
        self._dealt: dict[tuple[str, str, int], Outcome] = {}

    def fork(self) -> "Dealer":
        """Return a dealer that has dealt the same, and goes on by itself."""
        other = Dealer(None, strict=self.strict, ends=self._ends)
        other._lines = {name: copy.copy(line) for name, line in self._lines.items()}
        other._dealt = dict(self._dealt)
        return other

    def forget(self, run_id: str, kept: Container[str]) -> None:
        """Deal anew to a run, but for the paths `kept`."""
        self._dealt = {key: one for key, one in self._dealt.items() if key[0] != run_id or key[1] in kept}

    @property
    def names(self) -> list[str]:
        return list(self._lines)

    def deal(
        self, names: Names, run_id: str = "", attempt: int = 1, *, optional: bool = False
    ) -> Outcome | None:
        """Return the outcome of an attempt, None if the script says nothing of it. Raises TestFailure.

        What is `optional` need not be in a strict script. Without a run id each call is another one.
        """
        key = (run_id, names.path, attempt)
        if run_id and key in self._dealt:
            return self._dealt[key]
        line = next((self._lines[name] for name in names.all() if name in self._lines), None)
        if line is None:
            if self.strict and not optional:
                self._refuse(names)
            return None
        if self._ends and line.is_over:
            return None
        outcome = self._dealt[key] = line.deal()
        return outcome

    def _refuse(self, names: Names) -> None:
        leaf = names.short
        place = f" at {names.path!r}" if names.path else ""
        raise TestFailure(
            f"the leaf {names.callee}{place} is not in the script, and would run for real (strict=True); "
            f"write leaves={{{leaf!r}: ...}}" + (near(leaf, self._lines) if self._lines else "")
        )


def _fresh(value: Any) -> Any:
    """A copy, so that what a workflow does to it is not done to the script."""
    try:
        return copy.deepcopy(value)
    except Exception:
        return value


def _call(function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """Call what stands in the place of a leaf; a function without parameters is called without arguments."""
    if (args or kwargs) and _takes_nothing(function):
        return function()
    return function(*args, **kwargs)


def _takes_nothing(function: Callable[..., Any]) -> bool:
    try:
        return not inspect.signature(function).parameters
    except (TypeError, ValueError):
        return False
