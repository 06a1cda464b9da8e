"""Run ids are checked where they become names of files and keys, by every store in every method."""

from collections.abc import Callable

import pytest

from flopod.backends import Backend, Batch
from flopod.errors import InvalidRunId
from flopod.runid import check_run_id, new_run_id
from tests.contract.support import started

GOOD = ["a", "main-run", "A_1.b-2", "-x", "_", "0", "x" * 128, "a..b", "order-2024.01"]
BAD = [
    "",
    " ",
    ".",
    "..",
    ".hidden",
    "../x",
    "a/b",
    "/abs",
    "a\\b",
    "a b",
    "a\n",
    "ä",
    "x" * 129,
    "a\0",
    "a%2fb",
]

CALLS: dict[str, Callable[[Backend, str], object]] = {
    "append": lambda store, run_id: store.append(run_id, 0, [started()]),
    "load": lambda store, run_id: store.load(run_id),
    "summary": lambda store, run_id: store.summary(run_id),
    "mark": lambda store, run_id: store.mark(run_id, "storage_error", ""),
    "deliver": lambda store, run_id: store.deliver(run_id, "p", "e", b"1"),
    "inbox": lambda store, run_id: store.inbox(run_id),
    "inbox_token": lambda store, run_id: store.inbox_token(run_id),
    "hold": lambda store, run_id: store.hold(run_id),
    "inbox_tails": lambda store, run_id: store.inbox_tails(["fine", run_id]),
    "tails": lambda store, run_id: store.tails(["fine", run_id]),
}


@pytest.mark.parametrize("run_id", GOOD)
def test_a_good_id_works(store: Backend, run_id: str) -> None:
    """Every text of the grammar can name a run, from its log to its lock."""
    store.append(run_id, 0, [started(run_id=run_id)])
    store.deliver(run_id, "p", "e", b"1")
    store.hold(run_id).release()
    assert len(store.load(run_id)) == 1
    assert [run.run_id for run in store.summaries()] == [run_id]


@pytest.mark.parametrize("call", CALLS)
def test_a_bad_id_is_refused_everywhere(store: Backend, call: str) -> None:
    """No method takes a text that is no run id, and nothing is written."""
    for run_id in BAD:
        with pytest.raises(InvalidRunId):
            CALLS[call](store, run_id)
    assert store.summaries() == []


def test_a_bad_id_does_not_stop_its_neighbours(store: Backend) -> None:
    """In a commit for several runs a bad id is the error of its own batch."""
    results = store.append_many([Batch("../x", 0, [started()]), Batch("a", 0, [started()])])
    assert isinstance(results[0], InvalidRunId)
    assert results[1] == 1


@pytest.mark.parametrize(
    ("run_id", "complaint"),
    [
        ("", "empty"),
        (".a", "begins with a dot"),
        ("a/b", "'/'"),
        ("x" * 129, "129 characters"),
        (7, "type int"),
    ],
)
def test_the_error_says_what_is_wrong(run_id: str, complaint: str) -> None:
    """The message names the fault and the rule."""
    with pytest.raises(InvalidRunId, match=complaint) as caught:
        check_run_id(run_id)
    assert "A-Z a-z 0-9 _ . -" in str(caught.value)


def test_new_ids_sort_in_the_order_in_which_they_were_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also those of one millisecond, so that runs started together go on in their order."""
    monkeypatch.setattr("time.time_ns", lambda: 1_760_000_000_000_000_000)
    ids = [new_run_id() for _ in range(1000)]
    assert ids == sorted(set(ids))
    assert all(check_run_id(one) == one for one in ids)
    monkeypatch.setattr("time.time_ns", lambda: 1_760_000_000_001_000_000)
    assert new_run_id() > ids[-1]
