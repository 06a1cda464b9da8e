"""What is kept beside the runs, as files: FOLDER/KIND/NAME."""

from pathlib import Path

from flopod.backends import disk
from flopod.runid import check_run_id, is_run_id


class DocumentFiles:
    """Documents of several kinds, each with a name in the form of a run id."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, kind: str, name: str, document: bytes) -> None:
        """Keep a document, durably, in the place of one with that name."""
        folder = self._folder / kind
        with disk.errors(folder):
            disk.make_folder(folder)
            disk.replace(folder / check_run_id(name), document, durable=True)

    def kept(self, kind: str, name: str) -> bytes | None:
        """Return a document, None if there is none."""
        file = self._folder / kind / check_run_id(name)
        with disk.errors(file):
            return file.read_bytes() if file.exists() else None

    def all_kept(self, kind: str) -> dict[str, bytes]:
        """Return all documents of a kind by their names, in the order of these."""
        folder = self._folder / kind
        if not folder.is_dir():
            return {}
        names = sorted(entry.name for entry in folder.iterdir() if is_run_id(entry.name))
        return {name: document for name in names if (document := self.kept(kind, name)) is not None}

    def drop(self, kind: str, name: str) -> bool:
        """Remove a document; returns whether there was one."""
        file = self._folder / kind / check_run_id(name)
        with disk.errors(file):
            there = file.exists()
            file.unlink(missing_ok=True)
        return there
