"""One connection of this process to a SQLite file, and what its errors mean.

All writing goes through `writing`, which keeps other processes of flopod out meanwhile: versions of
SQLite before 3.51.3 can damage the log of a database when one connection writes while another
checkpoints, and a commit may checkpoint.
"""

import contextlib
import fcntl
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from flopod.backends import disk, schema
from flopod.errors import (
    DamagedLog,
    ReadOnlyStorage,
    StorageError,
    StorageFull,
    SyncFailed,
    Unsupported,
)

OLDEST = (3, 38, 0)
PATIENCE = 10.0
_TRY = fcntl.LOCK_EX | fcntl.LOCK_NB

# A connection must not be used, nor closed, in a process forked from the one that opened it.
_foreign: list[object] = []


class Database:
    """Opens itself when used. Safe for use by several threads, one at a time.

    `with database.reading as db` gives the connection, and turns an error of SQLite inside into the
    StorageError that it means. `with database.writing as db` also keeps other processes from writing;
    each statement is then a transaction of its own, safe on disk when it is done. `database.looking` is for
    reading much: it keeps nobody from writing. Who wants to read while
    another thread uses the connection gets one beside it, which sees what is committed. `written` counts how
    often this process has written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._log = path.with_name(path.name + "-wal")
        self.locks = path.with_name(path.name + ".locks")
        self._lock = threading.RLock()
        self._db: sqlite3.Connection | None = None
        self._beside = _Beside()
        self._uri = ""
        self._pid = 0
        self._guard = -1
        self.written = 0
        self._version = 0

    @property
    def reading(self) -> "_Reading":
        return _Reading(self)

    @property
    def version(self) -> tuple[object, int]:
        """What differs after a commit of another process; another connection counts otherwise.

        It is asked of the connection that writes, to which this process's own commits are nothing new. While
        that is writing it is as it was before, for nobody else can write.
        """
        if not self._lock.acquire(blocking=False):
            if self._has_open():
                return self._db, self._version
            self._lock.acquire()
        try:
            with self.reading as db:
                self._note_version(db)
                return db, self._version
        finally:
            self._lock.release()

    def _note_version(self, db: sqlite3.Connection) -> None:
        self._version = db.execute("PRAGMA data_version").fetchone()[0]

    @property
    def looking(self) -> "_Looking":
        return _Looking(self)

    @property
    def writing(self) -> "_Writing":
        return _Writing(self)

    def close(self) -> None:
        """Close the connection; the next use opens another."""
        with self._lock:
            self._leave_to_parent()
            self._beside.close()
            if self._db is not None:
                self._close_alone(self._db)
            self._drop()

    def _close_alone(self, db: sqlite3.Connection) -> None:
        # The last connection to close checkpoints.
        with contextlib.suppress(OSError, StorageError):
            self._take_guard()
            try:
                db.close()
            finally:
                self._leave_guard()

    def _connection(self) -> sqlite3.Connection:
        if self._db is None or self._pid != os.getpid():
            self._leave_to_parent()
            self._db = self._connect()
            self._pid = os.getpid()
        return self._db

    def _connect(self) -> sqlite3.Connection:
        if sqlite3.sqlite_version_info < OLDEST:
            raise Unsupported(
                f"this Python has SQLite {sqlite3.sqlite_version}, and 3.38 is needed; use --backend file"
            )
        try:
            return self._open(str(self.path))
        except sqlite3.OperationalError:
            if not self.path.is_file() or os.access(self.path.parent, os.W_OK):
                raise
        # Without a log beside it nobody has the database open, and it needs no shared memory.
        return self._open(file_uri(self.path, "mode=ro" if self._log.exists() else "immutable=1"))

    def _open(self, place: str) -> sqlite3.Connection:
        disk.make_folder(self.path.parent)
        db = sqlite3.connect(
            place,
            timeout=PATIENCE,
            isolation_level=None,
            check_same_thread=False,
            uri=_is_uri(place),
        )
        self._uri = place if _is_uri(place) else file_uri(self.path, "mode=ro")
        try:
            db.execute("PRAGMA synchronous = FULL")
            db.execute("PRAGMA mmap_size = 0")
            if not schema.is_current(db, str(self.path)):
                self._create(db)
        except BaseException:
            db.close()
            raise
        return db

    def _create(self, db: sqlite3.Connection) -> None:
        self._take_guard()
        try:
            mode = db.execute("PRAGMA journal_mode = WAL").fetchone()[0]
            if mode != "wal":
                # A disk that refuses, or one on the network: SQLite says so in no other way.
                raise StorageError(
                    f"its journal cannot be made a write-ahead log (it stays {mode!r}); try again, or choose "
                    "another place with --backend",
                    file=str(self.path),
                )
            with transaction(db):
                schema.create(db, str(self.path))
        finally:
            self._leave_guard()

    def _take_guard(self) -> None:
        if self._guard < 0:
            disk.make_folder(self.locks)
            # A run id does not begin with a dot.
            self._guard = os.open(self.locks / ".writer", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(self._guard, _TRY)
        except BlockingIOError:
            self._wait_for_guard()

    def _wait_for_guard(self) -> None:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            time.sleep(0.0005)
            with contextlib.suppress(BlockingIOError):
                return fcntl.flock(self._guard, _TRY)
        raise self._busy()

    def _leave_guard(self) -> None:
        if self._guard >= 0:
            fcntl.flock(self._guard, fcntl.LOCK_UN)

    def _leave_to_parent(self) -> None:
        if self._db is not None and self._pid != os.getpid():
            _foreign.extend((self._db, self._beside))
            self._db = None
            self._beside = _Beside()
            self._close_guard()

    def _has_open(self) -> bool:
        return self._db is not None and self._pid == os.getpid()

    def _drop(self) -> None:
        if self._db is not None:
            with contextlib.suppress(sqlite3.Error):
                self._db.close()
            self._db = None
        self._close_guard()

    def _close_guard(self) -> None:
        if self._guard >= 0:
            os.close(self._guard)
            self._guard = -1

    def _meaning(self, error: sqlite3.Error, of_first: bool) -> StorageError:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        file, why = str(self.path), str(error)
        if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            return DamagedLog(file, 0, None, why)
        if code == sqlite3.SQLITE_FULL:
            return StorageFull(file, why)
        if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM):
            return ReadOnlyStorage(self._closed_to_us() or file, why)
        if code == sqlite3.SQLITE_CANTOPEN and (closed := self._closed_to_us()):
            return ReadOnlyStorage(closed, why)
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return self._busy()
        if code == sqlite3.SQLITE_IOERR:
            return self._io_error(why, of_first)
        return StorageError(f"cannot be used: {why}", file=file)

    def _closed_to_us(self) -> str:
        """The file that this user may not write, "" if it is not for that: one beside it may be another's."""
        files = [self.path.with_name(self.path.name + suffix) for suffix in ("", "-wal", "-shm")]
        for file in files:
            if file.exists() and not os.access(file, os.R_OK | os.W_OK):
                return str(file)
        return "" if os.access(self.path.parent, os.W_OK) else str(self.path)

    def _io_error(self, why: str, of_first: bool) -> StorageError:
        # The connection may believe in pages that never reached the disk: go on with a new one.
        if of_first:
            self._drop()
        space = os.statvfs(self.path.parent)
        if space.f_bavail == 0:
            return StorageFull(str(self.path))
        return SyncFailed(f"a write could not be confirmed ({why})", file=str(self.path))

    def _busy(self) -> StorageError:
        return StorageError(
            f"another process has been writing for more than {PATIENCE:g} s; try again", file=str(self.path)
        )


class _Beside:
    """A second connection, which can only read: opened when it is wanted, and anew with the first one."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self._db: sqlite3.Connection | None = None
        self._first: object = None

    def begin(self, first: object, uri: str) -> sqlite3.Connection:
        """Return the connection, looking at what is committed now."""
        if self._db is None or self._first is not first:
            self._drop()
            self._db = sqlite3.connect(
                uri, timeout=PATIENCE, isolation_level=None, check_same_thread=False, uri=True
            )
            self._first = first
            self._db.execute("PRAGMA mmap_size = 0")
        self._db.execute("BEGIN")
        return self._db

    def end(self, error: BaseException | None) -> None:
        """Look no more; after an error another connection is made."""
        if self._db is not None and error is None:
            self._db.execute("COMMIT")
        else:
            self._drop()

    def close(self) -> None:
        """Close the connection."""
        with self.lock:
            self._drop()

    def _drop(self) -> None:
        if self._db is not None:
            with contextlib.suppress(sqlite3.Error):
                self._db.close()
            self._db = None


class _Reading:
    """The block of `Database.reading`. It may not be nested."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._beside: _Beside | None = None

    def __enter__(self) -> sqlite3.Connection:
        database = self._database
        if not database._lock.acquire(blocking=False):
            if database._has_open():
                return self._look_beside(database._beside)
            database._lock.acquire()
        try:
            return database._connection()
        except BaseException as error:
            self._end(error)
            raise

    def _look_beside(self, beside: _Beside) -> sqlite3.Connection:
        beside.lock.acquire()
        self._beside = beside
        try:
            return beside.begin(self._database._db, self._database._uri)
        except BaseException as error:
            self._end(error)
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._end(error)

    def _end(self, error: BaseException | None) -> None:
        try:
            if self._beside is not None:
                self._beside.end(error)
            if isinstance(error, sqlite3.Error):
                raise self._database._meaning(error, self._beside is None) from error
            if isinstance(error, OSError):
                raise disk.storage_error(error, self._database.path) from error
        finally:
            (self._database._lock if self._beside is None else self._beside.lock).release()


class _Looking(_Reading):
    """The block of `Database.looking`. It may not be nested."""

    def __enter__(self) -> sqlite3.Connection:
        database = self._database
        if not database._has_open():
            with database.reading:
                pass
        return self._look_beside(database._beside)


class _Writing(_Reading):
    """The block of `Database.writing`. It may not be nested."""

    def __enter__(self) -> sqlite3.Connection:
        database = self._database
        database._lock.acquire()
        try:
            db = database._connection()
            database._take_guard()
            database._note_version(db)
        except BaseException as error:
            database._leave_guard()
            self._end(error)
            raise
        return db

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._database.written += 1
        self._database._leave_guard()
        self._end(error)


@contextlib.contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """Make the statements inside one transaction. If it fails, none of them happened."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        with contextlib.suppress(sqlite3.Error):
            if db.in_transaction:
                db.execute("ROLLBACK")
        raise


def file_uri(path: Path, mode: str) -> str:
    """Return the address of a database file for `sqlite3.connect`, with a parameter like `mode=ro`."""
    return f"file://{_escaped(path.absolute())}?{mode}"


def _escaped(path: Path) -> str:
    """A path as SQLite wants it in a URI (sqlite.org/uri.html, section 3.1)."""
    return str(path).replace("%", "%25").replace("?", "%3f").replace("#", "%23")


def _is_uri(place: str) -> bool:
    return place.startswith("file://")
