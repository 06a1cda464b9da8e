"""Writes random programs over the constructs that compile. Every program ends: loops carry their fuel."""

from __future__ import annotations

from tests.differential.blocks import statements
from tests.differential.body import Body, Chooser, Text
from tests.differential.coverage import Coverage
from tests.differential.detaches import PARTS
from tests.differential.expressions import int_expr

_NAMES = """
alias and annotated-assign as-completed assert assign async-for async-leaf async-with async-workflow
attempt augmented-assign augmented-item binary break break-in-finally chained-assign
changed-while-iterated class comparison-chain compensate continue create-task dataclass decorated
deferred-await del del-item detach-and-forget detach-and-join dict-change dict-comprehension
dict-items elif else enum enumerate except except-star-clause except-tuple expression-statement
f-string finally for for-each for-else for-generator forgotten-task function-loop function-table
function-value gather-fan-out-generator gather-fan-out-list gather-fixed gather-return-exceptions
gather-unpacked generator-expression getattr handle-status handle-wait handles-in-list helper
helper-arm helper-call if lambda lambda-value leaf leaf-condition leaf-double-starred leaf-iterable
leaf-keyword leaf-list leaf-starred list-change list-comprehension list-rebind local-import logging
long-for loop-rebinds-name loop-variable-after match match-as match-class match-guard match-or
match-sequence match-star match-value match-wildcard method-changes method-leaf mutating-leaf
nonlocal not or parallel partial print pure-call pure-helper pure-method queue race raise
raise-in-finally re-raise recursion return return-in-finally semaphore set-comprehension
shared-iterator shield sleep starred-target sub-workflow subscript swap sync-leaf sync-workflow tap
task-cancel task-group tasks-then-gather ternary time-sleep timeout try try-else try-star
try-star-else try-star-finally unary unpack unreachable wait wait-for wait-for-work walrus
walrus-comprehension while while-else while-true while-walrus with-nullcontext with-suppress work
workflow-arm zip
"""
CONSTRUCTS = frozenset(_NAMES.split())

TAME = 0.8
TAME_BESIDE = 0.5
DETACHING = 0.35
TICK = 0.001

PRELUDE = '''"""A random program."""

import asyncio
import contextlib
import dataclasses
import enum
import functools
import itertools
import logging
import time

from flopod import Retry, attempt, compensate, for_each, parallel, race, tap, wait_for_work, work, workflow


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


async def other(a):
    await asyncio.sleep(0)
    return (a * 2 + 1) % 7


def sother(a):
    time.sleep(0)
    return (a + 5) % 7


TABLE = {0: num, 1: other}
STABLE = (snum, sother)


def doubled(function):
    @functools.wraps(function)
    async def run(a):
        return await function(a) + await function(a + 1)

    return run


@doubled
async def twice(a):
    await asyncio.sleep(0)
    return a % 5


def sdoubled(function):
    @functools.wraps(function)
    def run(a):
        return function(a) + function(a + 1)

    return run


@sdoubled
def stwice(a):
    time.sleep(0)
    return a % 5


async def several(a):
    await asyncio.sleep(0)
    errors = [Oops(a), KeyError(a)][: abs(a) % 3]
    if errors:
        raise ExceptionGroup("several", errors)
    return a


async def count(limit):
    for number in range(limit % 4):
        yield number


def evens(limit):
    for number in range(limit % 4):
        yield number * 2


class Colour(enum.Enum):
    RED = 0
    BLUE = 1


@dataclasses.dataclass
class Point:
    x: int
    y: int = 0

    def total(self, more):
        return (self.x + self.y + more) % 100


@dataclasses.dataclass
class Tally:
    total: int = 0
    last: list = dataclasses.field(default_factory=list)

    async def add(self, n):
        await asyncio.sleep(0)
        self.total = (self.total + n) % 50
        self.last = [n % 9, *self.last[:1]]
        return self.total

    def sadd(self, n):
        time.sleep(0)
        self.total = (self.total - n) % 50
        return self.total

    def bump(self, n):
        self.total = (self.total * 3 + n) % 40
        return self.total
'''


def program(rng: Chooser, size: int, coverage: Coverage) -> str:
    """The text of a random module with a workflow `flow(n)`; `size` is about its number of statements."""
    counter = [0]
    is_async = rng.random() < 0.85
    detaches = is_async and rng.random() < DETACHING
    tame = rng.random() < (TAME_BESIDE if detaches else TAME)
    text = Text(prelude(detaches).splitlines())
    workflows: list[str] = []
    for number in range(rng.randint(0, 2)):
        name = f"sub{number}"
        _workflow(rng, text, coverage, counter, name, is_async, tame, detaches, list(workflows), 4)
        workflows.append(name)
    _workflow(rng, text, coverage, counter, "flow", is_async, tame, detaches, workflows, size)
    coverage.programs += 1
    return "\n".join(text.lines) + "\n"


def prelude(detaches: bool) -> str:
    """What programs begin with. Where there are several runs a leaf takes a while: one tick of the clock."""
    return f"{PRELUDE}\n{PARTS}".replace("sleep(0)", f"sleep({TICK})") if detaches else PRELUDE


def _workflow(
    rng: Chooser, text: Text, coverage: Coverage, counter: list[int], name: str, is_async: bool, tame: bool,
    detaches: bool, workflows: list[str], size: int,
) -> None:  # fmt: skip
    body = Body(
        rng=rng, text=text, coverage=coverage, is_async=is_async, ints=["a", "b", "c"], lists=["r", "s"],
        dicts=["d"], helpers=[], arms=[], workflows=workflows, work=size, is_helper=name != "flow",
        stack=["flow" if name == "flow" else "sub"], counter=counter, tame=tame, detaches=detaches,
    )  # fmt: skip
    body.mark("async-workflow" if is_async else "sync-workflow")
    text.add("")
    text.add("")
    text.add("@workflow")
    with text.block(f"{'async def' if is_async else 'def'} {name}(n):"):
        text.add("a, b, c = n, 1, 2")
        text.add("r, s, d, seen, tally = [n, 3], [4], {'k': 0}, [], Tally()")
        if name == "flow":
            while body.work > 0:
                statements(body)
            text.add(
                f"return [seen, a, b, c, r, s, d, r is s, d.get('row') is r, tally, {int_expr(body, 1)}]"
            )
        else:
            statements(body, 1, 3)
            text.add(f"return {int_expr(body)} % 19")
