"""Why a run comes to rest: it was told to, or the process died again and again while a leaf was under way."""

from collections.abc import Sequence

from flopod.events import RunPaused
from flopod.log.attempts import Attempts
from flopod.workflow.activity import Activity


class Pausing:
    """The rest of a run: `wanted` is the reason of a pause that is to come, `reason` that of one there is.

    A leaf that was under way at `max_crashes` crashes in a row is not started again; `crashed` says that the
    process before was killed, which the log does not say yet.
    """

    def __init__(self, attempts: Attempts, max_crashes: int, crashed: bool) -> None:
        self.wanted: str | None = None
        self.reason: str | None = None
        self._attempts = attempts
        self._max_crashes = max_crashes
        self._crashed = crashed

    def obey(self, now: int) -> RunPaused:
        """Rest as it is wanted, and return the event of that."""
        self.reason = self.wanted or ""
        return RunPaused(at=now, reason=self.reason)

    def refuse(self, starting: Sequence[Activity], now: int) -> RunPaused | None:
        """Rest if one of the leaves to be started is not to be, and return the event of that."""
        poisoned = next((one for one in starting if self._is_poisoned(one.path)), None)
        if poisoned is None:
            return None
        crashes = self._attempts.crashes(poisoned.path, self._crashed)
        self.reason = (
            f"{poisoned.path} ({poisoned.describe()}) was running at {crashes} crashes in a row; "
            "it is not started again until the run is resumed on purpose"
        )
        return RunPaused(path=poisoned.path, at=now, reason=self.reason)

    def _is_poisoned(self, path: str) -> bool:
        return self._attempts.are_poisoned(path, self._max_crashes, self._crashed)
