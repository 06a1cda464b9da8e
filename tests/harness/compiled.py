"""Runs the compiled form of a program on the sans-I/O core, in virtual time, under the same oracle."""

from __future__ import annotations

import sys
from collections.abc import Coroutine, Generator, Iterable, Sequence
from dataclasses import dataclass, field
from inspect import iscoroutine
from pathlib import Path
from types import coroutine
from typing import Any

import msgspec
from msgspec import Raw

from flopod import codec
from flopod.backends.base import Batch
from flopod.backends.memory import MemoryBackend
from flopod.engine.standing import open_waits
from flopod.errors import FlopodError
from flopod.events import Event, EventReceived, Record, RunCompleted, RunFailed, RunResumed, RunStarted, Span
from flopod.log.history import History
from flopod.manifest import Manifest
from flopod.workflow.arguments import CallCopy
from flopod.workflow.commands import CallLogger, CancelLeaf, Compact, StartLeaf, Write
from flopod.workflow.core import Core
from flopod_compiler.build import Compilation, compile_project
from flopod_compiler.testing.leaves import leaves_of
from tests.harness.cases import Scenario
from tests.harness.outcome import Outcome, captured, error_text, value_text
from tests.harness.plain import START, Stuck, find_workflow, surroundings
from tests.harness.program import Program, read_program
from tests.harness.recorder import PendingCall, Recorder, pick

RUN = "r"
STEPS = 20_000
WARNING = "flopod: "


class Diverged(AssertionError):
    """The log of a run did not fit the code that wrote it."""


class Unrecorded(AssertionError):
    """A leaf ran that the manifest does not list, so nothing was compared."""


@dataclass(frozen=True)
class Build:
    """A program as its author wrote it and as the compiler emitted it, and what both have in common."""

    plain: Program
    compiled: Program
    manifest: Manifest
    name: str

    @property
    def workflow(self) -> str:
        entry = self.manifest.workflows[self.name]
        return f"{entry.module}:{entry.function}"

    @property
    def callees(self) -> list[str]:
        return leaves_of(self.manifest)


class Refused(Exception):
    """The compiler does not accept the program."""

    def __init__(self, compilation: Compilation) -> None:
        self.compilation = compilation
        self.codes = sorted({one.code for one in compilation.diagnostics if one.severity == "error"})
        super().__init__(
            "; ".join(
                f"{one.path}:{one.span.line} {one.code} {one.message}"
                for one in compilation.diagnostics
                if one.severity == "error"
            )
        )


def build(source: Path, workflow: str) -> Build:
    """Compile the sources below a folder. Raises Refused."""
    compilation = compile_project(source)
    if not compilation.ok or compilation.manifest is None:
        raise Refused(compilation)
    plain = read_program(source)
    lowered = {name: one.text for name, one in compilation.lowered.items()}
    return Build(plain, plain.replaced(lowered), compilation.manifest, workflow)


@dataclass
class Life:
    """What one process did with a run: its outcome, the paths it started, the log it left."""

    outcome: Outcome
    lines: list[bytes]
    started: list[str]
    kills: list[Kill] = field(default_factory=list)


@dataclass
class Kill:
    """A state of the disk that a kill can leave: the log, and all that was ever recorded."""

    lines: list[bytes]
    events: list[Event]


class Journal(MemoryBackend):
    """A store that remembers each state that it was in, also those in the middle of an append."""

    events: list[Event]
    kills: list[Kill]

    @classmethod
    def begin(cls, lines: Iterable[bytes], events: list[Event] | None = None) -> Journal:
        """A store with one run, of which the log once held `events`."""
        journal = cls()
        journal._lines[RUN] = list(lines)
        journal._fold(RUN, records := journal.load(RUN))
        journal.events = [record.event for record in records] if events is None else list(events)
        journal.kills = [Kill(journal.lines(RUN), list(journal.events))]
        return journal

    def append_many(self, batches: Sequence[Batch]) -> list[int | FlopodError]:
        before = self.lines(RUN)
        result = super().append_many(batches)
        for event, line in zip(batches[0].events, self.lines(RUN)[len(before) :], strict=True):
            before.append(line)
            self.events.append(event)
            self.kills.append(Kill(list(before), list(self.events)))
        return result

    def compact(self, run_id: str, dropped: Sequence[Span], inbox: int = 0) -> None:
        super().compact(run_id, dropped, inbox)
        self.kills.append(Kill(self.lines(RUN), list(self.events)))


class Marker:
    """Yielded by a leaf that waits for its turn."""


@coroutine
def _turn(_: PendingCall) -> Generator[Marker, None, None]:
    yield Marker()


@dataclass
class _Leaf:
    """An asynchronous leaf in flight."""

    path: str
    call: CallCopy
    running: Coroutine[Any, Any, Any]

    @classmethod
    def of(cls, command: StartLeaf) -> _Leaf:
        call = command.call
        return cls(command.path, call, command.fn(*call.args, **call.kwargs))


@dataclass
class Process:
    """Drives a core: commits, runs leaves one at a time, moves the clock, delivers events."""

    backend: Journal
    core: Core
    recorder: Recorder
    scenario: Scenario
    seed: int | None
    now: int
    started: list[str] = field(default_factory=list)
    pending: list[PendingCall] = field(default_factory=list)
    leaves: dict[int, _Leaf] = field(default_factory=dict)

    def run(self) -> None:
        """Drive until the run is over. Raises Diverged and Stuck."""
        core = self.core
        for _ in range(STEPS):
            commit = core.step(self.now)
            if core.diverged is not None:
                raise Diverged(str(core.diverged))
            if commit.events:
                self.backend.append(RUN, commit.expected, commit.events)
            for command in commit.commands:
                self._carry_out(command)
            if core.ended is not None:
                return
            if core.paused is not None:
                raise Stuck(core.paused)
            if not core.has_more:
                self._rest()
        raise Stuck(f"more than {STEPS} steps")

    def _carry_out(self, command: Any) -> None:
        if isinstance(command, StartLeaf):
            self._start(command)
        elif isinstance(command, CancelLeaf):
            self._cancel(command.path)
        elif isinstance(command, Write) and not command.text.startswith(WARNING):
            (sys.stdout if command.stream == "stdout" else sys.stderr).write(command.text)
        elif isinstance(command, CallLogger):
            command.method(*command.args, **command.kwargs)
        elif isinstance(command, Compact):
            self.backend.compact(RUN, command.dropped, command.inbox)

    def _start(self, command: StartLeaf) -> None:
        self.recorder.attempt = command.attempt
        before = len(self.recorder.calls)
        leaf = self._call(command) if command.sync else _Leaf.of(command)
        if leaf is not None and self._continue(leaf):
            pending = PendingCall(self.recorder.calls[before], len(self.recorder.calls))
            self.pending.append(pending)
            self.leaves[id(pending)] = leaf
        if len(self.recorder.calls) == before + 1:
            self.started.append(command.path)
        elif self.recorder.is_of_program(command.fn):
            raise Unrecorded(f"{command.path}: the manifest does not name its callee")

    def _call(self, command: StartLeaf) -> _Leaf | None:
        """Call a synchronous leaf; what is left to be awaited of it, if anything."""
        call = command.call
        try:
            value = command.fn(*call.args, **call.kwargs)
            if iscoroutine(value):
                return _Leaf(command.path, call, value)
            outcome = command.returned(value)
        except Exception as error:
            outcome = call.raised(error)
        self.core.complete(command.path, outcome, self.now)
        return None

    def _cancel(self, path: str) -> None:
        for pending in list(self.pending):
            if self.leaves[id(pending)].path == path:
                self.pending.remove(pending)
                self.leaves.pop(id(pending)).running.close()

    def _continue(self, leaf: _Leaf) -> bool:
        """Step a leaf until it waits for its turn (True) or ends (False)."""
        try:
            while not isinstance(leaf.running.send(None), Marker):
                pass
        except StopIteration as stop:
            self.core.complete(leaf.path, leaf.call.returned(stop.value), self.now)
            return False
        except Exception as error:
            self.core.complete(leaf.path, leaf.call.raised(error), self.now)
            return False
        return True

    def _rest(self) -> None:
        if self._deliver():
            return
        due = self.core.next_due()
        if self.pending:
            self._continue(self.leaves.pop(id(pick(self.pending, self.seed))))
        elif due is not None:
            self.now = max(self.now, due)
        else:
            raise Stuck("the run waits for something that never comes")

    def _deliver(self) -> bool:
        received = self.backend.events
        for wait in open_waits(self.core):
            payloads = [item.payload for item in self.scenario.events if item.event == wait.event]
            taken = sum(isinstance(one, EventReceived) and one.event == wait.event for one in received)
            if taken < len(payloads):
                number = self.core.history.last_inbox + 1
                payload = Raw(msgspec.json.encode(payloads[taken]))
                self.core.receive(number, wait.path, wait.event, payload, self.now)
                return True
        return False


def run_compiled(
    made: Build,
    scenario: Scenario,
    *,
    seed: int | None = None,
    log: Iterable[bytes] = (),
    life: int = 0,
    past: list[Event] | None = None,
    compact: int | None = None,
) -> Life:
    """Start the compiled workflow, or resume it from the lines of a log, and drive it to its end.

    Of a log that is compacted (from so many records on, `compact`) `past` are all the events it ever held.
    """
    backend = Journal.begin(log, past)
    history = History(records := backend.load(RUN))
    recorder = Recorder(_turn, scenario.faults)
    with surroundings(life), made.compiled.imported() as modules:
        recorder.install(modules, made.callees)
        if history.ended is not None:
            return Life(_ended(history.ended), backend.lines(RUN), [])
        function = find_workflow(modules, made.workflow)
        args, kwargs = scenario.given()
        opening = _opening(made, scenario, records)
        core = Core(RUN, history, opening, crashed=False, max_crashes=10**6, compact=compact)
        core.start(lambda wf: function(wf, *args, **kwargs))
        now = records[-1].event.at if records else int(START * 1000)
        process = Process(backend, core, recorder, scenario, seed, now)
        try:
            with captured() as output:
                process.run()
            outcome = _outcome(core)
        finally:
            core.abandon()
    outcome.calls, outcome.output = recorder.calls, output
    return Life(outcome, backend.lines(RUN), process.started, backend.kills)


def _opening(made: Build, scenario: Scenario, records: list[Record]) -> list[Event]:
    if records:
        return [RunResumed(at=records[-1].event.at, build=made.manifest.build, crashed=True)]
    given = Raw(codec.encode([list(scenario.args), scenario.kwargs]))
    started = RunStarted(
        at=int(START * 1000), workflow=made.name, input=given, build=made.manifest.build, run_id=RUN
    )
    return [started]


def _outcome(core: Core) -> Outcome:
    if isinstance(core.ended, RunCompleted):
        return Outcome(value=value_text(core.value))
    assert core.error is not None
    return Outcome(error=error_text(core.error))


def _ended(ended: Event) -> Outcome:
    if isinstance(ended, RunFailed):
        return Outcome(error=error_text(codec.decode(ended.error)))
    assert isinstance(ended, RunCompleted)
    return Outcome(value=value_text(codec.decode(ended.result)))
