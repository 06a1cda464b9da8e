"""Runs that are waited for: the store is asked no more than it has to be."""

from flopod.backends import MemoryBackend
from flopod.server.webhooks.ends import Ends
from flopod.server.webhooks.lanes import Lanes
from tests.server.webhooks.runs import begin, end


def test_only_what_has_grown_is_looked_at() -> None:
    """Since it was asked before, or not yet at all; what is forgotten is asked for no more."""
    store = MemoryBackend()
    ends = Ends(store)
    for run_id in ("a", "b", "c"):
        ends.wait_for(run_id, 0)
    begin(store, "a")
    begin(store, "b")
    assert ends.grown() == ["a", "b", "c"]
    assert ends.grown() == []
    end(store, "a")
    assert ends.grown() == ["a"]
    assert ends.ended(["a", "b"], 1) == (["a"], [])
    ends.forget("a")
    end(store, "b")
    assert (ends.grown(), ends.among(["a", "b", "x"]), len(ends)) == (["b"], ["b"], 2)


def test_lanes_are_taken_by_time_and_bounded() -> None:
    """What is out of a lane holds up the rest of it, and of no other."""
    lanes = Lanes(at_once=1)
    for lane, due, item in (("x", 5, "x5"), ("x", 3, "x3"), ("y", 4, "y4"), ("y", 9, "y9")):
        lanes.put(lane, due, item)
    assert (lanes.take(2), lanes.next_due(), len(lanes)) == (None, 3, 4)
    assert [lanes.take(6), lanes.take(6), lanes.take(6)] == [("x", "x3"), ("y", "y4"), None]
    assert lanes.next_due() is None
    lanes.back("x")
    assert (lanes.next_due(), lanes.take(6)) == (5, ("x", "x5"))
    lanes.back("y")
    assert (lanes.take(8), lanes.take(9)) == (None, ("y", "y9"))
