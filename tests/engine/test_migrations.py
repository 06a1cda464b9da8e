"""A run that was recorded under an older version of a class goes on under the one of today."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
from msgspec import Raw

from flopod import codec
from flopod.backends import Backend
from flopod.codec import migrations as declared
from flopod.engine import control
from flopod.engine.clock import VirtualClock
from flopod.engine.engine import Engine
from flopod.engine.hooks import Hooks, RunInfo
from flopod.engine.identity import Identity
from flopod.engine.outcome import RunOutcome
from flopod.engine.registry import HandWritten
from flopod.engine.run import run_workflow
from flopod.errors import DivergenceError
from flopod.events import IterationCompleted
from tests.engine.support import RUN

CLASSES = {
    "dataclass": "@dataclass\nclass Line:\n",
    "struct": "class Line(msgspec.Struct):\n",
    "typed": "class Line(TypedDict):\n",
}
BEFORE = """\
import msgspec
from dataclasses import dataclass
from typing import TypedDict
from flopod import compose, migrations, remove, rename, transform

{line}    sku: str
    price: int
    legacy: bool

calls = []

async def fetch(sku: str) -> list[Line]:
    calls.append(("fetch", sku))
    return [Line(sku=sku, price=5, legacy=True), Line(sku="other", price=6, legacy=False)]

async def pack(line: Line) -> str:
    calls.append(("pack", line))
    return "packed"

async def order(wf, first: Line):
    lines = await wf.activity("fetch", fetch, "a")
    packed = await wf.activity("pack", pack, lines[0])
    decided = await wf.wait("approved", type=Line | None)
    await wf.wait("later")
    return [first, *lines, packed, decided, await wf.activity("again", pack, lines[1])]
"""
STEPS = """\
@migrations({
    1: rename({"sku": "code"}),
    2: compose(remove("legacy"), transform({"price": str})),
})
"""


@pytest.fixture
def shop() -> Iterator[Any]:
    """Give what makes the module `shop` of a source, and forget it and its migrations afterwards."""

    def make(text: str) -> Any:
        declared.typed.clear()
        module = sys.modules["shop"] = ModuleType("shop")
        exec(text, vars(module))
        codec.plans._plans.clear()  # type: ignore[attr-defined]
        return module

    yield make
    declared.typed.clear()
    sys.modules.pop("shop", None)


def after(kind: str) -> str:
    """The source of today."""
    text = BEFORE.format(line=STEPS + CLASSES[kind]).replace("    legacy: bool\n", "")
    text = text.replace("    sku: str\n    price: int", "    code: str\n    price: str")
    return text.replace("Line(sku=sku, price=5, legacy=True)", "Line(code=sku, price='5')").replace(
        'Line(sku="other", price=6, legacy=False)', "Line(code='other', price='6')"
    )


def drive(module: Any, store: Backend, *args: Any) -> RunOutcome:
    """Start the run, or go on with it, until it waits or ends."""
    identity = Identity(run_id=RUN, workflow="order")
    given = args or None
    return asyncio.run(
        run_workflow(
            module.order,
            given,
            identity=identity,
            backend=store,
            clock=VirtualClock(),
            exit_when_waiting=True,
        )
    )


def deliver(store: Backend, path: str, payload: bytes) -> None:
    store.deliver(RUN, path, path, Raw(payload))


def fields(one: Any) -> Any:
    """The fields of an object of any kind."""
    return one if isinstance(one, dict) else {name: getattr(one, name) for name in ("code", "price")}


def begin(shop: Any, store: Backend, kind: str) -> None:
    """Record a run up to its second wait, under the old source."""
    old = shop(BEFORE.format(line=CLASSES[kind]))
    assert drive(old, store, old.Line(sku="in", price=4, legacy=True)).status == "waiting"
    deliver(store, "approved", b'{"sku":"ok","price":7,"legacy":true}')
    assert drive(old, store).status == "waiting"


@pytest.mark.parametrize("kind", CLASSES)
def test_a_run_goes_on_with_values_of_today(shop: Any, store: Backend, kind: str) -> None:
    """Input, results, arguments of past calls and payloads are those of today; nothing is called again."""
    begin(shop, store, kind)
    before = store.load(RUN)
    new = shop(after(kind))
    deliver(store, "later", b"null")
    outcome = drive(new, store)
    assert outcome.status == "completed", outcome
    first, one, other, packed, decided, again = outcome.value
    assert [fields(each) for each in (first, one, other, decided)] == [
        {"code": "in", "price": "4"},
        {"code": "a", "price": "5"},
        {"code": "other", "price": "6"},
        {"code": "ok", "price": "7"},
    ]
    assert (packed, again) == ("packed", "packed")
    assert new.calls == [("pack", other)]
    assert store.load(RUN)[: len(before)] == before


@pytest.mark.parametrize("kind", CLASSES)
def test_what_is_recorded_today_is_read_without_migrating_it_again(
    shop: Any, store: Backend, kind: str
) -> None:
    """A run that is begun under the new source is read back as it was."""
    text = after(kind)
    new = shop(text)
    assert drive(new, store, new.Line(code="in", price="4")).status == "waiting"
    deliver(store, "approved", b'{"code":"ok","price":"7"}')
    assert drive(shop(text), store).status == "waiting"
    deliver(store, "later", b"null")
    outcome = drive(shop(text), store)
    assert [fields(each)["code"] for each in (*outcome.value[:3], outcome.value[4])] == [
        "in",
        "a",
        "other",
        "ok",
    ]


@pytest.mark.parametrize("kind", CLASSES)
def test_a_step_that_fails_stops_the_run_and_loses_nothing(shop: Any, store: Backend, kind: str) -> None:
    """With steps that are right it goes on."""
    begin(shop, store, kind)
    wrong = after(kind).replace('"price": str', '"prize": str')
    with pytest.raises(Exception, match="there is no field 'prize'"):
        drive(shop(wrong), store)
    deliver(store, "later", b"null")
    assert drive(shop(after(kind)), store).status == "completed"


def test_without_the_step_the_run_stops(shop: Any, store: Backend) -> None:
    """A version that is newer than those of the program is refused."""
    text = after("dataclass")
    new = shop(text)
    assert drive(new, store, new.Line(code="in", price="4")).status == "waiting"
    with pytest.raises(DivergenceError, match="has its version 3, and this program knows 1 to 1"):
        drive(shop(text.replace(STEPS, "")), store)


CHANGING = """\
from flopod import migrations, rename
from dataclasses import dataclass
from typing import TypedDict

{line}    {name}: str

async def fill(line: Line) -> str:
    return "{name}"

async def touch(line: Line) -> None:
    if isinstance(line, dict):
        line["{name}"] += "!"
    else:
        line.{name} += "!"

async def order(wf, first: Line):
    await wf.activity("touch", touch, first)
    await wf.wait("later")
    return first
"""


@pytest.mark.parametrize("kind", ["dataclass", "typed"])
def test_changes_of_arguments_that_are_migrated_are_refused(shop: Any, store: Backend, kind: str) -> None:
    """They are recorded by place in the objects of then, and stop the run rather than hit another one."""
    old = shop(CHANGING.format(line=CLASSES[kind], name="sku"))
    assert drive(old, store, old.Line(sku="in")).status == "waiting"
    steps = '@migrations({1: rename({"sku": "code"})})\n'
    with pytest.raises(DivergenceError, match=r"refers to (its objects|arguments) as they were in"):
        drive(shop(CHANGING.format(line=steps + CLASSES[kind], name="code")), store)


LOOPING = """\
from flopod import migrations, rename
from typing import TypedDict

{steps}class Line(TypedDict):
    {name}: str

async def fetch(n: int) -> Line:
    return Line({name}=str(n) * 200)

async def order(wf, count: int):
    lines = wf.list("lines", [])
    for scope, n in wf.each("numbers", range(count), keep=()):
        lines.append(await scope.activity("fetch", fetch, n))
    await wf.wait("later")
    return [line["{name}"][0] for line in lines]
"""


@pytest.mark.parametrize("compact", ["off", "1"])
def test_a_typed_dict_that_a_loop_carries_is_replayed_or_refused(
    shop: Any, store: Backend, monkeypatch: pytest.MonkeyPatch, compact: str
) -> None:
    """A snapshot does not say which dicts are of it; the calls behind it do, as long as they are there."""
    new = LOOPING.format(steps='@migrations({1: rename({"sku": "code"})})\n', name="code")
    monkeypatch.setenv("FLOPOD_COMPACT", compact)
    assert drive(shop(LOOPING.format(steps="", name="sku")), store, 5).status == "waiting"
    events = [event for _, event in store.load(RUN)]
    assert any(isinstance(event, IterationCompleted) and event.snapshot is not None for event in events)
    deliver(store, "later", b"null")
    if compact == "off":
        assert drive(shop(new), store).value == ["0", "1", "2", "3", "4"]
    else:
        with pytest.raises(DivergenceError, match="shop:Line: nothing tells it from other dicts"):
            drive(shop(new), store)


PARENT = """\
from flopod import migrations, rename
from dataclasses import dataclass
from typing import NamedTuple, TypedDict

{steps}class Line(TypedDict):
    {name}: str

@dataclass
class Box:
    line: Line

{steps}class Row(NamedTuple):
    {name}: str

async def child(wf) -> tuple[list[Line], Box, Row]:
    return [Line({name}="a")], Box(Line({name}="b")), Row({name}="c")

async def parent(wf):
    found = await wf.child("child", "child").wait()
    await wf.wait("later")
    return found

async def late(wf):
    handle = wf.child("child", "child")
    await wf.wait("later")
    return await handle.wait()
"""
RENAMED = '@migrations({1: rename({"sku": "code"})})\n'


class WithoutChildren(Hooks):
    """Lets nothing but parents go on."""

    def should_run(self, run: RunInfo) -> bool:
        return run.workflow != "child"


def begin_family(module: Any, store: Backend, name: str) -> None:
    """Record a parent up to its wait, and its child; `late` has not heard of the end of that."""
    serve(module, store, name, "waiting", WithoutChildren() if name == "late" else None)
    if name == "late":
        identity = Identity(run_id=f"{RUN}.child", workflow="child")
        asyncio.run(run_workflow(module.child, identity=identity, backend=store, clock=VirtualClock()))


def serve(module: Any, store: Backend, name: str, until: str, hooks: Hooks | None = None) -> Any:
    """Let an engine have the run until it has this status, and return its summary and its result."""

    async def main() -> Any:
        registry = HandWritten({"child": module.child, "parent": module.parent, "late": module.late})
        async with Engine(store, registry, hooks=hooks) as engine:
            handle = await engine.start(name, run_id=RUN)
            while (summary := store.summary(RUN)) is None or summary.status != until:
                await asyncio.sleep(0.01)
            return await handle.result() if until == "completed" else summary

    return asyncio.run(asyncio.wait_for(main(), 20))


@pytest.mark.parametrize("name", ["parent", "late"])
def test_the_result_of_a_child_is_of_today(shop: Any, store: Backend, name: str) -> None:
    """What was delivered to the parent under the old source, and what is delivered under the new one."""
    begin_family(shop(PARENT.format(steps="", name="sku")), store, name)
    new = shop(PARENT.format(steps=RENAMED, name="code"))
    deliver(store, "later", b"null")
    lines, box, row = serve(new, store, name, "completed")
    assert (lines, box.line, row) == ([{"code": "a"}], {"code": "b"}, new.Row("c"))
    again = serve(new, store, name, "completed")
    assert again == (lines, box, row)


def test_what_a_driver_runs_gives_a_result_of_today(shop: Any, store: Backend) -> None:
    """A driver with a runner of its own gets what a workflow of the old source has returned as it is now."""
    old = shop(PARENT.format(steps="", name="sku"))
    identity = Identity(run_id=f"{RUN}.child", workflow="child")
    asyncio.run(run_workflow(old.child, identity=identity, backend=store, clock=VirtualClock()))
    new = shop(PARENT.format(steps=RENAMED, name="code"))

    async def main() -> Any:
        async with Engine(store, HandWritten({"child": new.child})) as engine:
            return await engine.family._run_beside(RUN, "child")

    lines, box, row = asyncio.run(asyncio.wait_for(main(), 20))
    assert (lines, box.line, row) == ([{"code": "a"}], {"code": "b"}, new.Row("c"))


def test_a_child_whose_result_cannot_be_migrated_stops_the_parent(shop: Any, store: Backend) -> None:
    """Nothing is recorded of its end, and with steps that are right the parent goes on."""
    begin_family(shop(PARENT.format(steps="", name="sku")), store, "late")
    deliver(store, "later", b"null")
    wrong = RENAMED.replace('"sku"', '"sko"')
    summary = serve(shop(PARENT.format(steps=wrong, name="code")), store, "late", "diverged")
    assert "there is no field 'sko'" in summary.error
    new = shop(PARENT.format(steps=RENAMED, name="code"))
    assert drive_on(new, store) == [{"code": "a"}]


def drive_on(module: Any, store: Backend) -> Any:
    """Let an engine go on with a run that is at rest, and return the first part of its result."""
    control.resume(store, RUN)
    return serve(module, store, "late", "completed")[0]
