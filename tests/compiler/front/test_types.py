"""Types of receivers, and which values can never change."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from .support import classified, kinds, workflow

HEAD = """
import datetime, asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, NewType, Optional, Union
from flopod import activity, attempt, wait_for

Sku = NewType("Sku", str)
Lines = list["Line"]

class Color(Enum):
    RED = 1

@dataclass(frozen=True)
class Money:
    amount: Decimal
    unit: str = "EUR"
    def effect(self): print(self)

@dataclass(frozen=True)
class Bag:
    items: list[int]

class Pair(NamedTuple):
    left: int
    right: Money

@dataclass
class Line:
    sku: str
    qty: int
    price: Money
    def effect(self): print(self)
    def money(self) -> Money: return self.price

@dataclass
class Order:
    lines: list[Line]
    by_sku: dict[str, Line]
    parent: Optional[Order] = None
    def __post_init__(self):
        self.first = Line("a", 1, Money(Decimal(1)))
    def effect(self): print(self)
    @property
    def last(self) -> Line: return self.lines[-1]

class Box:
    def __init__(self, line: Line):
        self.line = line
        self.order: Order = Order([], {})
        self.made = Line("a", 1, Money(Decimal(1)))

async def load(x) -> Order: print(x); return x
async def price(x) -> Decimal: print(x); return x
def many(x) -> tuple[Order, Line]: print(x); return x
"""


@pytest.mark.parametrize(
    "expression",
    [
        "order",
        "order.parent",
        "order.last",
        "order.lines[0]",
        "order.by_sku['a']",
        "order.by_sku.get('a')",
        "order.lines.pop()",
        "(await load(1))",
        "(await load(1)).lines[0]",
        "(await asyncio.gather(load(1), price(2)))[0]",
        "(await asyncio.gather(*(load(i) for i in range(3))))[0]",
        "(await attempt(load, 1))",
        "(await activity(load)(1))",
        "(await wait_for('e', Order))",
        "(await wait_for('e', type=Order, timeout=3))",
        "many(1)[0]",
        "many(1)[1]",
        "lines[0]",
        "seq[0]",
        "maybe",
        "union",
        "annotated",
        "max(order.lines)",
        "sorted(order.lines)[0]",
        "list(order.by_sku.values())[0]",
        "(order or order.parent)",
        "(order if flag else order.parent)",
        "(walrus := order)",
        "box.line",
        "box.order",
        "box.made",
        "star[0]",
        "Line('a', 1, money)",
        "order.lines[0].money()",
        "[line for line in order.lines][0]",
        "{k: v for k, v in order.by_sku.items()}['a']",
    ],
)
def test_the_receiver_of_a_method_has_its_class(expression: str, tmp_path: Path) -> None:
    """Annotations, attributes, elements, calls and awaits lead to the class whose method is called."""
    arguments = (
        "order: Order, lines: Lines, seq: Sequence[Line], maybe: Order | None, union: Union[Order, None],"
        " annotated: Annotated[Order, 1], flag: bool, box: Box, money: Money, *star: Line"
    )
    result = classified(tmp_path, workflow(f"{expression}.effect()", HEAD, arguments))
    info = kinds(result)
    assert result.diagnostics == []
    assert next(kind for text, kind in info.items() if text.endswith(".effect()")) == "leaf"


@pytest.mark.parametrize(
    "setup",
    [
        "for x in order.lines:\n    x.effect()",
        "for i, x in enumerate(order.lines):\n    x.effect()",
        "for k, x in order.by_sku.items():\n    x.effect()",
        "for a, x in zip(order.lines, order.lines):\n    x.effect()",
        "x, y = order.lines[0], 1\nx.effect()",
        "a, x = many(1)\nx.effect()",
        "x: Line = unknown()[0]\nx.effect()",
        "x = None\nif order:\n    x = order.last\nx.effect()",
        "def inner(x: Line):\n    x.effect()\ninner(1)",
        "[x.effect() for x in order.lines]",
    ],
)
def test_variables_have_the_type_of_what_they_are_bound_to(setup: str, tmp_path: Path) -> None:
    """Loops, unpacking, annotations, several bindings, parameters and comprehension targets."""
    result = classified(tmp_path, workflow(setup, HEAD + "\ndef unknown(): return []\n", "order: Order"))
    assert kinds(result)["x.effect()"] == "leaf"
    assert "FLP106" not in [one.code for one in result.diagnostics]


@pytest.mark.parametrize(
    ("expression", "immutable"),
    [
        ("1", True),
        ("f'{n}'", True),
        ("n + 1", True),
        ("n * unknown", False),
        ("text.upper()", True),
        ("text.split()", False),
        ("n < unknown", True),
        ("len(unknown)", True),
        ("str(unknown)", True),
        ("money", True),
        ("money.amount", True),
        ("bag", False),
        ("pair", True),
        ("color", True),
        ("Color.RED", True),
        ("when", True),
        ("when + datetime.timedelta(1)", True),
        ("(n, text)", True),
        ("(n, unknown)", False),
        ("[n]", False),
        ("maybe", True),
        ("literal", True),
        ("sku", True),
        ("path / 'a'", True),
        ("anything", False),
        ("await price(1)", True),
        ("await load(1)", False),
        ("(await asyncio.gather(price(1), price(2)))", False),
        ("(await asyncio.gather(price(1), price(2)))[0]", True),
        ("line.qty", True),
        ("line", False),
        ("line.price", True),
        ("rebound", False),
        ("counter", True),
    ],
)
def test_values_that_never_change_are_known(expression: str, immutable: bool, tmp_path: Path) -> None:
    """Scalars, frozen data and what is computed of them; never a container or an unknown."""
    arguments = (
        "n: int, text: str, unknown, money: Money, bag: Bag, pair: Pair, color: Color, maybe: int | None,"
        " when: datetime.datetime, literal: Literal['a', 1], sku: Sku, path: Path, anything: Any, line: Line"
    )
    body = f"rebound = 1\nrebound = []\ncounter = 0\ncounter += n\nreturn {expression}"
    result = classified(tmp_path, workflow(body, HEAD, arguments))
    (statement,) = [one for one in ast.walk(result.workflows[0].node) if isinstance(one, ast.Return)]
    assert (statement.value in result.immutable) == immutable


def test_parameters_of_immutable_types_are_known(tmp_path: Path) -> None:
    """Parameters annotated with scalars, None unions and frozen classes; of nested functions as well."""
    body = "def inner(a: int, b: list[int]):\n    return a\nreturn inner(1, [])"
    result = classified(tmp_path, workflow(body, HEAD, "n: int, m: Money | None, xs: list[int], u"))
    assert {one.arg for one in result.immutable if isinstance(one, ast.arg)} == {"n", "m", "a"}
