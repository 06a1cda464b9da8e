"""Real sources made wrong: lines and tokens deleted, doubled and swapped, files spliced, bytes at random."""

from __future__ import annotations

import random
import re
import sysconfig
from collections.abc import Callable
from pathlib import Path

FIXTURES = Path(__file__).parents[2] / "fixtures"
_STDLIB = Path(sysconfig.get_paths()["stdlib"])
_LONGEST = 40_000
_TOKEN = re.compile(rb"\w+|\s+|[^\w\s]")
_BROKEN = [
    b"\x00",
    b"\xff",
    b"\t",
    b"\x0c",
    b"\r",
    b"(",
    b"]",
    b"'''",
    b"\\\n",
    b"# flopod: ",
    b"\xe2\x80\xae",
    b"match x:",
    b"await ",
]


def sources() -> list[Path]:
    """The golden cases, and the files of the standard library that are not long, in order."""
    library = [*_STDLIB.glob("*.py"), *_STDLIB.glob("asyncio/*.py"), *_STDLIB.glob("email/*.py")]
    short = [path for path in library if path.stat().st_size < _LONGEST]
    return [*sorted(FIXTURES.glob("*/input/*.py")), *sorted(short)]


def mutated(source: bytes, other: bytes, rng: random.Random) -> bytes:
    """A source after one to four accidents; `other` is what it may be spliced with."""
    for _ in range(rng.randint(1, 4)):
        source = rng.choice(_ACCIDENTS)(source, other, rng)
    return source


def _lines(source: bytes, _other: bytes, rng: random.Random) -> bytes:
    return _shuffled(source.splitlines(keepends=True), rng)


def _tokens(source: bytes, _other: bytes, rng: random.Random) -> bytes:
    return _shuffled(_TOKEN.findall(source), rng)


def _shuffled(parts: list[bytes], rng: random.Random) -> bytes:
    """Some parts deleted, one doubled, two swapped."""
    if not parts:
        return b""
    here, there = rng.randrange(len(parts)), rng.randrange(len(parts))
    match rng.randrange(3):
        case 0:
            del parts[here : here + rng.randint(1, 3)]
        case 1:
            parts.insert(there, parts[here])
        case _:
            parts[here], parts[there] = parts[there], parts[here]
    return b"".join(parts)


def _spliced(source: bytes, other: bytes, rng: random.Random) -> bytes:
    first, second = source.splitlines(keepends=True), other.splitlines(keepends=True)
    return b"".join(first[: rng.randint(0, len(first))] + second[rng.randint(0, len(second)) :])


def _bytes(source: bytes, _other: bytes, rng: random.Random) -> bytes:
    place = rng.randint(0, len(source))
    return source[:place] + rng.choice(_BROKEN) + source[place + rng.randint(0, 2) :]


def _indented(source: bytes, _other: bytes, rng: random.Random) -> bytes:
    lines = source.splitlines(keepends=True)
    if lines:
        here = rng.randrange(len(lines))
        lines[here] = b"    " + lines[here] if rng.random() < 0.5 else lines[here].removeprefix(b"    ")
    return b"".join(lines)


_ACCIDENTS: list[Callable[[bytes, bytes, random.Random], bytes]] = [
    _lines,
    _tokens,
    _tokens,
    _spliced,
    _bytes,
    _indented,
]
