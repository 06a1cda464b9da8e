"""Runs builds of a program: every call gives a value that says which call it was."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from msgspec import Raw

from flopod import codec
from flopod.engine.standing import open_waits
from flopod.errors import DivergenceError
from flopod.events import (
    ActivityCompleted,
    Event,
    Record,
    RunCompleted,
    RunFailed,
    RunResumed,
    RunStarted,
    decode_line,
    encode_line,
)
from flopod.log import History
from flopod.log.lineage import Lineage, pattern_of
from flopod.workflow.commands import Command, StartLeaf
from flopod.workflow.core import Core
from tests.edits.build import Made
from tests.edits.programs import WORKFLOW
from tests.harness.program import Program

INPUT = (4, 3, [2, 5, 6])
RUN = "r"
START = 1_760_000_000_000
_KEY = re.compile(r"\[([^\]]*)\]")
_STEPS = 5_000
Identity = tuple[object, ...]


class Stuck(AssertionError):
    """A run waits for something that nobody gives."""


@dataclass(frozen=True)
class Build:
    """A compiled program, ready to run, and which call of the source stands at which path.

    `several` are the marks that stand for more than one call, because their helper is called twice.
    """

    made: Made
    program: Program
    marks: dict[str, int]
    several: frozenset[int]

    @property
    def lineage(self) -> Lineage:
        manifest = self.made.manifest
        return Lineage(manifest, manifest.workflows[WORKFLOW])

    def identity(self, path: str) -> Identity | None:
        """Which call this is, and in which iteration; None for one that only this build has."""
        pattern = pattern_of(path)
        mark = self.marks.get(pattern)
        if mark is None or mark < 0:
            return None
        caller = self.marks.get(pattern.partition("/")[0]) if mark in self.several else None
        return mark, caller, *_KEY.findall(path)


def ready(made: Made) -> Build:
    """Load a build. Paths of calls are looked up among those of the workflow."""
    sources = made.program.sources()
    marks = {path: mark for mark, paths in made.paths.items() for path in paths}
    several = frozenset(mark for mark, paths in made.paths.items() if len(paths) > 1)
    return Build(made, Program({**sources, **made.lowered}), marks, several)


@dataclass
class Ran:
    """One process: the log after it, how the run ended, and the calls that were made."""

    records: list[Record]
    value: bytes | None = None
    diverged: DivergenceError | None = None
    calls: list[Identity] = field(default_factory=list)


def known_results(build: Build, records: Sequence[Record]) -> dict[Identity, Any]:
    """What the calls gave whose outcome is in a log of `build`."""
    found: dict[Identity, Any] = {}
    for _, event in records:
        if isinstance(event, ActivityCompleted) and (one := build.identity(event.path)) is not None:
            found[one] = codec.decode(event.result)
    return found


def run(build: Build, records: Sequence[Record] = (), known: dict[Identity, Any] | None = None) -> Ran:
    """Start or resume the run with a build; a call that is `known` gives that value again."""
    with build.program.imported() as modules:
        function = getattr(modules[build.made.program.flow], WORKFLOW)
        return _Process(build, function, records, known or {}).run()


class _Process:
    def __init__(
        self, build: Build, function: Any, records: Sequence[Record], known: dict[Identity, Any]
    ) -> None:
        self._build = build
        self._known = known
        self._flying: list[StartLeaf] = []
        self._now = records[-1].event.at if records else START
        self._ran = Ran([decode_line(encode_line(*record)) for record in records])
        manifest, lineage = build.made.manifest, build.lineage
        opening: Event = RunStarted(
            at=START, workflow=WORKFLOW, input=Raw(b"[]"), build=manifest.build, generation=lineage.generation
        )
        if records:
            opening = RunResumed(at=self._now, build=manifest.build, generation=lineage.generation)
        self._core = Core(RUN, History(self._ran.records, lineage, manifest.build), [opening])
        self._core.start(lambda wf: function(wf, *INPUT))

    def run(self) -> Ran:
        try:
            for _ in range(_STEPS):
                if self._turn():
                    return self._ran
            raise Stuck(f"more than {_STEPS} steps")
        finally:
            self._core.abandon()

    def _turn(self) -> bool:
        core, ran = self._core, self._ran
        commit = core.step(self._now)
        for event in commit.events:
            ran.records.append(decode_line(encode_line(len(ran.records) + 1, event)))
        self._carry_out(commit.commands)
        ran.diverged = core.diverged
        if isinstance(core.ended, RunCompleted):
            ran.value = codec.encode(core.value)
        if isinstance(core.ended, RunFailed):
            raise Stuck("the program failed") from core.error
        if core.diverged is not None or core.ended is not None:
            return True
        if not core.has_more:
            self._rest()
        return False

    def _carry_out(self, commands: Sequence[Command]) -> None:
        for command in commands:
            if isinstance(command, StartLeaf):
                self._flying.append(command)

    def _rest(self) -> None:
        core = self._core
        if self._flying:
            leaf = self._flying.pop(0)
            core.complete(leaf.path, leaf.call.returned(self._result(leaf)), self._now)
        elif waits := open_waits(core):
            payload = Raw(msgspec.json.encode(_number(self._build.identity(waits[0].path) or waits[0].event)))
            number = core.history.last_inbox + 1
            core.receive(number, waits[0].path, waits[0].event, payload, self._now)
        elif (due := core.next_due()) is not None:
            self._now = max(self._now, due)
        else:
            raise Stuck("nothing is under way")

    def _result(self, leaf: StartLeaf) -> Any:
        identity = self._build.identity(leaf.path)
        if identity is not None:
            self._ran.calls.append(identity)
            if identity in self._known:
                return self._known[identity]
        number = _number((identity or leaf.fn.__name__, leaf.call.args, leaf.call.kwargs))
        if leaf.fn.__annotations__.get("return") == list[int]:
            return [number % 7, number % 11, number % 13][: 1 + number % 3]
        return number


def _number(what: object) -> int:
    return int.from_bytes(hashlib.blake2b(repr(what).encode(), digest_size=3).digest(), "big")
