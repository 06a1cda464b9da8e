"""Builds kept in the store: what runs begun with them need to go on, and what people see of them."""

import zlib
from collections.abc import Iterable
from pathlib import Path

import msgspec

from flopod.backends.base import Backend
from flopod.durations import now_ms
from flopod.server.host import Build

_SHOWN = "builds"
_RUNS = "artifacts"
_SERVED = "served"

NOTED = 600.0
"""How often a server notes that it serves its build, in seconds."""

_LATELY_MS = 3_600_000

_decode = msgspec.json.Decoder(Build).decode


class KeptBuilds:
    """The builds that a store keeps, by their ids, so that every process on it has them."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._known: dict[str, Build] = {}

    def keep(self, build: Build, artifact: bytes = b"") -> None:
        """Keep a build, and the file that runs it, if there is one."""
        name = build.manifest.build
        self._known[name] = build
        if self._backend.kept(_SHOWN, name) is None:
            self._backend.keep(_SHOWN, name, zlib.compress(msgspec.json.encode(build)))
        if artifact and self._backend.kept(_RUNS, name) is None:
            self._backend.keep(_RUNS, name, zlib.compress(artifact))

    def get(self, name: str) -> Build | None:
        """Return a build, None if it is not kept."""
        if name not in self._known:
            document = self._backend.kept(_SHOWN, name) if name else None
            if document is None:
                return None
            self._known[name] = _decode(zlib.decompress(document))
        return self._known[name]

    def can_run(self, name: str) -> bool:
        """Whether the file that runs a build is kept."""
        return bool(name) and self._backend.kept(_RUNS, name) is not None

    def write(self, name: str, folder: Path) -> Path:
        """Write the file that runs a build into `folder`, and return its path. Raises KeyError."""
        document = self._backend.kept(_RUNS, name)
        if document is None:
            raise KeyError(name)
        path = folder / f"{name}.py"
        path.write_bytes(zlib.decompress(document))
        return path

    def note_served(self, name: str) -> None:
        """Note that a server begins runs with a build, so that others keep the file for the next hour."""
        self._backend.keep(_SERVED, name, b"%d" % now_ms())

    def drop_unused(self, current: str) -> None:
        """Forget the files of builds other than `current` with which no open run goes on, nor may begin."""
        others = self._backend.all_kept(_RUNS).keys() - {current} - self._lately_served()
        if others:
            used = {run.build for run in self._backend.open_runs()} | self._of_paused()
            self._drop(others - used)

    def _lately_served(self) -> set[str]:
        since = now_ms() - _LATELY_MS
        return {name for name, at in self._backend.all_kept(_SERVED).items() if int(at) > since}

    def _of_paused(self) -> set[str]:
        return {run.build for status in ("paused", "diverged") for run in self._backend.summaries(status)}

    def _drop(self, names: Iterable[str]) -> None:
        for name in names:
            self._backend.drop(_RUNS, name)
            self._backend.drop(_SERVED, name)
