"""Delivering events to runs, the same for every store."""

import pytest
from msgspec import Raw

from flopod.backends import Backend
from flopod.errors import BadInput
from flopod.events import Compacted, Totals
from tests.contract.support import Place, output_of, started


def test_items_are_numbered_per_run(store: Backend) -> None:
    """Each run counts its deliveries from one, and a reader asks for what is new."""
    assert store.deliver("run", "approved", "approved", Raw(b'{"by":"ann"}'), at=5) == 1
    assert store.deliver("other", "approved", "approved", Raw(b"1")) == 1
    assert store.deliver("run", "lines[2]/sent", "sent", b"null") == 2
    first, second = store.inbox("run")
    assert (first.n, first.path, first.event, bytes(first.payload), first.at) == (
        1,
        "approved",
        "approved",
        b'{"by":"ann"}',
        5,
    )
    assert second.at > 1_700_000_000_000
    assert [item.n for item in store.inbox("run", after=1)] == [2]
    assert store.inbox("run", after=2) == []
    assert store.inbox("nobody") == []


def test_a_delivery_is_kept_for_a_run_to_come(place: Place) -> None:
    """An event delivered before the run starts is there when it does, and makes no run appear."""
    place.open().deliver("run", "approved", "approved", b"1")
    store = place.open()
    assert store.summaries() == []
    store.append("run", 0, [started()])
    assert len(store.inbox("run")) == 1


def test_a_payload_may_be_written_over_several_lines(store: Backend) -> None:
    """A payload is JSON from outside: its line ends do not disturb the store."""
    store.deliver("run", "p", "e", b'{\n  "a": [1,\r\n 2]\n}')
    store.deliver("run", "p", "e", b"2")
    assert [bytes(item.payload) for item in store.inbox("run")] == [b'{"a":[1,2]}', b"2"]


@pytest.mark.parametrize("payload", [b"", b"{", b'{"a":nope}', b"[1,]", b"1 2", b'"\xff"', b"not json"])
def test_a_payload_that_is_no_json_is_refused(store: Backend, payload: bytes) -> None:
    """What is not JSON is refused at the door and leaves nothing behind."""
    with pytest.raises(BadInput):
        store.deliver("run", "p", "e", payload)
    assert store.inbox("run") == []


def test_the_token_changes_with_a_delivery(place: Place) -> None:
    """The token stays equal while nothing comes in, and differs after a delivery from anywhere."""
    store = place.open()
    store.append("run", 0, [started()])
    before = store.inbox_token("run")
    assert store.inbox_token("run") == before
    store.deliver("run", "p", "e", b"1")
    between = store.inbox_token("run")
    assert between != before
    place.open().deliver("run", "p", "e", b"2")
    assert store.inbox_token("run") != between
    assert len(store.inbox("run")) == 2


def test_the_last_items_of_many_runs_are_known_at_once(place: Place) -> None:
    """Each run that something was delivered to has the number of that, also when it was taken over."""
    store = place.open()
    assert store.inbox_tails(["a", "b"]) == {}
    store.append("a", 0, [started(run_id="a")])
    for run_id in ("a", "b", "a"):
        store.deliver(run_id, "p", "e", b"1")
    store.append("a", 1, [Compacted(dropped=[], inbox=2, totals=Totals())])
    store.compact("a", [], 2)
    for each in (store, place.open()):
        assert each.inbox_tails(["nobody", "a", "b"]) == {"a": 2, "b": 1}
        assert each.inbox_tails([]) == {}


def test_a_watcher_hears_of_deliveries_to_its_run(store: Backend) -> None:
    """A callback is called after each delivery to its run only, until it is taken away."""
    heard: list[int] = []
    stop = store.watch_inbox("run", lambda: heard.append(len(store.inbox("run"))))
    store.deliver("run", "p", "e", b"1")
    store.deliver("other", "p", "e", b"1")
    store.deliver("run", "p", "e", b"2")
    assert heard == [1, 2]
    stop()
    stop()
    store.deliver("run", "p", "e", b"3")
    assert heard == [1, 2]


@pytest.mark.process
def test_another_process_delivers(shared: Place) -> None:
    """A delivery of another process gets the next number, is seen in the token and can be read."""
    store = shared.open()
    store.append("run", 0, [started()])
    store.deliver("run", "p", "e", b"1")
    before = store.inbox_token("run")
    printed = output_of(shared, "print(store.deliver('run', 'p', 'e', b'[2]'))")
    assert printed == "2\n"
    assert store.inbox_token("run") != before
    assert [bytes(item.payload) for item in store.inbox("run")] == [b"1", b"[2]"]
    assert store.deliver("run", "p", "e", b"3") == 3


@pytest.mark.process
def test_many_deliver_at_once(shared: Place) -> None:
    """Deliveries of several processes at the same time are all kept, each with its own number."""
    from concurrent.futures import ThreadPoolExecutor

    body = "print(*[store.deliver('run', 'p', 'e', b'1') for _ in range(25)])"
    with ThreadPoolExecutor(3) as pool:
        printed = list(pool.map(lambda _: output_of(shared, body), range(3)))
    numbers = sorted(int(number) for text in printed for number in text.split())
    assert numbers == list(range(1, 76))
    assert [item.n for item in shared.open().inbox("run")] == numbers
