"""Removing records that do not count, the same for every store."""

import os
from pathlib import Path
from typing import Any

import pytest
from msgspec import Raw

from flopod.backends import Backend, FileBackend, SqliteBackend
from flopod.errors import DamagedLog, Fenced
from flopod.events import Compacted, Event, Span, Totals
from tests.contract.support import Place, output_of, started, step

GONE: list[Span] = [(2, 21), (24, 31)]


def compacted(dropped: list[Span], steps: int = 20) -> Compacted:
    """Return the event that says what is gone, of a run of so many steps."""
    return Compacted(at=9, dropped=dropped, inbox=2, totals=Totals(started=steps, done=steps))


def filled(store: Backend) -> Backend:
    """Give a store a run of 20 steps (records 2 to 41), of which a record says that most are gone."""
    events: list[Event] = [started(), *(event for number in range(20) for event in step(number))]
    store.append("run", 0, events)
    store.append("run", 41, [compacted(GONE)])
    return store


def seqs(store: Backend) -> list[int]:
    return [record.seq for record in store.load("run")]


LEFT = [1, 22, 23, *range(32, 43)]


def test_what_is_dropped_is_not_read_before_it_is_removed(place: Place) -> None:
    """From the record on nobody sees what it lists, whether or not it is there."""
    store = filled(place.open())
    assert seqs(store) == seqs(place.open()) == LEFT
    store.compact("run", GONE)
    assert seqs(store) == seqs(place.open()) == LEFT
    store.compact("run", GONE)
    assert seqs(store) == LEFT


def test_a_compacted_log_goes_on(place: Place) -> None:
    """Numbers keep counting after the gaps, for the store that compacted and for another one."""
    store = filled(place.open())
    store.compact("run", GONE)
    assert store.append("run", 42, step(50)) == 44
    store.close()
    assert place.open().append("run", 44, step(51)) == 46
    assert seqs(place.open()) == [*LEFT, 43, 44, 45, 46]


def test_it_is_compacted_again(place: Place) -> None:
    """A later record covers more, the former one included."""
    store = filled(place.open())
    store.compact("run", GONE)
    more: list[Span] = [(2, 40), (42, 42)]
    store.append("run", 42, [*step(50), compacted(more)])
    assert seqs(store) == [1, 41, 43, 44, 45]
    store.compact("run", more)
    assert seqs(store) == seqs(place.open()) == [1, 41, 43, 44, 45]


def test_the_summary_stays(place: Place) -> None:
    """Counts are those of the whole run, for whoever folds it: before, after, and from nothing."""
    store = filled(place.open())
    before = store.summary("run")
    assert before is not None
    store.compact("run", GONE)
    assert (store.summary("run"), place.open().summary("run")) == (before, before)
    store.append("run", 42, step(50))
    store.close()
    after = place.open().summary("run")
    assert after is not None
    assert (after.activities_done, after.running, after.seq) == (21, {}, 44)
    assert place.open().summaries() == [after]


def test_a_summary_from_before_is_made_anew(tmp_path: Path) -> None:
    """A kill after the log was rewritten leaves a summary in which something is open that has ended."""
    with FileBackend(tmp_path) as store:
        store.append("run", 0, [started(), step(0)[0]])
    stale = (tmp_path / "summaries/run.json").read_bytes()
    with FileBackend(tmp_path) as store:
        store.append("run", 2, [step(0)[1], *step(1)])
        store.append("run", 5, [*step(2), compacted([(2, 5)], steps=3)])
        store.compact("run", [(2, 5)])
    (tmp_path / "summaries/run.json").write_bytes(stale)
    summary = FileBackend(tmp_path).summary("run")
    assert summary is not None
    assert (summary.running, summary.activities_done) == ({}, 3)


def test_a_writer_that_is_killed_right_after_it_compacted_is_followed(place: Place) -> None:
    """What it had stored of the summary ends where the gap begins, and is made anew from what is left."""
    store = place.open()
    store.append("run", 0, [started()])
    for number in range(5):
        store.append("run", 1 + 2 * number, step(number))
    store.append("run", 11, [compacted([(2, 10)], steps=5)])
    store.compact("run", [(2, 10)])
    after = place.open()
    summary = after.summary("run")
    assert summary is not None
    assert (summary.status, summary.seq, summary.activities_done) == ("running", 12, 5)
    assert after.summaries() == [summary]
    assert after.append("run", 12, step(7)) == 14
    assert seqs(after) == [1, 11, 12, 13, 14]


def test_the_inbox_loses_what_was_taken(place: Place) -> None:
    """Items up to a number may go; those after it stay, and the next one follows them."""
    store = filled(place.open())
    for number in range(100):
        store.deliver("run", "p", "e", Raw(b"%d" % number))
    token = store.inbox_token("run")
    store.compact("run", GONE, inbox=98)
    assert [item.n for item in store.inbox("run", after=98)] == [99, 100]
    assert len(store.inbox("run")) < 100
    assert place.open().deliver("run", "p", "e", Raw(b"1")) == 101
    assert store.inbox_token("run") != token
    assert [item.n for item in store.inbox("run", after=99)] == [100, 101]
    store.compact("run", GONE, inbox=101)
    assert store.deliver("run", "p", "e", Raw(b"1")) == 102


@pytest.mark.process
def test_another_process_reads_and_is_fenced(shared: Place) -> None:
    """A process that had the log open reads it and appends to it after this one has replaced it."""
    store = filled(shared.open())
    store.compact("run", GONE)
    body = "print([record.seq for record in store.load('run')], store.append('run', 42, step(7)))"
    assert output_of(shared, body) == f"{LEFT} 44\n"
    with pytest.raises(Fenced):
        store.append("run", 42, step(8))
    assert seqs(store)[-1] == 44


def test_a_writer_that_had_the_file_open_finds_the_new_one(tmp_path: Path) -> None:
    """Who opened the log before it was replaced writes to the file that has its name."""
    one, two = FileBackend(tmp_path), FileBackend(tmp_path)
    filled(one)
    two.append("run", 42, step(50))
    one.compact("run", GONE)
    assert two.append("run", 44, step(51)) == 46
    assert seqs(FileBackend(tmp_path)) == [*LEFT, 43, 44, 45, 46]


def _lines(folder: Path) -> list[bytes]:
    return (folder / "events/run.jsonl").read_bytes().splitlines(keepends=True)


@pytest.mark.parametrize("place_of", range(1, len(LEFT)))
def test_a_line_lost_from_a_compacted_file_is_found(tmp_path: Path, place_of: int) -> None:
    """A number that is missing and not listed is damage, be it next to a gap."""
    with FileBackend(tmp_path) as store:
        filled(store).compact("run", GONE)
        store.append("run", 42, step(50))
    lines = _lines(tmp_path)
    del lines[place_of]
    (tmp_path / "events/run.jsonl").write_bytes(b"".join(lines))
    with pytest.raises(DamagedLog):
        FileBackend(tmp_path).load("run")


def test_a_flipped_byte_in_a_compacted_file_is_found(tmp_path: Path) -> None:
    """Line and offset are those of the file as it is."""
    with FileBackend(tmp_path) as store:
        filled(store).compact("run", GONE)
    lines = _lines(tmp_path)
    lines[4] = lines[4].replace(b"price", b"prize")
    (tmp_path / "events/run.jsonl").write_bytes(b"".join(lines))
    with pytest.raises(DamagedLog) as caught:
        FileBackend(tmp_path).load("run")
    assert (caught.value.line, caught.value.offset) == (5, sum(map(len, lines[:4])))


def test_rows_lost_from_a_compacted_database_are_found(tmp_path: Path) -> None:
    """As for files."""
    store = SqliteBackend(tmp_path / "runs.db")
    filled(store).compact("run", GONE)
    with store._database.writing as db:
        db.execute("DELETE FROM records WHERE place % (1 << 32) = 33")
    with pytest.raises(DamagedLog):
        store.load("run")


def test_a_disk_that_cannot_take_the_new_file_keeps_the_old(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Compaction is put off when it cannot be done, and the run goes on."""
    store = FileBackend(tmp_path)
    filled(store)
    before = _lines(tmp_path)

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fchmod", full)
        store.compact("run", GONE)
    assert _lines(tmp_path) == before
    assert [path.name for path in (tmp_path / "events").iterdir()] == ["run.jsonl"]
    assert store.append("run", 42, step(50)) == 44
    store.compact("run", GONE)
    assert len(_lines(tmp_path)) == len(LEFT) + 2


def test_little_is_not_removed_from_much(tmp_path: Path) -> None:
    """A file is not written anew for the sake of a small part of it."""
    store = FileBackend(tmp_path)
    big = started()
    store.append("run", 0, [type(big)(workflow="w", input=Raw(b'"' + b"x" * 100_000 + b'"'), run_id="run")])
    store.append("run", 1, [*step(0), compacted([(2, 3)], steps=1)])
    store.compact("run", [(2, 3)])
    assert len(_lines(tmp_path)) == 4
    assert seqs(store) == [1, 4]
