"""What the fixture `flopod` is: the ways to put a workflow to the test."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal, overload

from flopod.backends.base import Backend
from flopod.backends.memory import MemoryBackend
from flopod.engine.clock import Clock
from flopod.engine.engine import Engine
from flopod.engine.hooks import Hooks
from flopod.engine.limits import Limit, Queue
from flopod.testing.clocks import START
from flopod.testing.driven import Driven
from flopod.testing.errors import TestFailure
from flopod.testing.matrix import crash_matrix
from flopod.testing.plain import PlainRun
from flopod.testing.run import Run
from flopod.testing.same import compare_calls, compare_ends, compare_lines
from flopod.testing.script import Dealer, never, raises, real, returns, takes
from flopod.testing.seen import Output, captured
from flopod.testing.subject import (
    Project,
    Subject,
    Written,
    check_arguments,
    check_event,
    check_leaf,
    takes_scope,
)
from flopod.testing.tape import Tape
from flopod.testing.virtual import VirtualEngine

Script = Mapping[str, Any]


class Flopod:
    """Runs workflows in virtual time, with leaves that do what a script says.

    `project` gives the compiled source, when a test asks for a workflow of it.
    """

    returns = staticmethod(returns)
    raises = staticmethod(raises)
    takes = staticmethod(takes)
    never = never
    real = real

    def __init__(self, project: Callable[[], Project] | None = None) -> None:
        self._project = project
        self.runs: list[Driven] = []
        self._engines: list[VirtualEngine] = []

    @overload
    def run(
        self,
        workflow: str | Callable[..., Any],
        /,
        *args: Any,
        leaves: Script | None = ...,
        events: Script | None = ...,
        strict: bool = ...,
        backend: Backend | None = ...,
        run_id: str = ...,
        start: datetime | None = ...,
        crash_after: int | str | None = ...,
        hooks: Hooks | None = ...,
        compiled: Literal[True] = ...,
        **kwargs: Any,
    ) -> Run: ...
    @overload
    def run(
        self,
        workflow: str | Callable[..., Any],
        /,
        *args: Any,
        leaves: Script | None = ...,
        events: Script | None = ...,
        strict: bool = ...,
        start: datetime | None = ...,
        compiled: Literal[False],
        **kwargs: Any,
    ) -> PlainRun: ...
    def run(
        self,
        workflow: str | Callable[..., Any],
        /,
        *args: Any,
        leaves: Script | None = None,
        events: Script | None = None,
        strict: bool = False,
        backend: Backend | None = None,
        run_id: str = "test",
        start: datetime | None = None,
        crash_after: int | str | None = None,
        hooks: Hooks | None = None,
        compiled: bool = True,
        **kwargs: Any,
    ) -> Run | PlainRun:
        """Make a run of a workflow. It goes on when a method is called that lets it: `result`, `until`, ...

        `workflow` is one of the project, by its name, as `module:function` or the function itself, or a
        hand-written `async def main(wf, ...)`. `leaves` says what its leaves give, by name, `module:name` or
        path; what is not in it runs for real, or with `strict` is an error. `events` says what its waits are
        given. With `crash_after` it goes on and is killed there, see `Run.crash`. `hooks` are called as in
        production. With `compiled=False` it is the source that runs, as plain Python.
        """
        subject = self._subject(workflow)
        check_arguments(subject, args, kwargs)
        tape = _tape(subject, leaves, events, strict)
        if not compiled:
            return self._plain(subject, args, kwargs, tape, start)
        return self._started(subject, args, kwargs, tape, backend, run_id, start, crash_after, hooks)

    def engine(
        self,
        *workflows: Callable[..., Any],
        queues: Mapping[str, Queue] | None = None,
        limits: Mapping[str, Limit] | None = None,
        concurrency: int = 256,
        hooks: Hooks | None = None,
        leaves: Script | None = None,
        events: Script | None = None,
        strict: bool = False,
        backend: Backend | None = None,
        start: datetime | None = None,
    ) -> VirtualEngine:
        """Make an engine for many runs: `start` and `schedule` give it work, `advance` lets time pass.

        It is that of production, on the virtual clock: `queues`, `limits`, `concurrency` and `hooks` are what
        `flopod.engine.engine.Engine` takes. It runs the workflows of the project, or these hand-written ones.
        `leaves` and `events` are those of all runs.
        """
        subjects = self._subjects(workflows)
        store = MemoryBackend() if backend is None else backend

        def make(clock: Clock) -> Engine:
            registry = subjects[0].registry
            options: dict[str, Any] = {"queues": queues, "limits": limits, "concurrency": concurrency}
            return Engine(store, registry, clock=clock, hooks=hooks, **options)

        tape = _tape(subjects[0], leaves, events, strict)
        named = {subject.name: subject for subject in subjects}
        made = VirtualEngine(make, named, store, tape, _seconds(start))
        self._engines.append(made)
        return made

    def program(
        self,
        fn: Callable[..., Any],
        /,
        *args: Any,
        leaves: Script | None = None,
        events: Script | None = None,
        strict: bool = False,
        start: datetime | None = None,
        crash_after: int | str | None = None,
        **kwargs: Any,
    ) -> Run:
        """Make a run of a hand-written program that opens it itself, with `create_runtime`.

        It finds the virtual clock, and a store in memory if it names none.
        """
        subject = Written(fn, {}, program=True)
        check_arguments(subject, args, kwargs)
        tape = _tape(subject, leaves, events, strict)
        return self._started(subject, args, kwargs, tape, None, "main-run", start, crash_after)

    def crash_matrix(self, workflow: str | Callable[..., Any] | Run, /, *args: Any, **options: Any) -> Run:
        """Run a workflow to its end, then kill it after each write of its log and resume it.

        It takes what `run` takes, or a run. Each time it must end the same, and no leaf whose outcome is
        recorded may be called again: else Mismatch names the write. Returns the uninterrupted run.
        """
        run: Run = workflow if isinstance(workflow, Run) else self.run(workflow, *args, **options)
        run.outcome()
        self._crash(run)
        return run

    def crash_all(self) -> None:
        """Put every run that was made here through the crash matrix."""
        for run in self.runs:
            if isinstance(run, Run) and not (run.is_proven or run.is_stopped_by_hook):
                self._crash(run)

    def _crash(self, run: Run) -> None:
        crash_matrix(run)
        run.is_proven = True

    def same(self, workflow: str | Callable[..., Any], /, *args: Any, **options: Any) -> Run:
        """Run a workflow plain and compiled, and check that both end the same and call the same.

        It takes what `run` takes. Returns the compiled run. Raises Mismatch.
        """
        plain = self.run(workflow, *args, **{**options, "compiled": False})
        with captured() as printed:
            before = plain.outcome()
        compiled: Run = self.run(workflow, *args, **options)
        with captured() as also_printed:
            after = compiled.outcome()
        compare_ends(before, after)
        compare_calls(plain.tape.calls, compiled.tape.calls, "plain", "compiled")
        compare_lines("standard output", _lines(printed), _lines(also_printed), "plain", "compiled")
        return compiled

    def _plain(
        self, subject: Subject, args: Any, kwargs: Any, tape: Tape, start: datetime | None
    ) -> PlainRun:
        if subject.plain is None:
            raise TestFailure(f"{subject.name!r} is written for the runtime; there is no plain source of it")
        tape.check_plain(subject)
        run = PlainRun(subject, args, kwargs, tape=tape, start=_seconds(start))
        self.runs.append(run)
        return run

    def _subject(self, workflow: str | Callable[..., Any]) -> Subject:
        if callable(workflow) and takes_scope(workflow):
            return Written(workflow, {}, program=False)
        what = f"{workflow!r} is no hand-written workflow (async def main(wf, ...))"
        return self._known_project(what).subject(workflow)

    def _known_project(self, what: str) -> Project:
        if self._project is None:
            raise TestFailure(
                f"{what}, and there is no project to compile; give Flopod one, or use the fixture `flopod`"
            )
        return self._project()

    def _subjects(self, workflows: Sequence[Callable[..., Any]]) -> Sequence[Subject]:
        if not workflows:
            return self._known_project("there are no workflows to run").subjects()
        for workflow in workflows:
            if not takes_scope(workflow):
                raise TestFailure(
                    f"{workflow!r} is no hand-written workflow (async def main(wf, ...)); an engine without "
                    "any has all workflows of the project"
                )
        others = {workflow.__name__: workflow for workflow in workflows}
        return [Written(workflow, others, program=False) for workflow in workflows]

    def _started(
        self,
        subject: Subject,
        args: Any,
        kwargs: Any,
        tape: Tape,
        backend: Backend | None,
        run_id: str,
        start: datetime | None,
        crash_after: int | str | None,
        hooks: Hooks | None = None,
    ) -> Run:
        run = Run(
            subject,
            args,
            kwargs,
            run_id=run_id,
            backend=MemoryBackend() if backend is None else backend,
            tape=tape,
            start=_seconds(start),
            hooks=hooks,
        )
        self.runs.append(run)
        return run if crash_after is None else run.crash(crash_after)

    def edited(self, module: str, old: str, new: str) -> Project:
        """Return the project with a part of a module replaced, for `Run.resume`: it keeps ids by the lock."""
        if self._project is None:
            raise TestFailure("there is no project to edit; give Flopod one, or use the fixture `flopod`")
        return self._project().edited(module, old, new)

    def close(self) -> None:
        """Throw away what still runs."""
        for run in self.runs:
            run.close()
        for engine in self._engines:
            engine.close()


def _tape(subject: Subject, leaves: Script | None, events: Script | None, strict: bool) -> Tape:
    tape = Tape(Dealer(leaves, strict=strict), Dealer(events, ends=True))
    for name in tape.leaves.names:
        check_leaf(subject, name)
    for name in tape.events.names:
        check_event(subject, name)
    return tape


def _seconds(start: datetime | None) -> float:
    if start is None:
        return START
    return (start if start.tzinfo is not None else start.replace(tzinfo=UTC)).timestamp()


def _lines(output: Output) -> list[str]:
    return output.stdout.splitlines()
