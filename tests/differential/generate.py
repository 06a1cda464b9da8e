"""Writes random programs over the constructs that compile. Every program ends: loops carry their fuel."""

from __future__ import annotations

from tests.differential.blocks import statements
from tests.differential.body import Body, Chooser, Text
from tests.differential.coverage import Coverage
from tests.differential.expressions import int_expr

_NAMES = """
alias and annotated-assign assert assign async-leaf async-workflow augmented-assign augmented-item
binary break break-in-finally chained-assign comparison-chain continue deferred-await del
dict-change dict-comprehension dict-items elif else enumerate except except-tuple
expression-statement f-string finally for for-else gather-fan-out-generator gather-fan-out-list
gather-fixed gather-return-exceptions gather-unpacked helper helper-arm helper-call if lambda leaf
leaf-condition leaf-double-starred leaf-iterable leaf-keyword leaf-list leaf-starred list-change
list-comprehension list-rebind long-for loop-rebinds-name loop-variable-after match match-as
match-class match-guard match-or match-sequence match-star match-wildcard method-leaf mutating-leaf
nonlocal not or print pure-call pure-helper raise raise-in-finally re-raise return return-in-finally
set-comprehension sleep starred-target sub-workflow subscript swap sync-leaf sync-workflow
tasks-then-gather ternary try try-else unary unpack walrus while while-else while-true while-walrus
with-nullcontext with-suppress workflow-arm zip
"""
CONSTRUCTS = frozenset(_NAMES.split())

TAME = 0.8

PRELUDE = '''"""A random program."""

import asyncio
import contextlib
import time

from flopod import workflow


class Oops(Exception):
    """What a leaf raises on some arguments."""


async def num(a, b=0):
    await asyncio.sleep(0)
    if (a * 5 + b) % 37 == 7:
        raise Oops(a, b)
    return (a * 3 + b) % 11 - 2


def snum(a, b=0):
    time.sleep(0)
    if (a * 5 + b) % 41 == 7:
        raise Oops("sync", a, b)
    return (a * 7 + b) % 9 - 1


async def truth(a):
    await asyncio.sleep(0)
    return a % 3 != 0


def struth(a):
    time.sleep(0)
    return a % 3 != 0


async def items(a):
    await asyncio.sleep(0)
    return [(a + n) % 7 for n in range(a % 4)]


async def grow(row, value):
    await asyncio.sleep(0)
    row.append(value % 10)
    if len(row) > 7:
        del row[1:]
    if value % 29 == 5:
        raise Oops("grown", value)
    return len(row)


def sgrow(row, value):
    time.sleep(0)
    row.insert(0, value % 10)
    del row[6:]
    return row[-1]


async def put(table, key, *, row):
    await asyncio.sleep(0)
    table[key % 5] = key
    table["row"] = row
    row[0] += 1


class Gate:
    async def pull(self, a, b=0):
        await asyncio.sleep(0)
        return (a + 2 * b) % 6


gate = Gate()


def double(n):
    return n * 2 % 31
'''


def program(rng: Chooser, size: int, coverage: Coverage) -> str:
    """The text of a random module with a workflow `flow(n)`; `size` is about its number of statements."""
    text = Text(PRELUDE.splitlines())
    counter = [0]
    is_async = rng.random() < 0.85
    tame = rng.random() < TAME
    workflows: list[str] = []
    for number in range(rng.randint(0, 2)):
        name = f"sub{number}"
        _workflow(rng, text, coverage, counter, name, is_async, tame, list(workflows), 4)
        workflows.append(name)
    _workflow(rng, text, coverage, counter, "flow", is_async, tame, workflows, size)
    coverage.programs += 1
    return "\n".join(text.lines) + "\n"


def _workflow(
    rng: Chooser, text: Text, coverage: Coverage, counter: list[int], name: str, is_async: bool, tame: bool,
    workflows: list[str], size: int,
) -> None:  # fmt: skip
    body = Body(
        rng=rng, text=text, coverage=coverage, is_async=is_async, ints=["a", "b", "c"], lists=["r", "s"],
        dicts=["d"], helpers=[], arms=[], workflows=workflows, work=size, is_helper=name != "flow",
        stack=["flow" if name == "flow" else "sub"], counter=counter, tame=tame,
    )  # fmt: skip
    body.mark("async-workflow" if is_async else "sync-workflow")
    text.add("")
    text.add("")
    text.add("@workflow")
    with text.block(f"{'async def' if is_async else 'def'} {name}(n):"):
        text.add("a, b, c = n, 1, 2")
        text.add("r, s, d, seen = [n, 3], [4], {'k': 0}, []")
        if name == "flow":
            while body.work > 0:
                statements(body)
            text.add(f"return [seen, a, b, c, r, s, d, r is s, d.get('row') is r, {int_expr(body, 1)}]")
        else:
            statements(body, 1, 3)
            text.add(f"return {int_expr(body)} % 19")
