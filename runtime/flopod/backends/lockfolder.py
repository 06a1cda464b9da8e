"""The locks of the runs of a store on one machine: a folder with a file for each run that is or was held."""

import os
from collections.abc import Callable
from pathlib import Path

from flopod.backends import disk
from flopod.backends.lock import Claim, FileHold, Hold
from flopod.events import RunSummary, Status

_GOING_ON = ("pending", "running", "waiting")


class LockFolder:
    """Makes holds of runs, and the folder with the first one. `forget(run_id)` is called after each."""

    def __init__(self, folder: Path, forget: Callable[[str], None]) -> None:
        self._folder = folder
        self._forget = forget

    def hold(self, run_id: str) -> Hold:
        """Take a run for this process, which holds few. Raises RunHeld, StorageError."""
        file = self._folder / run_id
        with disk.errors(file):
            return FileHold(run_id, file, lambda: self._forget(run_id))

    def claim(self, run_id: str, fresh: bool) -> Hold:
        """Take a run for an engine, which holds many. Raises RunHeld, StorageError."""
        try:
            return Claim(run_id, self._folder, self._forget, fresh)
        except OSError as error:
            raise disk.storage_error(error, self._folder / run_id) from error

    def note(self, run_id: str, status: Status) -> None:
        """Note the status of a run with its lock, because the store itself cannot be written any more."""
        hold = FileHold.here(self._folder / run_id)
        if hold is not None and status == "storage_error":
            hold.trouble()

    def in_trouble(self, run_id: str, summary: RunSummary | None) -> RunSummary | None:
        """Return `summary`, changed if the run was left because its store could not even note that."""
        if summary is None or summary.status not in _GOING_ON:
            return summary
        # Nearly always there is none, and to find that out must cost little.
        file = f"{self._folder}/{run_id}"
        if os.path.exists(file) and FileHold.ended_in_trouble(Path(file)):  # noqa: PTH110
            summary.status = "storage_error"
            summary.error = "its store could not be written when it was left; it resumes when it can be"
        return summary
