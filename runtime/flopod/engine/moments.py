"""Points in time and time zones as people write them in schedules."""

import contextlib
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from flopod.durations import BadDuration, seconds
from flopod.errors import BadInput


def zone_of(name: str) -> ZoneInfo:
    """Return a time zone. Raises BadInput."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadInput(f"{name!r} is no time zone; use one like Europe/Berlin", field="zone") from None


def moment(text: str, zone: ZoneInfo, now: int) -> str:
    """Return a time as ISO text with its zone: one given so, in the zone, or a duration after `now` (ms).

    "" stays "". Raises BadInput.
    """
    if not text:
        return ""
    try:
        with contextlib.suppress(BadDuration):
            return in_zone(now + round(seconds(text) * 1000), zone, "milliseconds")
        found = datetime.fromisoformat(text)
    except (ValueError, OverflowError, OSError):
        raise BadInput(f"{text!r} is no time like 2026-05-01T12:00 and no duration like 2h") from None
    return (found if found.tzinfo is not None else found.replace(tzinfo=zone)).isoformat()


def in_zone(at: int, zone: ZoneInfo, timespec: str = "seconds") -> str:
    """Return a time in milliseconds since the epoch as ISO text in a zone."""
    return datetime.fromtimestamp(at / 1000, zone).isoformat(timespec=timespec)
