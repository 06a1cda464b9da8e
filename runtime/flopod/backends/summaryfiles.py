"""The summaries of a file store: FOLDER/RUN.json, with how much of the log is in each."""

import contextlib
from pathlib import Path
from typing import TypeAlias

import msgspec

from flopod.backends import disk
from flopod.errors import StorageError
from flopod.events import RunSummary

Stamp: TypeAlias = tuple[int, int]


class StoredSummary(msgspec.Struct):
    """A summary on disk: `offset` bytes of the log are in it."""

    offset: int
    summary: RunSummary


class SummaryFiles:
    """A summary can always be made again, so that trouble with one must not stop a run."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def stamp(self, run_id: str) -> Stamp | None:
        """Return what changes when the summary is stored anew."""
        try:
            status = self._file(run_id).stat()
        except OSError:
            return None
        return status.st_ino, status.st_mtime_ns

    def read(self, run_id: str) -> StoredSummary | None:
        """Return the summary of a run, None if there is none that can be gone on from."""
        try:
            stored = _decode(self._file(run_id).read_bytes())
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            return None
        return stored if stored.summary.is_current and stored.summary.run_id == run_id else None

    def write(self, run_id: str, stored: StoredSummary) -> bool:
        """Store a summary; returns whether that went well."""
        with contextlib.suppress(OSError, StorageError):
            disk.make_folder(self._folder)
            disk.replace(self._file(run_id), msgspec.json.encode(stored))
            return True
        return False

    def remove(self, run_id: str) -> None:
        """Remove the summary of a run, if there is one. Raises StorageError."""
        with disk.errors(self._file(run_id)):
            self._file(run_id).unlink(missing_ok=True)

    def _file(self, run_id: str) -> Path:
        return self._folder / f"{run_id}.json"


_decode = msgspec.json.Decoder(StoredSummary).decode
