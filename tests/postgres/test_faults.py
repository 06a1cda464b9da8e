"""What the Postgres store survives: lost connections and answers, restarts, other writers, damage."""

import threading
import time
from typing import Any

import psycopg
import pytest
from msgspec import Raw

from flopod.backends import Batch, PostgresBackend
from flopod.errors import (
    BadInput,
    DamagedLog,
    Fenced,
    ReadOnlyStorage,
    StorageError,
    Unsupported,
)
from flopod.events import RunCompleted
from tests.contract.support import started, step
from tests.postgres.proxy import Proxy
from tests.postgres.server import Server, free_port

Admin = psycopg.Connection[Any]
OTHERS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'flopod' "
    "AND pid <> pg_backend_pid()"
)


def seqs(store: PostgresBackend, run_id: str = "run") -> list[int]:
    """The sequence numbers of a log."""
    return [record.seq for record in store.load(run_id)]


# -- lost answers ----------------------------------------------------------------------------------


@pytest.mark.parametrize("before", [False, True])
@pytest.mark.parametrize("warm", [0, 6])
def test_a_lost_answer_to_an_append(far: PostgresBackend, proxy: Proxy, before: bool, warm: int) -> None:
    """Cut before the statement or after its commit: the records are there once, and the run goes on."""
    far.append("run", 0, [started()])
    for number in range(warm):
        far.append("run", 1 + 2 * number, step(number))
    last = 1 + 2 * warm
    proxy.cut_after(b"lines[99]/price_line", before=before)
    assert far.append("run", last, step(99)) == last + 2
    assert proxy.cuts == 1
    assert seqs(far) == list(range(1, last + 3))
    assert far.append("run", last + 2, step(100)) == last + 4


def test_a_lost_answer_to_a_start_and_an_end(far: PostgresBackend, proxy: Proxy) -> None:
    """What changes the listing too is written once, with the listing."""
    proxy.cut_after(b"run_started")
    assert far.append("run", 0, [started()]) == 1
    proxy.cut_after(b"run_completed")
    assert far.append("run", 1, [RunCompleted(result=Raw(b"1"), at=5)]) == 2
    assert proxy.cuts == 2
    assert seqs(far) == [1, 2]
    assert [run.status for run in far.summaries()] == ["completed"]


def test_a_lost_answer_to_several_appends(far: PostgresBackend, proxy: Proxy) -> None:
    """Each batch of a commit whose answer was lost is known again; one that was fenced stays so."""
    far.append("b", 0, [started(run_id="b")])
    batches = [Batch(run_id, 0, [started(run_id=run_id)]) for run_id in "abc"]
    proxy.cut_after(b"run_started")
    results = far.append_many(batches)
    assert (results[0], results[2]) == (1, 1)
    assert isinstance(results[1], Fenced)
    proxy.cut_after(b"lines[7]")
    assert far.append_many([Batch(run_id, 1, step(7)) for run_id in "ac"]) == [3, 3]
    assert proxy.cuts == 2
    assert [len(seqs(far, run_id)) for run_id in "abc"] == [3, 1, 3]


def test_another_writers_equal_records_are_not_ours(far: PostgresBackend, proxy: Proxy, dsn: str) -> None:
    """Records of the same content that somebody else wrote meanwhile do not pass for ours."""
    far.append("run", 0, [started()])
    with PostgresBackend(dsn) as other:
        other.append("run", 1, step(0))
    proxy.cut_after(b"lines[0]/price_line")
    with pytest.raises(Fenced) as caught:
        far.append("run", 1, step(0))
    assert proxy.cuts == 1
    assert caught.value.found == 3
    assert seqs(far) == [1, 2, 3]


def test_a_lost_answer_to_a_delivery(far: PostgresBackend, proxy: Proxy) -> None:
    """An event whose delivery was not confirmed is delivered once, with its own number."""
    assert far.deliver("run", "p", "e", b"1") == 1
    proxy.cut_after(b"twice?")
    assert far.deliver("run", "p", "e", b'"twice?"') == 2
    assert proxy.cuts == 1
    assert [bytes(item.payload) for item in far.inbox("run")] == [b"1", b'"twice?"']


def test_a_lost_answer_to_a_claim(far: PostgresBackend, proxy: Proxy) -> None:
    """A claim that was not confirmed is known again, and the run is not held by nobody."""
    far.hold("other").release()
    proxy.cut_after(b"INSERT INTO flopod.holds")
    hold = far.hold("run")
    assert proxy.cuts == 1
    assert not hold.crashed
    hold.release()
    assert not far.hold("run").crashed


def test_a_commit_that_is_under_way_when_its_connection_is_lost(
    far: PostgresBackend, proxy: Proxy, admin: Admin
) -> None:
    """Sent again while the server still works on the first, it waits for that one, and is there once."""
    far.append("run", 0, [started()])
    admin.execute("BEGIN")
    admin.execute("LOCK TABLE flopod.records IN SHARE MODE")
    sent = threading.Thread(target=lambda: far.append("run", 1, step(0)))
    sent.start()
    _wait_until(admin, "SELECT count(*) FROM pg_locks WHERE NOT granted", 1)
    proxy.cut_all()
    _wait_until(admin, "SELECT count(*) FROM pg_locks WHERE NOT granted", 2)
    admin.execute("COMMIT")
    sent.join(20)
    assert seqs(far) == [1, 2, 3]
    assert far.append("run", 3, step(1)) == 5


def _wait_until(admin: Admin, query: str, count: int) -> None:
    end = time.monotonic() + 20
    while (found := admin.execute(query.encode()).fetchone()) != (count,):
        assert time.monotonic() < end, found
        time.sleep(0.01)


# -- servers that go away --------------------------------------------------------------------------


def test_sessions_that_are_ended(store: PostgresBackend, admin: Admin) -> None:
    """Appends from many ended sessions: each is there once, in order."""
    store.append("run", 0, [started()])
    for number in range(10):
        admin.execute(OTHERS.encode())
        assert store.append("run", 1 + 2 * number, step(number)) == 3 + 2 * number
    assert seqs(store) == list(range(1, 22))


def test_sessions_that_are_ended_at_any_moment(store: PostgresBackend, admin: Admin) -> None:
    """With sessions ended all the time, in the middle of commits too, nothing is lost and nothing twice."""
    store.append("run", 0, [started()])
    over = threading.Event()

    def disturb() -> None:
        while not over.wait(0.01):
            admin.execute(OTHERS.encode())

    disturber = threading.Thread(target=disturb)
    disturber.start()
    try:
        for number in range(25):
            assert store.append("run", 1 + 2 * number, step(number)) == 3 + 2 * number
    finally:
        over.set()
        disturber.join()
    assert [record.event for record in store.load("run")[1:]] == [
        event for number in range(25) for event in step(number)
    ]


@pytest.mark.process
@pytest.mark.parametrize("how", ["stop", "kill"])
def test_a_server_that_is_started_again(store: PostgresBackend, postgres: Server, how: str) -> None:
    """Between two appends the server goes away and comes back: the store waits and goes on."""
    store.append("run", 0, [started()])
    with store.hold("run"):
        getattr(postgres, how)()
        timer = threading.Timer(0.5, postgres.start)
        timer.start()
        try:
            assert store.append("run", 1, step(0)) == 3
        finally:
            timer.join()
        assert store.append("run", 3, step(1)) == 5
    assert seqs(store) == [1, 2, 3, 4, 5]
    assert not store.hold("run").crashed


@pytest.mark.process
def test_a_server_that_stays_away(dsn: str, postgres: Server) -> None:
    """After a bounded patience an append says so, and the run goes on when the server is back."""
    with PostgresBackend(dsn, patience=0.4) as store:
        store.append("run", 0, [started()])
        postgres.stop()
        try:
            began = time.monotonic()
            with pytest.raises(StorageError, match="the server is away") as caught:
                store.append("run", 1, step(0))
            assert time.monotonic() - began < 10
            assert caught.value.exit_code == 6
            assert not store.mark("run", "storage_error", "away")
        finally:
            postgres.start()
        assert store.append("run", 1, step(0)) == 3


def test_a_server_that_does_not_answer(dsn: str, admin: Admin) -> None:
    """A statement without an answer is given up; it is not known whether it was done, and once if it was."""
    with PostgresBackend(dsn, patience=0.5) as store:
        store.append("run", 0, [started()])
        admin.execute("BEGIN")
        admin.execute("LOCK TABLE flopod.records IN SHARE MODE")
        with pytest.raises(StorageError, match="no answer"):
            store.append("run", 1, step(0))
        admin.execute("COMMIT")
        _wait_until(admin, "SELECT count(*) FROM pg_locks WHERE NOT granted", 0)
        assert seqs(store) in ([1], [1, 2, 3])


def test_a_wrong_address_shows_at_once() -> None:
    """Where no server is, the first use says so without waiting, and names the place, not the password."""
    port = free_port()
    began = time.monotonic()
    with pytest.raises(StorageError, match=f"127.0.0.1:{port}/x: cannot connect") as caught:
        PostgresBackend(f"postgresql://ann:s3cret@127.0.0.1:{port}/x").open()
    assert time.monotonic() - began < 5
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("dsn", ["postgresql://ann:pa@ss:s3cret@host/db", "s3cret", "port=1 s3cret"])
def test_a_text_that_is_no_address(dsn: str) -> None:
    """It is bad input, and what is wrong with it is not repeated: it may be a part of a password."""
    with pytest.raises(BadInput, match="postgresql://USER:PASSWORD@HOST") as caught:
        PostgresBackend(dsn).open()
    assert "s3cret" not in str(caught.value)


def test_psycopg_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the driver the error names the extra that brings it, at the first use."""
    monkeypatch.setitem(__import__("sys").modules, "psycopg", None)
    with pytest.raises(Unsupported, match=r"pip install 'flopod\[postgres\]'"):
        PostgresBackend("postgresql://host/db").open()


# -- other people ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("damage", "record"),
    [
        ("UPDATE flopod.records SET body = replace(body, '1.50', '9.50') WHERE seq = 3", 3),
        ("DELETE FROM flopod.records WHERE seq = 2", 2),
        ("UPDATE flopod.records SET seq = 9 WHERE seq = 5", 5),
        ("UPDATE flopod.records SET body = '' WHERE seq = 1", 1),
    ],
)
def test_a_damaged_record_is_refused(dsn: str, admin: Admin, damage: str, record: int) -> None:
    """A changed, missing or moved row names the place, the run and the record; other runs go on."""
    with PostgresBackend(dsn) as writer:
        writer.append("run", 0, [started(), *step(0), *step(1)])
    admin.execute(damage.encode())
    with PostgresBackend(dsn) as store:
        store.append("other", 0, [started()])
        with pytest.raises(DamagedLog, match=f"run run: record {record} ") as caught:
            store.load("run")
        assert caught.value.line == record
        assert len(store.summaries()) == 2


def test_a_user_who_may_only_read(dsn: str, store: PostgresBackend) -> None:
    """Loading and listing work; appending is refused as read-only."""
    store.append("run", 0, [started()])
    reading = f"{dsn}?options=-cdefault_transaction_read_only%3Don"
    with PostgresBackend(reading) as reader:
        assert len(reader.load("run")) == len(reader.summaries()) == 1
        for use in (
            lambda: reader.append("run", 1, step(0)),
            lambda: reader.deliver("run", "p", "e", b"1"),
            lambda: reader.hold("run"),
        ):
            with pytest.raises(ReadOnlyStorage):
                use()


def test_records_are_ordinary_rows(store: PostgresBackend, admin: Admin) -> None:
    """Kind, path and time of an event can be asked for with psql."""
    store.append("run", 0, [started(), *step(0)])
    row = admin.execute(
        "SELECT kind, path, at FROM flopod.events WHERE run_id = 'run' AND seq = 3"
    ).fetchone()
    assert row == ("activity_completed", "lines[0]/price_line", 3)


def test_statements_of_a_shared_session(store: PostgresBackend) -> None:
    """Prepared statements that a pooler's session does not have, or has already, do no harm."""
    last = store.append("run", 0, [started()])
    for number in range(12):
        if number in (6, 9):
            assert store._db._connection is not None
            store._db._connection.execute("DEALLOCATE ALL")
        last = store.append("run", last, step(number))
    assert seqs(store) == list(range(1, 26))
