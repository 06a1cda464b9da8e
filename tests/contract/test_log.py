"""Appending to logs and loading them, the same for every store."""

import pytest
from msgspec import Raw

from flopod.backends import Backend, Batch, reading
from flopod.errors import Fenced, FlopodError, SerializableError
from flopod.events import BranchTaken, Compacted, Event, Log, RunCompleted, Totals, VarChanged
from tests.contract.support import Place, started, step


def test_load_gives_back_what_was_appended(store: Backend) -> None:
    """Events come back in order, equal, numbered from one."""
    events: list[Event] = [started(), *step(0), *step(1), RunCompleted(result=Raw(b"null"), at=9)]
    assert store.append("run", 0, events[:2]) == 2
    assert store.append("run", 2, events[2:]) == 6
    records = store.load("run")
    assert [record.seq for record in records] == [1, 2, 3, 4, 5, 6]
    assert [record.event for record in records] == events


def test_values_come_back_to_the_byte(store: Backend) -> None:
    """The JSON of a value is kept as the codec wrote it: spacing of numbers, order of keys, null."""
    values = [
        b"null",
        b"1.0",
        b'{"b":1,"a":{"$":"int","v":"0xff"}}',
        b'"\\u0000\\ud83d\\ude42\\n"',
        '"ü€🙂"'.encode(),
    ]
    store.append("run", 0, [started(), *(VarChanged(value=Raw(value)) for value in values)])
    loaded = [record.event for record in store.load("run")[1:]]
    assert [bytes(event.value) for event in loaded if isinstance(event, VarChanged)] == values


def test_a_large_batch_is_one_append(store: Backend) -> None:
    """Any number of events can be appended at once."""
    events = [started(), *(event for number in range(300) for event in step(number))]
    assert store.append("run", 0, events) == 601
    assert [record.event for record in store.load("run")] == events


def test_an_unknown_run_is_empty(store: Backend) -> None:
    """A run that nobody started has no records and no summary."""
    assert store.load("nobody") == []
    assert store.summary("nobody") is None
    assert store.summaries() == []


def test_the_first_record_is_read_alone(place: Place) -> None:
    """`first` gives the event that started a run, also to another store, and None for an unknown run."""
    place.open().append("run", 0, [started(), *step(0)])
    again = place.open()
    assert again.first("run") == again.load("run")[0]
    assert again.first("rum") is None


def test_appending_nothing_changes_nothing(store: Backend) -> None:
    """An empty batch is no error and creates no run."""
    assert store.append("run", 0, []) == 0
    assert store.load("run") == []
    assert store.summaries() == []


def test_runs_do_not_mix(store: Backend) -> None:
    """Each run has its own log and its own numbers."""
    store.append("one", 0, [started(run_id="one"), *step(0)])
    store.append("two", 0, [started(run_id="two")])
    store.append("one", 3, step(1))
    assert len(store.load("one")) == 5
    assert len(store.load("two")) == 1


def test_another_store_sees_the_log(place: Place) -> None:
    """What one store appended is there for the next one, which can go on from it."""
    first = place.open()
    first.append("run", 0, [started(), *step(0)])
    first.close()
    second = place.open()
    assert second.append("run", 3, step(1)) == 5
    assert len(place.open().load("run")) == 5


@pytest.mark.parametrize("expected", [0, 1, 2, 4, 9])
def test_a_wrong_expectation_is_fenced(store: Backend, expected: int) -> None:
    """An append that does not continue the log is refused, says where the log ends, and writes nothing."""
    store.append("run", 0, [started(), *step(0)])
    with pytest.raises(Fenced) as caught:
        store.append("run", expected, step(1))
    assert (caught.value.expected, caught.value.found) == (expected, 3)
    assert len(store.load("run")) == 3
    assert store.append("run", 3, step(1)) == 5


def test_a_fenced_start_creates_no_run(store: Backend) -> None:
    """Continuing a run that does not exist is fenced and leaves no trace of a run."""
    with pytest.raises(Fenced):
        store.append("run", 4, step(0))
    assert store.load("run") == []
    assert store.summaries() == []


def test_the_slower_of_two_writers_is_fenced(place: Place) -> None:
    """Of two stores that both know the log, the second to append is refused, and stays so."""
    one, two = place.open(), place.open()
    one.append("run", 0, [started()])
    assert len(two.load("run")) == 1
    one.append("run", 1, step(0))
    for _ in range(2):
        with pytest.raises(Fenced) as caught:
            two.append("run", 1, step(1))
        assert caught.value.found == 3
    assert two.append("run", 3, step(1)) == 5
    with pytest.raises(Fenced):
        one.append("run", 3, step(2))


def test_one_commit_for_several_runs(store: Backend) -> None:
    """`append_many` answers for each run, and a fenced run does not hold up the others."""
    store.append("b", 0, [started(run_id="b")])
    results = store.append_many(
        [
            Batch("a", 0, [started(run_id="a")]),
            Batch("b", 0, [started(run_id="b")]),
            Batch("c", 0, [started(run_id="c"), *step(0)]),
        ]
    )
    assert results[0] == 1
    assert isinstance(results[1], Fenced)
    assert results[2] == 3
    assert [len(store.load(run_id)) for run_id in "abc"] == [1, 1, 3]


def test_one_slow_writer_does_not_hold_up_the_others(place: Place) -> None:
    """In a commit for several runs only the one that another process has taken further is refused."""
    one, two = place.open(), place.open()
    for name in ("a", "b", "c"):
        one.append(name, 0, [started(run_id=name)])
    two.append("b", 1, step(0))
    many = [event for number in range(40) for event in step(number)]
    results = one.append_many(
        [
            Batch("a", 1, step(0)),
            Batch("b", 1, step(1)),
            Batch("c", 1, many),
            Batch("d", 0, [started(run_id="d")]),
        ]
    )
    assert isinstance(results[1], Fenced)
    assert (results[0], results[2], results[3]) == (3, 81, 1)
    assert [len(one.load(run_id)) for run_id in "abcd"] == [3, 3, 81, 1]
    assert [one.summary(run_id).seq for run_id in "abcd"] == [3, 3, 81, 1]  # type: ignore[union-attr]


def test_a_commit_for_very_many_runs(store: Backend) -> None:
    """However many there are, each has its own events."""
    names = [f"r{number}" for number in range(301)]
    first = store.append_many([Batch(name, 0, [started(run_id=name)]) for name in names])
    assert first == [1] * 301
    results = store.append_many([Batch(name, 1, step(number)) for number, name in enumerate(names)])
    assert results == [3] * 301
    assert [store.load(name)[1].event.path for name in names] == [
        f"lines[{number}]/price_line" for number in range(301)
    ]


def test_what_cannot_be_written_stops_only_its_batch(store: Backend) -> None:
    """A name that is no Unicode is an error of its own batch, which is not written in part."""
    bad = BranchTaken(path="if-\ud800", key=Raw(b"true"))
    results = store.append_many(
        [Batch("a", 0, [started(run_id="a"), bad]), Batch("b", 0, [started(run_id="b")])]
    )
    assert isinstance(results[0], SerializableError)
    assert results[1] == 1
    assert store.load("a") == []
    with pytest.raises(FlopodError):
        store.append("a", 0, [started(), bad])


def test_a_printed_surrogate_does_not_stop_a_run(store: Backend) -> None:
    """A message that is no Unicode is logged with the odd characters escaped."""
    store.append("run", 0, [started(), Log(message="caf\udce9")])
    event = store.load("run")[1].event
    assert isinstance(event, Log)
    assert event.message == "caf\\udce9"


def test_a_long_log_is_read_piece_by_piece(store: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    """Scanned it is what is loaded, from any record on; there is nothing where there is no run."""
    monkeypatch.setattr(reading, "_PIECE", 7)
    monkeypatch.setattr(reading, "_PIECE_SIZE", 900)
    assert list(store.scan("run")) == []
    store.append("run", 0, [started(), *(event for number in range(20) for event in step(number))])
    store.append("other", 0, [started(run_id="other")])
    records = store.load("run")
    assert len(records) == 41
    assert list(store.scan("run")) == records
    for after in (1, 7, 13, 14, 40, 41, 50):
        assert list(store.scan("run", after)) == records[after:]
    assert len(list(store.scan("other"))) == 1


def test_a_log_that_is_compacted_is_read_piece_by_piece(
    store: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That records are missing is no damage, though only a later piece says that they may be."""
    monkeypatch.setattr(reading, "_PIECE", 3)
    monkeypatch.setattr(reading, "_PIECE_SIZE", 300)
    store.append("run", 0, [started(), *(event for number in range(10) for event in step(number))])
    store.append("run", 21, [Compacted(at=3, dropped=[(4, 9)], totals=Totals(started=3, done=3)), *step(11)])
    store.compact("run", [(4, 9)])
    counted = [record for record in store.scan("run") if not 4 <= record.seq <= 9]
    assert counted == store.load("run")
