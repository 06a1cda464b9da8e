"""Times, durations and amounts in the words of a page."""

from datetime import UTC, datetime

_UNITS = ((86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1000, "s"))
_PRECISE_BELOW = 10_000


def duration(ms: float) -> str:
    """Return a duration in its two largest units: `85 ms`, `1.24 s`, `2 min 5 s`, `3 d 4 h`."""
    if ms < 1000:
        return f"{max(round(ms), 0)} ms"
    if ms < _PRECISE_BELOW:
        return f"{ms / 1000:.2f}".rstrip("0").rstrip(".") + " s"
    left = round(ms / 1000) * 1000
    parts: list[str] = []
    for size, unit in _UNITS:
        if left >= size and len(parts) < 2:
            parts.append(f"{left // size} {unit}")
            left %= size
        elif parts:
            break
    return " ".join(parts)


def precisely(ms: int, step: int) -> str:
    """Return a duration so that those that are `step` ms apart are told apart."""
    if ms < 1000 or step >= 1000:
        return duration(ms)
    digits = 3 if step < 10 else 2 if step < 100 else 1
    minutes, rest = divmod(ms, 60_000)
    return (f"{minutes} min " if minutes else "") + f"{rest / 1000:.{digits}f} s"


def moment(at: int | None) -> str:
    """Return a time (ms since the epoch) in UTC to the millisecond, "" for none."""
    if not at:
        return ""
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3] + " UTC"


def iso(at: int | None) -> str:
    """Return a time as `<time datetime>` wants it, "" for none."""
    if not at:
        return ""
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def ago(at: int, now: int) -> str:
    """Return how long ago a time is, or in how long it will be, in one unit."""
    distance = abs(now - at)
    if distance < 5000:
        return "just now" if at <= now else "in a moment"
    size, unit = next((size, unit) for size, unit in _UNITS if distance >= size)
    amount = f"{distance // size} {unit}"
    return f"{amount} ago" if at <= now else f"in {amount}"


def counted(amount: int, one: str, many: str = "") -> str:
    """Return an amount with its noun: `1 event`, `2,000 events`."""
    return f"{amount:,} {one if amount == 1 else many or one + 's'}"


def sentence(text: str) -> str:
    """Return a text with its first letter a capital, the others as they are."""
    return text[:1].upper() + text[1:]
