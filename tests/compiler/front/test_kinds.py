"""Every kind of call is recognised from what its name means, however it was imported or spelled."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from .support import classified, codes, infos, kinds, workflow

LEAVES = """
import asyncio, datetime, httpx, json, logging, math, os, random, re, sys, time, uuid
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from pathlib import Path
from flopod import activity, attempt, log, sleep, wait_for

client = httpx.Client()
logger = logging.getLogger(__name__)

class Color(Enum):
    RED = 1

@dataclass
class Line:
    sku: str
    qty: int = 1

    def cost(self) -> int:
        return self.qty * 2

    def double(self) -> None:
        self.qty *= 2

    def ship(self) -> None:
        httpx.post(self.sku)

@dataclass
class Tagged:
    id: uuid.UUID = field(default_factory=uuid.uuid4)

class Expired(Exception):
    pass

class Loud:
    def __init__(self) -> None:
        print("made")

async def fetch(x: int) -> str:
    return httpx.get(str(x)).text

def store(x: int) -> int:
    print(x)
    return x

def price(line: Line) -> int:
    return line.cost() + 1

@activity(name="pay")
async def charge(x: int) -> int:
    return x

renamed = activity(fetch, name="get")
alias = fetch
"""


@pytest.mark.parametrize(
    ("call", "kind", "name", "callee"),
    [
        ("await fetch(1)", "leaf", "fetch", "main:fetch"),
        ("await alias(1)", "leaf", "fetch", "main:fetch"),
        ("await renamed(1)", "leaf", "get", "main:fetch"),
        ("await charge(1)", "leaf", "pay", "main:charge"),
        ("await activity(fetch, retry=None)(1)", "leaf", "fetch", "main:fetch"),
        ("await activity(charge)(1)", "leaf", "pay", "main:charge"),
        ("await activity(charge, name='x')(1)", "leaf", "x", "main:charge"),
        ("await attempt(charge, 1)", "primitive", "pay", "flopod.attempt"),
        ("store(1)", "leaf", "store", "main:store"),
        ("price(line)", "pure", "price", "main:price"),
        ("line.cost()", "pure", "cost", "main:Line.cost"),
        ("line.ship()", "leaf", "ship", "main:Line.ship"),
        ("client.get('x')", "leaf", "get", "httpx.Client.get"),
        ("httpx.get('x')", "leaf", "get", "httpx.get"),
        ("Line('a')", "pure", "Line", "main:Line"),
        ("Tagged()", "leaf", "Tagged", "main:Tagged"),
        ("Loud()", "leaf", "Loud", "main:Loud"),
        ("Color(1)", "pure", "Color", "main:Color"),
        ("Expired('a')", "pure", "Expired", "main:Expired"),
        ("ValueError('a')", "pure", "ValueError", "builtins.ValueError"),
        ("Decimal('1')", "pure", "Decimal", "decimal.Decimal"),
        ("json.loads('1')", "pure", "loads", "json.loads"),
        ("re.compile('a').match('a')", "pure", "match", "re.Pattern.match"),
        ("math.floor(1.5)", "pure", "floor", "math.floor"),
        ("Path('a').name.upper()", "pure", "upper", "builtins.str.upper"),
        ("Path('a').read_text()", "leaf", "read_text", "pathlib.Path.read_text"),
        ("Path('a').with_suffix('.b')", "pure", "with_suffix", "pathlib.Path.with_suffix"),
        ("random.shuffle([1, 2])", "leaf", "shuffle", "random.shuffle"),
        ("random.Random(3).random()", "pure", "random", "random.Random.random"),
        ("random.random()", "recordable", "random", "random.random"),
        ("datetime.datetime.now()", "recordable", "now", "datetime.datetime.now"),
        ("datetime.datetime.now(datetime.UTC)", "recordable", "now", "datetime.datetime.now"),
        ("datetime.date.fromisoformat('2020-01-01')", "pure", "fromisoformat", "datetime.date.fromisoformat"),
        ("time.time()", "recordable", "time", "time.time"),
        ("time.strftime('%Y')", "recordable", "strftime", "time.strftime"),
        ("time.strftime('%Y', time.gmtime(0))", "pure", "strftime", "time.strftime"),
        ("uuid.uuid4()", "recordable", "uuid4", "uuid.uuid4"),
        ("uuid.UUID(int=1)", "pure", "UUID", "uuid.UUID"),
        ("os.getenv('A')", "recordable", "getenv", "os.getenv"),
        ("os.environ.get('A')", "recordable", "get", "os.environ.get"),
        ("os.path.join('a', 'b')", "pure", "join", "os.path.join"),
        ("os.path.exists('a')", "leaf", "exists", "os.path.exists"),
        ("Path.cwd()", "recordable", "cwd", "pathlib.Path.cwd"),
        ("print(1)", "output", "print", "builtins.print"),
        ("logger.info('a')", "output", "info", "logging.Logger.info"),
        ("logging.warning('a')", "output", "warning", "logging.warning"),
        ("log('a')", "primitive", "log", "flopod.log"),
        ("await sleep('1h')", "primitive", "sleep", "flopod.sleep"),
        ("await wait_for('e', int)", "primitive", "wait_for", "flopod.wait_for"),
        ("await asyncio.sleep(1)", "idiom", "sleep", "asyncio.sleep"),
        ("time.sleep(1)", "idiom", "sleep", "time.sleep"),
        ("await asyncio.gather(fetch(1))", "idiom", "gather", "asyncio.gather"),
        ("unknown.strip()", "pure", "strip", "*.strip"),
    ],
)  # fmt: skip
def test_a_call_has_its_kind_name_and_callee(
    call: str, kind: str, name: str, callee: str, tmp_path: Path
) -> None:
    """A single call in a workflow is classified, named and qualified as expected, without findings."""
    result = classified(tmp_path, workflow(call, LEAVES, "line: Line, unknown"))
    assert codes(result) == []
    info = infos(result)[call.removeprefix("await ")]
    assert (info.kind.value, info.name, info.callee) == (kind, name, callee)


def test_builtins_shadowed_by_the_author_are_not_builtins(tmp_path: Path) -> None:
    """A module function or a local called like a builtin is what the author made it."""
    head = "def sorted(x):\n    print(x)\n    return x\n"
    result = classified(tmp_path, workflow("len = lambda x: 3\nreturn sorted(len([1]))", head))
    assert kinds(result)["sorted(len([1]))"] == "leaf"
    assert infos(result)["len([1])"].callee == "<lambda>"


def test_imports_are_followed_through_packages_aliases_and_functions(tmp_path: Path) -> None:
    """Relative imports, re-exports, module aliases and imports inside functions lead to one function."""
    files = {
        "shop/__init__.py": "from .deep import fetch as get\n",
        "shop/deep/__init__.py": "from ..leaves import fetch\n",
        "shop/leaves.py": "async def fetch(x):\n    print(x)\n",
        "shop/flow.py": """
            from flopod import workflow as durable
            import shop
            import shop.leaves as leaves
            from . import leaves as near
            from .deep import *

            @durable
            async def main():
                from shop import get as inside
                f = leaves.fetch
                await shop.get(1)
                await shop.leaves.fetch(2)
                await leaves.fetch(3)
                await near.fetch(4)
                await inside(5)
                await f(6)
                await fetch(7)
            """,
    }
    result = classified(tmp_path, files)
    assert codes(result) == ["FLP109"]
    assert {info.callee for info in result.calls.values()} == {"shop.leaves:fetch"}
    assert {info.kind.value for info in result.calls.values()} == {"leaf"}
    assert result.reachable == {"shop", "shop.deep", "shop.flow", "shop.leaves"}


def test_imports_for_type_checkers_count(tmp_path: Path) -> None:
    """A class imported under TYPE_CHECKING gives receivers their type, in strings as well."""
    files = {
        "models.py": "class Order:\n    def total(self) -> int:\n        return 1\n    def pay(self):\n"
        "        print(1)\n",
        "main.py": """
            from __future__ import annotations
            from typing import TYPE_CHECKING
            from flopod import workflow
            if TYPE_CHECKING:
                from models import Order

            @workflow
            async def main(order: Order, other: "Order | None"):
                other.pay()
                return order.total()
            """,
    }
    result = classified(tmp_path, files)
    assert kinds(result) == {"other.pay()": "leaf", "order.total()": "pure"}


def test_a_workflow_called_in_a_workflow_is_a_child_scope(tmp_path: Path) -> None:
    """Calls of marked functions are of kind workflow, under their declared names."""
    head = "@workflow(name='child')\nasync def part(x):\n    return x\n"
    result = classified(tmp_path, workflow("return await part(1)", head))
    info = infos(result)["part(1)"]
    assert (info.kind.value, info.name, info.callee, info.is_async) == (
        "workflow",
        "child",
        "main:part",
        True,
    )


def test_listed_workflows_need_no_import_of_flopod(tmp_path: Path) -> None:
    """The configuration alone makes a function a workflow, and its calls are classified."""
    files = {
        "pyproject.toml": '[tool.flopod]\nworkflows = ["shop:fulfil"]\n',
        "shop.py": "def store(x):\n    print(x)\n\ndef fulfil(x: int) -> int:\n    store(x)\n    return x\n",
    }
    result = classified(tmp_path, files)
    assert codes(result) == []
    assert [one.name for one in result.workflows] == ["fulfil"]
    assert kinds(result) == {"store(x)": "leaf"}


def test_payload_types_of_waits_are_kept(tmp_path: Path) -> None:
    """The type given to wait_for is found, by position or by name, and types the payload."""
    head = "from flopod import wait_for\nclass Approval:\n    def who(self) -> str:\n        return 'a'\n"
    body = "a = await wait_for('x', Approval)\nb = await wait_for('y', type=int)\nreturn a.who()"
    result = classified(tmp_path, workflow(body, head))
    assert sorted(ast.unparse(one) for one in result.payload.values()) == ["Approval", "int"]
    assert kinds(result)["a.who()"] == "pure"


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("line.ship()", []),
        ("line.send()", []),
        ("line.declared()", []),
        ("shipper.ship()", []),
        ("ship(line)", []),
        ("Line.ship(line)", []),
        ("fresh().ship()", ["FLP406"]),
        ("Line.count_up()", ["FLP406"]),
        ("line.count_up()", ["FLP406"]),
    ],
)
def test_a_leaf_does_not_change_the_object_it_is_called_on(
    body: str, found: list[str], tmp_path: Path
) -> None:
    """A method that changes its object is called by its class, if that is known and no class is changed."""
    head = """
    from flopod import activity
    def fresh():
        print("fresh")
        return Line()
    class Line:
        @classmethod
        def count_up(cls):
            print(cls)
            cls.made = 1
        def ship(self):
            print(self)
            self.shipped = True
        def send(self):
            print(self)
        @activity
        def declared(self):
            self.shipped = True
    def make():
        print("made")
        return Line()
    shipper = make()
    def ship(line: Line):
        line.ship()
    """
    result = classified(tmp_path, workflow(body, head, "line: Line"))
    assert codes(result) == found
    assert set(kinds(result).values()) == {"leaf"}
