"""Purity of helpers: what makes a function a leaf, why, and what a pure one changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from .support import classified, codes, infos, kinds, workflow

HEAD = """
import httpx, os, random, time, re, logging
from collections.abc import Callable
from dataclasses import dataclass, field
LIMITS = {"a": 1}
CACHE = {}
PATTERN = re.compile("a")
HOME = os.environ["HOME"]
count = 0
logger = logging.getLogger(__name__)

def fill(k):
    CACHE[k] = 1
"""


def helper(body: str, tmp_path: Path, call: str = "f(x)", arguments: str = "x: list[int]") -> tuple[str, str]:
    """Kind and reason of a call of the helper `f`."""
    result = classified(tmp_path, workflow(f"return {call}", HEAD + body, arguments))
    info = infos(result)[call]
    return info.kind.value, info.reason


@pytest.mark.parametrize(
    "body",
    [
        "def f(x):\n    return sum(y * 2 for y in x)",
        "def f(x):\n    x.append(1)\n    return sorted(x, key=lambda v: -v)",
        "def f(x):\n    return f(x[1:]) if x else 0",
        "def g(x):\n    return f(x)\ndef f(x):\n    return g(x) if x else 1",
        "def f(x):\n    return LIMITS['a'] + len(PATTERN.findall('a'))",
        "def f(x):\n    yield from x",
        "async def f(x):\n    return x",
        "def f(x):\n    def inner(y):\n        return y + 1\n    return [inner(y) for y in x]",
        "def apply(g, x):\n    return g(x)\ndef f(x):\n    return apply(len, x) + apply(lambda y: y[0], x)",
        "import functools\n@functools.lru_cache\ndef f(x):\n    return 1",
        "def deco(fn):\n    def inner(*a):\n        return fn(*a)\n    return inner\n@deco\ndef f(x):\n"
        "    return 1",
        "class P:\n    def __add__(self, o):\n        return self\ndef f(x):\n    return P() + P()",
        "def f(x):\n    from math import floor\n    return floor(1.5)",
        "def f(x, *, sep=' '):\n    out = list(LIMITS)\n    out.append(sep)\n    return sep.join(out)",
        "def f(x):\n    return hash(tuple(x))",
        "def f(x):\n    total = 0\n    for y in x:\n        total += y\n    return total",
        "class Node:\n    def __init__(self):\n        self.kids = []\n    def add(self, k):\n"
        "        self.kids.append(k)\n"
        "def f(x):\n    n = Node()\n    n.add(x)\n    return n",
    ],
)
def test_a_pure_helper_stays_plain_code(body: str, tmp_path: Path) -> None:
    """Computation, recursion, closures, pure callbacks and changes of its own arguments are pure."""
    assert helper(body, tmp_path)[0] == "pure", helper(body, tmp_path)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("def f(x):\n    return httpx.get('a')", "main.f -> calls httpx.get"),
        ("def f(x):\n    print(x)", "main.f -> calls print"),
        ("def f(x):\n    logger.info('a')", "main.f -> writes to a log"),
        ("def f(x):\n    return time.time()", "main.f -> calls time.time"),
        ("def f(x):\n    return random.random()", "main.f -> calls random.random"),
        ("def f(x):\n    global count\n    count += 1", "main.f -> assigns the global count"),
        ("def bump():\n    global count\n    count = 2\ndef f(x):\n"
        "    return count", "main.f -> reads main.count"),
        ("def f(x):\n    CACHE['a'] = 1", "main.f -> "),
        ("def f(x):\n    return CACHE.get('a')", "main.f -> reads main.CACHE"),
        ("def f(x):\n    LIMITS.update(a=2)", "main.f -> "),
        ("def f(x):\n    c = LIMITS\n    c['b'] = 2", "main.f -> reads main.LIMITS"),
        ("def f(x):\n    return HOME", "main.f -> reads main.HOME"),
        ("def f(x):\n    return os.environ['A']", "main.f -> reads os.environ"),
        ("def f(x):\n    return open('a').read()", "main.f -> calls open"),
        ("def f(x):\n    return id(x)", "main.f -> calls id"),
        ("def g(x):\n    return httpx.get('a')\ndef f(x):\n"
        "    return g(x)", "main.f -> main.g -> calls httpx.get"),
        (
            "def g(x):\n    return f(x)\ndef f(x):\n    print(1)\n    return g(x)",
            "main.f -> calls print",
        ),
        ("def g(y):\n    print(y)\ndef f(x):\n    return list(map(g, x))", "main.f -> main.g -> calls print"),
        ("def g(y):\n    print(y)\ndef f(x):\n"
        "    return sorted(x, key=g)", "main.f -> main.g -> calls print"),
        (
            "def apply(h, x):\n    return h(x)\ndef g(y):\n    print(y)\ndef f(x):\n    return apply(g, x)",
            "main.f -> main.g -> calls print",
        ),
        (
            "def apply(h, x):\n    return h(x)\ndef mid(h, x):\n    return apply(h, x)\n"
            "def g(y):\n    print(y)\ndef f(x):\n    return mid(g, x)",
            "main.f -> main.g -> calls print",
        ),
        ("def f(x):\n    def inner():\n        print(1)\n    return inner", "main.f -> calls print"),
        ("def f(x):\n    return [time.time() for _ in x]", "main.f -> calls time.time"),
        ("async def f(x):\n    async with x:\n        return 1", "main.f -> has an `async with`"),
        ("import tenacity\n@tenacity.retry\ndef f(x):\n"
        "    return 1", "main.f -> is wrapped by tenacity.retry"),
        (
            "def deco(fn):\n    def inner(*a):\n        print(1)\n        return fn(*a)\n    return inner\n"
            "@deco\ndef f(x):\n    return 1",
            "main.f -> main.deco -> calls print",
        ),
        (
            "class P:\n    def __add__(self, o):\n        print(1)\ndef f(x):\n    return P() + 1",
            "main.f -> main.P.__add__ -> calls print",
        ),
        (
            "class P:\n    @property\n    def v(self):\n        return time.time()\ndef f(x):\n"
            "    return P().v",
            "main.f -> main.P.v -> calls time.time",
        ),
        (
            "class P:\n    def __iter__(self):\n        print(1)\n        yield 1\ndef f(x):\n"
            "    return list(P())",
            "main.f -> main.P.__iter__ -> calls print",
        ),
        (
            "class P:\n    def __enter__(self):\n        print(1)\n    def __exit__(self, *a):\n"
            "        pass\n"
            "def f(x):\n    with P():\n        return 1",
            "main.f -> main.P.__enter__ -> calls print",
        ),
        (
            "class A:\n    def go(self):\n        return 1\nclass B(A):\n    def go(self):\n"
            "        print(1)\n"
            "def g(a: A):\n    return a.go()\ndef f(x):\n    return g(A())",
            "main.f -> main.g -> main.B.go -> calls print",
        ),
        (
            "class A:\n    def __init__(self):\n        print(1)\nclass B(A):\n    def __init__(self):\n"
            "        super().__init__()\ndef f(x):\n    return B()",
            "main.f -> main.B.__init__ -> main.A.__init__ -> calls print",
        ),
        ("def f(x):\n    return x.frobnicate()", "main.f -> the type of `x` is not known"),
        ("class A:\n    count = 0\ndef f(x):\n    A.count += 1", "main.f -> changes main.A"),
    ],
)  # fmt: skip
def test_an_effect_makes_a_helper_a_leaf_and_says_why(body: str, reason: str, tmp_path: Path) -> None:
    """The chain leads from the helper to the effect, through calls, callbacks, decorators and classes."""
    kind, found = helper(body, tmp_path)
    assert kind == "leaf"
    assert found.startswith(reason)


@pytest.mark.parametrize(
    ("body", "call", "mutates"),
    [
        ("def f(a, b):\n    a.append(1)", "f(x, x)", {0}),
        ("def f(a, b):\n    for y in b:\n        y.append(1)", "f(1, x)", {1}),
        ("def f(a, *, b):\n    b['k'] = 1", "f(1, b=x)", {"b"}),
        ("def f(a):\n    c = a['k']\n    c.add(1)", "f(x)", {0}),
        ("def f(a):\n    c = list(a)\n    c.append(1)", "f(x)", set()),
        ("def f(a):\n    c = list(a)\n    c[0].append(1)", "f(x)", {0}),
        ("def f(a):\n    c = [*a, 1]\n    c.append(2)", "f(x)", set()),
        ("def g(z):\n    z.clear()\ndef f(a):\n    g(a)", "f(x)", {0}),
        ("def g(z):\n    return z\ndef f(a):\n    g(a).clear()", "f(x)", {0}),
        ("def f(a):\n    del a[0]", "f(x)", {0}),
        ("def f(a):\n    a += [1]", "f(x)", {0}),
        ("import heapq\ndef f(a):\n    heapq.heappush(a, 1)", "f(x)", {0}),
        ("def f(*a):\n    a[0].append(1)", "f(*x)", {"*"}),
        ("def f(a):\n    def inner():\n        a.append(1)\n    inner()", "f(x)", {0}),
        ("def f(a):\n    match a:\n        case [first, *_]:\n            first.append(1)", "f(x)", {0}),
        ("import copy\ndef f(a):\n    c = copy.deepcopy(a)\n    c.append(1)", "f(x)", set()),
        ("def f(a):\n    return max(a)", "f(x)", set()),
        ("def f(a):\n    return next(iter(a))", "f(x)", set()),
    ],
)
def test_a_pure_call_says_what_it_changes(
    body: str, call: str, mutates: set[int | str], tmp_path: Path
) -> None:
    """Changes in place are found through aliases, elements, nested functions and other helpers."""
    result = classified(tmp_path, workflow(f"return {call}", HEAD + body, "x"))
    info = infos(result)[call]
    assert info.kind.value == "pure", info.reason
    assert info.mutates == mutates


@pytest.mark.parametrize(
    ("call", "mutates"),
    [
        ("xs.append(1)", {"self"}),
        ("xs.index(1)", set()),
        ("name.upper()", set()),
        ("table.setdefault('a', [])", {"self"}),
        ("next(it)", {0}),
        ("box.put(1)", {"self"}),
        ("box.get()", set()),
        ("Box.put(box, 1)", {0}),
        ("unknown.update(a=1)", {"self"}),
    ],
)
def test_a_method_says_whether_it_changes_its_receiver(
    call: str, mutates: set[int | str], tmp_path: Path
) -> None:
    """Mutators of plain data and methods of project classes that assign to self are told apart."""
    head = (
        "class Box:\n    def put(self, v):\n        self.v = v\n    def get(self):\n        return self.v\n"
        "    def get_or(self, d):\n        return d\n"
    )
    arguments = "xs: list[int], name: str, table: dict[str, list[int]], it, box: Box, unknown"
    result = classified(tmp_path, workflow(f"return {call}", head, arguments))
    assert codes(result) == []
    assert infos(result)[call].mutates == mutates


def test_a_method_name_of_a_project_class_decides_for_unknown_receivers(tmp_path: Path) -> None:
    """`x.get()` on an untyped value is what the project's own `get` is, if a class has one."""
    head = "class Api:\n    def get(self):\n        print(1)\n"
    assert kinds(classified(tmp_path, workflow("return x.get()", head, "x"))) == {"x.get()": "leaf"}


def test_a_protocol_stands_for_its_implementations(tmp_path: Path) -> None:
    """A call through a Protocol or an abstract base is judged by the classes that implement it."""
    head = (
        "from typing import Protocol\nfrom abc import ABC, abstractmethod\n"
        "class Pays(Protocol):\n    def pay(self, n: int) -> int: ...\n"
        "class Card:\n    def pay(self, n: int) -> int:\n        print(n)\n        return n\n"
        "class Shape(ABC):\n    @abstractmethod\n    def area(self) -> int: ...\n"
        "class Square(Shape):\n    def area(self) -> int:\n        return 1\n"
    )
    result = classified(tmp_path, workflow("return p.pay(1) + s.area()", head, "p: Pays, s: Shape"))
    assert kinds(result) == {"p.pay(1)": "leaf", "s.area()": "pure"}


def test_the_configuration_overrules_inference(tmp_path: Path) -> None:
    """`pure` and `leaves` of the configuration name functions whose kind the author vouches for."""
    files = {
        "pyproject.toml": '[tool.flopod]\npure = ["fastmath:cube", "main:f"]\nleaves = ["main.g"]\n',
        "main.py": workflow(
            "return cube(1) + f(2) + g(3)",
            "from fastmath import cube\ndef f(x):\n    print(x)\ndef g(x):\n    return x\n",
        ),
    }
    result = classified(tmp_path, files)
    assert kinds(result) == {"cube(1)": "pure", "f(2)": "pure", "g(3)": "leaf"}


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("await fetch(client, 1)", "leaf"),
        ("fetch_sync(session, 1)", "leaf"),
        ("fetch_sync(table, 1)", "pure"),
        ("await later(client, 1)", "leaf"),
    ],
)
def test_a_helper_that_is_given_a_client_is_a_leaf(body: str, kind: str, tmp_path: Path) -> None:
    """What an untyped helper does with an object that is no data counts as an effect."""
    head = """
    import httpx, requests
    client = httpx.AsyncClient()
    session = requests.session()
    async def fetch(c, x):
        return await c.get(x)
    async def later(c, x):
        found = c.get(x)
        return found
    def fetch_sync(c, x):
        return c.get(x)
    """
    result = classified(tmp_path, workflow(body, head, "table: dict[int, int]"))
    assert codes(result) == []
    assert list(kinds(result).values()) == [kind]


def test_objects_made_at_import_keep_their_state_to_themselves(tmp_path: Path) -> None:
    """A method of a module-level object is a leaf, unless the object is data or never changes."""
    head = """
    import requests
    from dataclasses import dataclass
    class Api:
        def __init__(self, session):
            self.session = session
        def fetch(self, x):
            return self.session.get(x)
    class Rules:
        def allows(self, n):
            return n < 3
    @dataclass
    class Config:
        limit: int = 3
        def allows(self, n):
            return n < self.limit
    def load():
        print("loading")
        return Config()
    def find() -> Config:
        print("loading")
        return Config()
    api = Api(requests.Session())
    rules = Rules()
    config = find()
    untyped = load()
    """
    body = "return [api.fetch(1), rules.allows(1), config.allows(1), untyped.allows(1)]"
    result = classified(tmp_path, workflow(body, head))
    assert codes(result) == []
    assert list(kinds(result).values()) == ["leaf", "pure", "pure", "leaf"]


def test_nested_functions_say_what_they_change(tmp_path: Path) -> None:
    """Arguments by place; `*` only when something closed over is changed or rebound."""
    body = """
    seen = []
    n = 0
    def reads(a):
        return a[0]
    def fills(a):
        a.append(1)
    def notes(a):
        seen.append(a)
    def counts(a):
        nonlocal n
        n += 1
    reads(xs)
    fills(xs)
    notes(1)
    counts(1)
    """
    found = infos(classified(tmp_path, workflow(body, "", "xs: list[int]")))
    assert {text: found[text].mutates for text in ("reads(xs)", "fills(xs)", "notes(1)", "counts(1)")} == {
        "reads(xs)": set(),
        "fills(xs)": {0},
        "notes(1)": {"*"},
        "counts(1)": {"*"},
    }


@pytest.mark.parametrize("calls", ["f(x), g(x)", "g(x), f(x)"])
@pytest.mark.parametrize(("clock", "kind"), [("time.time()", "leaf"), ("1.5", "pure")])
def test_variables_made_of_each_other_are_constants_together_or_not_at_all(
    calls: str, clock: str, kind: str, tmp_path: Path
) -> None:
    body = (
        f"def make_a():\n    return [B, {clock}]\ndef make_b():\n    return [A]\n"
        "A = make_a()\nB = make_b()\ndef f(x):\n    return A[0]\ndef g(x):\n    return B[0]"
    )
    found = kinds(classified(tmp_path, workflow(f"return {calls}", HEAD + body)))
    assert [found["f(x)"], found["g(x)"]] == [kind, kind]
