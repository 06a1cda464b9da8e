"""What decides when and where a detached child runs."""

import contextlib
from collections.abc import Callable
from typing import Any, Protocol, TypeAlias, runtime_checkable
from weakref import WeakSet

from msgspec import Struct

from flopod.detach.handle import DetachHandle

Child: TypeAlias = Callable[..., Any]
RunChild: TypeAlias = Callable[[Child, Any], Any]
"""Runs a child with its input; what it gives may be awaited."""


class Capabilities(Struct, frozen=True):
    """What a driver can do, for who chooses one: nothing is refused by them.

    `in_process` children run on an event loop of this process, those of one that is `immediate` when the
    detach returns; others survive the end of the process, or have a processor of their own.
    """

    in_process: bool = True
    immediate: bool = False
    survives_exit: bool = False
    cpu_isolated: bool = False


@runtime_checkable
class Driver(Protocol):
    """A way to schedule. `schedule` returns at once and does not raise: what goes wrong fails the handle.

    A driver with a method `validate()` is asked by it when it is first used, and says by an error what it
    lacks.
    """

    @property
    def name(self) -> str: ...

    @property
    def capabilities(self) -> Capabilities: ...

    def schedule(self, child: Child, input: Any, ref_id: str) -> DetachHandle: ...


_validated: "WeakSet[Any]" = WeakSet()


def checked_driver(driver: object) -> Driver:
    """Return a driver that is valid. Raises TypeError for what is none, and what its `validate()` raises."""
    if isinstance(driver, type) or not callable(getattr(driver, "schedule", None)):
        raise TypeError(
            f"{driver!r} is no driver: the first argument of a detach is one, such as "
            "flopod.detach.microtask_batch_driver, or an object with schedule(child, input, ref_id)"
        )
    found: Driver = driver  # type: ignore[assignment] # what else it has is used where it is there
    if not _is_validated(found):
        validate = getattr(found, "validate", None)
        if callable(validate):
            validate()
        _note_validated(found)
    return found


def _is_validated(driver: Driver) -> bool:
    try:
        return driver in _validated
    except TypeError:
        return False


def _note_validated(driver: Driver) -> None:
    with contextlib.suppress(TypeError):  # one that can't be remembered is asked each time
        _validated.add(driver)
