"""The garbage collector at rest: trees are many small objects without cycles, all of them kept."""

from __future__ import annotations

import atexit
import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_paused() -> Iterator[None]:
    """Pause the cyclic collector while trees are built; it would traverse them again and again."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def no_collector() -> None:
    """Leave the memory of this process to its end: it compiles and is done.

    The interpreter collects once more when it ends; what is frozen then is passed over.
    """
    gc.disable()
    atexit.register(gc.freeze)
