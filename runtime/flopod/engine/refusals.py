"""Runs that could not be taken up, because another process has them or a hook did not want them now."""

import asyncio
from collections.abc import Callable


class Refusals:
    """Calls `again(run_id)` some seconds after a run was refused, once however often it was meanwhile.

    Where a commit of a killed process may have come late, it does so at once: that happens once a run.
    """

    def __init__(self, seconds: float, again: Callable[[str], None]) -> None:
        self._seconds = seconds
        self._again = again
        self._refused: set[str] = set()
        self._were_late: set[str] = set()

    def note(self, run_id: str, *, may_be_late: bool) -> None:
        """Take a run that was refused."""
        if run_id in self._refused:
            return
        self._refused.add(run_id)
        is_late = may_be_late and run_id not in self._were_late
        if is_late:
            self._were_late.add(run_id)
        asyncio.get_running_loop().call_later(0 if is_late else self._seconds, self._try_again, run_id)

    def over(self, run_id: str) -> None:
        """The run was taken up."""
        self._were_late.discard(run_id)

    def _try_again(self, run_id: str) -> None:
        self._refused.discard(run_id)
        self._again(run_id)
