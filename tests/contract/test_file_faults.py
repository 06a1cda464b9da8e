"""What a store of files survives: torn and damaged lines, full and read-only disks, failed syncs."""

import errno
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from flopod.backends import FileBackend, disk
from flopod.errors import (
    DamagedLog,
    Fenced,
    ReadOnlyStorage,
    StorageError,
    StorageFull,
    SyncFailed,
)
from flopod.events import encode_line
from tests.contract.support import started, step


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Give the log of a run of five records; the last one holds characters of several bytes."""
    with FileBackend(tmp_path) as store:
        store.append("run", 0, [started(), *step(0), *step(1)])
    return tmp_path / "events/run.jsonl"


def reopened(log: Path) -> FileBackend:
    """Return a new store over the folder of `log`."""
    return FileBackend(log.parents[1])


def test_the_layout_is_the_documented_one(log: Path) -> None:
    """One line of JSON an event, the summary beside it, readable by anything."""
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [line["seq"] for line in lines] == [1, 2, 3, 4, 5]
    assert list(lines[1])[:4] == ["seq", "kind", "path", "at"]
    assert list(lines[1])[-1] == "crc"
    assert json.loads((log.parents[1] / "summaries/run.json").read_text())["offset"] == log.stat().st_size


def test_any_cut_of_the_last_line_is_recovered(log: Path) -> None:
    """Cut at every byte of the last record, the log loads without it and can be continued."""
    whole = log.read_bytes()
    start = whole.rindex(b"\n", 0, -1) + 1
    for cut in range(start, len(whole)):
        log.write_bytes(whole[:cut])
        store = reopened(log)
        assert [record.seq for record in store.load("run")] == [1, 2, 3, 4]
        assert log.read_bytes() == whole[:cut], "reading must not write"
        assert store.append("run", 4, step(1)[1:]) == 5
        assert log.read_bytes() == whole
        store.close()


def test_any_cut_at_a_line_end_is_a_shorter_log(log: Path) -> None:
    """Every prefix of whole lines is a valid log, listed and continued as such."""
    lines = log.read_bytes().splitlines(keepends=True)
    for count in range(1, len(lines)):
        log.write_bytes(b"".join(lines[:count]))
        store = reopened(log)
        summary = store.summary("run")
        assert summary is not None
        assert summary.seq == count
        assert store.append("run", count, step(9)) == count + 2
        store.close()


def test_a_torn_tail_without_loading_first(log: Path) -> None:
    """An append by a store that never read the log cuts the tail too, and does not fuse with it."""
    whole = log.read_bytes()
    log.write_bytes(whole + whole[:30])
    assert reopened(log).append("run", 5, step(2)) == 7
    assert len(reopened(log).load("run")) == 7
    assert log.read_bytes().startswith(whole)


def test_zeros_of_a_power_cut_are_a_torn_tail(log: Path) -> None:
    """A tail of zero bytes, as file systems leave it, is cut like any unfinished line."""
    whole = log.read_bytes()
    log.write_bytes(whole + bytes(4096))
    store = reopened(log)
    assert len(store.load("run")) == 5
    assert store.append("run", 5, step(2)) == 7
    assert b"\0" not in log.read_bytes()


def _flip(lines: list[bytes]) -> None:
    lines[2] = lines[2].replace(b"1.50", b"9.50")


def _remove(lines: list[bytes]) -> None:
    del lines[2]


def _repeat(lines: list[bytes]) -> None:
    lines.insert(2, lines[1])


def _swap(lines: list[bytes]) -> None:
    lines[2], lines[3] = lines[3], lines[2]


def _shorten(lines: list[bytes]) -> None:
    lines[2] = lines[2][:-9] + b"\n"


def _empty(lines: list[bytes]) -> None:
    lines.insert(2, b"\n")


def _no_text(lines: list[bytes]) -> None:
    lines[2] = b"\xff\xfe" + lines[2]


def _renumber(lines: list[bytes]) -> None:
    lines[2] = encode_line(7, started()) + b"\n"


def _spoil_crc(lines: list[bytes]) -> None:
    lines[2] = lines[2][:-4] + (b"0" if lines[2][-4:-3] != b"0" else b"1") + lines[2][-3:]


DAMAGE = [_flip, _remove, _repeat, _swap, _shorten, _empty, _no_text, _renumber, _spoil_crc]


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_middle_is_refused(log: Path, damage: Callable[[list[bytes]], None]) -> None:
    """Every kind of damage inside the log names file, line and offset, and nothing is changed."""
    lines = log.read_bytes().splitlines(keepends=True)
    damage(lines)
    log.write_bytes(b"".join(lines))
    before = log.read_bytes()
    offset = sum(map(len, lines[:2]))
    store = reopened(log)
    for use in (
        lambda: store.load("run"),
        lambda: list(store.scan("run")),
        lambda: store.append("run", 5, step(2)),
    ):
        with pytest.raises(DamagedLog) as caught:
            use()
        assert (caught.value.file, caught.value.line, caught.value.offset) == (str(log), 3, offset)
        assert f"line 3 (byte offset {offset})" in str(caught.value)
        assert caught.value.exit_code == 6
    assert log.read_bytes() == before


def test_one_damaged_run_does_not_hide_the_others(log: Path) -> None:
    """The listing shows the damaged run as a storage error, and the rest as they are."""
    store = reopened(log)
    store.append("fine", 0, [started(at=7)])
    lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join([lines[0], lines[2]]))
    (log.parents[1] / "summaries/run.json").unlink()
    fine, damaged = reopened(log).summaries()
    assert (fine.run_id, fine.status) == ("fine", "pending")
    assert (damaged.run_id, damaged.status) == ("run", "storage_error")
    assert "line 2" in damaged.error


@pytest.mark.parametrize("summary", [False, True])
def test_a_log_under_the_name_of_another_run_is_refused(log: Path, summary: bool) -> None:
    """A copied log would run its steps a second time under their old keys; both runs are named."""
    (log.parent / "copy.jsonl").write_bytes(log.read_bytes())
    if summary:
        summaries = log.parents[1] / "summaries"
        (summaries / "copy.json").write_bytes((summaries / "run.json").read_bytes())
    store = reopened(log)
    for read in (store.load, store.first, store.summary):
        with pytest.raises(DamagedLog, match="it is the log of the run 'run', not of 'copy'"):
            read("copy")
    with pytest.raises(DamagedLog, match="not of 'copy'"):
        store.append("copy", 5, step(2))
    found = {each.run_id: each.status for each in store.summaries()}
    assert found == {"run": "running", "copy": "storage_error"}


def test_a_log_cut_behind_its_summary_is_folded_again(log: Path) -> None:
    """A summary that knows more than the log, as after a power cut, is not believed."""
    lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join(lines[:3]))
    found = reopened(log).summary("run")
    assert found is not None
    assert (found.seq, found.activities_done) == (3, 1)
    longer = [encode_line(4, started(workflow="x" * 900)), encode_line(5, step(5)[0])]
    log.write_bytes(b"".join(lines[:3]) + b"".join(line + b"\n" for line in longer))
    (log.parents[1] / "summaries/run.json").write_bytes(
        json.dumps({"offset": len(b"".join(lines[:3])) + 40, "summary": {"seq": 4, "version": 1}}).encode()
    )
    found = reopened(log).summary("run")
    assert found is not None
    assert (found.seq, found.activities_started) == (5, 2)


def test_a_file_that_is_no_run_is_not_listed(log: Path) -> None:
    """Files with other names in the folder, and empty logs, are left alone."""
    (log.parent / ".hidden.jsonl").write_text("x")
    (log.parent / "notes.txt").write_text("x")
    (log.parent / "a b.jsonl").write_text("x")
    (log.parent / "empty.jsonl").touch()
    assert [run.run_id for run in reopened(log).summaries()] == ["run"]


@pytest.mark.parametrize("kept", [0, 1, 50, 10_000])
def test_a_full_disk_takes_the_append_back(log: Path, monkeypatch: pytest.MonkeyPatch, kept: int) -> None:
    """When the disk fills up in mid-write the log is as before, and goes on when there is room."""
    before = log.read_bytes()
    store = reopened(log)
    store.load("run")
    write = os.write

    def full(fd: int, data: bytes) -> int:
        if kept >= len(data):
            raise OSError(errno.ENOSPC, "full")
        monkeypatch.setattr(os, "write", _refuse)
        return write(fd, bytes(data)[:kept])

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(StorageFull) as caught:
        store.append("run", 5, step(2))
    assert caught.value.exit_code == 6
    assert log.read_bytes() == before
    monkeypatch.setattr(os, "write", write)
    assert store.append("run", 5, step(2)) == 7
    assert len(reopened(log).load("run")) == 7


def _refuse(_fd: int, _data: bytes) -> int:
    raise OSError(errno.ENOSPC, "full")


@pytest.mark.parametrize(("code", "kind"), [(errno.EIO, SyncFailed), (errno.ENOSPC, StorageFull)])
def test_a_failed_sync_is_not_believed(
    log: Path, monkeypatch: pytest.MonkeyPatch, code: int, kind: type[StorageError]
) -> None:
    """After a failed sync the append does not count, the descriptor is never used again, and the next
    append begins with the file as it was."""
    before = log.read_bytes()
    store = reopened(log)
    store.append("run", 5, [])
    synced: list[int] = []

    def fail_once(fd: int) -> None:
        synced.append(os.fstat(fd).st_size)
        if len(synced) == 1:
            raise OSError(code, "lost")

    monkeypatch.setattr(disk, "_fdatasync", fail_once)
    with pytest.raises(kind):
        store.append("run", 5, step(2))
    assert log.read_bytes() == before
    assert synced[0] > len(before), "the first sync was of the new record"
    assert synced[1:] == [len(before)], "the file was cut and synced through another descriptor"
    assert store.append("run", 5, step(3)) == 7
    assert [record.event for record in reopened(log).load("run")][5:] == step(3)


def test_a_disk_that_stays_broken_stays_refused(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As long as nothing can be confirmed no append succeeds; afterwards the log goes on untorn."""
    before = log.read_bytes()
    store = reopened(log)
    monkeypatch.setattr(disk, "_fdatasync", _broken)
    for _ in range(3):
        with pytest.raises(SyncFailed):
            store.append("run", 5, step(2))
    monkeypatch.undo()
    assert store.append("run", 5, step(4)) == 7
    assert log.read_bytes().startswith(before)
    assert [record.event for record in reopened(log).load("run")][5:] == step(4)


def _broken(_fd: int) -> None:
    raise OSError(errno.EIO, "broken")


def test_what_another_writer_made_of_a_doubtful_append_is_kept(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If another process went on from records that this one gave up, they are not cut off again."""
    store = reopened(log)
    monkeypatch.setattr(disk, "_fdatasync", _broken)
    with pytest.raises(SyncFailed):
        store.append("run", 5, step(2))
    monkeypatch.undo()
    with log.open("ab") as stream:
        for seq, event in enumerate([*step(2), *step(3)], start=6):
            stream.write(encode_line(seq, event) + b"\n")
    with pytest.raises(Fenced) as caught:
        store.append("run", 5, step(2))
    assert caught.value.found == 9
    assert len(reopened(log).load("run")) == 9


def test_a_removed_log_is_noticed(log: Path) -> None:
    """A log that somebody removes under a running process fences it, instead of taking writes."""
    store = reopened(log)
    store.append("run", 5, step(2))
    log.unlink()
    with pytest.raises(Fenced) as caught:
        store.append("run", 7, step(3))
    assert caught.value.found == 0


def test_a_damaged_inbox_is_refused(log: Path) -> None:
    """A torn delivery is forgotten, a damaged one is named."""
    store = reopened(log)
    for number in range(3):
        store.deliver("run", "p", "e", str(number).encode())
    inbox = log.parents[1] / "inbox/run.jsonl"
    whole = inbox.read_bytes()
    inbox.write_bytes(whole + whole[:20])
    assert len(reopened(log).inbox("run")) == 3
    assert reopened(log).deliver("run", "p", "e", b"3") == 4
    inbox.write_bytes(whole.replace(b'"payload":1', b'"payload":7'))
    with pytest.raises(DamagedLog) as caught:
        reopened(log).inbox("run")
    assert caught.value.line == 2


def test_a_file_where_the_folder_should_be(tmp_path: Path) -> None:
    """A place that cannot be a folder is a storage error that names it."""
    (tmp_path / "runs").write_text("x")
    with pytest.raises(StorageError, match="runs"):
        FileBackend(tmp_path / "runs").open()


def test_errors_of_the_disk_are_told_apart() -> None:
    """Full, read-only and other errors become the errors that say so."""
    for code, kind in [
        (errno.EDQUOT, StorageFull),
        (errno.EFBIG, StorageFull),
        (errno.EROFS, ReadOnlyStorage),
        (errno.EACCES, ReadOnlyStorage),
    ]:
        assert type(disk.storage_error(OSError(code, "x"), "f")) is kind
    assert type(disk.storage_error(OSError(errno.EIO, "x"), "f")) is StorageError
