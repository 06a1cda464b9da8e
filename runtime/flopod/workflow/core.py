"""A run without I/O: log and outcomes in, events to commit and commands to carry out.

`step` runs the body until nothing can go on without the world, and returns a `Commit`. The world appends its
events, then carries out its commands, reports back (`complete`, `receive`), steps again.
"""

from collections.abc import Callable, Coroutine, Generator, Sequence
from functools import partial
from typing import Any
from weakref import WeakSet

from msgspec import Raw

from flopod import codec
from flopod.background import Background
from flopod.errors import DivergenceError, HiddenValue
from flopod.events import (
    Abandoned,
    ChildCompleted,
    Event,
    EventReceived,
    IterationCompleted,
    RunCancelled,
    RunCompleted,
    RunFailed,
    RunStarted,
)
from flopod.log.history import History
from flopod.log.rewind import CANCEL
from flopod.workflow import fence
from flopod.workflow.activity import Activity
from flopod.workflow.agenda import Agenda
from flopod.workflow.arguments import Raised, Returned
from flopod.workflow.children import Offspring
from flopod.workflow.commands import CancelLeaf, Command, Commit
from flopod.workflow.compaction import Compaction
from flopod.workflow.compensations import Compensations
from flopod.workflow.conclusion import Conclusion
from flopod.workflow.delivery import Delivery
from flopod.workflow.draft import Draft
from flopod.workflow.ending import Ending
from flopod.workflow.mailbox import Letter, Mailbox
from flopod.workflow.operations import Operation, Wait
from flopod.workflow.output import Output
from flopod.workflow.pausing import Pausing
from flopod.workflow.present import Present
from flopod.workflow.replay import Replay
from flopod.workflow.scheduler import Scheduler
from flopod.workflow.scope import Scope
from flopod.workflow.snapshot import Budget, Capturing
from flopod.workflow.steady import steady

PAUSE, CHANGED = "flopod.pause", "flopod.changed"
_LASTING = {"run_id", "ended", "fenced", "scheduler"}


class Core:
    """One run being replayed or driven.

    `opening` are the events of this start or resume, appended with the first commit; `started` is the first
    event of the run. After a step,
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
        self.started = history.started or next((one for one in opening if isinstance(one, RunStarted)), None)
        self.now = 0
        self.done = 0
        self.fenced = False
        self.unsettled = False
        self.external: Callable[[Operation], Generator[Any, Any, Any]] | None = None
        self.ended: RunCompleted | RunFailed | RunCancelled | None = None
        self.scheduler = Scheduler()  # type: ignore[abstract] # what a body may not do is left out
        self.scheduler.now = next((one.at for one in (history.started, *opening) if one is not None), 0)
        self.ending = Ending(self.scheduler)
        self.agenda = Agenda()
        self.mailbox = Mailbox(Letter(mail.seq, mail.event) for mail in history.mail)
        self.output = Output(self)
        self.background = Background()
        self.compensations = Compensations(self)
        self.offspring = Offspring()
        self.pausing = Pausing(history.attempts, max_crashes, crashed)
        self.reading: Callable[[str, Callable[..., Any]], Callable[..., Any]] = steady
        self.budget = Budget()
        self.compaction = Compaction(history.ledger, None if history.is_rewound else compact)
        self.draft = Draft(history.last_seq, opening)
        self.replay = Replay(self)
        self.delivery = Delivery(self)
        self.present = Present(self)
        self.conclusion = Conclusion(self)
        self.capturing: WeakSet[Capturing] = WeakSet()
        self.constants: dict[str, Any] = {}
        self.created: dict[str, Operation] = {}
        self.open: dict[str, Operation] = {}
        self.items: dict[str, bool] = {}
        self.root = Scope(self, None, "")
        self._cancelled: list[str] = []
        for control in history.controls:
            self._obey(control.event)

    # -- driving ---------------------------------------------------------------------------------

    def start(self, body: Callable[[Scope], Coroutine[Any, Any, Any]]) -> None:
        """Make `body` the main arm; the first step begins it."""
        main = partial(self.background.finish, lambda: body(self.root))
        self.ending.follow(self.compensations.guard(main))
        self.replay.check_past()

    def finish(self, error: BaseException | None, value: Any = None) -> None:
        """End a run whose body is stepped by something else."""
        if not self.fenced:
            self.ending.finish(error, value)

    def step(self, now: int) -> Commit:
        """Run until everything is blocked, delivering recorded outcomes first, then those at hand."""
        self.now = now
        self.unsettled = False
        present = self.present
        while not self.fenced and not self.unsettled:
            self.scheduler.run(self.ending.stops_the_round)
            if self.fenced or self.ending.cancel_rest():
                continue
            if self.history.replaying:
                if not self.replay.deliver() and not present.comes_early():
                    break
            elif not (self.delivery.next() if self.live or present.begins() else present.comes_early()):
                break
            if self.external is not None:
                self.scheduler.run(self.ending.stops_the_round)
                self.unsettled = True
        return self.conclusion.commit()

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
        return self.draft.take_events()

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
            self.mailbox.put(Letter(self.draft.next_seq - 1, received))
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
        self.pausing.wanted = reason

    def cancel(self, reason: str = "") -> None:
        """Cancel the run: CancelledError is raised where its body waits, and it may clean up."""
        self.delivery.cancel_reason = reason

    def next_due(self) -> int | None:
        """Return when `step` should be called at the latest (ms since the epoch), if ever."""
        return self.agenda.next_due(self.scheduler.floor)

    @property
    def paused(self) -> str | None:
        """Why the run rests, None if it does not."""
        return self.pausing.reason

    @property
    def diverged(self) -> DivergenceError | HiddenValue | None:
        """How log and code disagree, None if they do not."""
        return self.replay.diverged

    @property
    def last_seq(self) -> int:
        """The number of the last event in the log, those that steps have handed out included."""
        return self.draft.seq

    def base(self) -> int:
        """Return the last record that is sure not to belong to what the body begins now."""
        last = self.draft.next_seq - 1
        return self.history.base(last) if self.draft.is_silent else last

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
        return self.present.is_live

    @property
    def acts(self) -> bool:
        """Whether the run asks the world for something: it is live, or a new call stands in its past."""
        return self.present.acts

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

    def dissolve(self) -> None:
        """Let go of all parts of a run that nobody looks at any more, but for how it ended.

        They know each other: of many runs they would pile up until the collector finds them.
        """
        if self.scheduler.alive:
            return
        for operation in (*self.created.values(), *self.open.values()):
            operation.future.on_cancel = None
            operation.future.cancel()
        self.scheduler.forget()
        self.scheduler.on_exit = None
        self.ending.forget()
        for part in vars(self).keys() - _LASTING:
            delattr(self, part)
        self.fenced = True

    # -- what operations and scopes use ----------------------------------------------------------

    def emit(self, event: Event) -> None:
        """Put an event of the body into the next commit."""
        if self.fenced:
            return
        self.draft.add(event)
        self.budget.count(event)
        self.compaction.emitted(event)

    def emit_snapshot(self, event: IterationCompleted) -> None:
        """Emit a snapshot, in place of changes of variables that it holds too."""
        if event.states:
            self.draft.drop_captured(event.states)
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
            self.draft.commands.append(command)

    def opened(self, operation: Operation) -> None:
        """Take an operation that has begun."""
        self.open[operation.path] = operation
        if self.live:
            operation.activate()

    def closed(self, operation: Operation) -> None:
        """Forget an operation that is over, with or without an outcome."""
        operation.future.on_cancel = None
        had_begun = self.open.pop(operation.path, None) is not None
        self.created.pop(operation.path, None)
        if had_begun and operation.future.cancelled():
            self._cancelled.append(operation.path)
            if self.live:
                self.emit_abandoned()
        if isinstance(operation, Wait):
            self.mailbox.leave(operation)
        elif (
            isinstance(operation, Activity) and self.agenda.forget(operation) and operation.future.cancelled()
        ):
            self.command(CancelLeaf(operation.path))

    def emit_abandoned(self) -> None:
        """Write down what was cancelled; the end of the run closes everything anyway."""
        paths = [path for path in self._cancelled if path not in self.history.abandoned]
        self._cancelled = []
        if not paths or self.ending.result is not None or self.fenced:
            return
        if not self.draft.extend_abandoned(paths):
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

    def bridge(self, operation: Operation) -> Generator[Any, Any, Any]:
        """Await an operation from code that something else steps."""
        if self.external is None:
            raise RuntimeError(f"{operation.path}: awaited outside of its run")
        return self.external(operation)
