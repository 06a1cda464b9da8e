"""Asks a hook whether a leaf may be called, as long as the answer matters."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

_LOOK = 0.25


async def ask_while(
    matters: Callable[[], bool],
    hook: Coroutine[Any, Any, None],
    woken: asyncio.Event,
    look: Callable[[], object],
) -> None:
    """Wait for `hook`, until it does not matter any more: then it is cancelled. Raises what it raises.

    `look` is called whenever `woken` is set, and now and then; the event stays set for who waits for it too.
    """
    asking = asyncio.ensure_future(hook)
    try:
        await asyncio.sleep(0)
        while matters() and not asking.done():
            woken.clear()
            await _first(asking, woken)
            woken.set()
            look()
        if asking.done():
            await asking
    finally:
        asking.cancel()


async def _first(asking: asyncio.Future[None], woken: asyncio.Event) -> None:
    heard = asyncio.ensure_future(woken.wait())
    await asyncio.wait((asking, heard), timeout=_LOOK, return_when=asyncio.FIRST_COMPLETED)
    heard.cancel()


async def never_called(*_args: Any, **_kwargs: Any) -> None:
    """Stand for a leaf of a run that was cancelled before the leaf was called."""
    await asyncio.Future()
