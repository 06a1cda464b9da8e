"""The two calls: the driver is checked, the id is made, the handle is known until it ends."""

import itertools
from typing import Any

from flopod.detach.driver import Child, Driver, checked_driver
from flopod.detach.handle import DetachHandle, checked, create_handle, mark_failed
from flopod.detach.register import registry

EXECUTOR = "__executor__"
_numbers = itertools.count(1)


def detach_and_join_later(driver: Driver, child: Child, input: Any = None, /) -> DetachHandle:
    """Start `child(input)` beside the caller, who goes on at once, and return its handle.

    `driver` says when and where it runs. A child that fails fails its handle, and nothing else. Raises
    TypeError for what is no driver, and what its `validate()` raises when it is first used.
    """
    return spawn(driver, child, input, f"{EXECUTOR}:detach:{next(_numbers)}")


def detach_and_forget(driver: Driver, child: Child, input: Any = None, /) -> None:
    """Start `child(input)` as `detach_and_join_later` does, where nobody wants to know how it ends."""
    detach_and_join_later(driver, child, input)


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
