"""The event loop that detached children run on: the caller's, or one of this process for who has none."""

import asyncio
import os
import threading

_lock = threading.Lock()
_own: "tuple[int, asyncio.AbstractEventLoop] | None" = None


def home() -> asyncio.AbstractEventLoop:
    """Return the event loop that runs here, else one in a thread of this process's own."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return _of_process()


def _of_process() -> asyncio.AbstractEventLoop:
    global _own
    with _lock:
        if _own is None or _own[0] != os.getpid():
            loop = asyncio.new_event_loop()
            threading.Thread(target=loop.run_forever, name="flopod detach", daemon=True).start()
            _own = os.getpid(), loop
        return _own[1]
