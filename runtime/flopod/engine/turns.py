"""Takes turn after turn: while the store is away it is asked again, and any other error is told of."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import NoReturn

from flopod.errors import StorageError

_PAUSE = 1.0
_LOGGER = logging.getLogger("flopod")


async def take_turns(turn: Callable[[], Awaitable[None]]) -> NoReturn:
    """Await `turn()` again and again. A turn that raises StorageError is taken again after a second."""
    is_away = False
    while True:
        try:
            await turn()
            is_away = False
        except StorageError as error:
            if not is_away:
                _LOGGER.warning("the engine waits for its store: %s", error)
            is_away = True
            await asyncio.sleep(_PAUSE)
        except Exception:
            _LOGGER.exception("the engine cannot go on")
            raise
