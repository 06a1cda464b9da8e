"""Reading from SQLite while another thread of the process writes."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec import Raw

from flopod.backends.database import transaction
from flopod.backends.sqlite import SqliteBackend
from flopod.errors import ReadOnlyStorage
from tests.contract.support import started, step


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteBackend]:
    with SqliteBackend(tmp_path / "runs.db") as store:
        store.append("run", 0, [started()])
        yield store


class Writer:
    """Another thread that is in the middle of a transaction, until `end` is called."""

    def __init__(self, store: SqliteBackend) -> None:
        self._store = store
        self._inside, self._go_on = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._write)
        self._thread.start()
        self._inside.wait()

    def _write(self) -> None:
        with self._store._database.writing as db, transaction(db):
            db.execute("UPDATE runs SET status = 'waiting'")
            self._inside.set()
            self._go_on.wait(10)

    def end(self) -> None:
        self._go_on.set()
        self._thread.join()


def test_a_reader_does_not_wait_for_a_commit(store: SqliteBackend) -> None:
    """While a thread writes, another one reads what was committed before."""
    writer = Writer(store)
    try:
        assert len(store.load("run")) == 1
        assert [one.run_id for one in store.summaries(status="pending")] == ["run"]
        assert not writer._go_on.is_set()
    finally:
        writer.end()
    assert not store.summaries(status="pending")


def test_a_reader_beside_cannot_write(store: SqliteBackend) -> None:
    """So that it never checkpoints, whoever closes last."""
    writer = Writer(store)
    try:
        with pytest.raises(ReadOnlyStorage), store._database.reading as db:
            db.execute("DELETE FROM runs")
        assert len(store.load("run")) == 1
    finally:
        writer.end()


def test_what_comes_is_seen_through_either_connection(store: SqliteBackend) -> None:
    """The token of an inbox and the mark of the news differ after a delivery, whichever of the two looks."""
    other = SqliteBackend(store.path)

    def seen(apart: bool) -> tuple[object, object]:
        writer = Writer(store) if apart else None
        try:
            return store.inbox_token("run"), store.news(None)[0]
        finally:
            if writer is not None:
                writer.end()

    for before in (False, True):
        for after in (False, True):
            token, mark = seen(before)
            other.deliver("run", "go", "go", Raw(b"1"))
            later, _ = seen(after)
            assert later != token
            assert "run" in store.news(mark)[1]
    other.close()


def test_what_this_process_writes_is_no_news_to_it(store: SqliteBackend) -> None:
    """Its runs are not looked through for new ones at each of its own commits."""
    mark, _ = store.news(None)
    for number in range(3):
        store.append("run", 1 + 2 * number, step(number))
        writer = Writer(store)
        try:
            assert store.news(mark) == (mark, [])
        finally:
            writer.end()
        assert store.news(mark) == (mark, [])


def test_a_process_forked_while_another_thread_reads_has_its_own(store: SqliteBackend) -> None:
    """Neither connection is used by a child process."""
    writer = Writer(store)
    store.load("run")
    writer.end()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            store.append("run", 1, step(0))
            status = 0 if len(store.load("run")) == 3 else 2
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0
    assert len(store.load("run")) == 3
