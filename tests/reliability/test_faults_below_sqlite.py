"""One fault at every call by which SQLite reaches the disk, faults that last, and a log that was damaged."""

import contextlib
import errno
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from flopod.backends import SqliteBackend
from flopod.errors import StorageError
from flopod.events import ActivityCompleted, RunFailed
from tests.contract.support import Place, output_of, process, public_folder, started, step
from tests.engine.support import calls as called
from tests.reliability.faults import once
from tests.reliability.session import Session
from tests.reliability.support import drive
from tests.reliability.vfs import Fails, FaultyDisk

FULL, BROKEN = errno.ENOSPC, errno.EIO
codes = pytest.mark.parametrize("code", [FULL, BROKEN])


def ever_since(at: int, code: int) -> Fails:
    """All calls that write or sync fail from number `at` on, as on a full or broken disk."""
    return lambda number, name: code if number >= at and name != "open" else None


def calls_of_a_session(folder: Path) -> int:
    """How many calls a session makes when nothing fails."""
    with FaultyDisk().injected() as faults, SqliteBackend(folder / "runs.db") as store:
        Session(store).play()
        store.close()
        return faults.count


@codes
def test_one_fault_anywhere_loses_nothing_and_is_gone(tmp_path: Path, code: int) -> None:
    """Whichever call fails once, what failed can be done again at once, and the database is set up safely."""
    calls = calls_of_a_session(tmp_path / "whole")
    assert calls > 80
    for at in range(1, calls + 1):
        file = tmp_path / str(at) / "runs.db"
        with FaultyDisk().injected(once(at, code)) as faults:
            store = SqliteBackend(file)
            session = Session(store)
            session.play()
            store.close()
        assert faults.failed == 1
        session.check(SqliteBackend(file))
        assert journal_mode(file) == "wal", f"after a fault at call {at}"


def journal_mode(file: Path) -> str:
    """How the database keeps its journal, for whoever opens it."""
    with contextlib.closing(sqlite3.connect(file)) as db:
        return str(db.execute("PRAGMA journal_mode").fetchone()[0])


@codes
def test_faults_that_last_refuse_and_end(tmp_path: Path, code: int) -> None:
    """From any call on nothing can be written: every act is refused; with a disk again all goes on."""
    calls = calls_of_a_session(tmp_path / "whole")
    for at in range(1, calls - 20, 2):
        store = SqliteBackend(tmp_path / str(at) / "runs.db")
        session = Session(store)
        with FaultyDisk().injected(ever_since(at, code)):
            with pytest.raises(StorageError):
                session.play()
                raise StorageError("nothing was refused")
            before = list(session.acknowledged)
            for _ in range(2):
                with pytest.raises(StorageError):
                    session.append(*step(90))
            assert session.acknowledged == before
            store.close()
        # What was refused may have come to rest on the disk as a whole, like an answer that got lost.
        seen = [record.event for record in store.load("run")]
        assert seen[: len(before)] == before or len(before) > 19, f"from call {at} on"
        last = store.load("run")[-1].seq if seen else 0
        events = [*([] if seen else [started()]), *step(91)]
        assert store.append("run", last, events) == last + len(events)
        assert store.load("run")[-1].seq == last + len(events)
        store.close()


# -- runs ----------------------------------------------------------------------------------------


@codes
def test_a_run_whose_disk_fails_has_not_failed(tmp_path: Path, code: int) -> None:
    """From any call on it is in trouble, and comes to its end later; nothing recorded is done again."""
    with FaultyDisk().injected() as faults:
        drive(SqliteBackend(tmp_path / "whole" / "runs.db"))
        most = faults.count
    assert most > 60
    for at in range(1, most + 1):
        called.clear()
        file = tmp_path / str(at) / "runs.db"
        with FaultyDisk().injected(ever_since(at, code)), contextlib.suppress(StorageError):
            store = SqliteBackend(file)
            drive(store)
        store.close()
        store = SqliteBackend(file)
        records = store.load("run")
        done = [event for _, event in records if isinstance(event, ActivityCompleted)]
        assert not any(isinstance(event, RunFailed) for _, event in records)
        before = len(called)
        assert drive(store) == 3
        assert len(called) - before == 3 - len(done), f"from call {at} on: {called}, {len(done)} recorded"
        assert store.summaries()[0].status == "completed"
        store.close()


# -- the write-ahead log -------------------------------------------------------------------------


@pytest.fixture
def killed(tmp_path: Path) -> Path:
    """Give a database whose process was killed, so that its last records are in the log beside it."""
    place = Place("sqlite", tmp_path)
    body = """
        last = store.append('run', 0, [started()])
        for number in range(6):
            last = store.append('run', last, step(number))
        print('written', flush=True)
        sys.stdin.read()
    """
    with process(place, body) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "written\n"
        child.kill()
        child.wait()
    return tmp_path / "runs.db"


def log_of(file: Path) -> Path:
    return file.with_name(file.name + "-wal")


def copied(file: Path, folder: Path) -> Path:
    """Copy a database and its log, without what SQLite makes anew."""
    folder.mkdir()
    shutil.copy(log_of(file), log_of(folder / file.name))
    return shutil.copy(file, folder / file.name)


@pytest.mark.process
def test_a_damaged_log_of_sqlite_holds_a_shorter_run_or_is_refused(killed: Path, tmp_path: Path) -> None:
    """Cut, changed anywhere or gone: what is read is how the run once was, and from there it goes on."""
    whole = SqliteBackend(copied(killed, tmp_path / "whole"))
    records = whole.load("run")
    assert len(records) == 13
    text = log_of(killed).read_bytes()
    damages: list[bytes | None] = [None]
    damages += [text[:cut] for cut in range(0, len(text), 1501)]
    damages += [text[:at] + b"\xa5" * 8 + text[at + 8 :] for at in range(0, len(text), 1501)]
    lengths = set()
    for number, damage in enumerate(damages):
        file = copied(killed, tmp_path / str(number))
        if damage is None:
            log_of(file).unlink()
        else:
            log_of(file).write_bytes(damage)
        store = SqliteBackend(file)
        found = store.load("run")
        assert found == records[: len(found)]
        lengths.add(len(found))
        expected = len(found)
        events = step(9) if found else [started()]
        assert store.append("run", expected, events) == expected + len(events)
        store.close()
    assert 0 in lengths
    assert len(lengths) > 4


@pytest.fixture
def public() -> Iterator[Path]:
    """Give a folder that every user may write in."""
    with public_folder(0o777) as folder:
        yield folder


@pytest.mark.process
@pytest.mark.parametrize("mode", [0o444, 0o000])
@pytest.mark.parametrize("name", ["-wal", "-shm"])
def test_a_log_of_sqlite_that_is_another_users_is_named(public: Path, name: str, mode: int) -> None:
    """Where the database may be written and a file beside it may not, the error says which one it is."""
    place = Place("sqlite", public)
    store = place.open()
    store.append("run", 0, [started()])  # an open connection keeps the files
    store.hold("run").release()
    for file in public.rglob("*"):
        file.chmod(0o777)
    (public / f"runs.db{name}").chmod(mode)
    body = """
        import os
        if os.geteuid() == 0:
            os.setuid(65534)
        try:
            print('allowed', store.append('run', 1, step(0)))
        except StorageError as error:
            print(error.exit_code, error)
    """
    said = output_of(place, body)
    assert said.startswith("6 ")
    assert f"runs.db{name}" in said
    (public / f"runs.db{name}").chmod(0o666)
    assert output_of(place, body) == "allowed 3\n"
    place.close()
