"""When the log of a run is compacted: FLOPOD_COMPACT, which `off` turns off."""

import os

from flopod.errors import BadInput

_LEAST = 128


def compact_from() -> int | None:
    """Return how many records are dropped at once at the least, None if none are. Raises BadInput.

    FLOPOD_COMPACT says it: `on`, `off` or a number.
    """
    text = os.environ.get("FLOPOD_COMPACT", "").strip().lower()
    if text in ("", "on"):
        return _LEAST
    if text == "off":
        return None
    if not text.isdecimal() or int(text) < 1:
        raise BadInput(
            f"FLOPOD_COMPACT is {text!r}; use on, off or a number from 1 on", field="FLOPOD_COMPACT"
        )
    return int(text)
