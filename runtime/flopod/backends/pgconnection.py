"""A connection of this process to a PostgreSQL server: statements, reconnecting, and what errors mean.

Every statement is a transaction of its own, and is sent again when the connection was lost, also if it is
unknown whether it was done: so each must be one that can be done twice, or that meets itself (`Conflict`).
No state of a session is relied on, so that a pooler may hand each transaction to another session.
"""

import contextlib
import hashlib
import os
import re
import select
import struct
import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeAlias

from flopod.errors import (
    BadInput,
    DamagedLog,
    FlopodError,
    ReadOnlyStorage,
    StorageError,
    StorageFull,
    SyncFailed,
    Unsupported,
)

if TYPE_CHECKING:
    import psycopg
    from psycopg.pq.abc import PGconn, PGresult

PATIENCE = 30.0
_CONNECT_PATIENCE = 10
_PAUSE = 0.02
_LONGEST_PAUSE = 0.5
_USES_TO_PREPARE = 3
_FORM = "postgresql://USER:PASSWORD@HOST:PORT/DATABASE, special characters percent-encoded"

Row: TypeAlias = tuple[bytes | None, ...]
Value: TypeAlias = "str | bytes | int | Texts | Numbers | None"

# A connection must not be used, nor closed, in a process forked from the one that opened it.
_foreign: list[Any] = []


class Conflict(Exception):
    """A row with this key is there: another writer's, or if `lost`, perhaps our own.

    `lost` says that the statement was sent before, over a connection that was lost.
    """

    lost = False


class Missing(StorageError):
    """The tables are not there."""


class _Lost(Exception):
    """The connection is gone, and with it the knowledge whether the statement was done."""


class _Again(Exception):
    """The statement was not done, and the same one may succeed now."""


class Connection:
    """Connects when used, again when the connection is lost; for several threads, one at a time.

    A server that is away, or does not answer, is waited for `patience` seconds. Before the first
    connection only a server that is starting is waited for, so that a wrong address shows at once.
    """

    def __init__(self, dsn: str, place: str, patience: float = PATIENCE) -> None:
        self.lock = threading.RLock()
        self._dsn = dsn
        self._place = place
        self._patience = patience
        self._connection: psycopg.Connection[Any] | None = None
        self._poll = select.poll()
        self._pid = 0
        self._was_there = False
        self._prepares = True
        self._uses: dict[str, int] = {}

    def execute(self, sql: str, *values: Value, patience: float | None = None) -> list[Row]:
        """Do one statement and return its rows, each value as text.

        Raises Conflict if a row with a key of it is there, Missing, or another StorageError.
        """
        arguments = [_argument(value) for value in values]
        formats = [int(isinstance(value, tuple)) for value in values]
        return self._insist(lambda: self._do(sql, arguments, formats), patience)

    def script(self, sql: str) -> None:
        """Do several statements without values, in one transaction. Raises as `execute` does."""
        self._insist(lambda: self._ask(lambda pg: pg.send_query(sql.encode())), None)

    def close(self) -> None:
        """Close the connection; the next use opens another."""
        with self.lock:
            self._drop()

    # -- again and again ---------------------------------------------------------------------------

    def _insist(self, work: Callable[[], list[Row]], patience: float | None) -> list[Row]:
        with self.lock:
            end = time.monotonic() + (self._patience if patience is None else patience)
            lost = False
            for pause in _pauses():
                try:
                    self._connect(end)
                    return work()
                except (_Lost, _Again) as problem:
                    if isinstance(problem, _Lost):
                        lost = True
                        self._drop()
                    if time.monotonic() + pause > end:
                        raise self._error(f"the server is away: {problem}") from None
                except Conflict as conflict:
                    conflict.lost = lost
                    raise
                except FlopodError:
                    raise
                except BaseException:
                    self._drop()  # in the middle of an answer
                    raise
                time.sleep(pause)
            raise AssertionError

    def _connect(self, end: float) -> None:
        if self._connection is not None and self._pid == os.getpid():
            return
        self._drop()
        psycopg = _psycopg()
        if re.search("://[^/?]*@[^/?]*@", self._dsn):
            raise _no_address()
        defaults = {
            "client_encoding": "utf8",
            "application_name": "flopod",
            "connect_timeout": max(2, min(_CONNECT_PATIENCE, int(end - time.monotonic()))),
        }
        try:
            given = psycopg.conninfo.conninfo_to_dict(self._dsn)
            defaults = {name: value for name, value in defaults.items() if not given.get(name)}
            made = psycopg.connect(self._dsn, autocommit=True, prepare_threshold=None, **defaults)
        except psycopg.OperationalError as error:
            if self._was_there or self._is_starting():
                raise _Lost(_line(error)) from None
            raise self._error(f"cannot connect: {_line(error)}") from None
        except psycopg.ProgrammingError:
            raise _no_address() from None
        self._take(made)

    def _take(self, made: "psycopg.Connection[Any]") -> None:
        encoding = made.pgconn.parameter_status(b"server_encoding")
        if encoding not in (None, b"UTF8"):
            made.close()
            raise self._error(f"the database has the encoding {encoding!r}; use one with ENCODING 'UTF8'")
        self._connection = made
        self._poll = select.poll()
        self._poll.register(made.pgconn.socket, select.POLLIN)
        self._uses = {}
        self._pid = os.getpid()
        self._was_there = True

    def _is_starting(self) -> bool:
        psycopg = _psycopg()
        address = psycopg.conninfo.make_conninfo(self._dsn, connect_timeout=2)
        return bool(psycopg.pq.PGconn.ping(address.encode()) == psycopg.pq.Ping.REJECT)

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is None:
            return
        if self._pid != os.getpid():
            _foreign.append(connection)
        else:
            with contextlib.suppress(Exception):
                connection.close()

    # -- one statement -----------------------------------------------------------------------------

    def _do(self, sql: str, arguments: list[bytes | None], formats: list[int]) -> list[Row]:
        uses = self._uses.get(sql, 0)
        if uses < _USES_TO_PREPARE or not self._prepares:
            self._uses[sql] = uses + 1
            return self._ask(lambda pg: pg.send_query_params(sql.encode(), arguments, None, formats))
        name = _name(sql)
        if uses == _USES_TO_PREPARE:
            self._ask(lambda pg: pg.send_prepare(name, sql.encode()))
            self._uses[sql] = uses + 1
        return self._ask(lambda pg: pg.send_query_prepared(name, arguments, formats))

    def _ask(self, send: "Callable[[PGconn], None]") -> list[Row]:
        assert self._connection is not None
        psycopg = _psycopg()
        pg = self._connection.pgconn
        try:
            send(pg)
            self._flush(pg)
            rows: list[Row] = []
            refused: Exception | None = None
            while (result := self._result(pg)) is not None:
                try:
                    rows = self._rows(result)
                except (Conflict, StorageError, _Again) as error:
                    refused = error
        except psycopg.OperationalError as error:
            raise _Lost(_line(error)) from None
        if refused is not None:
            raise refused
        return rows

    def _flush(self, pg: "PGconn") -> None:
        while pg.flush():
            self._poll.modify(pg.socket, select.POLLIN | select.POLLOUT)
            try:
                self._await()
            finally:
                self._poll.modify(pg.socket, select.POLLIN)
            pg.consume_input()

    def _result(self, pg: "PGconn") -> "PGresult | None":
        while pg.is_busy():
            self._await()
            pg.consume_input()
        return pg.get_result()

    def _await(self) -> None:
        if not self._poll.poll(self._patience * 1000):
            raise _Lost(f"no answer within {self._patience:g} s")

    def _rows(self, result: "PGresult") -> list[Row]:
        status = _psycopg().pq.ExecStatus
        if result.status == status.TUPLES_OK:
            columns = range(result.nfields)
            get = result.get_value
            return [tuple(get(row, column) for column in columns) for row in range(result.ntuples)]
        if result.status == status.COMMAND_OK:
            return []
        raise self._meaning(result)

    # -- what errors mean --------------------------------------------------------------------------

    def _meaning(self, result: "PGresult") -> Exception:
        field = _psycopg().pq.DiagnosticField
        state = (result.error_field(field.SQLSTATE) or b"").decode()
        why = (result.error_field(field.MESSAGE_PRIMARY) or b"").decode("utf-8", "replace")
        if state == "23505":
            return Conflict(why)
        if state in ("42P01", "3F000"):
            return Missing(why, file=self._place)
        if state in ("26000", "42P05"):
            self._prepares = False  # a pooler gave us a session in which others prepare
            return _Again(why)
        if state in ("40001", "40P01"):
            return _Again(why)
        if state[:2] in ("", "08") or state in ("57P01", "57P02", "57P03", "57P05", "53300"):
            return _Lost(why)
        return self._storage_error(state, why)

    def _storage_error(self, state: str, why: str) -> StorageError:
        if state == "53100":
            return StorageFull(self._place, why)
        if state in ("25006", "42501"):
            return ReadOnlyStorage(self._place, why)
        if state == "58030":
            return SyncFailed(f"a write could not be confirmed ({why})", file=self._place)
        if state in ("XX001", "XX002"):
            return DamagedLog(self._place, 0, None, why)
        return self._error(f"refused: {why} ({state})")

    def _error(self, why: str) -> StorageError:
        return StorageError(why, file=self._place)


def _psycopg() -> Any:
    try:
        import psycopg
    except ImportError as error:
        raise Unsupported(
            f"runs in Postgres need psycopg, which cannot be imported ({error}); "
            "pip install 'flopod[postgres]', or choose another place with --backend sqlite"
        ) from None
    return psycopg


def _no_address() -> BadInput:
    # What is wrong is not repeated: it can be a part of a password.
    return BadInput(f"no address of a PostgreSQL server; write it as {_FORM}")


def _pauses() -> Iterator[float]:
    pause = _PAUSE
    while True:
        yield pause
        pause = min(pause * 2, _LONGEST_PAUSE)


def _line(error: Exception) -> str:
    return " ".join(str(error).split())


def _name(sql: str) -> bytes:
    # The same name is the same statement, whoever prepared it in a session that is shared.
    return b"flopod_" + hashlib.sha256(sql.encode()).hexdigest()[:24].encode()


def _argument(value: Value) -> bytes | None:
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, int):
        return b"%d" % value
    if isinstance(value, Texts | Numbers):
        return value.encoded()
    return value


class Texts(tuple[str | bytes | None, ...]):
    """A value of the type `text[]`."""

    __slots__ = ()

    def encoded(self) -> bytes:
        """The array in the binary form of the protocol."""
        return _array(25, [item.encode() if isinstance(item, str) else item for item in self])


class Numbers(tuple[int | None, ...]):
    """A value of the type `bigint[]`."""

    __slots__ = ()

    def encoded(self) -> bytes:
        """The array in the binary form of the protocol."""
        return _array(20, [None if item is None else item.to_bytes(8, "big", signed=True) for item in self])


def _array(kind: int, items: list[bytes | None]) -> bytes:
    shape = (1, 1, kind, len(items), 1) if items else (0, 0, kind)
    parts = [struct.pack(f"!{len(shape)}i", *shape)]
    for item in items:
        parts += [b"\xff\xff\xff\xff"] if item is None else [len(item).to_bytes(4, "big"), item]
    return b"".join(parts)
