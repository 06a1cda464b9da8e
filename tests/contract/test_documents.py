"""Documents beside the runs, what is new for others, and the end of a run."""

import pytest
from msgspec import Raw

from flopod.backends import Backend
from flopod.errors import InvalidRunId, RunHeld
from tests.contract.support import Place, started, step


def test_a_document_is_kept_replaced_and_dropped(place: Place) -> None:
    """Any bytes, by kind and name, also in another store of the same place."""
    store = place.open()
    assert (store.kept("notes", "a"), store.all_kept("notes")) == (None, {})
    store.keep("notes", "b", b"\x00\xff\n")
    store.keep("notes", "a", b"first")
    store.keep("notes", "a", b"second")
    store.keep("others", "a", b"other")
    other = place.open()
    assert other.kept("notes", "a") == b"second"
    assert list(other.all_kept("notes").items()) == [("a", b"second"), ("b", b"\x00\xff\n")]
    assert (other.drop("notes", "a"), other.drop("notes", "a")) == (True, False)
    assert list(place.open().all_kept("notes")) == ["b"]
    with pytest.raises(InvalidRunId):
        store.keep("notes", "../x", b"")


def test_news_name_the_runs_that_others_delivered_to(place: Place) -> None:
    """What was there before the mark is not news; what comes after it is, once it is asked for."""
    store, other = place.open(), place.open()
    store.append("run", 0, [started(), *step(1)])
    store.deliver("run", "p", "e", Raw(b"1"))
    mark, _ = store.news(None)
    other.deliver("run", "p", "e", Raw(b"2"))
    mark, found = store.news(mark)
    assert found == ["run"] or place.kind == "memory"


def test_a_deleted_run_is_gone_with_all_that_it_had(place: Place) -> None:
    """Its id starts anew; a run that is held stays."""
    store = place.open()
    store.append("run", 0, [started(), *step(1)])
    store.append("other", 0, [started(run_id="other")])
    store.deliver("run", "p", "e", Raw(b"1"))
    with store.hold("run"), pytest.raises(RunHeld):
        store.delete("run")
    assert (store.delete("run"), store.delete("run")) == (True, False)
    assert (store.load("run"), store.summary("run"), store.inbox("run")) == ([], None, [])
    assert [one.run_id for one in place.open().summaries()] == ["other"]
    store.append("run", 0, [started(), *step(1)])
    assert store.deliver("run", "p", "e", Raw(b"1")) == 1
    assert len(place.open().load("run")) == 3


def test_open_runs_are_those_that_go_on(store: Backend) -> None:
    """The eldest first."""
    for at, run_id in enumerate(("a", "b", "c"), 1):
        store.append(run_id, 0, [started(at, run_id=run_id), *(step(1) if run_id != "b" else [])])
    assert [one.run_id for one in store.open_runs()] == ["a", "b", "c"]
