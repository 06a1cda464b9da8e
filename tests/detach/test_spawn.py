"""The two calls: ids, the driver that has to be named, and what a failure reaches."""

import asyncio
from typing import Any

import pytest

from flopod.detach import (
    Capabilities,
    DetachHandle,
    create_handle,
    detach_and_forget,
    detach_and_join_later,
    flush_all_detached,
    immediate_driver,
    mark_done,
    microtask_batch_driver,
    registry,
)

ran: list[Any] = []


@pytest.fixture(autouse=True)
def _fresh() -> None:
    ran.clear()


async def child(x: Any) -> Any:
    ran.append(x)
    if x == "bad":
        raise ConnectionError("vendor 503")
    return f"ok:{x}"


class Own:
    """A driver as its users write one."""

    name = "own"
    capabilities = Capabilities()

    def __init__(self) -> None:
        self.taken: list[tuple[Any, Any, str]] = []
        self.validated = 0

    def validate(self) -> None:
        self.validated += 1

    def schedule(self, child: Any, input: Any, ref_id: str) -> DetachHandle:
        self.taken.append((child, input, ref_id))
        handle = create_handle(ref_id)
        if input == "raise":
            raise OSError("no room")
        if input != "later":
            mark_done(handle, input)
        return handle


def test_a_driver_gets_child_input_and_id() -> None:
    """The id counts up over the process, and its prefix says that there is no run around it."""
    driver = Own()
    one, two = detach_and_join_later(driver, child, 1), detach_and_join_later(driver, child, 2)
    assert [taken[:2] for taken in driver.taken] == [(child, 1), (child, 2)]
    prefix, _, number = one.id.rpartition(":")
    assert prefix == "__executor__:detach"
    assert two.id == f"{prefix}:{int(number) + 1}"
    assert driver.validated == 1


@pytest.mark.parametrize("wrong", [None, object(), Own, child])
def test_what_is_no_driver_is_a_type_error_at_the_call(wrong: Any) -> None:
    """There is no default, and nothing is started."""
    with pytest.raises(TypeError, match="no driver"):
        detach_and_join_later(wrong, child, 1)
    with pytest.raises(TypeError):
        detach_and_forget()  # type: ignore[call-arg]
    assert not ran


def test_a_driver_that_says_what_it_lacks_is_not_used() -> None:
    """What its `validate` raises reaches the caller, each time."""

    class Lacking(Own):
        def validate(self) -> None:
            raise RuntimeError("needs a url")

    driver = Lacking()
    for _ in range(2):
        with pytest.raises(RuntimeError, match="needs a url"):
            detach_and_forget(driver, child, 1)
    assert not driver.taken


def test_a_driver_that_raises_fails_the_handle() -> None:
    """The caller goes on."""
    handle = detach_and_join_later(Own(), child, "raise")
    assert (handle.status, str(handle.error)) == ("failed", "no room")
    assert registry.look_up(handle.id) is None


def test_a_driver_that_makes_its_own_kind_of_handle_is_told() -> None:
    """Only what the factory made can be waited for."""

    class Wrong(Own):
        def schedule(self, *_: Any) -> Any:
            return {"id": "wrong"}

    with pytest.raises(TypeError, match="create_handle"):
        detach_and_join_later(Wrong(), child, 1)


def test_a_handle_is_known_until_it_ends() -> None:
    """The registry has ids in a list of one's own, in the order of the detaches."""
    driver = Own()
    handles = [detach_and_join_later(driver, child, "later") for _ in range(3)]
    ids = registry.ids()
    assert ids[-3:] == [("", handle.id) for handle in handles]
    ids.clear()
    assert registry.look_up(handles[0].id) is handles[0]
    for handle in handles:
        mark_done(handle)
        mark_done(handle)
    assert all(registry.look_up(handle.id) is None for handle in handles)


def test_a_mapper_makes_the_input_and_a_callback_gets_the_handle() -> None:
    """Both are called by the detach itself, so what they raise is the caller's; a label changes nothing."""
    driver, handles = Own(), []
    words = {"label": "audit", "description": "writes the order down"}
    handle = detach_and_join_later(
        driver, child, {"id": 7}, input_mapper=lambda order: order["id"], on_handle=handles.append, **words
    )
    detach_and_forget(driver, child, 7, input_mapper=str, **words)
    detach_and_forget(driver, child, input_mapper=lambda given: given)
    assert [given for _, given, _ in driver.taken] == [7, "7", None]
    assert handles == [handle]
    with pytest.raises(KeyError, match="id"):
        detach_and_forget(driver, child, {}, input_mapper=lambda order: order["id"])
    assert len(driver.taken) == 3


def test_a_failure_reaches_neither_the_caller_nor_its_siblings() -> None:
    """Of three in one batch the middle one fails, and its wait raises its error."""

    async def main() -> None:
        handles = [detach_and_join_later(microtask_batch_driver, child, x) for x in ("a", "bad", "c")]
        assert [handle.status for handle in handles] == ["queued"] * 3
        assert await handles[0].wait() == "ok:a"
        with pytest.raises(ConnectionError, match="503"):
            await handles[1].wait()
        assert await handles[2].wait() == "ok:c"
        assert [handle.status for handle in handles] == ["done", "failed", "done"]

    asyncio.run(main())


def test_a_forgotten_child_runs_all_the_same() -> None:
    """Nothing is returned, nothing is heard of its failure."""

    async def main() -> None:
        found: Any = detach_and_forget(immediate_driver, child, "bad")  # type: ignore[func-returns-value]
        detach_and_forget(microtask_batch_driver, child, 2)
        assert found is None
        await flush_all_detached(5)

    asyncio.run(main())
    assert ran == ["bad", 2]


def test_without_an_event_loop_it_runs_on_one_of_the_process() -> None:
    """A plain function can detach, and an event loop that comes later can wait."""
    handle = detach_and_join_later(microtask_batch_driver, child, 3)
    assert asyncio.run(handle.wait()) == "ok:3"
