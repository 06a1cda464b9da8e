"""Takes over into a run what was delivered to it."""

import time

from flopod.backends.base import Backend
from flopod.backends.hidden import check_shown
from flopod.engine.clock import Clock
from flopod.workflow.core import Core


class InboxReader:
    """Looks at the inbox of a run, cheaply if nothing has come. What `is_stale` is looked at in any case."""

    def __init__(self, core: Core, backend: Backend, clock: Clock) -> None:
        self.is_stale = True
        self._core = core
        self._backend = backend
        self._clock = clock
        self._token: object = None
        self._looked_at = 0.0

    def take_at_times(self, ms: int) -> None:
        """Take over what has come, if the last look by this is `ms` milliseconds ago or it is stale."""
        if self.is_stale or time.monotonic() - self._looked_at >= ms / 1000:
            self.looked()
            self.take()

    def looked(self) -> None:
        """Note that what has come is known."""
        self.is_stale = False
        self._looked_at = time.monotonic()

    def take(self) -> bool:
        """Take over what was delivered since the last look; returns whether there was something."""
        core = self._core
        token = self._backend.inbox_token(core.run_id)
        if token == self._token:
            return False
        self._token = token
        items = self._backend.inbox(core.run_id, core.history.last_inbox)
        for item in items:
            check_shown(core.run_id, item.payload)
            core.receive(item.n, item.path, item.event, item.payload, self._clock.now())
        return bool(items)
