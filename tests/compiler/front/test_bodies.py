"""Findings in workflow bodies: awaits, function values, nested functions, statements, implicit calls."""

from __future__ import annotations

from pathlib import Path

import pytest

from .support import classified, codes, infos, kinds, workflow

HEAD = """
import asyncio, contextlib, functools, httpx, itertools, threading, time, random
from dataclasses import dataclass
from flopod import activity, attempt, sleep, wait_for
async def fetch(x=1) -> str:
    return httpx.get(str(x)).text
def store(*x, **k) -> int:
    print(x)
    return 1
def price(x):
    return x + 1
def apply(f, x):
    return f(x)
@workflow
async def child(x=1):
    return x
lock = threading.Lock()
@dataclass
class Line:
    qty: int = 1
    @property
    def live(self) -> int:
        return time.time()
    @property
    def calm(self) -> int:
        return self.qty
    def __eq__(self, other):
        print("compared")
        return True
"""


def run(body: str, tmp_path: Path, arguments: str = "xs: list[int]") -> list[str]:
    return codes(classified(tmp_path, workflow(body, HEAD, arguments)))


@pytest.mark.parametrize(
    "body",
    [
        "return await fetch(1)",
        "a = fetch(1)\nreturn await a",
        "return await asyncio.gather(fetch(1), child(2))",
        "return await asyncio.gather(*[fetch(x) for x in xs])",
        "return await asyncio.gather(*(fetch(x) for x in xs))",
        "todo = []\nfor x in xs:\n    todo.append(fetch(x))\nreturn await asyncio.gather(*todo)",
        "todo = [fetch(x) for x in xs]\nreturn await asyncio.gather(*todo)",
        "if (pending := fetch(1)):\n    return await pending",
        "value = fetch(1)\nvalue = await value\nreturn value + 'a'",
        "value = fetch(1)\nasync def inner():\n    return await value\nreturn await inner()",
        "return await (fetch(1) if xs else child(2))",
        "def start(x):\n    return fetch(x)\nreturn await start(1)",
        "await sleep('1s')\nawait asyncio.sleep(1)\ntime.sleep(1)",
        "a, b = fetch(1), fetch(2)\nreturn [await a, await b]",
        "store(1)\nreturn httpx.get('x')",
        "return await httpx.AsyncClient().get('x')",
    ],
)
def test_coroutines_that_are_awaited_are_accepted(body: str, tmp_path: Path) -> None:
    """Awaits at once or later, gather over any arrangement, and calls that may be plain pass."""
    assert run(body, tmp_path) == []


@pytest.mark.parametrize(
    ("body", "use"),
    [
        ("fetch(1)", "dropped"),
        ("child(1)", "dropped"),
        ("sleep('1s')", "dropped"),
        ("asyncio.gather(fetch(1))", "dropped"),
        ("asyncio.sleep(1)", "dropped"),
        ("wait_for('e')", "dropped"),
        ("attempt(fetch, 1)", "dropped"),
        ("activity(fetch)(1)", "dropped"),
        ("x = fetch(1)", "never used"),
        ("x = fetch(1)\nreturn x + 'a'", "assigned to `x` and used in an expression"),
        ("x = fetch(1)\nreturn x.upper() + x[0]", "assigned to `x` and taken apart"),
        ("x = y = 1\nx = fetch(1)\nprint(x)", "assigned to `x` and passed to print"),
        ("return fetch(1) == 'a'", "used in an expression"),
        ("if fetch(1):\n    pass", "tested"),
        ("for c in fetch(1):\n    pass", "iterated"),
        ("return f'{fetch(1)}'", "formatted"),
        ("return fetch(1).upper()", "taken apart"),
        ("return fetch(1)[0]", "taken apart"),
        ("store(fetch(1))", "passed to store"),
        ("print(fetch(1))", "passed to print"),
        ("async def inner():\n    return await fetch(1)\ninner()", "dropped"),
    ],
)
def test_coroutines_that_are_not_awaited_are_refused(body: str, use: str, tmp_path: Path) -> None:
    """A coroutine that is dropped or taken for its result is refused, with what is done to it."""
    result = classified(tmp_path, workflow(body, HEAD, "xs: list[int]"))
    assert "FLP101" in codes(result)
    found = next(one for one in result.diagnostics if one.code == "FLP101")
    assert use in found.message
    assert found.help.startswith("write `await ")


@pytest.mark.parametrize(
    "body",
    [
        "return list(map(store, xs))",
        "return sorted(xs, key=store)",
        "xs.sort(key=store)",
        "return functools.partial(store, 1)",
        "return list(filter(child, xs))",
        "return functools.reduce(store, xs)",
        "return [store, *map(child, xs)]",
        "store(child)",
        "async def inner(x):\n    return await fetch(x)\nreturn list(map(inner, xs))",
        "return list(itertools.starmap(time.time, xs))",
        "return sorted(xs, key=random.random)",
        "return apply(child, 1)",
    ],
)
def test_functions_with_effects_are_not_given_to_plain_code(body: str, tmp_path: Path) -> None:
    """Leaves, workflows, recorded functions and durable inner functions may not be called behind the log."""
    assert "FLP110" in run(body, tmp_path)


@pytest.mark.parametrize(
    "body",
    [
        "return list(map(price, xs))",
        "return sorted(xs, key=price)",
        "return list(map(str, xs))",
        "store(fetch)",
        "store(key=price)",
        "handlers = {'a': fetch}\nreturn await handlers['a'](1)",
        "return apply(price, 1)",
        "return apply(store, 1)",
        "return isinstance(xs, list) and callable(fetch)",
        "def inner(x):\n    return x + 1\nreturn list(map(inner, xs))",
        "chosen = []\nchosen.append(fetch)\nreturn len(chosen)",
        "with contextlib.suppress(httpx.HTTPError):\n    return await fetch(1)",
    ],
)
def test_functions_may_be_passed_where_nothing_is_lost(body: str, tmp_path: Path) -> None:
    """Pure functions may be called by anyone, and a leaf may be given whatever it likes."""
    assert run(body, tmp_path) == []


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("return [f(x) for f in (lambda y: fetch(y),) for x in xs]", "FLP105"),
        ("return (lambda: store(1))()", "FLP105"),
        ("class A:\n    def go(self):\n        return store(1)\nreturn 1", "FLP105"),
        ("class A:\n    x = store(1)\nreturn 1", "FLP105"),
        ("yield 1", "FLP602"),
        ("def inner():\n    yield store(1)\nreturn list(inner())", "FLP602"),
        ("async for x in xs:\n    pass", "FLP603"),
        ("return [x async for x in xs]", "FLP603"),
        ("async with xs:\n    pass", "FLP303"),
        ("group = asyncio.TaskGroup()\nreturn 1", "FLP121"),
        ("with lock:\n    pass", "FLP303"),
        ("with httpx.Client() as c:\n    pass", "FLP303"),
        ("return await asyncio.to_thread(store, 1)", "FLP309"),
        ("return threading.Thread(target=price)", "FLP309"),
        ("from concurrent.futures import ThreadPoolExecutor\nreturn ThreadPoolExecutor()", "FLP309"),
        ("return eval('1')", "FLP605"),
        ("return locals()", "FLP605"),
        ("return vars()", "FLP605"),
        ("import sys\nsys.exit(1)", "FLP605"),
        ("exit()", "FLP605"),
        ("return open('x')", "FLP213"),
        ("return id(xs)", "FLP209"),
        ("return hash('a')", "FLP209"),
        ("return random.Random()", "FLP201"),
        ("import os\nreturn os.environ['A']", "FLP212"),
        ("@functools.wraps(price)\nasync def inner():\n    return await fetch(1)\n"
        "return await inner()", "FLP104"),
        ("return line.live", "FLP607"),
        ("return line == line", "FLP607"),
        ("return asyncio.run(fetch(1))", "FLP600"),
        ("return await asyncio.create_task(fetch)", "FLP122"),
        ("return await asyncio.wait([fetch(1)])", "FLP122"),
        ("return await asyncio.wait_for(fetch(1), **xs)", "FLP600"),
        ("asyncio.get_running_loop().call_later(1, print)", "FLP600"),
        ("asyncio.get_running_loop().call_soon(print)", "FLP600"),
        ("await asyncio.get_running_loop().run_in_executor(None, store, 1)", "FLP309"),
        ("task = asyncio.create_task(fetch(1))\ntask.add_done_callback(print)", "FLP110"),
        ("task = asyncio.create_task(fetch(1))\ntask.add_done_callback(store)", "FLP110"),
        ("lock = asyncio.Lock()\nreturn await fetch(lock)", "FLP315"),
        ("return await fetch([asyncio.create_task(fetch(1))])", "FLP315"),
        ("queue = asyncio.Queue()\nqueue.put(1)", "FLP101"),
        ("import sys\nsys.stderr.write('a')", "FLP211"),
    ],
)  # fmt: skip
def test_what_cannot_be_compiled_is_refused(body: str, code: str, tmp_path: Path) -> None:
    """Each form that has no faithful translation gets its code."""
    assert code in run(body, tmp_path, "xs, line: Line")


@pytest.mark.parametrize(
    "body",
    [
        "return line.calm",
        "with contextlib.suppress(ValueError):\n    return await fetch(1)",
        "def gen():\n    yield from xs\nreturn list(gen())",
        "class Local:\n    def go(self):\n        return 1\nreturn Local().go()",
        "return vars(line)",
        "@functools.lru_cache\ndef inner(x):\n    return x\nreturn inner(1)",
        "return (lambda y: y + 1)(2)",
        "for i, x in enumerate(xs):\n    print(i, x)",
        "match xs:\n    case [first, *rest]:\n        return first\n    case {'a': b, **others}:\n"
        "        return b",
    ],
)
def test_plain_python_is_accepted(body: str, tmp_path: Path) -> None:
    """Pure managers, generators, classes, lambdas and matches stay as they are."""
    assert run(body, tmp_path, "xs, line: Line") == []


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("with ThreadPoolExecutor() as pool:\n    pool.submit(price, 1).result()", "FLP309"),
        ("pool = ThreadPoolExecutor()\nreturn list(pool.map(price, xs))", "FLP309"),
        ("group = asyncio.TaskGroup()\ntask = group.create_task(fetch(1))\nreturn task.result()", "FLP121"),
        ("timer = asyncio.get_running_loop().call_later(1, print)\ntimer.cancel()", "FLP600"),
        ("file = open('x')\nreturn file.fileno()", "FLP213"),
        ("return random.Random().some()", "FLP201"),
    ],
)  # fmt: skip
def test_one_mistake_is_one_finding(body: str, code: str, tmp_path: Path) -> None:
    """What follows from a refused call is not reported again."""
    head = HEAD + "from concurrent.futures import ThreadPoolExecutor\n"
    assert codes(classified(tmp_path, workflow(body, head, "xs"))) == [code]


def test_nested_functions_are_durable_through_each_other(tmp_path: Path) -> None:
    """A function that calls a durable one is durable, mutual recursion included; others stay plain."""
    body = """
    async def a(n):
        return await b(n - 1) if n else 0
    async def b(n):
        await fetch(n)
        return await a(n)
    def plain(n):
        return n + 1
    def outer():
        def deep():
            return store(1)
        return deep()
    async def waits():
        await a(1)
    return [await a(plain(3)), outer(), await waits()]
    """
    result = classified(tmp_path, workflow(body, HEAD))
    assert codes(result) == []
    durable = {one.qualname: one.durable for one in result.functions.values() if one.parent is not None}
    assert durable == {
        "main.<locals>.a": True,
        "main.<locals>.b": True,
        "main.<locals>.plain": False,
        "main.<locals>.outer": True,
        "main.<locals>.outer.<locals>.deep": True,
        "main.<locals>.waits": True,
    }
    found = kinds(result)
    assert (found["a(1)"], found["plain(3)"], found["outer()"], found["deep()"]) == (
        "workflow",
        "pure",
        "workflow",
        "workflow",
    )
    assert infos(result)["a(1)"].name == "a"


def test_a_recorded_call_makes_a_nested_function_durable(tmp_path: Path) -> None:
    """The clock in an inner function needs a scope of its own; printing does not."""
    body = "def now():\n    return time.time()\ndef say():\n    print('x')\nsay()\nreturn now()"
    result = classified(tmp_path, workflow(body, HEAD))
    assert codes(result) == []
    assert kinds(result) == {
        "time.time()": "recordable",
        "print('x')": "output",
        "say()": "pure",
        "now()": "workflow",
    }


def test_a_primitive_in_a_helper_is_reported_with_the_way_to_it(tmp_path: Path) -> None:
    """The finding names the function to mark and shows where the primitive stands."""
    files = {
        "helpers.py": "from flopod import sleep\n\nasync def nap():\n    await sleep('1h')\n\n"
        "async def rest():\n    await nap()\n",
        "main.py": workflow("await rest()", "from helpers import rest"),
    }
    result = classified(tmp_path, files)
    assert codes(result) == ["FLP107"]
    found = result.diagnostics[0]
    assert "nap is not a workflow, but it calls flopod.sleep" in found.message
    assert "main.rest" not in found.message and "helpers.rest -> helpers.nap" in found.message
    assert [(one.path, one.span.line) for one in found.related] == [("helpers.py", 7), ("helpers.py", 4)]
    assert "put `@workflow` above `rest` and `nap`" in found.help


def test_unmarked_code_that_no_workflow_calls_may_do_anything(tmp_path: Path) -> None:
    """A main function that runs the workflow plainly is not a helper of it."""
    text = (
        workflow("return 1")
        + "\nasync def plain():\n    await main()\n\nif __name__ == '__main__':\n    import asyncio\n"
        "    asyncio.run(plain())\n"
    )
    assert codes(classified(tmp_path, text)) == []


def test_a_sync_workflow_awaits_nothing(tmp_path: Path) -> None:
    """In `def` workflows sync leaves and time.sleep compile, async calls are refused."""
    good = (
        "from flopod import workflow\nimport time\ndef store(x):\n    print(x)\n"
        "@workflow\ndef main():\n    time.sleep(1)\n    store(1)\n"
    )
    assert codes(classified(tmp_path / "good", good)) == []
    bad = good.replace("def store", "async def store")
    assert codes(classified(tmp_path / "bad", bad)) == ["FLP108"]
