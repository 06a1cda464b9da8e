"""What runs beside the main line keeps its ids through edits, as any call does."""

from __future__ import annotations

from pathlib import Path

import pytest

from flopod.log.lineage import Lineage
from flopod_compiler.build import Compilation
from tests.compiler.lock.support import Shop, live, plan, update_of

HEAD = """
import asyncio
from flopod import Retry, attempt, compensate, detach_and_forget, detach_and_join_later, for_each, start
from flopod import tap, wait_for_work, work, workflow
from flopod.detach import immediate_driver, microtask_batch_driver as driver

async def send(*args: object) -> int:
    await asyncio.sleep(0)
    return 1

async def deliver(*args: object) -> int:
    await asyncio.sleep(0)
    return 1

@workflow
async def ship(one: int) -> int:
    return await send(one)

"""
RENAMED = HEAD.replace("async def send", "async def mail").replace("await send(one)", "await mail(one)")


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def lineage(made: Compilation) -> Lineage:
    assert made.manifest is not None
    return Lineage(made.manifest, made.manifest.workflows["main"])


@pytest.mark.parametrize(
    ("call", "path"),
    [
        ("detach_and_forget(driver, send, x)", "send"),
        ("detach_and_join_later(driver, send, x, label='l')", "send"),
        ("asyncio.create_task(send(x))", "send"),
        ("work(send, x)", "send"),
        ("for_each(send, xs)", "send[*]"),
        ("await attempt(send, x, retry=Retry(2))", "send"),
        ("compensate(send, x)", "undo-send"),
    ],
)
def test_a_function_that_is_renamed_keeps_the_ids_of_its_calls(shop: Shop, call: str, path: str) -> None:
    """The id says what the function was called when the call came."""
    shop.build(call, head=HEAD)
    made = shop.build(call.replace("send", "mail"), head=RENAMED)
    assert live(update_of(made).lock) == [path]


@pytest.mark.parametrize(
    "beside",
    ["await attempt(send, x)", "compensate(send, x)", "work(send, x)", "asyncio.create_task(send(x))"],
)
def test_a_function_that_is_called_in_many_ways_is_renamed_in_all(shop: Shop, beside: str) -> None:
    """A call that names it, and one that calls it, are told from each other by their kinds."""
    body = f"await send(x)\n{beside}\nawait send(xs)"
    before = live(update_of(shop.build(body, head=HEAD)).lock)
    made = shop.build(body.replace("send", "mail"), head=RENAMED)
    assert live(update_of(made).lock) == before
    assert {line[0] for line in plan(made)} == {"~"}


def test_a_workflow_that_is_renamed_keeps_the_ids_of_its_starts(shop: Shop) -> None:
    """One of them may be gone with the same edit."""
    first = shop.build("start(ship, x)\nawait start(ship, x + 1).wait()\nstart(ship, 7)", head=HEAD)
    renamed = HEAD.replace("async def ship", "async def carry")
    made = shop.build("await start(carry, x + 1).wait()\nstart(carry, 7)", head=renamed)
    assert live(update_of(made).lock) == live(update_of(first).lock)[1:]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("detach_and_forget(driver, send, x)", "detach_and_forget(driver, send, x + 1)"),
        ("asyncio.create_task(send(x))", "asyncio.create_task(send(x + 1))"),
        ("work(send, x)", "work(send, x + 1)"),
    ],
)
def test_another_input_is_a_change(shop: Shop, before: str, after: str) -> None:
    """A run that is past it takes over what it has recorded; the fingerprint is not compared."""
    first = shop.build(before, head=HEAD)
    made = shop.build(after, head=HEAD)
    assert first.manifest is not None
    assert lineage(made).is_changed("send", first.manifest.generation)
    assert plan(made)[0].startswith("~ send: ")


@pytest.mark.parametrize(
    ("before", "after", "path"),
    [
        ("work(send, x)", "await tap(send, x)", "send"),
        ("await tap(send, x)", "work(send, x)", "send"),
        ("work(ship, x)", "await tap(ship, x)", "ship"),
        ("await tap(ship, x)", "await ship(x)", "ship"),
        ("await ship(x)", "work(ship, x)", "ship"),
    ],
)
def test_a_block_that_runs_in_another_way_is_the_same(shop: Shop, before: str, after: str, path: str) -> None:
    """What it has recorded is of the same kind, and stands for it: nothing is done again."""
    first = shop.build(f"{before}\nreturn 1", head=HEAD)
    made = shop.build(f"{after}\nreturn 1", head=HEAD)
    assert first.manifest is not None
    assert lineage(made).is_changed(path, first.manifest.generation)
    assert (live(update_of(made).lock), len(plan(made))) == ([path], 1)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("work(send, x)", "await send(x)"),
        ("await send(x)", "await tap(send, x)"),
        ("await send(x)", "asyncio.create_task(send(x))"),
    ],
)
def test_a_leaf_whose_result_is_wanted_is_another_call_than_a_block(
    shop: Shop, before: str, after: str
) -> None:
    """What a block gave is not recorded; and that this has been done is said, instead of doing it again."""
    first = shop.build(f"{before}\nreturn 1", head=HEAD)
    made = shop.build(f"{after}\nreturn 1", head=HEAD)
    assert first.manifest is not None
    assert lineage(made).today("send", first.manifest.generation) is None
    assert lineage(made).again("flow:send", first.manifest.generation).startswith("send#")


def test_items_of_a_changed_side_chain_are_changed(shop: Shop) -> None:
    """What is recorded of an item lies below the key of the item."""
    first = shop.build("for_each(send, xs)", head=HEAD)
    made = shop.build("for_each(send, xs[1:])", head=HEAD)
    assert first.manifest is not None
    found = lineage(made)
    assert found.is_changed("send[2]/send", first.manifest.generation)
    assert found.today("send[2]/send", first.manifest.generation) == "send[2]/send"


def test_items_of_a_side_chain_that_is_gone_are_gone(shop: Shop) -> None:
    """With all that their workflow has recorded below them."""
    first = shop.build("for_each(ship, xs)\nwork(ship, x)", head=HEAD)
    made = shop.build("work(ship, x)", head=HEAD)
    assert first.manifest is not None
    found, before = lineage(made), first.manifest.generation
    assert found.today("ship#(xs)[0]/ship/send", before) is None
    assert found.today("ship#(x)/send", before) == "ship#(x)/send"


def test_a_side_chain_that_moves_into_a_function_takes_its_items_along(shop: Shop) -> None:
    """What is below the old path is below the new one."""
    first = shop.build("for_each(ship, xs)\nreturn 1", head=HEAD)
    inner = "async def inner() -> None:\n    for_each(ship, xs)\nawait inner()\nreturn 1"
    made = shop.build(inner, head=HEAD)
    assert first.manifest is not None
    moved = lineage(made).today("ship[1]/ship/send", first.manifest.generation)
    assert moved == "inner/ship[1]/ship/send"
