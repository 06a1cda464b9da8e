"""Clocks that are set while runs are held: that of a process does not matter, the server's for a moment.

The clock of the server is moved by a function `now` of the tests, which its connections find first.
"""

import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from flopod.backends import Backend, PostgresBackend
from flopod.errors import Fenced, RunHeld
from tests.contract.support import Place, opened_place, started, step
from tests.postgres.test_holds import _elsewhere, _until

HOUR = 3600
Admin = psycopg.Connection[Any]


@pytest.fixture(params=["file", "sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """Give an empty place of each kind that several processes can share."""
    with opened_place(request, tmp_path) as found:
        yield found


@pytest.mark.parametrize("hours", [24, -24])
def test_a_hold_does_not_heed_the_clock_of_the_process(
    place: Place, hours: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Set ahead or back by a day, it neither runs out nor stays: others get the run when it is let go."""
    store, other = place.open(), place.open()
    with store.hold("run"):
        real, real_ns = time.time, time.time_ns
        monkeypatch.setattr(time, "time", lambda: real() + hours * HOUR)
        monkeypatch.setattr(time, "time_ns", lambda: real_ns() + hours * HOUR * 10**9)
        with pytest.raises(RunHeld):
            other.hold("run")
        store.append("run", 0, [started()])
    with other.hold("run") as hold:
        assert not hold.crashed
        assert other.append("run", 1, step(0)) == 3


# -- the clock of the server ---------------------------------------------------------------------


class ServerClock:
    """What `now()` says to connections that look for it in the schema `clock` first."""

    def __init__(self, dsn: str, admin: Admin) -> None:
        self.dsn = f"{dsn}?options=-csearch_path%3Dclock%2Cpg_catalog"
        self._admin = admin
        admin.execute(
            """
            DROP SCHEMA IF EXISTS clock CASCADE;
            CREATE SCHEMA clock;
            CREATE TABLE clock.setting (ahead interval NOT NULL);
            INSERT INTO clock.setting VALUES ('0');
            CREATE FUNCTION clock.now() RETURNS timestamptz LANGUAGE sql STABLE
                AS 'SELECT pg_catalog.now() + ahead FROM clock.setting';
            """
        )

    def set(self, seconds: int) -> None:
        """Be so much ahead of the time."""
        self._admin.execute("UPDATE clock.setting SET ahead = make_interval(secs => %s)", [seconds])

    def store(self, life: float) -> PostgresBackend:
        """A store whose holds last so many seconds by this clock."""
        found = PostgresBackend(self.dsn)
        found._holds.life = life
        return found


@pytest.fixture
def clock(dsn: str, admin: Admin) -> Iterator[ServerClock]:
    """Give a clock that the stores of this test go by."""
    yield ServerClock(dsn, admin)
    admin.execute("DROP SCHEMA clock CASCADE")


def expiry(admin: Admin) -> datetime:
    """When the only hold runs out."""
    row = admin.execute("SELECT expires_at FROM flopod.holds").fetchone()
    assert row is not None
    found = row[0]
    assert isinstance(found, datetime)
    return found


def is_refused(store: Backend) -> bool:
    """Whether the run is another's; it is let go at once if it is not."""
    try:
        store.hold("run").release()
    except RunHeld:
        return True
    return False


@pytest.mark.parametrize("seconds", [HOUR, -HOUR])
def test_who_lives_keeps_its_run_when_the_server_is_set(
    clock: ServerClock, admin: Admin, seconds: int
) -> None:
    """It is renewed by the new time, and nobody can take it from then on."""
    with clock.store(6.0) as store, clock.store(6.0) as other, store.hold("run"):
        _elsewhere(admin)
        before = expiry(admin)
        clock.set(seconds)
        _until(lambda: abs((expiry(admin) - before).total_seconds() - seconds) < HOUR / 2)
        assert is_refused(other)


def test_who_is_taken_for_dead_when_the_server_is_set_ahead_is_fenced(
    clock: ServerClock, admin: Admin
) -> None:
    """A claim in the moment before it is renewed succeeds; then the one before cannot write any more."""
    with clock.store(60.0) as store, clock.store(60.0) as other:
        store.hold("run")
        store.append("run", 0, [started()])
        _elsewhere(admin)
        clock.set(HOUR)
        with other.hold("run") as taken:
            assert taken.crashed
            other.append("run", 1, step(0))
            with pytest.raises(Fenced):
                store.append("run", 1, step(1))


def test_who_died_is_followed_soon_though_the_server_was_set_back(
    clock: ServerClock, admin: Admin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its hold lasts no hour longer: who finds that it would shortens it to what a hold lasts."""
    clock.set(HOUR)
    with clock.store(1.0) as store, clock.store(1.0) as other:
        never: Callable[..., None] = lambda *_: None  # noqa: E731
        monkeypatch.setattr(store._holds, "_renew_all", never)
        store.hold("run")
        _elsewhere(admin)
        clock.set(0)
        assert is_refused(other)
        _until(lambda: not is_refused(other))
