"""How often Python looks for garbage in a process that drives many runs.

Each run under way is a hundred young objects that know each other, and are let go of when it is over: they
are looked through again and again, and nothing is found.
"""

import contextlib
import gc
import threading
from collections.abc import Iterator

_YOUNG = 20_000

_lock = threading.Lock()
_open = 0
_before = 0


@contextlib.contextmanager
def sought_seldom() -> Iterator[None]:
    """Look less often, until the last of these blocks ends. One who looks seldom or never is left alone."""
    _change(+1)
    try:
        yield
    finally:
        _change(-1)


def _change(by: int) -> None:
    global _open, _before
    with _lock:
        now, *older = gc.get_threshold()
        if _open == 0:
            _before = now
        _open += by
        if by > 0 and 0 < now < _YOUNG:
            gc.set_threshold(_YOUNG, *older)
        elif _open == 0 and now == _YOUNG:
            gc.set_threshold(_before, *older)
