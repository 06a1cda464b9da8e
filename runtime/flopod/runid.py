"""Run ids: the one place that says which texts may name a run, and so a file."""

import re
import threading
import time

from flopod.errors import InvalidRunId

DEFAULT_RUN_ID = "main-run"
MAX_LENGTH = 128

_SHAPE = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,127}", re.ASCII)

# When this process made its last id, and the number that tells it from others of that millisecond.
_last = [(0, 0)]
_guard = threading.Lock()


def check_run_id(text: str) -> str:
    """Return `text` if it is a run id.

    Raises InvalidRunId, which says what is wrong with it. A run id is safe as a file name.
    """
    if isinstance(text, str) and is_run_id(text):
        return text
    raise InvalidRunId(text, _complaint(text))


def is_run_id(text: str) -> bool:
    """Whether a text may name a run."""
    return _SHAPE.fullmatch(text) is not None


def new_run_id() -> str:
    """Return an id that no other run has; those of later runs sort after those of earlier ones."""
    import secrets  # brings hashes with it, which a bundle starts without

    with _guard:
        now, (last, number) = time.time_ns() // 1_000_000, _last[0]
        number = number + 1 + secrets.randbits(16) if now == last else secrets.randbits(47)
        _last[0] = now, number
    return f"{now:012x}-{number:012x}"


def _complaint(text: object) -> str:
    if not isinstance(text, str):
        return f"it is of type {type(text).__name__}, not a text"
    if not text:
        return "it is empty"
    if text.startswith("."):
        return "it begins with a dot"
    if len(text) > MAX_LENGTH:
        return f"it has {len(text)} characters"
    wrong = next(char for char in text if not _SHAPE.fullmatch("x" + char))
    return f"it contains {wrong!r}"
