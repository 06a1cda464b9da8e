"""How one who does not read logs notices that runs have grown, the same for every store."""

from collections.abc import Callable
from pathlib import Path

import pytest

from flopod.backends import Backend, reading
from flopod.backends.pulsefile import PulseFile
from flopod.events import Compacted, Event, Log, Totals
from tests.contract.support import Place, output_of, started, step


def test_tails_are_the_ends_of_logs(place: Place) -> None:
    """Each of the runs that exist has the number of its last record, for who wrote it and for others."""
    store = place.open()
    store.append("a", 0, [started(run_id="a")])
    store.append("b", 0, [started(run_id="b"), *step(0), *step(1)])
    for each in (store, place.open()):
        assert each.tails(["a", "nobody", "b"]) == {"a": 1, "b": 5}
        assert each.tails([]) == {}
    store.append("a", 1, step(0))
    store.delete("b")
    for each in (store, place.open()):
        assert each.tails(["a", "b"]) == {"a": 3}


def test_the_tail_of_a_compacted_log_is_its_end(place: Place) -> None:
    """What is missing in the middle of a log, or its beginning being long, changes nothing."""
    store = place.open()
    events: list[Event] = [started(), *(event for number in range(300) for event in step(number))]
    store.append("run", 0, events)
    store.append("run", 601, [Compacted(dropped=[(2, 600)], totals=Totals(started=300, done=300))])
    store.compact("run", [(2, 600)])
    assert place.open().tails(["run"]) == {"run": 602}


def test_the_tail_is_found_behind_a_very_long_record(place: Place) -> None:
    """A record may be longer than what is read of a log at first."""
    store = place.open()
    store.append("run", 0, [started(), Log(message="x" * 5 * reading._LINE)])
    assert place.open().tails(["run"]) == {"run": 2}


def test_many_tails_at_once(store: Backend) -> None:
    """A thousand runs and more can be asked for."""
    names = [f"run{number}" for number in range(1100)]
    for name in (names[0], names[600], names[-1]):
        store.append(name, 0, [started(run_id=name)])
    assert store.tails(names) == {"run0": 1, "run600": 1, "run1099": 1}


def test_the_pulse_is_another_after_each_change(place: Place) -> None:
    """Appends, new runs and deletions show in the pulse of the store that makes them and of any other."""
    stores = [place.open(), place.open()]
    changes: list[Callable[[Backend], object]] = [
        lambda store: store.append("run", 0, [started()]),
        lambda store: store.append("run", 1, step(0)),
        lambda store: store.append("other", 0, [started(run_id="other")]),
        lambda store: store.mark("run", "storage_error", "the disk is full"),
        lambda store: store.delete("other"),
    ]
    for number, change in enumerate(changes):
        before = [store.pulse() for store in stores]
        change(stores[number % 2])
        after = [store.pulse() for store in stores]
        assert all(new != old for new, old in zip(after, before, strict=True)), number


def test_the_pulse_of_a_store_at_rest_stays(store: Backend) -> None:
    """To read changes nothing, so that a poll finds nothing to do, unless a server is busy with others."""

    def stays() -> bool:
        before = store.pulse()
        store.load("run")
        store.summaries()
        store.inbox("run")
        return store.pulse() == before

    store.append("run", 0, [started()])
    assert any(stays() for _ in range(20))


def test_quick_changes_are_different_pulses(tmp_path: Path) -> None:
    """Changes within one tick of the system's clock are told apart by another store."""
    writer, reader = PulseFile(tmp_path / "pulse"), PulseFile(tmp_path / "pulse")
    writer.beat()
    seen = [reader.read()]
    for _ in range(100):
        writer.beat()
        seen.append(reader.read())
    assert len(set(map(str, seen))) == len(seen)


@pytest.mark.process
def test_another_process_is_felt(shared: Place) -> None:
    """What another process appends shows in the pulse and in the tails."""
    store = shared.open()
    store.append("run", 0, [started()])
    before = store.pulse()
    assert output_of(shared, "print(store.append('run', 1, step(0)))") == "3\n"
    assert store.pulse() != before
    assert store.tails(["run"]) == {"run": 3}
