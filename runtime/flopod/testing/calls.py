"""What a test can ask of the leaves that were called."""

import copy
from collections.abc import Callable, Sequence
from types import MethodType
from typing import Any

from msgspec import Struct

from flopod import codec
from flopod.errors import SerializableError
from flopod.testing.script import Names

PENDING: Any = type("Pending", (), {"__repr__": lambda _: "<has not ended>", "__slots__": ()})()


class Call(Struct):
    """One attempt of a leaf: with what it was called, at which time (ms since the epoch), and how it ended.

    `result` is PENDING for a call that has no result; `error` is what it raised. `bound` has the object of a
    bound method.
    """

    run_id: str
    path: str
    callee: str
    name: str
    attempt: int
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    at: int
    result: Any = PENDING
    error: BaseException | None = None
    bound: tuple[Any, ...] = ()

    @classmethod
    def of(
        cls,
        run_id: str,
        names: Names,
        attempt: int,
        args: Sequence[Any],
        kwargs: dict[str, Any],
        at: int,
        fn: Callable[..., Any] | None = None,
    ) -> "Call":
        """Note a call of `fn` that begins, with its arguments as they are now."""
        taken = (_kept(tuple(args)), _kept(dict(kwargs)))
        bound = _kept((fn.__self__,)) if isinstance(fn, MethodType) else ()
        return cls(run_id, names.path, names.callee, names.short, attempt, *taken, at, bound=bound)

    @property
    def shown(self) -> str:
        """What is called, and with what, as text: equal for equal calls, plain and compiled."""
        args = (*self.bound, *self.args)
        try:
            arguments = codec.encode([list(args), self.kwargs]).decode("utf-8", "surrogatepass")
        except SerializableError:
            arguments = f"{args!r} {self.kwargs!r}"
        return f"{self.callee} {arguments}"

    def goes_by(self, name: str) -> bool:
        """Whether a test that says `name` may mean this call."""
        return name in Names(self.path, self.callee, self.name).all()


def _kept(value: Any) -> Any:
    try:
        return copy.deepcopy(value)
    except Exception:
        return value


class Leaf(Struct, frozen=True):
    """All calls of the leaf at one path; what it was called with and how it ended are those of the last."""

    path: str
    calls: list[Call]

    @property
    def callee(self) -> str:
        return self.calls[-1].callee

    @property
    def args(self) -> tuple[Any, ...]:
        return self.calls[-1].args

    @property
    def kwargs(self) -> dict[str, Any]:
        return self.calls[-1].kwargs

    @property
    def attempts(self) -> int:
        return self.calls[-1].attempt

    @property
    def result(self) -> Any:
        return self.calls[-1].result

    @property
    def error(self) -> BaseException | None:
        return self.calls[-1].error
