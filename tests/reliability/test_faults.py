"""One fault at every call that a store of files makes, and faults that last: nothing acknowledged is lost."""

import contextlib
import errno
import itertools
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from flopod.backends import FileBackend
from flopod.errors import DamagedLog, FlopodError, StorageError
from flopod.events import ActivityCompleted, RunFailed
from tests.cli.flows import clean_environment
from tests.contract.support import started, step
from tests.engine.support import calls
from tests.reliability.faults import Faults, ever_since, once
from tests.reliability.session import Session
from tests.reliability.support import drive

FULL, BROKEN = errno.ENOSPC, errno.EIO


def calls_of_a_session(folder: Path) -> int:
    """How many calls a session makes when nothing fails."""
    with Faults().injected() as faults, FileBackend(folder) as store:
        Session(store).play()
        return faults.count


@pytest.mark.parametrize("code", [FULL, BROKEN])
def test_one_fault_anywhere_loses_nothing_and_is_gone(tmp_path: Path, code: int) -> None:
    """Whichever call fails once, what failed can be done again at once, and the log is whole."""
    calls = calls_of_a_session(tmp_path / "whole")
    assert calls > 50
    for at in range(1, calls + 1):
        store = FileBackend(tmp_path / str(at))
        session = Session(store)
        with Faults().injected(once(at, code)) as faults:
            session.play()
            store.close()
        assert faults.failed == 1
        session.check(FileBackend(tmp_path / str(at)))


@pytest.mark.parametrize("code", [FULL, BROKEN])
def test_faults_that_last_refuse_and_end(tmp_path: Path, code: int) -> None:
    """From any call on nothing can be written: every act is refused; with a disk again all goes on."""
    calls = calls_of_a_session(tmp_path / "whole")
    for at in range(1, calls, 3):
        store = FileBackend(tmp_path / str(at))
        session = Session(store)
        with Faults().injected(ever_since(at, code)):
            with pytest.raises(StorageError):
                session.play()
                raise StorageError("nothing was refused")
            before = list(session.acknowledged)
            for _ in range(2):
                with pytest.raises(StorageError):
                    session.append(*step(90))
        assert session.acknowledged == before
        seen = FileBackend(tmp_path / str(at)).load("run")
        assert [record.event for record in seen if record.seq <= len(before)] == [
            record.event for record in seen
        ], "what was refused is there"
        session.append(*([] if before else [started()]), *step(91))
        reread = FileBackend(tmp_path / str(at)).load("run")
        assert reread[-1].seq == len(session.acknowledged)


# -- runs ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [FULL, BROKEN])
def test_a_run_whose_store_fails_has_not_failed(tmp_path: Path, code: int) -> None:
    """From any call on it is in trouble, and comes to its end later; nothing recorded is done again."""
    with Faults().injected() as faults:
        drive(FileBackend(tmp_path / "whole"))
        most = faults.count
    for at in range(1, most):
        calls.clear()
        folder = tmp_path / str(at)
        with Faults().injected(ever_since(at, code)) as faults:
            with contextlib.suppress(StorageError):
                drive(FileBackend(folder))
            if not faults.failed:
                break
        store = FileBackend(folder)
        records = store.load("run")
        done = [event for _, event in records if isinstance(event, ActivityCompleted)]
        assert not any(isinstance(event, RunFailed) for _, event in records)
        summary = store.summary("run")
        assert summary is None or summary.status in ("storage_error", "completed"), at
        before = list(calls)
        assert drive(store) == 3
        again = calls[len(before) :]
        assert len(again) == 3 - len(done), f"{again} ran again, and {len(done)} were recorded"
        assert FileBackend(folder).summaries()[0].status == "completed"


ENGINE = """
import asyncio, os, sys
from flopod.backends import FileBackend, SqliteBackend
from flopod.engine import engine as engines
from flopod.engine.registry import HandWritten
engines._AGAIN = 0.2
store = FileBackend("disk") if sys.argv[1] == "file" else SqliteBackend("disk/runs.db")
calls = []
all_started = asyncio.Event()

async def grow(n):
    calls.append(n)
    await all_started.wait()
    if n == 1 and not os.path.exists("ballast was here"):
        open("ballast was here", "w").close()
        with open("disk/ballast", "wb", buffering=0) as file:
            try:
                while file.write(b"x" * 512):
                    pass
            except OSError:
                pass
    return "y" * 20_000

async def grows(wf, n):
    return len(await wf.activity("a", grow, n)) + len(await wf.activity("b", grow, n))

async def main():
    async with engines.Engine(store, HandWritten({"grows": grows})) as engine:
        handles = [await engine.start("grows", [n], run_id=f"run{n}") for n in range(3)]
        all_started.set()
        ends = asyncio.gather(*(handle.result() for handle in handles))
        await asyncio.sleep(1)
        print(*sorted({run.status for run in store.summaries()}), flush=True)
        os.remove("disk/ballast")
        print(await asyncio.wait_for(ends, 30))
        print(*{run.status for run in store.summaries()})

asyncio.run(main())
"""


@pytest.mark.process
@pytest.mark.skipif(shutil.which("unshare") is None, reason="there is no unshare to mount a file system in")
@pytest.mark.parametrize("kind", ["file", "sqlite"])
def test_an_engine_goes_on_when_a_full_disk_has_room(tmp_path: Path, kind: str) -> None:
    """No run fails, none is lost, and nobody has to start them again."""
    (tmp_path / "disk").mkdir()
    (tmp_path / "program.py").write_text(ENGINE)
    python = f"{sys.executable} program.py {kind}"
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", f"mount -t tmpfs -o size=1m none disk && {python}"],
        cwd=tmp_path,
        env={**clean_environment(), "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=100,
    )
    if "unshare" in done.stderr or "mount" in done.stderr:
        pytest.skip(f"a file system cannot be mounted here: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    statuses, results, after = done.stdout.splitlines()
    assert "failed" not in statuses
    assert "completed" not in statuses.split() or len(statuses.split()) > 1
    assert (results, after) == ("[40000, 40000, 40000]", "completed")


# -- damage --------------------------------------------------------------------------------------


def test_any_changed_byte_of_a_log_is_found(tmp_path: Path) -> None:
    """At every place of the file: it is refused, or what is changed is the tail that was not finished."""
    with FileBackend(tmp_path) as store:
        store.append("run", 0, [started(), *step(0), *step(1)])
        whole = store.load("run")
    log = tmp_path / "events/run.jsonl"
    text = log.read_bytes()
    for place, change in itertools.product(range(len(text)), (0x01, 0x80)):
        log.write_bytes(text[:place] + bytes([text[place] ^ change]) + text[place + 1 :])
        try:
            found = FileBackend(tmp_path).load("run")
        except DamagedLog as error:
            assert error.file == str(log)
        else:
            assert place == len(text) - 1
            assert found == whole[:-1]


@pytest.mark.parametrize("kind", ["summaries/run.json", "locks/run"])
def test_what_is_beside_the_log_may_be_cut_anywhere(tmp_path: Path, kind: str) -> None:
    """A torn summary, or a torn note of who holds the run, is made again from what the log says."""
    with FileBackend(tmp_path) as store:
        with store.hold("run"):
            store.append("run", 0, [started(), *step(0)])
        expected = store.summary("run")
    file = tmp_path / kind
    text = file.read_bytes()
    for cut in range(len(text)):
        file.write_bytes(text[:cut])
        store = FileBackend(tmp_path)
        assert store.summary("run") == expected
        with store.hold("run") as hold:
            assert not hold.crashed


def test_any_page_of_a_database_may_be_damaged(tmp_path: Path) -> None:
    """Noise at any place of the file is refused, or hides what was last: it never is another record."""
    from flopod.backends import SqliteBackend

    source = tmp_path / "runs.db"
    with SqliteBackend(source) as store:
        for n in range(20):
            store.append(f"run{n}", 0, [started(run_id=f"run{n}"), *step(n), *step(n + 1)])
        whole = {f"run{n}": store.load(f"run{n}") for n in range(20)}
    text = source.read_bytes()
    refused = 0
    for number, place in enumerate(range(0, len(text), 701)):
        damaged = tmp_path / f"damaged{number}.db"
        damaged.write_bytes(text[:place] + b"\xa5" * 16 + text[place + 16 :])
        store = SqliteBackend(damaged)
        for run_id, records in whole.items():
            try:
                found = store.load(run_id)
            except FlopodError as error:
                assert isinstance(error, StorageError), error
                refused += 1
            else:
                assert found == records[: len(found)], f"{place}: another log for {run_id}"
        store.close()
    assert refused > 0
