"""The locks of the runs of a store on one machine: a folder with a file for each run that is or was held."""

from collections.abc import Callable, Sequence
from pathlib import Path

from flopod.backends import disk
from flopod.backends.lock import Claim, FileHold, Hold
from flopod.events import RunSummary, Status

_GOING_ON = ("pending", "running", "waiting")
_MANY = 200


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
        if summary is not None and summary.status in _GOING_ON:
            self._look(run_id, summary)
        return summary

    def note_trouble(self, runs: Sequence[RunSummary]) -> None:
        """Change those of many summaries that `in_trouble` would."""
        there = self._names() if len(runs) > _MANY else None
        for run in runs:
            if run.status in _GOING_ON and (there is None or run.run_id in there):
                self._look(run.run_id, run)

    def _look(self, run_id: str, summary: RunSummary) -> None:
        if FileHold.ended_in_trouble(self._folder / run_id):
            summary.status = "storage_error"
            summary.error = "its store could not be written when it was left; it resumes when it can be"

    def _names(self) -> set[str]:
        """The runs with a file here: nearly none of those that an engine has."""
        try:
            return {file.name for file in self._folder.iterdir()}
        except OSError:
            return set()
