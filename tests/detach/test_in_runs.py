"""Detaches in a run: ids, handles, isolation, and what the store has of parent and child at every moment."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from flopod.backends import Backend, MemoryBackend
from flopod.detach import (
    create_microtask_batch_driver,
    create_set_timeout_driver,
    immediate_driver,
    microtask_batch_driver,
)
from flopod.engine.engine import Engine
from flopod.engine.registry import HandWritten
from flopod.events import ActivityCompleted, Detached, DetachEnded, Event, RunCompleted
from tests.engine.parents import until

ran: list[Any] = []


@pytest.fixture(autouse=True)
def _fresh() -> None:
    ran.clear()


async def child(x: Any) -> Any:
    ran.append(x)
    if x == "bad":
        raise ConnectionError("vendor 503")
    return f"ok:{x}"


async def slow(x: Any) -> Any:
    await asyncio.sleep(0.05)
    ran.append(x)
    return x


async def twice(fn: Callable[[Any], Any], x: Any) -> Any:
    return [await fn(x), await fn(x)]


doubling = create_microtask_batch_driver(twice)
later = create_set_timeout_driver("30ms")


async def nested(wf: Any) -> list[str]:
    return [wf.detach_and_join_later(microtask_batch_driver, child, x).id for x in range(2)]


async def places(wf: Any) -> list[str]:
    ids = [wf.detach_and_join_later(microtask_batch_driver, child, 0).id]
    for scope, x in wf.each("xs", range(2)):
        ids.append(scope.detach_and_join_later(microtask_batch_driver, child, x).id)
    ids += await wf.call("nested", nested)
    return [*ids, wf.detach_and_join_later("named", microtask_batch_driver, child, 0).id]


async def statuses(wf: Any) -> list[str]:
    now = wf.detach_and_join_later(immediate_driver, child, 1)
    soon = wf.detach_and_join_later(microtask_batch_driver, child, 2)
    seen = [now.status, soon.status]
    return [*seen, await now.wait(), await soon.wait(), now.status, soon.status, await now.wait()]


async def one_fails(wf: Any) -> list[str]:
    handles = [wf.detach_and_join_later(microtask_batch_driver, child, x) for x in ("a", "bad", "c")]
    wf.detach_and_forget(microtask_batch_driver, child, "bad")
    found = []
    for handle in handles:
        try:
            found.append(await handle.wait())
        except ConnectionError as error:
            assert handle.error is error
            found.append(str(error))
    return [*found, *(handle.status for handle in handles)]


async def forgets(wf: Any) -> str:
    given = [1]
    wf.detach_and_forget(microtask_batch_driver, slow, given)
    given.append(2)
    return "ended"


async def wrong(wf: Any) -> None:
    wf.detach_and_forget(None, child, 1)


async def mixed(wf: Any) -> list[Any]:
    first = wf.detach_and_join_later(doubling, child, "twice")
    wf.detach_and_forget(later, child, "forgotten")
    between = await wf.activity("child", child, "between")
    return [await first.wait(), between]


WORKFLOWS = HandWritten(
    {fn.__name__: fn for fn in (places, statuses, one_fails, forgets, wrong, mixed)},
)


def serve(backend: Backend, use: Callable[[Engine], Coroutine[Any, Any, Any]]) -> Any:
    """Open an engine, use it, and leave it when no run is open."""

    async def main() -> Any:
        async with Engine(backend, WORKFLOWS) as engine:
            found = await asyncio.wait_for(use(engine), 20)
            await until(lambda: not backend.open_runs())
            return found

    return asyncio.run(main())


def run(backend: Backend, workflow: str) -> Any:
    """The result of a run `p`, when all that it detached is over too."""

    async def use(engine: Engine) -> Any:
        return await (await engine.start(workflow, [], run_id="p")).result()

    return serve(backend, use)


def events(backend: Backend, run_id: str) -> list[Event]:
    """The log of a run."""
    return [event for _, event in backend.load(run_id)]


def detached(backend: Backend) -> list[Detached]:
    """What `p` has detached."""
    return [event for event in events(backend, "p") if isinstance(event, Detached)]


def test_an_id_leads_back_to_where_the_detach_stands() -> None:
    """Its prefix is the path of the scope, at the root the workflow's name; numbers count in each scope."""
    backend = MemoryBackend()
    assert run(backend, "places") == [
        "places:detach:1",
        "xs[0]:detach:1",
        "xs[1]:detach:1",
        "nested:detach:1",
        "nested:detach:2",
        "places:detach:2",
    ]
    assert [one.path.rpartition("/")[0] for one in detached(backend)] == [
        "",
        "xs[0]",
        "xs[1]",
        "nested",
        "nested",
        "",
    ]
    assert detached(backend)[-1].path == "named"


def test_a_handle_in_a_run_goes_the_way_of_all_handles() -> None:
    """By the immediate driver it is running at once; it is done when the log says so, whenever one asks."""
    assert run(MemoryBackend(), "statuses") == [
        "running",
        "queued",
        "ok:1",
        "ok:2",
        "done",
        "done",
        "ok:1",
    ]


def test_a_failure_stays_with_the_child() -> None:
    """Its wait raises it; siblings, a forgotten one that fails and the parent do not notice."""
    backend = MemoryBackend()
    assert run(backend, "one_fails") == ["ok:a", "vendor 503", "ok:c", "done", "failed", "done"]
    assert [backend.summary(one.child).status for one in detached(backend)] == [  # type: ignore[union-attr]
        "completed",
        "failed",
        "completed",
        "failed",
    ]


def test_a_forgotten_child_outlives_its_parent() -> None:
    """The parent ends first; the child gets the input as it was at the detach."""
    backend = MemoryBackend()

    async def use(engine: Engine) -> Any:
        result = await (await engine.start("forgets", [], run_id="p")).result()
        return result, list(ran)

    assert serve(backend, use) == ("ended", [])
    assert ran == [[1]]


def test_what_is_no_driver_fails_the_run() -> None:
    """With the TypeError of the call; nothing is detached."""
    backend = MemoryBackend()
    with pytest.raises(TypeError, match="no driver"):
        run(backend, "wrong")
    assert detached(backend) == []


def test_parent_and_children_go_on_from_every_state() -> None:
    """Each prefix of the parent's log with each of the children's: the same end, under the same ids.

    What is recorded does not run again; what was forgotten and not yet recorded does.
    """
    whole = MemoryBackend()
    expected = run(whole, "mixed")
    assert expected == [["ok:twice", "ok:twice"], "ok:between"]
    ids = [one.child for one in detached(whole)]
    logs = {name: events(whole, name) for name in ("p", *ids)}
    states = 0
    for cut in range(1, len(logs["p"]) + 1):
        begun = [one.child for one in logs["p"][:cut] if isinstance(one, Detached)]
        ended = {one.child for one in logs["p"][:cut] if isinstance(one, DetachEnded)}
        for length in range(1, max(len(logs[name]) for name in ids) + 1):
            lengths = {name: len(logs[name]) if name in ended else length for name in begun}
            _resumed(logs, {"p": cut, **lengths}, expected, ids)
            states += 1
    assert states > 20


def _resumed(logs: dict[str, list[Event]], lengths: dict[str, int], expected: Any, ids: list[str]) -> None:
    backend = MemoryBackend()
    for name, length in lengths.items():
        backend.append(name, 0, logs[name][:length])
    ran.clear()
    assert run(backend, "mixed") == expected, lengths
    assert [one.child for one in detached(backend)] == ids
    for name in ids:
        found = events(backend, name)
        assert [type(one) for one in found].count(ActivityCompleted) == 1, lengths
        assert isinstance(found[-1], RunCompleted)
    done = [one for name, length in lengths.items() for one in logs[name][:length]]
    recorded = [one.path for one in done if isinstance(one, ActivityCompleted)]
    assert len(ran) == 4 - len(recorded) - ("twice" not in ran), lengths
