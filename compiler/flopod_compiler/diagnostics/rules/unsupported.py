"""FLP6xx: what a workflow cannot say, or not yet."""

from __future__ import annotations

from flopod_compiler.diagnostics.rule import Rule
from flopod_compiler.diagnostics.rules.calls import _HEAD, _body

_PAGES = _HEAD + (
    "def pages(n: int):\n    found = []\n    for i in range(n):\n        page = httpx.get(str(i)).text\n"
    "        yield page\n    return found\n\n"
)
_EVENS = "def evens(n: int):\n    for i in range(0, n, 2):\n        yield i\n\n"
_COUNT = "async def count(n: int):\n    for i in range(n):\n        yield i\n\n"


class EffectfulGenerator(Rule):
    code = "FLP205"
    title = "A generator with effects called by a workflow"
    why = (
        "A generator runs while it is iterated over, a piece at a time: its effects would be a part of no "
        "recorded call, and a resume would have to repeat them."
    )
    message = "{name} is a generator with effects: {reason}"
    help = "make it {what} that returns a list of the values, and iterate over `{text}`"
    valid = (
        _body("return [x for x in pages(3)]", head=_PAGES.replace("yield page", "found.append(page)")),
        _body("return [x for x in evens(3)]", head=_HEAD + _EVENS),
    )
    invalid = (_body("for page in pages(3):  # FLP205", "    await fetch(1)", head=_PAGES),)


class AsyncSource(Rule):
    code = "FLP603"
    title = "`async for` over something that is not plain code"
    why = (
        "Where the next item comes from outside the run, nothing records it; a resume would find another "
        "one, or none."
    )
    message = "`async for` over `{text}`, which is not known to be plain code"
    help = (
        "collect the items in an async function of its own, which becomes a leaf, and iterate over its "
        "result with `for`"
    )
    valid = (
        _body("return [x async for x in count(3)]", head=_HEAD + _COUNT),
        _body("return [x for x in await fetch(1)]"),
    )
    invalid = (
        _body("async for line in httpx.AsyncClient().stream('GET', 'x'):  # FLP603", "    return line"),
        _body("return [x async for x in xs]  # FLP603"),
    )


class NotYet(Rule):
    code = "FLP600"
    title = "A construct that is not compiled yet"
    why = (
        "It has a faithful translation, which this version does not have; it is refused rather than "
        "approximated."
    )
    message = "{callee} is not compiled yet"
    help = "{rewrite}"
    ways = ("move the whole construct into a function of its own, which becomes a leaf",)
    valid = (_body("import asyncio", "return await asyncio.gather(fetch(1), fetch(2))"),)
    invalid = (
        _body("import asyncio", "asyncio.get_running_loop().call_later(3, print)  # FLP600"),
        _body("import asyncio", "return asyncio.run(fetch(1))  # FLP600"),
    )


class Yielding(Rule):
    code = "FLP602"
    title = "A workflow with `yield`"
    why = "A generator hands control to whoever iterates over it, at moments that no log records."
    message = "`yield` in {where}"
    help = "collect the values in a list and return it"
    valid = (_body("return [await fetch(x) for x in xs]"),)
    invalid = (_body("for x in xs:", "    yield x  # FLP602"),)


def _box(methods: str, *lines: str, head: str = "") -> str:
    body = "".join(f"    {line}\n" for line in lines)
    return (
        f"import httpx\n{head}from flopod import workflow\n\nclass Box:\n    def __init__(self, url: str):\n"
        f"        self.url = url\n\n    {methods}\n\n"
        f"@workflow\nasync def main(boxes: list[Box], box: Box):\n{body}"
    )


_LESS = "def __lt__(self, other):\n        return httpx.get(self.url).text < other.url"
_EQUAL = "def __eq__(self, other):\n        return httpx.get(self.url).text == other.url"
_PURE = "def __lt__(self, other):\n        return self.url < other.url"


class ImplicitEffect(Rule):
    code = "FLP607"
    title = "An effect behind an attribute, an operator or a loop"
    why = (
        "Reading a property or using an operator runs code of the class; if that has effects it must be "
        "a call, which can be recorded."
    )
    message = "{what} runs {function}, which has effects: {reason}"
    help = "make it a method and call it, or call a function that does it: it becomes a leaf"
    valid = (
        _body("return await fetch(1)"),
        _box(_PURE, "return sorted(boxes), box < boxes[0], min(boxes)"),
        _box(_LESS, "return sorted(boxes, key=lambda one: one.url)"),
    )
    invalid = (
        "import httpx\nfrom flopod import workflow\n\n"
        "class Order:\n    @property\n    def state(self) -> str:\n        return httpx.get('x').text\n\n"
        "@workflow\nasync def main(order: Order):\n    return order.state  # FLP607\n",
        _box(_LESS, "return sorted(boxes)  # FLP607"),
        _box(_LESS, "boxes.sort()  # FLP607"),
        _box(_EQUAL, "return box in boxes  # FLP607"),
        _box("def __hash__(self):\n        return hash(httpx.get(self.url))", "return {box: 1}  # FLP607"),
        _box(
            "def __bool__(self):\n        return httpx.get(self.url).is_success", "return not box  # FLP607"
        ),
        _box("def __str__(self):\n        return httpx.get(self.url).text", "return f'{box}'  # FLP607"),
        _box("def __iter__(self):\n        return httpx.get(self.url)", "return [*box]  # FLP607"),
        _box(
            "def load(self):\n        return httpx.get(self.url).text",
            "return sorted(boxes, key=methodcaller('load'))  # FLP607",
            head="from operator import methodcaller\n",
        ),
    )


class Reflection(Rule):
    code = "FLP605"
    title = "Reflection or leaving the process in a workflow"
    why = "`exec`, `locals`, `sys.exit` and the like reach around the code that is compiled."
    message = "{callee} in a workflow"
    help = "{rewrite}"
    ways = (
        "call the code itself instead of building or looking it up as text",
        "return from the workflow, or raise an exception to fail it",
        'wait for an answer as an event: `await wait_for("answer", str)`',
    )
    valid = (_body("return 1"),)
    invalid = (
        _body("return eval('1')  # FLP605"),
        _body("import sys", "sys.exit(1)  # FLP605"),
        _body("name = input()  # FLP605", "return name"),
    )
