"""One run in one process: what `python bundle.py` and `flopod run` do, from arguments to exit status."""

import difflib
import importlib
import json
import logging
import operator
import os
import shlex
import sys
import traceback
from collections.abc import Callable, Coroutine, Sequence
from contextlib import nullcontext
from types import ModuleType
from typing import IO, TYPE_CHECKING, Any, NoReturn, cast

import msgspec

from flopod.backends.base import Backend
from flopod.backends.choose import choose, without_password
from flopod.backends.lock import Hold, MemoryHold
from flopod.codec import plain
from flopod.engine import seed
from flopod.engine.console import Console, share_terminal, write_result
from flopod.engine.ending import end, open_standard_streams, result_apart, run_apart
from flopod.engine.guarded import Guarded
from flopod.engine.hooks import Hooks, load_hooks
from flopod.engine.identity import Identity
from flopod.engine.inputs import Arguments, bind, read_input
from flopod.engine.options import Options, read_options
from flopod.engine.outcome import OpenWait, RunOutcome
from flopod.engine.progress import ProgressReport
from flopod.engine.signals import Interrupts
from flopod.engine.waits import (
    deliver,
    deliver_commands,
    first_event,
    matches,
    recorded_waits,
    resume_command,
    wait_points,
)
from flopod.errors import BadInput, BuildMismatch, FlopodError, StorageError, UsageError
from flopod.events import FINAL, RunStarted, RunSummary, WaitPoint
from flopod.manifest import Manifest, WorkflowEntry
from flopod.workflow.tracebacks import author_traceback

if TYPE_CHECKING:
    from flopod.engine.household import Household

EXIT_OF_STATUS = {"completed": 0, "failed": 1, "waiting": 3, "paused": 3, "cancelled": 8}

ImportModule = Callable[[str], ModuleType]


def main(
    argv: Sequence[str],
    manifest: str | bytes | Manifest,
    import_module: ImportModule = importlib.import_module,
    *,
    program: Sequence[str] = (),
    delivers: bool = True,
    shown_by: Sequence[str] = (),
) -> NoReturn:
    """Run or resume what `argv` names and end the process with the exit status of the run.

    `program` is the command as people type it, `python bundle.py` by default; `delivers` says whether
    it takes `--deliver` itself; `shown_by` is the command that shows a run, if one is known to be there.
    What the program prints goes to standard error, so that the result is alone on standard output.
    """
    open_standard_streams()
    read = manifest if isinstance(manifest, Manifest) else msgspec.json.decode(manifest, type=Manifest)
    program = program or ("python", sys.argv[0])
    try:
        job = Job.from_command_line(argv, read, import_module, program, delivers, shown_by)
    except FlopodError as error:
        Console().error(f"error: {error}")
        end(error.exit_code)
    end(job.run(), orderly=job.ended)


class Job:
    """A run of one of the workflows of `manifest`, as the options ask for it."""

    def __init__(
        self,
        options: Options,
        manifest: Manifest,
        import_module: ImportModule,
        program: Sequence[str],
        delivers: bool = True,
        shown_by: Sequence[str] = (),
    ) -> None:
        self.options = options
        self.manifest = manifest
        self.ended = False
        self._import = import_module
        self._program = program
        self._delivers = delivers
        self._shown_by = shown_by
        self._console = Console(options.level)
        self._points: list[WaitPoint] = []
        self._was_over = False
        self._summary: RunSummary | None = None
        self._children_left: list[RunSummary] = []

    @classmethod
    def from_command_line(
        cls,
        argv: Sequence[str],
        manifest: Manifest,
        import_module: ImportModule,
        program: Sequence[str],
        delivers: bool = True,
        shown_by: Sequence[str] = (),
    ) -> "Job":
        """Read the options. Ends the process for wrong usage; raises InvalidRunId."""
        options = read_options(argv, manifest, os.environ, shlex.join(program))
        return cls(options, manifest, import_module, program, delivers, shown_by)

    def run(self, out: IO[str] | None = None) -> int:
        """Do what the options ask for and return the exit status.

        The result goes to `out`. Without it the process is the job's own: the result goes to standard
        output, and the process may start itself again with the hash seed of the run.
        """
        self._interrupts = Interrupts(self._on_interrupt, self._has_pending)
        self._leaving: list[Callable[[], None]] = []
        self._children_rest: Callable[[], bool] = lambda: True
        self._interrupts.install()
        try:
            with choose(self.options.backend, os.environ) as backend:
                return self._on(backend, out)
        except FlopodError as error:
            self._console.clear()
            self._console.error(f"error: {error}")
            return error.exit_code

    def _on(self, backend: Backend, out: IO[str] | None) -> int:
        if self.options.deliver is not None:
            return self._deliver(backend, *self.options.deliver)
        recorded = first_event(backend, self.options.run_id)
        if out is None:
            self._settle_seed(recorded)
        self._console.say(f"run {self.options.run_id} in {backend.describe()}")
        summary = backend.summary(self.options.run_id)
        self._summary = summary
        self._was_over = summary is not None and summary.status in FINAL
        entry = self._entry(recorded)
        apart = result_apart() if out is None else nullcontext(out)
        with apart as result, self._hold(backend) as hold:
            self._leaving = [hold.leave]
            return self._execute(entry, recorded, Guarded(backend, self._interrupts), hold, result)

    def _hold(self, backend: Backend) -> Hold:
        """Own the run, unless it is over: its result can be had from a store that cannot be written."""
        run_id = self.options.run_id
        return MemoryHold(run_id, {}, crashed=False) if self._was_over else backend.hold(run_id)

    def _deliver(self, backend: Backend, path: str, event: str, payload: str) -> int:
        done = deliver(backend, self.options.run_id, path, event, payload)
        self._console.say(f"delivered {event!r} to {path!r} (number {done.number} of {done.run_id})")
        return 0

    def _settle_seed(self, recorded: RunStarted | None) -> None:
        wanted = recorded.hash_seed if recorded is not None else seed.current()
        if not seed.require(seed.DEFAULT_SEED if wanted is None else wanted):
            self._console.error("warning: the hash seed cannot be set, so sets may iterate in another order")

    def _entry(self, recorded: RunStarted | None) -> WorkflowEntry:
        """The workflow asked for; else the run's own, else the only one there is."""
        if recorded is None or self.options.workflow is not None:
            return choose_workflow(self.manifest, self.options.workflow)
        if recorded.workflow not in self.manifest.workflows:
            if recorded.driver:
                raise UsageError(_detached_work(recorded))
            why = _gone_workflow(recorded.workflow, self.manifest.workflows)
            raise BuildMismatch(recorded.run_id, recorded.build or "(none)", self.manifest.build, why)
        return self.manifest.workflows[recorded.workflow]

    def _execute(
        self,
        entry: WorkflowEntry,
        recorded: RunStarted | None,
        backend: "Guarded",
        hold: Hold,
        out: IO[str],
    ) -> int:
        if self.options.log_level:
            logging.basicConfig(level=self.options.log_level.upper())
        try:
            function = operator.attrgetter(entry.function)(self._import(entry.module))
            hooks = load_hooks(self.manifest.hooks, self._import)
        except BadInput:
            raise
        except Exception as error:
            self._console.error(author_traceback(error, whole=self.options.level > 1).rstrip("\n"))
            return 1
        arguments = self._arguments(entry, recorded, function)
        self._points = wait_points(entry, self._import)
        self._report = ProgressReport(
            self._console, self._commands, lambda *wait: self._commands_of(cast("Backend", backend), *wait)
        )
        with share_terminal(self._console), self._report.ticking():
            outcome = self._drive(entry, recorded, function, arguments, backend, hold, hooks)
        self.ended = outcome.status in FINAL
        try:
            return self._finish(outcome, out)
        finally:
            self._report_children_left()

    def _arguments(
        self, entry: WorkflowEntry, recorded: RunStarted | None, function: Callable[..., Any]
    ) -> Arguments | None:
        """The input given; None to resume with the recorded one."""
        if self.options.input is not None:
            return bind(entry, function, read_input(self.options.input))
        return None if recorded is not None else bind(entry, function, {})

    def _drive(
        self,
        entry: WorkflowEntry,
        recorded: RunStarted | None,
        function: Callable[..., Any],
        arguments: Arguments | None,
        backend: "Guarded",
        hold: Hold,
        hooks: Hooks | None,
    ) -> RunOutcome:
        from flopod.engine.run import run_workflow

        if not self._was_over:
            self._console.say(_opening(entry.name, recorded, self.manifest))
        household = self._household(cast("Backend", backend), hooks)
        self._leaving = [hold.leave, household.leave]
        self._children_rest = household.rest
        driving = run_workflow(
            function,
            None if arguments is None else arguments.args,
            None if arguments is None else arguments.kwargs,
            identity=self._identity(entry),
            backend=cast("Backend", backend),
            hold=hold,
            exit_when_waiting=self.options.exit_when_waiting,
            resume_paused=self.options.resume,
            on_progress=self._report,
            children=household,
            hooks=hooks,
        )
        return run_apart(self._with_children(driving, household), lambda outcome: outcome.status in FINAL)

    def _household(self, backend: Backend, hooks: Hooks | None) -> "Household":
        from flopod.engine.household import Household
        from flopod.engine.registry import Compiled

        return Household(
            backend,
            Compiled(self.manifest, self._import, seed.current() or seed.DEFAULT_SEED),
            self.options.run_id,
            exit_when_waiting=self.options.exit_when_waiting,
            on_waiting=self._report_child,
            hooks=hooks,
        )

    async def _with_children(
        self, driving: Coroutine[Any, Any, RunOutcome], household: "Household"
    ) -> RunOutcome:
        """Drive the run, then let its children come to their end, if it has."""
        household.enter(self._summary)
        try:
            outcome = await driving
            if outcome.status in FINAL:
                await household.settle()
        finally:
            await household.close()
        self._children_left = household.left_open()
        return outcome

    def _report_child(self, run_id: str, waits: Sequence[OpenWait]) -> None:
        for wait in waits:
            self._report.wait_of(run_id, wait)

    def _identity(self, entry: WorkflowEntry) -> Identity:
        hash_seed = seed.current() or seed.DEFAULT_SEED
        return Identity.of(self.options.run_id, self.manifest, entry, self._points, hash_seed)

    def _finish(self, outcome: RunOutcome, out: IO[str]) -> int:
        run_id = self.options.run_id
        match outcome.status:
            case "completed":
                self._console.say(f"run {run_id} is completed", "good")
                code = self._give(outcome.value, out)
                self._say_next()
                return code
            case "failed":
                self._console.error(f"run {run_id} failed", "bad")
                self._console.error(_failure(outcome, whole=self.options.level > 1))
            case "cancelled":
                self._console.error(f"run {run_id} is cancelled{_because(outcome.reason)}", "warning")
            case "paused":
                self._console.error(f"run {run_id} is paused{_because(outcome.reason)}", "warning")
                self._console.error(f"go on with: {self._resume_command()} --resume")
            case _:
                self._report_waiting(outcome)
        return EXIT_OF_STATUS.get(outcome.status, 1)

    def _give(self, value: Any, out: IO[str]) -> int:
        """Write the result. The run is completed, whatever becomes of that."""
        try:
            write_result(json.dumps(plain(value), ensure_ascii=False), out)
        except OSError as error:
            self._console.error(
                f"error: the result could not be written to standard output: {error.strerror}; the run "
                "keeps it, and the same command gives it again"
            )
            return StorageError.exit_code
        return EXIT_OF_STATUS["completed"]

    def _say_next(self) -> None:
        if self._shown_by:
            at = () if self.options.backend is None else ("--backend", without_password(self.options.backend))
            self._console.say(f"next: {shlex.join((*self._shown_by, self.options.run_id, *at))}")

    def _report_waiting(self, outcome: RunOutcome) -> None:
        for wait in outcome.waiting:
            self._report.wait(wait)
        for sleep in outcome.sleeping:
            self._report.sleep(sleep)
        self._console.say(f"go on with: {self._resume_command()}")

    def _report_children_left(self) -> None:
        """Say which children go on when the same command is given again."""
        if self._children_left:
            names = ", ".join(f"{one.run_id} ({one.status})" for one in self._children_left)
            self._console.error(f"not over yet, though started by {self.options.run_id}: {names}")
            self._console.error(f"go on with: {self._resume_command()}")

    def _commands_of(self, backend: Backend, run_id: str, wait: OpenWait) -> list[str]:
        """The commands that deliver to a child."""
        return self._deliveries(run_id, recorded_waits(backend, run_id) or (), wait)

    def _commands(self, wait: OpenWait) -> list[str]:
        return self._deliveries(self.options.run_id, self._points, wait)

    def _deliveries(self, run_id: str, points: Sequence[WaitPoint], wait: OpenWait) -> list[str]:
        schema = next((point.schema for point in points if matches(point.path, wait.path)), None)
        program = self._program if self._delivers else ()
        return deliver_commands(run_id, wait.path, wait.event, schema, self.options.backend, program)

    def _resume_command(self) -> str:
        return resume_command(self.options.run_id, self.options.backend, self._program)

    def _has_pending(self) -> bool:
        """Whether something detached is under way, in no log, or as a run that does not only wait."""
        from flopod.detach.register import registry  # with asyncio behind it, which not every command needs

        is_in_memory = any(not run_id for run_id, _ in registry.ids())
        return is_in_memory or (bool(registry) and not self._children_rest())

    def _on_interrupt(self, _signal: str) -> None:
        for leave in self._leaving:
            leave()
        self._console.clear()
        self._console.error(f"interrupted; resume with: {self._resume_command()}")


def choose_workflow(manifest: Manifest, name: str | None) -> WorkflowEntry:
    """The workflow called `name`; without a name the only one. Raises UsageError with near misses."""
    known = manifest.workflows
    if name is None and len(known) == 1:
        return next(iter(known.values()))
    if name is None:
        raise UsageError(f"there are several workflows, so name one: {', '.join(sorted(known))}")
    if name not in known:
        raise UsageError(_unknown_workflow(name, known))
    return known[name]


def _opening(name: str, recorded: RunStarted | None, manifest: Manifest) -> str:
    does = "starting" if recorded is None else "resuming"
    return f"{does} {name} (build {manifest.build[:12]})"


def _detached_work(recorded: RunStarted) -> str:
    what = f"the run {recorded.run_id!r} is work that was detached ({recorded.workflow})"
    if recorded.parent is None:
        return f"{what}; an engine on this store goes on with it"
    return f"{what}; it goes on with the run that detached it: --run-id {recorded.parent}"


def _gone_workflow(name: str, known: dict[str, WorkflowEntry]) -> str:
    near = difflib.get_close_matches(name, known, 1, 0.4)
    renamed = f"; if {near[0]!r} is its new name, @workflow(name={name!r}) keeps the old one" if near else ""
    return f"it is a run of the workflow {name!r}, which is not in this build{renamed}"


def _unknown_workflow(name: str, known: dict[str, WorkflowEntry]) -> str:
    near = difflib.get_close_matches(name, known, 1)
    guess = f"did you mean {near[0]!r}? " if near else ""
    return f"no workflow is called {name!r}; {guess}There is: {', '.join(sorted(known))}"


def _failure(outcome: RunOutcome, *, whole: bool) -> str:
    if outcome.error is not None and outcome.error.__traceback__ is not None:
        return author_traceback(outcome.error, whole=whole).rstrip("\n")
    return outcome.traceback.rstrip("\n") or "".join(traceback.format_exception_only(outcome.error))


def _because(reason: str) -> str:
    return f": {reason}" if reason else ""
