"""FLP6xx: what a workflow cannot say, or not yet."""

from __future__ import annotations

from flopod_compiler.diagnostics.rule import Rule
from flopod_compiler.diagnostics.rules.calls import _body


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
        _body("import asyncio", "async with asyncio.timeout(3):  # FLP600", "    return await fetch(1)"),
        _body("import asyncio", "return await asyncio.wait_for(fetch(1), 3)  # FLP600"),
    )


class Yielding(Rule):
    code = "FLP602"
    title = "A workflow with `yield`"
    why = "A generator hands control to whoever iterates over it, at moments that no log records."
    message = "`yield` in {where}"
    help = "collect the values in a list and return it"
    valid = (_body("return [await fetch(x) for x in xs]"),)
    invalid = (_body("for x in xs:", "    yield x  # FLP602"),)


class ImplicitEffect(Rule):
    code = "FLP607"
    title = "An effect behind an attribute, an operator or a loop"
    why = (
        "Reading a property or using an operator runs code of the class; if that has effects it must be "
        "a call, which can be recorded."
    )
    message = "{what} runs {function}, which has effects: {reason}"
    help = "make it a method and call it, or call a function that does it: it becomes a leaf"
    valid = (_body("return await fetch(1)"),)
    invalid = (
        "import httpx\nfrom flopod import workflow\n\n"
        "class Order:\n    @property\n    def state(self) -> str:\n        return httpx.get('x').text\n\n"
        "@workflow\nasync def main(order: Order):\n    return order.state  # FLP607\n",
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
