"""A run without I/O: log and outcomes in, events to commit and commands to carry out.

`step` runs the body until nothing can go on without the world, and returns a `Commit`. The world
appends its events, then carries out its commands, reports back (`complete`, `receive`), steps again.
"""

import random
from collections.abc import Callable, Coroutine, Generator, Sequence
from functools import partial
from typing import Any, TypeVar
from weakref import WeakSet

from msgspec import Raw
from msgspec.structs import replace

from flopod import codec
from flopod.errors import DivergenceError
from flopod.events import (
    Abandoned,
    ChildCompleted,
    Event,
    EventReceived,
    IterationCompleted,
    RunCancelled,
    RunCompleted,
    RunFailed,
    RunPaused,
    RunResumed,
)
from flopod.log.entries import EntryKey
from flopod.log.history import History, poisoned
from flopod.workflow import fence
from flopod.workflow.activity import Activity
from flopod.workflow.agenda import Agenda
from flopod.workflow.arguments import Raised, Returned
from flopod.workflow.children import Offspring
from flopod.workflow.commands import CancelLeaf, Command, Commit, Compact
from flopod.workflow.compaction import Compaction
from flopod.workflow.compensations import Compensations
from flopod.workflow.delivery import Delivery
from flopod.workflow.describing import describe_event
from flopod.workflow.ending import Ending
from flopod.workflow.mailbox import Letter, Mailbox
from flopod.workflow.operations import Operation, Wait
from flopod.workflow.output import Output
from flopod.workflow.replay import Replay
from flopod.workflow.scheduler import Scheduler
from flopod.workflow.scope import Scope
from flopod.workflow.snapshot import Budget, Capturing, drop_captured

E = TypeVar("E", bound=Event)
CANCEL, PAUSE, RESUME = "flopod.cancel", "flopod.pause", "flopod.resume"
_random = random.Random()


class Core:
    """One run being replayed or driven.

    `opening` are the events of this start or resume, appended with the first commit. After a step,
    `ended` is the terminal event if the run is over, `diverged` the error if log and code disagree,
    `paused` the reason if it rests. `crashed` says that the process before was killed. The log is compacted
    when at least `compact` of its records can go, and never for None.

    A body that asyncio steps sets `external`, the way to await an operation from there. Then a step
    delivers one outcome and is `unsettled`: nothing is committed before the body had its turn; and
    while its replay is `patient`, it waits for what the log holds and the body has not asked for yet.
    """

    def __init__(
        self,
        run_id: str,
        history: History,
        opening: Sequence[Event] = (),
        *,
        crashed: bool = False,
        max_crashes: int = 5,
        compact: int | None = None,
    ) -> None:
        self.run_id = run_id
        self.history = history
        self.scheduler = Scheduler()  # type: ignore[abstract] # what a body may not do is left out
        self.ending = Ending(self.scheduler)
        self.agenda = Agenda()
        self.mailbox = Mailbox()
        self.output = Output(self)
        self.compensations = Compensations(self)
        self.offspring = Offspring()
        self.random = _random
        self.now = 0
        self.fenced = False
        self.external: Callable[[Operation], Generator[Any, Any, Any]] | None = None
        self.ended: RunCompleted | RunFailed | RunCancelled | None = None
        self.diverged: DivergenceError | None = None
        self.paused: str | None = None
        self.done = 0
        self.budget = Budget()
        self.compaction = Compaction(history.ledger, None if history.is_rewound else compact)
        self.capturing: WeakSet[Capturing] = WeakSet()
        self.created: dict[str, Operation] = {}
        self.replay = Replay(self)
        self.delivery = Delivery(self)
        self.unsettled = False
        self.constants: dict[str, Any] = {}
        self.open: dict[str, Operation] = {}
        self.root = Scope(self, None, "")
        self._abandoned: list[str] = []
        self._live = False
        self._acts = False
        self._active: set[str] = set()
        self._crashed = crashed
        self._max_crashes = max_crashes
        self._seq = history.last_seq
        self._buffer: list[Event] = list(opening)
        self._first = self.next_seq
        self._commands: list[Command] = []
        self.scheduler.now = next((one.at for one in (history.started, *opening) if one is not None), 0)
        self._pausing: str | None = None
        for mail in history.mail:
            self.mailbox.put(Letter(mail.seq, mail.event))
        for control in history.controls:
            self._obey(control.event)

    # -- driving ---------------------------------------------------------------------------------

    def start(self, body: Callable[[Scope], Coroutine[Any, Any, Any]]) -> None:
        """Make `body` the main arm; the first step begins it."""
        self.ending.follow(self.compensations.guard(body(self.root)))
        self.replay.check_past()

    def finish(self, error: BaseException | None, value: Any = None) -> None:
        """End a run whose body is stepped by something else."""
        if not self.fenced:
            self.ending.finish(error, value)

    def step(self, now: int) -> Commit:
        """Run until everything is blocked, delivering recorded outcomes first, then those at hand."""
        self.now = now
        self.unsettled = False
        while not self.fenced and not self.unsettled:
            self.scheduler.run(self.ending.stops_the_round)
            if self.fenced or self.ending.cancel_rest():
                continue
            if self.history.replaying:
                if not self.replay.deliver() and not self._act():
                    break
            elif not (self.delivery.next() if self._live or self._go_live() else self._act()):
                break
            if self.external is not None:
                self.scheduler.run(self.ending.stops_the_round)
                self.unsettled = True
        return self._commit()

    def complete(self, path: str, outcome: Returned | Raised, now: int) -> None:
        """Report the outcome of a started leaf."""
        self.now = now
        self.agenda.running.discard(path)
        operation = self.open.get(path)
        if not isinstance(operation, Activity) or self.fenced:
            return
        next_try = operation.next_try(outcome) if isinstance(outcome, Raised) else None
        if isinstance(outcome, Raised) and next_try is not None:
            self.emit(operation.retry(outcome, next_try))
        else:
            self.agenda.arrive(operation, partial(operation.deliver, outcome))

    def child_ended(self, ended: ChildCompleted, now: int) -> None:
        """Report the end of a child that is watched."""
        self.now = now
        child = self.offspring.open.get(ended.child)
        if child is not None and not self.fenced:
            self.agenda.arrive(child, partial(child.deliver, ended))

    def progressed(self, path: str, attempt: int, progress: Raw, now: int) -> None:
        """Report how far a started leaf has come."""
        self.now = now
        operation = self.open.get(path)
        if isinstance(operation, Activity):
            operation.progressed(attempt, progress)

    def flush(self) -> Commit:
        """Hand out what has been reported, without a step: a leaf under way holds it up."""
        commit = Commit(self._seq, self._buffer, [])
        self._buffer = []
        self._seq += len(commit.events)
        return commit

    def receive(self, number: int, path: str, event: str, payload: Raw, now: int) -> None:
        """Take over item `number` of the run's inbox; items taken over before are ignored."""
        if number <= self.history.last_inbox or self.fenced or self.ended is not None:
            return
        self.now = now
        self.history.last_inbox = number
        path = self.history.today(path)
        received = EventReceived(path=path, at=now, event=event, payload=payload, inbox=number)
        self.emit(received)
        if path:
            self.mailbox.put(Letter(self.next_seq - 1, received))
        else:
            self._obey(received)

    def _obey(self, control: EventReceived) -> None:
        """Do what the run was told: something delivered to no path."""
        reason = codec.decode(control.payload)
        if control.event == CANCEL:
            self.cancel(reason)
        elif control.event == PAUSE:
            self.pause(reason)

    def pause(self, reason: str = "") -> None:
        """Bring the run to rest: what is under way ends, nothing else is started."""
        self._pausing = reason

    def cancel(self, reason: str = "") -> None:
        """Cancel the run: CancelledError is raised where its body waits, and it may clean up."""
        self.delivery.cancel_reason = reason

    def next_due(self) -> int | None:
        """Return when `step` should be called at the latest (ms since the epoch), if ever."""
        return self.agenda.next_due(self.scheduler.floor)

    @property
    def pending(self) -> int:
        """How many events the next commit has so far."""
        return len(self._buffer)

    @property
    def last_seq(self) -> int:
        """The number of the last event in the log, those that steps have handed out included."""
        return self._seq

    @property
    def next_seq(self) -> int:
        """The sequence number of the next event."""
        return self._seq + len(self._buffer) + 1

    def base(self) -> int:
        """Return the last record that is sure not to belong to what the body begins now."""
        is_silent = self.next_seq == self._first
        return self.history.base(self.next_seq - 1) if is_silent else self.next_seq - 1

    @property
    def value(self) -> Any:
        """The result of a completed run."""
        return self.ending.value

    @property
    def error(self) -> BaseException | None:
        """The error of a failed run."""
        return self.ending.error

    @property
    def live(self) -> bool:
        """Whether the recorded past is over."""
        return self._live

    @property
    def acts(self) -> bool:
        """Whether the run asks the world for something: it is live, or a new call stands in its past."""
        return self._live or self._acts

    @property
    def has_more(self) -> bool:
        """Whether the next step has something to do already."""
        scheduler = self.scheduler
        arrived = self.agenda.has_arrived(scheduler.floor)
        return self.unsettled or self.delivery.is_full or arrived or scheduler.is_ready

    def abandon(self) -> None:
        """Leave without unwinding: nothing of the body runs any more, not even a `finally`."""
        self.fenced = True
        fence.abandon(self)

    def discard(self) -> None:
        """Leave without unwinding, in a process that goes on with other runs: free the memory."""
        self.fenced = True
        if not self.scheduler.discard():
            fence.abandon(self)

    # -- what operations and scopes use ----------------------------------------------------------

    def ask(self, key: EntryKey, kind: type[E], asking: Any) -> E | None:
        """Return the recorded entry of `key`, None if it is new; a misfit fences the run.

        `asking.describe()` says what the code asks for.
        """
        entry = self.history.find(key)
        path = key if isinstance(key, str) else key[0]
        if entry is None:
            history = self.history
            if history.ended is not None or (history.behind and not history.is_early(path)):
                asked = f"{asking.describe()}, a new call in the past"
                self.diverge(path, "nothing, though later events follow", asked)
            return None
        if not isinstance(entry.event, kind):
            self.diverge(path, describe_event(entry.event), asking.describe())
            return None
        self.history.ask(entry)
        return entry.event

    def conflict(self, path: str, recorded: str, current: str) -> None:
        """Stop the run, unless the plan says that this call has changed since it was recorded."""
        if not self.history.is_changed(path):
            self.diverge(path, recorded, current)

    def emit(self, event: Event) -> None:
        """Put an event of the body into the next commit."""
        if self.fenced:
            return
        self._buffer.append(event)
        self.budget.count(event)
        self.compaction.emitted(event)

    def emit_snapshot(self, event: IterationCompleted) -> None:
        """Emit a snapshot, in place of changes of variables that it holds too."""
        if event.states:
            drop_captured(self._buffer, event.states)
        self.emit(event)

    @property
    def wants_visible(self) -> bool:
        """Whether events of state and output are emitted at all now."""
        return not self.fenced and not self.history.behind

    def emit_visible(self, event: Event) -> bool:
        """Emit an event of state or output unless the log has it; returns whether it was new."""
        if self.fenced or self.history.behind or self.history.take_tail(event):
            return False
        self.emit(event)
        return True

    def command(self, command: Command) -> None:
        """Ask the world for something after the next commit."""
        if not self.fenced:
            self._commands.append(command)

    def opened(self, operation: Operation) -> None:
        """Take an operation that has begun."""
        self.open[operation.path] = operation
        if self._live:
            operation.activate()

    def closed(self, operation: Operation) -> None:
        """Forget an operation that is over, with or without an outcome."""
        had_begun = self.open.pop(operation.path, None) is not None
        self.created.pop(operation.path, None)
        if had_begun and operation.future.cancelled():
            self._abandoned.append(operation.path)
            if self._live:
                self._emit_abandoned()
        if isinstance(operation, Wait):
            self.mailbox.leave(operation)
        elif (
            isinstance(operation, Activity) and self.agenda.forget(operation) and operation.future.cancelled()
        ):
            self.command(CancelLeaf(operation.path))

    def _emit_abandoned(self) -> None:
        """Write down what was cancelled; the end of the run closes everything anyway."""
        paths = [path for path in self._abandoned if path not in self.history.abandoned]
        self._abandoned = []
        if not paths or self.ending.result is not None or self.fenced:
            return
        last = self._buffer[-1] if self._buffer else None
        if isinstance(last, Abandoned):
            self._buffer[-1] = replace(last, paths=[*last.paths, *paths])
        else:
            self.emit(Abandoned(at=self.now, paths=paths))

    def settle(self, operation: Operation, event: Event) -> None:
        """Give an operation its outcome."""
        self.done += isinstance(operation, Activity)
        operation.settle(event)
        self.closed(operation)

    def touched(self, arguments: codec.Known) -> None:
        """Note that an outcome changed a call's arguments or refers to them.

        No compiler foresees that: a loop under way goes on without capture unless it carries them all.
        """
        for loop in list(self.capturing):
            loop.touched(arguments)

    def diverge(self, path: str, recorded: str, current: str) -> None:
        """Stop the run: its log and its code disagree."""
        if not self.fenced:
            self.diverged = DivergenceError(path, recorded, current)
            self.fenced = True

    def bridge(self, operation: Operation) -> Generator[Any, Any, Any]:
        """Await an operation from code that something else steps."""
        if self.external is None:
            raise RuntimeError(f"{operation.path}: awaited outside of its run")
        return self.external(operation)

    # -- live ------------------------------------------------------------------------------------

    def _go_live(self) -> bool:
        if not self.replay.is_over():
            return False
        self._live = True
        self.history.end()
        self._activate()
        self._emit_abandoned()
        return True

    def _act(self) -> bool:
        """Ask the world for what is new in the past; what older builds recorded is delivered afterwards."""
        if not self.replay.acts():
            return False
        self._acts = True
        self._activate()
        return self.delivery.next()

    def _activate(self) -> None:
        for path, operation in list(self.open.items()):
            if path not in self._active:
                operation.activate()
        self._active = set(self.open) if self._acts else set()

    # -- committing ------------------------------------------------------------------------------

    def _commit(self) -> Commit:
        if self.diverged is not None or not self.acts or self.unsettled:
            return Commit(self._seq, [], [])
        self._close_run()
        self._start_leaves()
        if self._has_only_resumed():
            return Commit(self._seq, [], [])
        for seq, event in enumerate(self._buffer, self._seq + 1):
            self.compaction.appended(seq, event)
        self._compact()
        commit = Commit(self._seq, self._buffer, self._commands, self.offspring.take_begun())
        self._buffer, self._commands = [], []
        self._seq += len(commit.events)
        return commit

    def _compact(self) -> None:
        """Drop what the log can do without; a run that is over stays as it is."""
        if self.ended is not None or self.paused is not None:
            return
        compacted = self.compaction.due(self.now)
        if compacted is not None:
            self._buffer.append(compacted)
            self.compaction.appended(self._seq + len(self._buffer), compacted)
            self.command(Compact(compacted.dropped, compacted.inbox))

    def _has_only_resumed(self) -> bool:
        """Whether nothing has happened yet in a process that only waits: then nothing is written."""
        if len(self._buffer) != 1 or self._commands or self.ended is not None:
            return False
        event = self._buffer[0]
        return isinstance(event, RunResumed) and not (event.crashed or event.reason or event.waits)

    def _close_run(self) -> None:
        if self.ended is None and self.ending.is_over and self.ending.result is not None:
            self.ended = replace(self.ending.result, at=self.now)
            if self.ending.was_cancelled:
                self.ended = RunCancelled(at=self.now, reason=self.ending.cancelled or "")
            if self.history.ended is None:
                self._buffer.append(self.ended)

    def _start_leaves(self) -> None:
        if self._pausing is not None and self.ended is None:
            self._rest(self._pausing)
            return
        starting = self.agenda.take_starting(self.now, self.scheduler)
        if any(map(self._is_poisoned, starting)):
            return
        for activity in starting:
            if activity.is_too_late():
                self.agenda.arrive(activity, partial(activity.deliver, activity.give_up()))
            else:
                self.agenda.running.add(activity.path)
                self._commands.append(activity.command())

    def _rest(self, reason: str) -> None:
        """Pause as soon as no leaf is running and nothing that arrived is left to be delivered."""
        if not self.agenda.running and not self.has_more:
            self.paused = reason
            self._buffer.append(RunPaused(at=self.now, reason=reason))
            self.fenced = True

    def _is_poisoned(self, activity: Activity) -> bool:
        if not poisoned(self.history, activity.path, self._max_crashes, self._crashed):
            return False
        crashes = self.history.crashes_of(activity.path) + self._crashed
        self.paused = (
            f"{activity.path} ({activity.describe()}) was running at {crashes} crashes in a row; "
            "it is not started again until the run is resumed on purpose"
        )
        self._buffer.append(RunPaused(path=activity.path, at=self.now, reason=self.paused))
        self.fenced = True
        return True
