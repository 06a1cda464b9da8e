"""Warnings about suspicious code: what they must not say of code that is right."""

from __future__ import annotations

from pathlib import Path

import pytest

from .support import classified, codes, workflow

HEAD = """
import asyncio
import time
import httpx
async def leaf(x):
    httpx.get(str(x))
    return x
"""

RIGHT = {
    "waits for a task that it cancels": (
        "task = other\ntry:\n    task.cancel()\n    await leaf(1)\nexcept BaseException:\n    pass"
    ),
    "a handler without a wait": "try:\n    n = 1\nexcept BaseException:\n    n = 2\nreturn n",
    "a handler that may raise": (
        "try:\n    await leaf(1)\nexcept BaseException as error:\n    if xs:\n        raise\nreturn 1"
    ),
    "break of a loop inside finally": "try:\n    await leaf(1)\nfinally:\n    for x in xs:\n        break",
    "a lambda that is used at once": "for x in xs:\n    await leaf(max(xs, key=lambda y: y - x))",
    "a function of the loop that is awaited": (
        "for x in xs:\n    async def arm():\n        return await leaf(x)\n    await arm()"
    ),
    "a bound default": "kept = []\nfor x in xs:\n    kept.append(lambda y, x=x: x + y)\nreturn len(kept)",
    "a loop with its own end": "n = 3\nwhile n > 0:\n    n -= 1\nreturn n",
    "a loop over an attribute": "while xs.pending:\n    pass",
    "a loop that is left": "while True:\n    break\nreturn 1",
    "a clock beside a wait": "while time.time() < 9:\n    await leaf(1)",
    "awaits in two branches": "job = leaf(1)\nif xs:\n    return await job\nelse:\n    return await job",
    "an object that nobody changes": "await asyncio.gather(leaf(xs), leaf(xs))",
    "an arm that runs alone": (
        "total = 0\nasync def arm(x):\n    nonlocal total\n    total += await leaf(x)\n"
        "for x in xs:\n    await arm(x)\nreturn total"
    ),
    "items of their own": (
        "found = {}\nasync def arm(x):\n    found[x] = await leaf(x)\n"
        "await asyncio.gather(*[arm(x) for x in xs])\nreturn found"
    ),
    "an assert of plain code": "assert xs\nreturn await leaf(1)",
    "code after a branch that leaves": "if xs:\n    return 1\nreturn await leaf(1)",
}  # fmt: skip

_REVIEWED = {
    "FLP103",
    "FLP207",
    "FLP216",
    "FLP301",
    "FLP302",
    "FLP304",
    "FLP305",
    "FLP310",
    "FLP311",
    "FLP606",
}


@pytest.mark.parametrize("form", RIGHT)
def test_code_that_is_right_gets_no_warning(form: str, tmp_path: Path) -> None:
    """Forms near to those that are reported, which do what was meant."""
    result = classified(tmp_path, workflow(RIGHT[form], HEAD, "xs, other=None"))
    assert not _REVIEWED & set(codes(result))


KEY = "class Key:\n    def __hash__(self):\n        return 7\n"
BARE = "class Bare:\n    pass\n"


@pytest.mark.parametrize(
    ("body", "head", "found"),
    [
        ("return list(xs)", f"{BARE}xs: set[Bare] = set()", ["FLP204"]),
        ("return [1 for x in a]", BARE, ["FLP204"]),
        ("return {1 for x in a}", BARE, []),
        ("return any(x is None for x in a)", BARE, []),
        ("return len(a)", BARE, []),
        ("return a.pop()", BARE, ["FLP204"]),
        ("return [1 for x in a]", KEY.replace("Key", "Bare"), []),
        ("return f'{b} {b!r}'", BARE, ["FLP215", "FLP215"]),
        ("return f'{b.name}'", f"{BARE}    name: str = ''\n", []),
        ("return str(b)", "class Bare(Exception):\n    pass\n", []),
    ],
)
def test_addresses_are_reported_where_they_show(
    body: str, head: str, found: list[str], tmp_path: Path
) -> None:
    """Sets of bare objects are only a finding where their order shows, texts only where the address does."""
    result = classified(tmp_path, workflow(body, head, "a: set[Bare], b: Bare"))
    assert [code for code in codes(result) if code in ("FLP204", "FLP215")] == found


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("main()", ["FLP113"]),
        ("import asyncio\nRESULT = asyncio.run(main())", ["FLP113"]),
        ("def run():\n    return main()", []),
        ("later = lambda: main()", []),
        ("if __name__ == '__main__':\n    main()", []),
        ("import subprocess\nsubprocess.run(['ls'])", ["FLP210"]),
        ("import logging\nlogging.basicConfig()", []),
        ("import httpx\nCLIENT = httpx.Client()", []),
        ("import os\ndef prepare():\n    os.mkdir('x')\nprepare()", ["FLP210"]),
    ],
)
def test_effects_of_an_import_are_reported(code: str, found: list[str], tmp_path: Path) -> None:
    """Only what a plain import runs, and only what is known to talk to the world or is a workflow."""
    result = classified(tmp_path, workflow("return 1") + code + "\n")
    assert [one for one in codes(result) if one in ("FLP113", "FLP210")] == found
