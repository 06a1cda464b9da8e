"""Holds of runs in PostgreSQL: a row each, with a fresh token a claim, renewed while its process lives.

The row of a process that died on this machine is taken over at once, that of one elsewhere when it has
expired, by the time of the database. A row in the state `running` that is taken over was a crash.
"""

import contextlib
import os
import secrets
import socket
import threading
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from flopod.backends.lock import Hold
from flopod.backends.pgconnection import Conflict, Connection, Numbers, Texts
from flopod.errors import FlopodError, RunHeld, StorageError

LIFE = 15.0
_BRIEFLY = 2.0

_CLAIM = """
    INSERT INTO {schema}.holds (run_id, token, machine, host, pid, born, state, expires_at)
    VALUES ($1::text, $2::bigint, $3::text, $4::text, $5::bigint, $6::text, 'running',
        now() + $7::bigint * interval '1 millisecond')
"""
_HELD = """
    SELECT token, machine, host, pid, born, state, expires_at < now(),
        expires_at > now() + $2::bigint * interval '2 milliseconds'
    FROM {schema}.holds WHERE run_id = $1::text
"""
# The clock of the database was set back: if its owner lives it renews, and else it runs out as it would have.
_SHORTEN = """
    UPDATE {schema}.holds SET expires_at = now() + $3::bigint * interval '1 millisecond'
    WHERE run_id = $1::text AND token = $2::bigint
"""
# The token says that nobody took it since it was looked at; whether it was renewed, the time.
_TAKE_OVER = """
    UPDATE {schema}.holds SET token = $2::bigint, machine = $3::text, host = $4::text, pid = $5::bigint,
        born = $6::text, state = 'running', expires_at = now() + $7::bigint * interval '1 millisecond'
    WHERE run_id = $1::text AND token = $8::bigint AND (expires_at < now() OR $9::boolean)
    RETURNING 1
"""
_RENEW = """
    UPDATE {schema}.holds SET expires_at = now() + $3::bigint * interval '1 millisecond'
    FROM unnest($1::text[], $2::bigint[]) AS mine (run_id, token)
    WHERE holds.run_id = mine.run_id AND holds.token = mine.token
"""
# The process is about to end, so that other machines need not wait for long; if it lives, it renews.
_LEAVE = """
    UPDATE {schema}.holds SET state = 'left', expires_at = least(expires_at, now() + interval '2 seconds')
    WHERE run_id = $1::text AND token = $2::bigint
"""
_RELEASE = "DELETE FROM {schema}.holds WHERE run_id = $1::text AND token = $2::bigint"


class Holds:
    """The holds that one store has, and the thread that renews them while there are any."""

    def __init__(self, connect: Callable[[], Connection], schema: str, life: float = LIFE) -> None:
        self.life = life
        self.schema = schema
        self._connect = connect
        self._mine: dict[str, PostgresHold] = {}
        self._lock = threading.Lock()
        self._changed = threading.Event()
        self._thread: threading.Thread | None = None
        self._pid = os.getpid()

    def claim(self, db: Connection, run_id: str, on_release: Callable[[], None]) -> "PostgresHold":
        """Take the run. Raises RunHeld or StorageError."""
        token = secrets.randbits(62)
        crashed = self._take(db, run_id, token)
        hold = PostgresHold(run_id, token, crashed, self, db, on_release)
        self._keep(hold)
        return hold

    def _take(self, db: Connection, run_id: str, token: int) -> bool:
        me = (run_id, token, machine(), socket.gethostname(), os.getpid(), born(os.getpid()), self._ms)
        crashed = False
        while True:
            try:
                db.execute(self._sql(_CLAIM), *me)
                return crashed
            except Conflict:
                found = db.execute(self._sql(_HELD), run_id, self._ms)
            if not found:
                continue
            owner = _Owner(*(value or b"" for value in found[0]))
            if owner.token == token:
                return crashed  # the answer to the claim was lost, not the claim
            crashed = owner.state == "running"
            if not (owner.is_gone or owner.expired):
                if owner.lasts_too_long:
                    db.execute(self._sql(_SHORTEN), run_id, owner.token, self._ms)
                raise RunHeld(run_id, owner.pid, "" if owner.is_here else owner.host)
            if db.execute(self._sql(_TAKE_OVER), *me, owner.token, "t" if owner.is_gone else "f"):
                return crashed

    @property
    def _ms(self) -> int:
        return int(self.life * 1000)

    def _sql(self, statement: str) -> str:
        return statement.replace("{schema}", self.schema)

    # -- keeping -----------------------------------------------------------------------------------

    def _keep(self, hold: "PostgresHold") -> None:
        with self._lock:
            if self._pid != os.getpid():
                self._mine, self._thread, self._pid = {}, None, os.getpid()
            self._mine[hold.run_id] = hold
            if self._thread is None:
                self._changed.clear()
                self._thread = threading.Thread(target=self._renew, name="flopod holds", daemon=True)
                self._thread.start()

    def end(self, hold: "PostgresHold", db: Connection) -> None:
        """Let go of a hold; one that cannot be taken out of the database runs out by itself."""
        with self._lock:
            if self._mine.get(hold.run_id) is hold:
                del self._mine[hold.run_id]
            if not self._mine:
                self._changed.set()
        with contextlib.suppress(StorageError):
            db.execute(self._sql(_RELEASE), hold.run_id, hold.token, patience=_BRIEFLY)

    def note_left(self, hold: "PostgresHold") -> None:
        """Note an orderly end, over a connection of its own: the store's may be in use just now."""
        db = self._connect()
        with contextlib.suppress(FlopodError):
            db.execute(self._sql(_LEAVE), hold.run_id, hold.token, patience=_BRIEFLY)
        db.close()

    def _renew(self) -> None:
        db = self._connect()
        try:
            while True:
                self._changed.wait(self.life / 3)
                with self._lock:
                    mine = list(self._mine.values())
                    if not mine:
                        self._thread = None
                        return
                # What is in trouble shows where events are appended; a hold is renewed when it can be.
                with contextlib.suppress(FlopodError):
                    self._renew_all(db, mine)
        finally:
            db.close()

    def _renew_all(self, db: Connection, mine: "list[PostgresHold]") -> None:
        names, tokens = Texts(hold.run_id for hold in mine), Numbers(hold.token for hold in mine)
        db.execute(self._sql(_RENEW), names, tokens, self._ms, patience=self.life)


class PostgresHold(Hold):
    """A hold across processes and machines."""

    def __init__(
        self,
        run_id: str,
        token: int,
        crashed: bool,
        holds: Holds,
        db: Connection,
        on_release: Callable[[], None],
    ) -> None:
        super().__init__(run_id, crashed)
        self.token = token
        self._holds = holds
        self._db = db
        self._on_release = on_release
        self._pid = os.getpid()
        self._mine = True

    def leave(self) -> None:
        if self._mine and self._pid == os.getpid():
            self._holds.note_left(self)

    def release(self) -> None:
        if not self._mine or self._pid != os.getpid():
            return
        self._mine = False
        self._on_release()
        self._holds.end(self, self._db)


class _Owner:
    """Whose row it is."""

    def __init__(self, *values: bytes) -> None:
        token, machine, host, pid, self._born, state, expired, too_long = (value.decode() for value in values)
        self.token, self.pid = int(token), int(pid)
        self.host, self.state = host, state
        self.expired, self.lasts_too_long = expired == "t", too_long == "t"
        self._machine = machine

    @property
    def is_here(self) -> bool:
        """Whether it is a process that this one can see."""
        return self._machine == machine()

    @property
    def is_gone(self) -> bool:
        """Whether it is known to have ended."""
        return self.is_here and born(self.pid) != self._born


@lru_cache(1)
def machine() -> str:
    """Name the machine since it was started, and the part of it whose processes this one can see."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        space = os.readlink("/proc/self/ns/pid")  # noqa: PTH115
    except OSError:
        boot, space = "", ""
    return f"{socket.gethostname()} {boot} {space}"


def born(pid: int) -> str:
    """Tell when a process was started, as far as the system says it; "-" if there is none.

    Processes are told apart by it: their numbers are used again.
    """
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return "-"
    except PermissionError:
        pass
    try:
        stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return "" if not Path("/proc/self/stat").exists() else "-"
    return "-" if stat[0] in "ZX" else stat[19]
