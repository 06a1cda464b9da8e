"""What an event or a call says, in the words of the two sides of a divergence."""

from msgspec import Raw

from flopod.events import ActivityStarted, Event, SleepStarted, WaitStarted


def describe_event(event: Event) -> str:
    """Return what a recorded event says, for the two sides of a divergence."""
    if isinstance(event, ActivityStarted):
        return describe_call(event.callee, event.fingerprint, event.args)
    if isinstance(event, SleepStarted):
        return "a sleep"
    if isinstance(event, WaitStarted):
        return f"a wait for {event.event!r}"
    facts = [
        f"{name}={_short(getattr(event, name))}"
        for name in event.__struct_fields__
        if name not in ("path", "at")
    ]
    return f"{type(event).__name__}({', '.join(facts)})"


def _short(value: object) -> str:
    text = bytes(value).decode() if isinstance(value, Raw) else repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def describe_call(callee: str, fingerprint: str, args: Raw | None) -> str:
    """Return which call of a leaf this is."""
    shown = "" if args is None else f" with {_short(args)}"
    return f"a call of {callee}{shown} (arguments {fingerprint})"
