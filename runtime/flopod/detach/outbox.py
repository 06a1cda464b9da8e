"""The outbox of the beacon driver: a folder with a file for each payload, and the helper that posts them."""

import contextlib
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from secrets import token_hex
from typing import Any

from flopod.backends import disk
from flopod.detach import poster
from flopod.errors import StorageError

_starting = threading.Lock()
"""Held while a lock of an outbox is handed over: a fork then would keep it for as long as its child lives."""
os.register_at_fork(
    before=_starting.acquire, after_in_parent=_starting.release, after_in_child=_starting.release
)

_LOGGER = logging.getLogger("flopod")
LOG = "poster.log"
_LONGEST_PAUSE = 60


class Outbox:
    """One folder. What `put` has returned for is posted, by this process's helper or by a later one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()

    def put(self, head: Mapping[str, Any], body: bytes) -> None:
        """Keep a payload so that it outlives this process and a power cut. Raises StorageError."""
        name = f"{time.time_ns():020d}-{token_hex(8)}.0{poster.ITEM}"
        with disk.errors(self.folder):
            self._make()
            _write(self.folder / name, poster.dump(head, body))

    def is_empty(self) -> bool:
        """Whether nothing waits here."""
        return not poster.names(self.folder)

    def ensure_posted(self, deaths: int = 0) -> None:
        """Start a helper unless one is at work. What it cannot do now is left to the next start."""
        try:
            helper = self._started()
        except (OSError, RuntimeError) as error:
            _LOGGER.warning("%s is posted later: no process could be started for it: %s", self.folder, error)
            return
        if helper is not None:
            self._wait_for(helper, deaths)

    def _wait_for(self, helper: "subprocess.Popen[bytes]", deaths: int) -> None:
        # It is waited for anyway, or it would stay in the system's table of processes.
        watch = threading.Thread(target=self._watch, args=(helper, deaths), name="flopod beacon", daemon=True)
        with contextlib.suppress(RuntimeError):  # an interpreter that ends starts no threads
            watch.start()

    def _watch(self, helper: "subprocess.Popen[bytes]", deaths: int) -> None:
        """Have another helper go on if this one is killed while this process lives."""
        if helper.wait() and not self.is_empty():
            time.sleep(min(2**deaths, _LONGEST_PAUSE))
            self.ensure_posted(deaths + 1)

    def _make(self) -> None:
        if not self.folder.is_dir():
            disk.make_folder(self.folder.parent)
            self.folder.mkdir(mode=0o700, exist_ok=True)
            disk.sync_folder(self.folder.parent)

    def _started(self) -> "subprocess.Popen[bytes] | None":
        """Start a helper that has the lock from its first moment on; None if another has it."""
        with _starting:
            fd = poster.lock(self.folder)
            if fd is None:
                return None
            try:
                return self._helper(fd)
            finally:
                os.close(fd)  # not unlocked: the helper has the descriptor too

    def _helper(self, fd: int) -> "subprocess.Popen[bytes]":
        with (self.folder / LOG).open("ab") as log:
            return subprocess.Popen(
                [sys.executable, *_program(), str(self.folder), str(fd)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,
                pass_fds=(fd,),
            )


def _program() -> list[str]:
    """How Python is told to run the helper: by its text, which a bundle has too, and nothing else."""
    loader = poster.__spec__.loader if poster.__spec__ else None
    source = getattr(loader, "get_source", lambda _: None)(poster.__name__)
    return ["-I", "-c", source] if source else ["-m", poster.__name__]


def _write(file: Path, data: bytes) -> None:
    draft = file.with_name(f".{file.name}")
    fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        try:
            disk.write(fd, data)
            disk.sync(fd, file)
        finally:
            os.close(fd)
        draft.rename(file)
    except (OSError, StorageError):
        draft.unlink(missing_ok=True)
        raise
    disk.sync_folder(file.parent)
