"""Notices that the author's code keeps the event loop from anything else, and says where."""

import asyncio
import sys
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import PurePath
from types import FrameType

_BEAT = 0.25


class Blocking:
    """While it is watched, `on_change` is called with the place that blocks the loop, and with "" after it.

    It is called in another thread, once the loop has not come round for `patience` seconds. `files` are those
    of the source, relative to its root, with slashes.
    """

    def __init__(self, files: Iterable[str], on_change: Callable[[str], None], patience: float = 2.0) -> None:
        self._tops = {file.partition("/")[0].removesuffix(".py") for file in files}
        self._on_change = on_change
        self._patience = patience
        self._beaten = time.monotonic()
        self._loop_thread = 0

    async def watch(self) -> None:
        """Watch the loop that this runs in, until cancelled."""
        self._loop_thread = threading.get_ident()
        ended = threading.Event()
        threading.Thread(target=self._look, args=(ended,), name="flopod blocking", daemon=True).start()
        try:
            while True:
                self._beaten = time.monotonic()
                await asyncio.sleep(_BEAT)
        finally:
            ended.set()

    def _look(self, ended: threading.Event) -> None:
        place = ""
        self._beaten = time.monotonic()
        while not ended.wait(_BEAT):
            late = time.monotonic() - self._beaten > self._patience
            found = (place or self._place()) if late else ""
            if found != place:
                place = found
                self._on_change(place)

    def _place(self) -> str:
        """Return where the author's code is, "" if it is not that which runs."""
        frame: FrameType | None = sys._current_frames().get(self._loop_thread)
        while frame is not None and not self._is_authors(frame):
            frame = frame.f_back
        if frame is None:
            return ""
        code = frame.f_code
        return f"{code.co_qualname} ({PurePath(code.co_filename).name}:{frame.f_lineno})"

    def _is_authors(self, frame: FrameType) -> bool:
        return str(frame.f_globals.get("__name__", "")).partition(".")[0] in self._tops
