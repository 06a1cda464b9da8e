"""What only shows when a workflow is planned and lowered: ids, order, and faithful translation."""

from __future__ import annotations

from flopod_compiler.diagnostics.rule import Rule

_HEAD = """import asyncio

from flopod import workflow
import httpx

async def fetch(x: int) -> str:
    return httpx.get(str(x)).text

def ask(x: int) -> bool:
    return bool(httpx.get(str(x)).text)

"""


def _body(*lines: str) -> str:
    text = "".join(f"    {line}\n" for line in lines)
    return f"{_HEAD}@workflow\nasync def main(xs: list[int]):\n{text}"


class ChangedWhileIterated(Rule):
    code = "FLP206"
    title = "A collection that is changed while a loop goes over it"
    why = "Which items the loop then sees depends on how far it is, which a resumed run need not share."
    message = "`{name}` is changed while the loop goes over it"
    help = "loop over a copy: `for ... in list({name})`"
    valid = (_body("for x in list(xs):", "    xs.remove(x)", "    await fetch(x)", "return xs"),)
    invalid = (_body("for x in xs:", "    xs.remove(x)  # FLP206", "    await fetch(x)", "return xs"),)


class AmbiguousId(Rule):
    code = "FLP501"
    title = "Two durable calls of one kind that only their place tells apart"
    why = (
        "Ids name the recorded results. A place among others changes when a call comes or goes, and without "
        "flopod.lock a run in flight no longer fits the new build. With --strict this is an error."
    )
    message = "`{op}` stands {times} in one scope (first at line {line}); {verdict}"
    help = "assign it to a variable, or add `# flopod: id=NAME` at the end of the line"
    severity = "warning"
    valid = (
        _body("first = await fetch(xs[0])", "second = await fetch(xs[0])", "return first, second"),
        _body("await fetch(xs[0])", "await fetch(xs[1])"),
    )
    invalid = (_body("await fetch(xs[0])", "await fetch(xs[0])  # FLP501"),)


class DurableGenerator(Rule):
    code = "FLP604"
    title = "A generator expression with a durable call"
    why = "A generator runs when somebody asks it for an item, at a place that has no id of its own."
    message = "a generator expression with a durable call would run it at a time nobody can name"
    help = "write a list comprehension, or a `for` loop with `break` where not every item is wanted"
    valid = (_body("return [ask(x) for x in xs]"),)
    invalid = (_body("return any(ask(x) for x in xs)  # FLP604"),)


class Untranslated(Rule):
    code = "FLP900"
    title = "A fault of the compiler"
    why = (
        "After lowering, the emitted function is read back and compared with the source. It differs, so "
        "nothing is written."
    )
    message = "internal error: `{name}` could not be translated faithfully ({fault})"
    help = "please report this with the source of the function"
