"""The compiler over mutated sources, in this process: it ends in time, and not with an error of its own."""

from __future__ import annotations

import random
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flopod_compiler.build import compile_project
from flopod_compiler.classify import classify
from flopod_compiler.diagnostics.render import FORMATS, render
from flopod_compiler.diagnostics.settle import settle
from flopod_compiler.project import discover, sources
from tests.fuzz.mutate import mutated
from tests.fuzz.mutate import sources as real_sources

_LIMIT = 20
_INTERNAL = "FLP900"


class Hang(Exception):
    """The compiler took too long."""


@contextmanager
def limited(seconds: int) -> Iterator[None]:
    """Raise `Hang` in this thread after some seconds."""

    def ring(*_: object) -> None:
        raise Hang(f"no result after {seconds} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def check(folder: Path, source: bytes) -> list[str]:
    """Check a source as it is, and with each of its functions as a workflow; the codes that are found.

    Raises whatever the compiler raises, and AssertionError for an internal error that it reports.
    """
    (folder / "main.py").write_bytes(source)
    with limited(_LIMIT):
        made = compile_project(folder)
        project = discover(folder)
        found = settle(classify(project, all_functions=True).diagnostics, project)
        for one in [*made.diagnostics, *found]:
            assert one.code != _INTERNAL, one.message
        for format in FORMATS:
            render(found, sources(project), format)
    return [one.code for one in [*made.diagnostics, *found]]


def fuzz(folder: Path, seed: int, count: int) -> dict[str, int]:
    """Check `count` mutated sources; how often each code was found. A failed one stays in `folder`."""
    files = real_sources()
    found: dict[str, int] = {}
    for number in range(count):
        rng = random.Random(f"{seed}/{number}")
        source = mutated(rng.choice(files).read_bytes(), rng.choice(files).read_bytes(), rng)
        try:
            codes = check(folder, source)
        except Exception as error:
            error.add_note(f"seed {seed}, source {number}, kept in {folder / 'main.py'}")
            raise
        for code in codes:
            found[code] = found.get(code, 0) + 1
    return dict(sorted(found.items()))
