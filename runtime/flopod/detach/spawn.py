"""The two calls: the driver is checked, the id is made, the handle is known until it ends."""

import itertools
from collections.abc import Callable
from typing import Any

from flopod.detach.driver import Child, Driver, checked_driver
from flopod.detach.handle import DetachHandle, checked, create_handle, mark_failed
from flopod.detach.register import registry

EXECUTOR = "__executor__"
_numbers = itertools.count(1)


def detach_and_join_later(
    driver: Driver,
    child: Child,
    input: Any = None,
    /,
    *,
    input_mapper: Callable[[Any], Any] | None = None,
    label: str | None = None,  # noqa: ARG001
    description: str | None = None,  # noqa: ARG001
    on_handle: Callable[[DetachHandle], object] | None = None,
) -> DetachHandle:
    """Start `child(input)` beside the caller, who goes on at once, and return its handle.

    `driver` says when and where it runs. The child gets what `input_mapper(input)` gives, if there is one,
    and `on_handle` gets the handle: both are called here and now, and raise here. `label` and `description`
    are for the graph of a compiled workflow. A child that fails fails its handle, and nothing else. Raises
    TypeError for what is no driver, and what its `validate()` raises when it is first used.
    """
    given = input if input_mapper is None else input_mapper(input)
    handle = spawn(driver, child, given, next_id())
    if on_handle is not None:
        on_handle(handle)
    return handle


def detach_and_forget(
    driver: Driver,
    child: Child,
    input: Any = None,
    /,
    *,
    input_mapper: Callable[[Any], Any] | None = None,
    label: str | None = None,
    description: str | None = None,
) -> None:
    """Start `child(input)` as `detach_and_join_later` does, where nobody wants to know how it ends."""
    detach_and_join_later(
        driver, child, input, input_mapper=input_mapper, label=label, description=description
    )


def next_id() -> str:
    """Return the id of a detach outside of runs."""
    return f"{EXECUTOR}:detach:{next(_numbers)}"


def spawn(driver: Driver, child: Child, input: Any, ref_id: str, run_id: str = "") -> DetachHandle:
    """Let a driver take a child under an id, and register its handle. Raises TypeError, as a detach does."""
    found = checked_driver(driver)
    try:
        handle = found.schedule(child, input, ref_id)
    except Exception as error:
        handle = create_handle(ref_id)
        mark_failed(handle, error)
    registry.register(checked(handle), run_id)
    return handle
