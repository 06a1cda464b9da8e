"""What runs beside the main line: forgotten tasks, the drivers of a module, the nodes of the graph."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from flopod_compiler.build import Compilation, compile_project

HEAD = """\
import asyncio
import os
import time

from flopod import activity, compensate, detach_and_forget, detach_and_join_later, for_each, tap
from flopod import wait_for_work, work, workflow
from flopod.detach import create_beacon_driver, create_handle, create_set_timeout_driver
from flopod.detach import mark_done, microtask_batch_driver


class Inline:
    name = "inline"

    def __init__(self):
        self.began = time.time()

    def schedule(self, child, input, ref_id):
        handle = create_handle(ref_id)
        mark_done(handle, child(input))
        return handle


def chosen():
    return OWN if time.time() else BEACON


LATER = create_set_timeout_driver(5)
BEACON = create_beacon_driver(os.environ["URL"])
OWN = Inline()
CHOSEN = chosen()


async def send(*args):
    print(args)


@activity(compensate=send)
async def reserve(x):
    print(x)


def plain(x):
    print(x)


@workflow
async def ship(x):
    await send(x)


@workflow
async def main(x, xs):
"""


def compiled(folder: Path, body: str) -> Compilation:
    (folder / "flow.py").write_text(HEAD + textwrap.indent(textwrap.dedent(body).strip("\n"), "    ") + "\n")
    made = compile_project(folder)
    assert made.ok, [one.message for one in made.diagnostics]
    return made


def emitted(folder: Path, body: str) -> str:
    """The compiled body, without its indentation."""
    text = compiled(folder, body).lowered["flow"].text
    return textwrap.dedent(text.partition("async def main(wf, x, xs):\n")[2]).strip("\n")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("asyncio.create_task(send(x))", 'wf.forget("send", send, x)'),
        ("asyncio.ensure_future(ship(x))", 'wf.forget("ship", ship, x)'),
        ("task = asyncio.create_task(send(*xs, **x))", 'task = wf.forget("send", send, *xs, **x)'),
        ("task: object = asyncio.create_task(send())", 'task: object = wf.forget("send", send)'),
        (
            "for _ in xs:\n    _ = asyncio.create_task(send(1))",
            'for wf_xs, _ in wf.each("xs", xs):\n    _ = wf_xs.forget("send", send, 1)',
        ),
        ("_, one = xs\n_ = asyncio.create_task(send(1))", '_, one = xs\n_ = wf.forget("send", send, 1)'),
        ("x = asyncio.create_task(send(1))\ndel x", 'x = wf.forget("send", send, 1)\ndel x'),
    ],
)
def test_a_task_that_nobody_can_await_is_a_run_of_its_own(body: str, expected: str, tmp_path: Path) -> None:
    """Of a leaf or of a workflow, as a statement or in a variable that nothing reads, however it is bound."""
    assert emitted(tmp_path, body) == expected


@pytest.mark.parametrize(
    "body",
    [
        "task = asyncio.create_task(send(x))\nawait task",
        "task = asyncio.create_task(send(x))\ndef look():\n    return task\nreturn look()",
        "tasks = [asyncio.create_task(send(x))]",
        "first = second = asyncio.create_task(send(x))",
        "asyncio.create_task(send(x), name='audit')",
        "asyncio.create_task(reserve(x))",
        "async def inner():\n    await send(x)\nasyncio.create_task(inner())",
        "asyncio.get_running_loop().create_task(send(x))",
        "asyncio.create_task(asyncio.sleep(1))",
        "one = send(x)\nasyncio.create_task(one)",
        "task = asyncio.create_task(send(x))\ntask += 1",
    ],
)
def test_any_other_task_stays_a_task(body: str, tmp_path: Path) -> None:
    """Also if it could be awaited only, is of a part of this run, or has more to it than its function."""
    text = emitted(tmp_path, body)
    assert "forget" not in text and ("create_task(" in text or "ensure_future(" in text)


@pytest.mark.parametrize("driver", ["LATER", "BEACON", "OWN", "CHOSEN", "LATER if x else OWN"])
def test_a_driver_of_the_module_reaches_the_detach_itself(driver: str, tmp_path: Path) -> None:
    """It is no recorded constant: no log can hold it, whatever it is made of."""
    made = emitted(tmp_path, f"detach_and_forget({driver}, send, x)")
    assert made == f'wf.detach_and_forget("send", {driver}, send, x)'


def test_a_driver_is_read_in_the_workflow_without_a_record(tmp_path: Path) -> None:
    """One of flopod's, or of a class that can drive, in a variable on its way to the detach."""
    body = "driver = LATER\nif x:\n    driver = OWN\ndetach_and_forget(driver, plain, x)"
    assert emitted(tmp_path, body) == body.replace("detach_and_forget(", 'wf.detach_and_forget("plain", ')


def test_what_nodes_the_graph_has(tmp_path: Path) -> None:
    """A detach, a task and a side chain are labelled nodes, with how they end and what drives them."""
    made = compiled(
        tmp_path,
        """
        detach_and_forget(LATER, send, x, label="mail", description="tells the customer")
        handle = detach_and_join_later(microtask_batch_driver, ship, x, label=f"ship {x}")
        asyncio.create_task(send(x, 1))
        task = asyncio.create_task(ship(x))
        named = asyncio.create_task(ship(x), name="second")
        work(plain, x, name="plain work")
        for_each(ship, xs)
        await wait_for_work()
        return [await tap(plain, x), await task, await named, await handle.wait()]
        """,
    )
    assert made.manifest is not None
    graph = made.manifest.graph["flow:main"]
    keys = ("kind", "label", "mode", "description", "driver", "callee")
    found = [tuple(node.get(key) for key in keys) for node in graph["nodes"]]
    assert found == [
        ("detach", "mail", "forget", "tells the customer", "LATER", "flow:send"),
        ("detach", "f'ship {x}'", "join", "", "microtask_batch_driver", "flow:ship"),
        ("detach", "send", "forget", "", "", "flow:send"),
        ("detach", "ship", "join", "", "", "flow:ship"),
        ("detach", "second", "join", "", "", "flow:ship"),
        ("work", "plain work", "join", "", "", "flow:plain"),
        ("work", "ship", "join", "", "", "flow:ship"),
        ("wait_for_work", None, None, None, None, "flopod.wait_for_work"),
        ("tap", None, None, None, None, "flow:plain"),
    ]
    assert graph["calls"] == ["flow:ship", "flow:ship"]


def test_what_work_records_is_below_its_own_path(tmp_path: Path) -> None:
    """That of an item of `for_each` below the key of the item; a detached workflow has a log of its own."""
    body = "work(ship, x)\nfor_each(ship, xs)\nawait tap(ship, x - 1)\ndetach_and_forget(LATER, ship, x + 1)"
    made = compiled(tmp_path, body)
    assert made.manifest is not None
    found = {one.path: one.kind for one in made.manifest.workflows["main"].paths}
    below = sorted(path for path in found if path.endswith("/send"))
    assert below == ["ship#(x - 1)/send", "ship#(x)/send", "ship#(xs)[*]/ship/send"]
    assert "ship#(x + 1)/send" not in found


def test_handles_that_a_callback_collects_are_known(tmp_path: Path) -> None:
    """A list that `on_handle` fills holds handles: by its method, by a lambda or by a function."""
    body = """
    first = []
    second = []
    third = []

    def keep(handle):
        third.append(handle)

    detach_and_join_later(LATER, send, x, on_handle=first.append)
    detach_and_join_later(LATER, plain, x, on_handle=lambda handle: second.append(handle))
    detach_and_join_later(LATER, ship, x, on_handle=keep)
    return [await one.wait() for one in [*first, *second, *third]]
    """
    assert "await one.wait() for one in" in emitted(tmp_path, body)


def test_a_loop_keeps_what_a_callback_changes(tmp_path: Path) -> None:
    """A list that a mapper fills, and one that a nested side chain fills, are in its snapshots."""
    body = """
    seen = []
    noted = []

    def mapped(value):
        seen.append(value)
        return value

    for one in xs:
        detach_and_forget(LATER, send, one, input_mapper=mapped)
        await send(one)

    async def note(value):
        noted.append(value)

    for one in xs:
        await tap(note, one)
    return seen, noted
    """
    text = emitted(tmp_path, body)
    loops = [line.strip() for line in text.splitlines() if "wf.each" in line]
    assert [line.partition("xs, ")[2] for line in loops] == ["keep=(seen,)):", "keep=(noted,)):"]


@pytest.mark.parametrize("call", ["work(send, mine)", "await tap(send, mine)", "for_each(send, mine)"])
def test_what_a_side_chain_gives_is_what_it_was_given(call: str, tmp_path: Path) -> None:
    """The very object: a loop that changes the one changes the other, which is wanted after it."""
    body = f"""
    mine = [x]
    same = {call}
    for one in xs:
        same += [await ship(one)]
    return mine
    """
    loop = next(line for line in emitted(tmp_path, body).splitlines() if "wf.each" in line)
    assert "mine" in loop


def test_a_loop_keeps_what_a_side_chain_is_given_and_changes(tmp_path: Path) -> None:
    """The parameter of a nested function is the value, whatever a connector makes of it."""
    body = """
    mine = [x]
    other = [x]

    async def grow(value):
        value.append(await send(x))

    for one in xs:
        await tap(grow, mine)
        work(grow, other, connector=lambda given: given or [])
    return mine, other
    """
    loop = next(line for line in emitted(tmp_path, body).splitlines() if "wf.each" in line)
    assert "mine, other)" in loop
