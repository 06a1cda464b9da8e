"""Asks a hook whether a leaf may be called, as long as the answer matters."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

_LOOK = 0.25


async def ask_while(matters: Callable[[], bool], hook: Awaitable[None], look: Callable[[], object]) -> None:
    """Wait for `hook`, until it does not matter any more: then it is cancelled. Raises what it raises.

    As long as it takes, `look` is called now and then, which may find out that it does not matter.
    """
    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    assert task is not None
    ticking: asyncio.TimerHandle | None = None
    given_up = False

    def tick() -> None:
        nonlocal ticking, given_up
        look()
        given_up = not matters()
        if given_up:
            task.cancel()
        else:
            ticking = loop.call_later(_LOOK, tick)

    ticking = loop.call_later(_LOOK, tick)
    try:
        await hook
    except asyncio.CancelledError:
        if not given_up or task.uncancel() > 0:
            raise
    finally:
        if ticking is not None:
            ticking.cancel()


async def never_called(*_args: Any, **_kwargs: Any) -> None:
    """Stand for a leaf of a run that was cancelled before the leaf was called."""
    await asyncio.Future()
