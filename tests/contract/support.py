"""Events and processes for the tests of the stores."""

import os
import shutil
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from msgspec import Raw

from flopod.backends import Backend, FileBackend, MemoryBackend, PostgresBackend, SqliteBackend
from flopod.backends.cipher import Cipher
from flopod.backends.values import ValuesBackend
from flopod.events import ActivityCompleted, ActivityStarted, Event, RunStarted

KEY = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
_PROCESS = "a process of the tests"
RUNTIME = Path(__file__).parents[2] / "runtime"


def started(at: int = 1, workflow: str = "fulfil", run_id: str = "run") -> RunStarted:
    """Return the first event of a run."""
    return RunStarted(workflow=workflow, input=Raw(b'{"order":"A-1"}'), build="b1", run_id=run_id, at=at)


def step(number: int, at: int = 2) -> list[Event]:
    """Return the two events of one activity."""
    path = f"lines[{number}]/price_line"
    return [
        ActivityStarted(path=path, at=at, callee="shop.orders:price_line", fingerprint="00ff"),
        ActivityCompleted(path=path, at=at + 1, result=Raw(b'{"price":"1.50 \xe2\x82\xac"}')),
    ]


class Place:
    """A place for runs, in which any number of stores can be opened, as by several processes."""

    def __init__(self, kind: str, folder: Path, dsn: str = "") -> None:
        self.kind = kind
        self.folder = folder
        self.dsn = dsn
        self._memory = MemoryBackend()
        self._opened: list[Backend] = []

    def open(self) -> Backend:
        """Return a store; for memory it is always the same."""
        store = self._make()
        self._opened.append(store)
        return store

    def _make(self) -> Backend:
        if self.kind == "memory":
            return self._memory
        if self.kind == "sealed":
            return ValuesBackend(SqliteBackend(self.folder / "runs.db"), cipher=Cipher([KEY]), large=40)
        if self.kind == "file":
            return FileBackend(self.folder / "runs")
        if self.kind == "postgres":
            return PostgresBackend(self.dsn)
        return SqliteBackend(self.folder / "runs.db")

    @property
    def expression(self) -> str:
        """Python source that opens a store here in another process."""
        if self.kind == "file":
            return f"FileBackend({str(self.folder / 'runs')!r})"
        if self.kind == "postgres":
            return f"PostgresBackend({self.dsn!r})"
        return f"SqliteBackend({str(self.folder / 'runs.db')!r})"

    @property
    def address(self) -> str:
        """What `--backend` takes for it."""
        if self.kind == "postgres":
            return self.dsn
        return f"file:{self.folder / 'runs'}" if self.kind == "file" else f"sqlite:{self.folder / 'runs.db'}"

    def settle(self) -> None:
        """Wait until a server has done what processes had sent that are killed by now."""
        if self.kind != "postgres":
            return
        theirs = "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s"
        end = time.monotonic() + 20
        with psycopg.connect(self.dsn, autocommit=True) as db:
            while db.execute(theirs, [_PROCESS]).fetchone() != (0,):
                assert time.monotonic() < end, "the connection of a killed process stays"
                time.sleep(0.01)

    def close(self) -> None:
        """Close what was opened."""
        for store in self._opened:
            store.close()


@contextmanager
def public_folder(mode: int) -> Iterator[Path]:
    """A folder that other users can reach, with these permissions."""
    folder = Path(tempfile.mkdtemp(prefix="flopod-test-"))
    folder.chmod(mode)
    yield folder
    shutil.rmtree(folder)


@contextmanager
def opened_place(request: pytest.FixtureRequest, folder: Path) -> Iterator[Place]:
    """An empty place of the kind that is the parameter of a fixture."""
    is_postgres = request.param == "postgres"
    dsn = request.getfixturevalue("postgres").database() if is_postgres else ""
    found = Place(request.param, folder, dsn)
    yield found
    found.close()


def script(place: Place, body: str) -> list[str]:
    """Return a command that runs `body` in a new process, with `store` and the helpers of this module."""
    head = f"""
        import sys
        sys.path[:0] = [{str(RUNTIME)!r}, {str(RUNTIME.parent)!r}]
        from flopod.backends import FileBackend, PostgresBackend, SqliteBackend
        from flopod.errors import *
        from tests.contract.support import started, step
        store = {place.expression}
    """
    return [sys.executable, "-c", textwrap.dedent(head) + textwrap.dedent(body)]


@contextmanager
def process(place: Place, body: str) -> Iterator[subprocess.Popen[str]]:
    """Run `body` in another process, which is killed at the end if it is still there."""
    child = subprocess.Popen(
        script(place, body),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PGAPPNAME": _PROCESS},
    )
    try:
        yield child
    finally:
        child.kill()
        child.communicate()


def output_of(place: Place, body: str) -> str:
    """Run `body` in another process to its end and return what it printed."""
    done = subprocess.run(script(place, body), capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    return done.stdout
