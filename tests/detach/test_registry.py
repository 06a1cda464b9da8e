"""The registry: what is under way in this process, by run and id."""

import importlib

import pytest

import flopod.detach
from flopod.detach import Registry, create_handle, mark_done, mark_failed, registry


@pytest.fixture
def own() -> Registry:
    """Give a registry that nobody else uses."""
    return Registry()


def test_what_is_registered_is_found_until_it_ends(own: Registry) -> None:
    """Done or failed, it is gone; the size says how many are left."""
    one, two = create_handle("one"), create_handle("two")
    own.register(one)
    own.register(two)
    assert (own.look_up("one"), own.look_up("two"), len(own)) == (one, two, 2)
    mark_done(one)
    assert (own.look_up("one"), own.look_up("two"), len(own)) == (None, two, 1)
    mark_failed(two, "gone")
    assert (own.look_up("two"), len(own), own.ids(), own.handles()) == (None, 0, [], [])


def test_an_unknown_id_is_none(own: Registry) -> None:
    """As is that of another run."""
    own.register(create_handle("one"), run_id="a")
    assert own.look_up("two") is None
    assert own.look_up("one") is None
    assert own.look_up("one", run_id="b") is None


def test_the_later_of_one_id_is_kept(own: Registry) -> None:
    """The earlier one is forgotten at once, and its end does not remove the later one."""
    earlier, later = create_handle("same"), create_handle("same")
    own.register(earlier)
    own.register(later)
    assert len(own) == 1
    mark_done(earlier)
    assert own.look_up("same") is later
    mark_done(later)
    assert len(own) == 0


def test_one_id_in_two_runs_is_two_handles(own: Registry) -> None:
    """The key is run and id."""
    one, two = create_handle("flow:detach:1"), create_handle("flow:detach:1")
    own.register(one, run_id="a")
    own.register(two, run_id="b")
    mark_done(one)
    assert own.ids() == [("b", "flow:detach:1")]
    assert own.look_up("flow:detach:1", run_id="b") is two


def test_lists_are_copies_in_the_order_of_the_detaches(own: Registry) -> None:
    """Whoever changes one changes nothing else."""
    handles = [create_handle(name) for name in ("c", "a", "b")]
    for handle in handles:
        own.register(handle)
    assert own.ids() == [("", "c"), ("", "a"), ("", "b")]
    own.ids().clear()
    own.handles().clear()
    assert own.handles() == handles


def test_there_is_one_for_the_process() -> None:
    """However often and under whichever name it is imported."""
    again = importlib.import_module("flopod.detach.register")
    assert again.registry is registry is flopod.detach.registry
