"""What tests of beacons have in common: a policy without patience, and looks into an outbox."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flopod import Retry
from flopod.detach import poster

QUICK = Retry(max_attempts=None, delay="50ms", max_delay="100ms")


def never(_input: Any) -> None:
    raise AssertionError("a beacon runs no child")


def until(condition: Callable[[], object], why: str, timeout: float = 12) -> None:
    end = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < end, why
        time.sleep(0.01)


def helper_of(folder: Path) -> int | None:
    """The helper at work, as the lock's file has it; None if none has the lock."""
    if not folder.exists():
        return None
    fd = poster.lock(folder)
    if fd is not None:
        poster.unlock(fd)
        return None
    text = (folder / poster.LOCK).read_text().strip()
    return int(text) if text else None


def is_empty(folder: Path) -> bool:
    return not poster.names(folder)
