"""What `work`, `for_each` and `tap` are called with: what of it counts, and what a block gets."""

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

from flopod.options import options_of

NOTHING: Any = object()
"""What `given` returns where nothing is to be done."""


def given(call: str, block: Any, value: Any, connector: Any, when: Any) -> Any:
    """Return what a block gets, as the main line finds out: NOTHING if `when` says so.

    Raises TypeError for what the call cannot use, and what `when` and `connector` raise.
    """
    if not _is_wanted(call, block, value, connector, when):
        return NOTHING
    return value if connector is None else _connected(call, connector, value)


def _is_wanted(call: str, block: Any, value: Any, connector: Any, when: Any) -> bool:
    """Whether a call is to do anything: what `when` says. Raises TypeError as `given` does."""
    if not callable(block):
        raise TypeError(f"{call}() needs a function that does the work, not {block!r}: {call}(send, value)")
    if connector is not None and not callable(connector):
        raise TypeError(f"the connector of {call}() is a function of the value, not {connector!r}")
    return bool(_plain(call, "when", when(value)) if callable(when) else when)


def _connected(call: str, connector: Callable[[Any], Any], value: Any) -> Any:
    """Return what a connector makes of a value, in the main line."""
    return _plain(call, "connector", connector(value))


def all_given(call: str, block: Any, values: Any, connector: Any, when: Any, concurrency: int) -> list[Any]:
    """Return what a block gets for each of many values; nothing if `when` says so, which sees them all."""
    if concurrency < 1:
        raise ValueError(f"{call}(concurrency={concurrency}): it must be 1 or more")
    if iter(values) is values:
        raise TypeError(f"{call}() hands on the values that it got: give it a list, not an iterator")
    if not _is_wanted(call, block, values, connector, when):
        return []
    return list(values) if connector is None else [_connected(call, connector, one) for one in values]


def _plain(call: str, what: str, found: Any) -> Any:
    """Refuse a coroutine: what is done in the main line by a call without `await` is a plain function."""
    if inspect.isawaitable(found):
        if inspect.iscoroutine(found):
            found.close()
        raise TypeError(f"`{what}` of {call}() is a plain function; await what it needs before {call}()")
    return found


def name_of(block: Any, name: str | None) -> str:
    """Return what a task goes by: its name, else that of its block."""
    while isinstance(block, partial):
        block = block.func
    return name or options_of(block).call_name


def told_failure(name: str, error: Exception) -> str:
    """Return what is logged of a task that failed."""
    return f"work {name!r} failed: {type(error).__name__}: {error}"
