"""A run without I/O: log and outcomes in, events to commit and commands to carry out.

`step` runs the body until nothing can go on without the world, and returns a `Commit`. The world
appends its events, then carries out its commands, reports back (`complete`, `receive`), steps again.
"""

import heapq
import random
from asyncio import CancelledError
from collections import deque
from collections.abc import Callable, Coroutine, Generator, Sequence
from typing import Any, Protocol, TypeVar
from weakref import WeakSet

from msgspec import Raw

from flopod import codec
from flopod.errors import DivergenceError, SerializableError
from flopod.events import (
    ActivityFailed,
    Event,
    EventReceived,
    IterationCompleted,
    RunCancelled,
    RunCompleted,
    RunFailed,
    RunPaused,
    SleepCompleted,
    WaitCompleted,
)
from flopod.log.history import EntryKey, History, iteration_of, poisoned
from flopod.workflow import fence
from flopod.workflow.arguments import Raised, Returned
from flopod.workflow.commands import CancelLeaf, Command, Commit
from flopod.workflow.mailbox import Letter, Mailbox
from flopod.workflow.operations import Activity, Operation, Wait, describe_event, read_payload
from flopod.workflow.output import Output
from flopod.workflow.scheduler import Arm, Future, Scheduler
from flopod.workflow.scope import Scope
from flopod.workflow.snapshot import Budget
from flopod.workflow.tracebacks import author_traceback

E = TypeVar("E", bound=Event)


class Capturing(Protocol):
    """A loop that takes snapshots of what it carries."""

    def touched(self, arguments: codec.Known) -> None: ...


_GROUP = 256


class Core:
    """One run being replayed or driven.

    `opening` are the events of this start or resume, appended with the first commit. After a step,
    `ended` is the terminal event if the run is over, `diverged` the error if log and code disagree,
    `paused` the reason if it rests. `crashed` says that the process before was killed.

    A body that asyncio steps sets `external`, the way to await an operation from there. Then a step
    delivers one outcome and is `unsettled`: nothing is committed before the body had its turn; and
    while the core is `patient`, it waits for what the log holds and the body has not asked for yet.
    """

    def __init__(
        self,
        run_id: str,
        history: History,
        opening: Sequence[Event] = (),
        *,
        crashed: bool = False,
        max_crashes: int = 5,
    ) -> None:
        self.run_id = run_id
        self.history = history
        self.scheduler = Scheduler()
        self.scheduler.on_exit = self._program_exit
        self.mailbox = Mailbox()
        self.output = Output(self)
        self.random = random.Random()
        self.now = 0
        self.fenced = False
        self.external: Callable[[Operation], Generator[Any, Any, Any]] | None = None
        self.ended: RunCompleted | RunFailed | None = None
        self.cancelled: str | None = None
        self.diverged: DivergenceError | None = None
        self.paused: str | None = None
        self.value: Any = None
        self.error: BaseException | None = None
        self.done = 0
        self.budget = Budget()
        self.capturing: WeakSet[Capturing] = WeakSet()
        self.created: dict[str, Operation] = {}
        self.patient = False
        self.unsettled = False
        self.constants: dict[str, Any] = {}
        self.open: dict[str, Operation] = {}
        self.root = Scope(self, None, "")
        self._live = False
        self._is_grouped = False
        self._crashed = crashed
        self._max_crashes = max_crashes
        self._seq = history.last_seq
        self._buffer: list[Event] = list(opening)
        self._commands: list[Command] = []
        self._starting: list[Activity] = []
        self._running: set[str] = set()
        self._retrying: dict[str, int] = {}
        self._timers: list[tuple[int, int, Operation]] = []
        self._timer_count = 0
        self._arrived: deque[tuple[Activity, Returned | Raised]] = deque()
        self._cancel_reason: str | None = None
        self._main: Arm | None = None
        self._result: RunCompleted | RunFailed | None = None
        self._unwinding = False
        for mail in history.mail:
            self.mailbox.put(Letter(mail.seq, mail.event))

    # -- driving ---------------------------------------------------------------------------------

    def start(self, body: Callable[[Scope], Coroutine[Any, Any, Any]]) -> None:
        """Make `body` the main arm; the first step begins it."""
        self._main = Arm(self.scheduler, body(self.root))
        self._main.add_done_callback(self._main_ended)

    def step(self, now: int) -> Commit:
        """Run until everything is blocked, delivering recorded outcomes first, then those at hand."""
        self.now = now
        self.unsettled = False
        while not self.fenced and not self.unsettled:
            self.scheduler.run(self._main_is_over)
            if self.fenced or self._cancel_rest():
                continue
            if self.history.replaying:
                if not self._replay():
                    break
            elif not self._go_live() or self._is_over() or self._is_large() or not self._deliver():
                break
            if self.external is not None:
                self.scheduler.run(self._main_is_over)
                self.unsettled = True
        return self._commit()

    def complete(self, path: str, outcome: Returned | Raised, now: int) -> None:
        """Report the outcome of a started leaf."""
        self.now = now
        self._running.discard(path)
        operation = self.open.get(path)
        if not isinstance(operation, Activity) or self.fenced:
            return
        if isinstance(outcome, Raised):
            next_try = operation.next_try(outcome)
            if next_try is not None:
                self._retry(operation, outcome, next_try)
                return
        self._arrived.append((operation, outcome))

    def receive(self, number: int, path: str, event: str, payload: Raw, now: int) -> None:
        """Take over item `number` of the run's inbox; items taken over before are ignored."""
        if number <= self.history.last_inbox or self.fenced or self.ended is not None:
            return
        self.now = now
        self.history.last_inbox = number
        received = EventReceived(path=path, at=now, event=event, payload=payload, inbox=number)
        self.emit(received)
        self.mailbox.put(Letter(self.next_seq - 1, received))

    def cancel(self, reason: str = "") -> None:
        """Cancel the run: CancelledError is raised where its body waits, and it may clean up."""
        self._cancel_reason = reason

    def next_due(self) -> int | None:
        """Return when `step` should be called at the latest (ms since the epoch), if ever."""
        while self._timers and self._timers[0][2].done():
            heapq.heappop(self._timers)
        dues = [*self._retrying.values()]
        if self._timers:
            dues.append(self._timers[0][0])
        return min(dues, default=None)

    @property
    def next_seq(self) -> int:
        """The sequence number of the next event."""
        return self._seq + len(self._buffer) + 1

    @property
    def was_cancelled(self) -> bool:
        """Whether the run ended because it was cancelled."""
        return self.cancelled is not None and isinstance(self.error, CancelledError)

    @property
    def live(self) -> bool:
        """Whether the recorded past is over."""
        return self._live

    @property
    def has_more(self) -> bool:
        """Whether the next step has something to deliver already."""
        floor = self.scheduler.floor
        arrived = any(floor is None or operation is floor for operation, _ in self._arrived)
        return arrived or self.unsettled or self._is_grouped

    @property
    def running(self) -> set[str]:
        """The paths of the leaves that were started and have not reported."""
        return self._running

    @property
    def retrying(self) -> dict[str, int]:
        """When failed leaves are tried again (ms since the epoch), by path."""
        return self._retrying

    def pending_retries(self) -> list[tuple[str, int, int]]:
        """Return path, attempt that failed and time of the next one, of each leaf to be tried again."""
        return [
            (path, operation.attempt - 1, due)
            for path, due in self._retrying.items()
            if isinstance(operation := self.open.get(path), Activity)
        ]

    def abandon(self) -> None:
        """Leave without unwinding: nothing of the body runs any more, not even a `finally`."""
        self.fenced = True
        fence.abandon(self)

    # -- what operations and scopes use ----------------------------------------------------------

    def ask(self, key: EntryKey, kind: type[E], asking: Any) -> E | None:
        """Return the recorded entry of `key`, None if it is new; a misfit fences the run.

        `asking.describe()` says what the code asks for.
        """
        entry = self.history.find(key)
        path = key if isinstance(key, str) else key[0]
        if entry is None:
            if self.history.replaying or self.history.ended is not None:
                asked = f"{asking.describe()}, a new call in the past"
                self.diverge(path, "nothing, though later events follow", asked)
            return None
        if not isinstance(entry.event, kind):
            self.diverge(path, describe_event(entry.event), asking.describe())
            return None
        entry.asked = True
        return entry.event

    def emit(self, event: Event) -> None:
        """Put an event of the body into the next commit."""
        if self.fenced:
            return
        self._buffer.append(event)
        self.budget.written += _weight(event)

    @property
    def wants_visible(self) -> bool:
        """Whether events of state and output are emitted at all now."""
        return not self.fenced and not self.history.replaying

    def emit_visible(self, event: Event) -> bool:
        """Emit an event of state or output unless the log has it; returns whether it was new."""
        if self.fenced or self.history.replaying or self.history.take_tail(event):
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
        self.open.pop(operation.path, None)
        self.created.pop(operation.path, None)
        if isinstance(operation, Wait):
            self.mailbox.leave(operation)
        elif isinstance(operation, Activity):
            self._retrying.pop(operation.path, None)
            if operation in self._starting:
                self._starting.remove(operation)
            if operation.path in self._running and operation.cancelled():
                self._running.discard(operation.path)
                self.command(CancelLeaf(operation.path))

    def start_leaf(self, activity: Activity) -> None:
        """Start the next attempt of an activity with the next commit."""
        self._starting.append(activity)

    def retry_at(self, due: int, activity: Activity) -> None:
        """Start the next attempt of an activity at `due` (ms since the epoch)."""
        self._retrying[activity.path] = due

    def touched(self, arguments: codec.Known) -> None:
        """Note that an outcome changed a call's arguments or refers to them.

        No compiler foresees that: a loop under way goes on without capture unless it carries them all.
        """
        for loop in list(self.capturing):
            loop.touched(arguments)

    def wake_at(self, due: int, operation: Operation) -> None:
        """Settle a sleep or a wait at `due` (ms since the epoch)."""
        self._timer_count += 1
        heapq.heappush(self._timers, (due, self._timer_count, operation))

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

    # -- replay ----------------------------------------------------------------------------------

    def _replay(self) -> bool:
        record = self.history.next_outcome()
        if record is None:
            return True
        seq, event = record
        missing = self.history.first_unasked()
        if missing is not None and missing.seq < seq:
            return self._miss(missing.event)
        if isinstance(event, RunCancelled):
            self.history.delivered()
            self._cancel_main(event.reason)
            return True
        operation = self._asked_for(event)
        if operation is None:
            return self._miss(event)
        self.history.delivered()
        self._settle_recorded(operation, event)
        return True

    def _asked_for(self, event: Event) -> Operation | None:
        path = iteration_of(event) if isinstance(event, IterationCompleted) else event.path
        operation = self.open.get(path)
        floor = self.scheduler.floor
        return operation if floor is None or operation is floor else None

    def _miss(self, event: Event) -> bool:
        if self.patient:
            return False
        self.diverge(event.path, describe_event(event), "this build does not ask for it")
        return True

    def _settle_recorded(self, operation: Operation, event: Event) -> None:
        try:
            self._settle(operation, event)
        except Exception as error:
            self.diverge(event.path, describe_event(event), f"this build cannot read it: {error}")

    def _settle(self, operation: Operation, event: Event) -> None:
        self.done += isinstance(operation, Activity)
        operation.settle(event)
        self.closed(operation)

    # -- live ------------------------------------------------------------------------------------

    def _go_live(self) -> bool:
        if self._live:
            return True
        missing = self.history.first_unasked()
        if missing is not None:
            return self._miss(missing.event) and not self.fenced
        self._live = True
        self.history.end()
        for operation in list(self.open.values()):
            operation.activate()
        return True

    def _deliver(self) -> bool:
        floor = self.scheduler.floor
        if floor is not None:
            return self._deliver_arrived(floor)
        if self._cancel_reason is not None:
            return self._deliver_cancel(self._cancel_reason)
        return self._deliver_arrived(None) or self._deliver_mail() or self._deliver_timer()

    def _deliver_arrived(self, only: Future | None) -> bool:
        for index, (operation, outcome) in enumerate(self._arrived):
            if only is None or operation is only:
                del self._arrived[index]
                if not operation.done():
                    self._deliver_leaf(operation, outcome)
                return True
        return False

    def _deliver_leaf(self, operation: Activity, outcome: Returned | Raised) -> None:
        outcome = operation.settled(outcome)
        event, deliver = (
            operation.returned(outcome) if isinstance(outcome, Returned) else operation.raised(outcome)
        )
        self.emit(event)
        self.done += 1
        deliver()
        self.closed(operation)

    def _deliver_mail(self) -> bool:
        found = self.mailbox.match()
        if found is None:
            return False
        wait, letter = found
        try:
            value = read_payload(letter.event.payload, wait.type)
        except Exception as error:
            message = f"the payload of {wait.event!r} is dropped, it does not fit: {error}"
            self.output.warn_dropped(wait.path, message, letter.seq)
            return True
        self.emit(
            WaitCompleted(path=wait.path, at=self.now, payload=letter.event.payload, event_seq=letter.seq)
        )
        wait.set_result(value)
        self.closed(wait)
        return True

    def _deliver_timer(self) -> bool:
        due = self._due_timer()
        if due is None:
            return False
        event: Event
        if isinstance(due, Wait):
            event = WaitCompleted(path=due.path, at=self.now, timed_out=True)
        else:
            event = SleepCompleted(path=due.path, at=self.now)
        self.emit(event)
        self._settle(due, event)
        return True

    def _due_timer(self) -> Operation | None:
        timers = self._timers
        while timers and timers[0][0] <= self.now:
            operation = heapq.heappop(timers)[2]
            if not operation.done():
                return operation
        return None

    def _deliver_cancel(self, reason: str) -> bool:
        self._cancel_reason = None
        if self.cancelled is not None:
            return False
        self.emit(RunCancelled(at=self.now, reason=reason))
        self._cancel_main(reason)
        return True

    def _cancel_main(self, reason: str) -> None:
        self.cancelled = reason
        if self._main is not None:
            self._main.cancel()

    def _retry(self, operation: Activity, outcome: Raised, next_try: int) -> None:
        failed = ActivityFailed(
            path=operation.path,
            at=self.now,
            attempt=operation.attempt,
            error=outcome.error,
            next_try=next_try,
            traceback=outcome.traceback,
        )
        self.emit(failed)
        operation.attempt += 1
        self.retry_at(next_try, operation)

    # -- the end ---------------------------------------------------------------------------------

    def _main_is_over(self) -> bool:
        return self._result is not None and not self._unwinding

    def _main_ended(self, main: Future) -> None:
        error = main.exception()
        self.finish(error) if error is not None else self.finish(None, main.result())

    def _program_exit(self, arm: Arm) -> None:
        if arm is not self._main and self._result is None:
            self.finish(arm.exception())

    def finish(self, error: BaseException | None, value: Any = None) -> None:
        """Fix the result of the run; it ends when the arms that are still alive have unwound."""
        if self._result is not None or self.fenced:
            return
        if error is None:
            try:
                document = Raw(codec.encode(value))
                self.value = codec.decode(document)
                self._result = RunCompleted(at=self.now, result=document)
                return
            except SerializableError as wrong:
                wrong.field = f"result.{wrong.field}" if wrong.field else "result"
                error = wrong
        self.error = error
        text = author_traceback(error)
        self._result = RunFailed(at=self.now, error=Raw(codec.encode(error)), traceback=text)

    def _cancel_rest(self) -> bool:
        if self._result is None or self._unwinding or self.scheduler.floor is not None:
            return False
        self._unwinding = True
        for arm in list(self.scheduler.alive):
            arm.cancel()
        return True

    def _is_over(self) -> bool:
        return self._result is not None and not self.scheduler.alive

    def _is_large(self) -> bool:
        self._is_grouped = len(self._buffer) >= _GROUP
        return self._is_grouped

    # -- committing ------------------------------------------------------------------------------

    def _commit(self) -> Commit:
        if self.diverged is not None or not self._live or self.unsettled:
            return Commit(self._seq, [], [])
        self._close_run()
        self._start_leaves()
        events, self._buffer = self._buffer, []
        commands, self._commands = self._commands, []
        commit = Commit(self._seq, events, commands)
        self._seq += len(events)
        return commit

    def _close_run(self) -> None:
        if self.ended is None and self._is_over():
            self.ended = self._result
            if self.ended is not None and not self.was_cancelled and self.history.ended is None:
                self._buffer.append(self.ended)

    def _start_leaves(self) -> None:
        for path, due in list(self._retrying.items()):
            if due <= self.now:
                del self._retrying[path]
                operation = self.open[path]
                if isinstance(operation, Activity):
                    self._starting.append(operation)
        starting, self._starting = self._starting, []
        if any(self._is_poisoned(activity) for activity in starting):
            return
        for activity in starting:
            self._running.add(activity.path)
            self._commands.append(activity.command())

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


def _weight(event: Event) -> int:
    raws = (getattr(event, name) for name in event.__struct_fields__)
    return 120 + sum(len(bytes(raw)) for raw in raws if isinstance(raw, Raw))
