"""The guard of a server: looks at each request before any route does, and at each response after."""

from flopod.server.guard.guard import App, Guard
from flopod.server.guard.observing import observed
from flopod.server.settings import Settings

__all__ = ["guarded"]


def guarded(app: App, settings: Settings) -> App:
    """Return `app` behind the guard: what comes through is for this server, allowed and of a fair size.

    All requests are logged and counted, those also that are refused.
    """
    return observed(Guard(app, settings))
