"""Holds of runs in Postgres: renewed, taken over when their process is gone, and lost when they run out."""

import time
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from flopod.backends import Hold, PostgresBackend
from flopod.errors import Fenced, RunHeld
from tests.contract.support import started, step

Admin = psycopg.Connection[Any]


def _elsewhere(admin: Admin) -> None:
    admin.execute("UPDATE flopod.holds SET machine = 'another', host = 'db7', pid = 4711")


def _until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_hold_of_another_machine_is_named(store: PostgresBackend, admin: Admin) -> None:
    """A process that cannot be seen from here is named with its machine, and believed to live."""
    store.hold("run")
    _elsewhere(admin)
    with pytest.raises(RunHeld, match="held by the process 4711 on db7") as caught:
        store.hold("run")
    assert (caught.value.pid, caught.value.host) == (4711, "db7")


@pytest.mark.parametrize(("state", "crashed"), [("running", True), ("left", False)])
def test_a_hold_that_ran_out_is_taken(
    dsn: str, store: PostgresBackend, admin: Admin, state: str, crashed: bool
) -> None:
    """By the time of the database; a claim after it learns whether the run was left in good order."""
    hold = store.hold("run")
    _elsewhere(admin)
    admin.execute("UPDATE flopod.holds SET state = %s, expires_at = now() - interval '1 ms'", (state,))
    with PostgresBackend(dsn) as other, other.hold("run") as taken:
        assert taken.crashed is crashed
        hold.release()
        assert admin.execute("SELECT count(*) FROM flopod.holds").fetchone() == (1,)


def test_a_hold_is_renewed(dsn: str, admin: Admin) -> None:
    """While its process lives it does not run out, also if its connection is lost."""
    with PostgresBackend(dsn) as store:
        store._holds.life = 1.0
        hold = store.hold("run")
        query = "SELECT expires_at FROM flopod.holds"
        first = admin.execute(query).fetchone()
        _until(lambda: admin.execute(query).fetchone() != first)
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'flopod'"
        )
        second = admin.execute(query).fetchone()
        _until(lambda: admin.execute(query).fetchone() != second)
        hold.release()
        _until(lambda: store._holds._thread is None)
        assert admin.execute(query).fetchall() == []


def test_a_stalled_owner_is_fenced(dsn: str, admin: Admin) -> None:
    """Whoever lost a hold while it was stopped cannot write once the next owner has."""
    with PostgresBackend(dsn) as stalled, PostgresBackend(dsn) as heir:
        old = stalled.hold("run")
        stalled.append("run", 0, [started()])
        admin.execute("UPDATE flopod.holds SET machine = 'x', expires_at = now() - interval '1 s'")
        new: Hold = heir.hold("run")
        assert new.crashed
        assert heir.append("run", 1, step(0)) == 3
        with pytest.raises(Fenced):
            stalled.append("run", 1, step(1))
        old.release()
        with pytest.raises(RunHeld):
            stalled.hold("run")
        new.release()


def test_only_one_of_many_takes_over(dsn: str, store: PostgresBackend, admin: Admin) -> None:
    """Of several that find a hold run out at the same time one gets it."""
    from concurrent.futures import ThreadPoolExecutor

    store.hold("run")
    admin.execute("UPDATE flopod.holds SET machine = 'x', expires_at = now() - interval '1 s'")
    stores = [PostgresBackend(dsn) for _ in range(5)]

    def claim(claimant: PostgresBackend) -> Hold | None:
        try:
            return claimant.hold("run")
        except RunHeld:
            return None

    with ThreadPoolExecutor(5) as pool:
        got = [hold for hold in pool.map(claim, stores) if hold is not None]
    assert len(got) == 1
    for each in stores:
        each.close()
