"""Module-level state: what a workflow may read plainly, what is recorded once, what it may not touch."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from flopod_compiler.model import Classified

from .support import classified, codes, kinds, workflow

SETTINGS = """
import os
from dataclasses import dataclass
from decimal import Decimal

LIMIT = 3
RATES = {"a": Decimal("1.5")}
NAMES = [name.upper() for name in ("a", "b")]
HOME = os.environ["HOME"]
HOST, PORT = "h", 1

@dataclass
class Config:
    limit: int = 1
    def allows(self, n: int) -> bool:
        return n <= self.limit
    def bump(self) -> None:
        self.limit += 1

def load() -> Config:
    print("loading")
    return Config()

config = load()
plain = Config(3)
"""

HEAD = """
import sys
import settings
from settings import HOME, LIMIT, RATES, config
from settings import plain as fixed
async def store(*x):
    print(x)
"""


def constants(result: Classified) -> dict[str, str]:
    return {ast.unparse(node): name for node, name in result.constants.items()}


def run(body: str, tmp_path: Path) -> Classified:
    return classified(tmp_path, {"settings.py": SETTINGS, "main.py": workflow(body, HEAD, "n: int")})


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("return LIMIT + settings.LIMIT", {}),
        ("return RATES['a'] * n", {}),
        ("return settings.NAMES[0]", {}),
        ("return fixed.allows(n)", {}),
        ("return fixed.limit", {}),
        ("return __name__", {}),
        ("return HOME", {"HOME": "settings.HOME"}),
        ("return settings.HOME", {"settings.HOME": "settings.HOME"}),
        ("return config.limit", {"config.limit": "settings.config.limit"}),
        ("return settings.config.limit", {"settings.config.limit": "settings.config.limit"}),
        ("return config.allows(n)", {"config": "settings.config"}),
        (
            "return [x for x in config.items if x > HOME]",
            {"config.items": "settings.config.items", "HOME": "settings.HOME"},
        ),
        ("await store(HOME, config)", {}),
        ("await store(HOME + 'x')", {"HOME": "settings.HOME"}),
        ("return sys.argv[1]", {"sys.argv": "sys.argv"}),
        ("from settings import HOME as inner\nreturn inner", {"inner": "settings.HOME"}),
        ("return (lambda: HOME)()", {"HOME": "settings.HOME"}),
        ("HOME = 1\nreturn HOME", {}),
    ],
)  # fmt: skip
def test_what_is_not_a_pure_expression_is_recorded(
    body: str, expected: dict[str, str], tmp_path: Path
) -> None:
    """Literals and pure expressions stay as they are; other module variables get an id."""
    result = run(body, tmp_path)
    assert codes(result) == []
    assert constants(result) == expected


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("settings.LIMIT = 4", "FLP403"),
        ("global LIMIT\nLIMIT = 4", "FLP403"),
        ("RATES['b'] = 1", "FLP404"),
        ("RATES.update(b=1)", "FLP404"),
        ("del RATES['a']", "FLP404"),
        ("rates = RATES\nrates['b'] = 1", "FLP404"),
        ("for name, rate in RATES.items():\n    RATES[name] = rate", "FLP404"),
        ("fixed.limit = 3", "FLP404"),
        ("fixed.bump()", "FLP404"),
        ("settings.plain.bump()", "FLP404"),
        ("def inner():\n    RATES.clear()\ninner()", "FLP404"),
        ("names = settings.NAMES\nnames += ['c']", "FLP404"),
    ],
)
def test_module_state_is_not_changed(body: str, code: str, tmp_path: Path) -> None:
    """Assignments, items, methods, aliases and augmented assignments of module objects are refused."""
    assert codes(run(body, tmp_path)) == [code]


@pytest.mark.parametrize(
    "body",
    [
        "rates = dict(RATES)\nrates['b'] = 1",
        "rates = {**RATES}\nrates.update(b=1)",
        "import copy\nrates = copy.deepcopy(RATES)\nrates['a'] = 2",
        "names = sorted(settings.NAMES)\nnames.append('c')",
        "total = LIMIT\ntotal += 1\nreturn total",
        "xs = []\nxs.append(LIMIT)\nxs[0] = RATES['a']\nreturn xs",
    ],
)
def test_copies_of_module_objects_are_the_authors_own(body: str, tmp_path: Path) -> None:
    """A copy, or a number taken from the module, may be changed freely."""
    assert codes(run(body, tmp_path)) == []


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("@workflow\nasync def main(x, rows: list[int] = []):\n    rows.append(x)\n", "`rows` in main"),
        (
            "@workflow\nasync def main(x, *, seen: dict[int, int] = {}):\n    seen[x] = x\n",
            "`seen` in main",
        ),
        (
            "class Box:\n    def __init__(self, rows=[]):\n        self.rows = rows\n\n"
            "@workflow\nasync def main(x):\n    box = Box()\n    box.rows.append(x)\n",
            "`rows` in __init__",
        ),
    ],
)
def test_default_values_are_not_changed(source: str, name: str, tmp_path: Path) -> None:
    """A default is made once, with the module, and a resume would begin with a new one."""
    result = classified(tmp_path, {"main.py": f"from flopod import workflow\n\n{source}"})
    assert codes(result) == ["FLP404"]
    assert f"changes the default of {name}, which" in result.diagnostics[0].message


@pytest.mark.parametrize(
    "source",
    [
        "@workflow\nasync def main(x, rows=()):\n    rows = list(rows)\n    rows.append(x)\n",
        "@workflow\nasync def main(x, rows=[]):\n    rows = [*rows, x]\n    rows.append(x)\n",
        "@workflow\nasync def main(x, rows=None):\n    rows = rows or []\n    rows.append(x)\n",
        "@workflow\nasync def main(x):\n    def add(y, rows=[]):\n        rows.append(y)\n    add(x)\n",
        "class Box:\n    def __init__(self, rows=[]):\n        self.rows = rows\n\n"
        "@workflow\nasync def main(x):\n    box = Box([])\n    box.rows.append(x)\n",
    ],
)
def test_values_of_the_call_itself_may_be_changed(source: str, tmp_path: Path) -> None:
    """A copy, a value made in the body or given by the caller, a default of an inner function."""
    assert codes(classified(tmp_path, {"main.py": f"from flopod import workflow\n\n{source}"})) == []


def test_what_the_project_changes_elsewhere_is_not_read(tmp_path: Path) -> None:
    """A literal that another module fills is refused, with the place of the change."""
    files = {
        "state.py": "seen = []\n",
        "other.py": "from state import seen\n\ndef note(x):\n    seen.append(x)\n",
        "main.py": workflow("return len(state.seen)", "import state"),
    }
    result = classified(tmp_path, files)
    assert codes(result) == ["FLP408"]
    assert [(one.path, one.span.line) for one in result.diagnostics[0].related] == [("other.py", 4)]


def test_a_local_of_the_same_name_elsewhere_is_no_change(tmp_path: Path) -> None:
    """Only what resolves to the module variable counts as a change of it."""
    files = {
        "state.py": "seen = []\n",
        "other.py": "def note(x):\n    seen = []\n    seen.append(x)\n    return seen\n",
        "main.py": workflow("return len(state.seen)", "import state"),
    }
    assert codes(classified(tmp_path, files)) == []


def test_a_module_object_given_to_a_leaf_is_left_alone(tmp_path: Path) -> None:
    """Clients and loggers may be passed to leaves, and their methods are leaves or output."""
    head = """
    import httpx, logging
    client = httpx.AsyncClient()
    logger = logging.getLogger("x")
    async def fetch(c, x):
        return await c.get(x)
    """
    result = classified(
        tmp_path, workflow("logger.info('a')\nawait client.get('x')\nawait fetch(client, 1)", head)
    )
    assert codes(result) == []
    assert constants(result) == {}
    assert kinds(result) == {
        "logger.info('a')": "output", "client.get('x')": "leaf", "fetch(client, 1)": "leaf",
    }  # fmt: skip
