"""Drives a core on asyncio: commits its events, runs its leaves and timers, reads the inbox."""

import asyncio
import contextlib
import sys
import time
from collections.abc import Callable, Iterator

from msgspec import Raw

from flopod.backends.base import Backend
from flopod.engine import birth
from flopod.engine.asking import ask_while, never_called
from flopod.engine.children import Children
from flopod.engine.clock import Clock
from flopod.engine.commits import Commits, Direct
from flopod.engine.inboxreader import InboxReader
from flopod.engine.leaves import Leaves
from flopod.engine.outcome import OnProgress, RunOutcome
from flopod.engine.outside import Outside
from flopod.engine.pulses import Pulses
from flopod.engine.standing import outcome_of, progress_of
from flopod.engine.surroundings import surroundings
from flopod.engine.telling import Calls
from flopod.errors import FlopodError, RunHeld, StoppedByHook, StorageError
from flopod.events import FINAL, ChildCompleted
from flopod.workflow.arguments import Raised, Returned
from flopod.workflow.commands import (
    CallLogger,
    CancelLeaf,
    Command,
    Commit,
    Compact,
    StartLeaf,
    Warn,
    Write,
)
from flopod.workflow.core import Core

_POLL_MS = 50
_SELDOM_MS = 250
_TURN = 0.02


class Driver:
    """One run in this process. `wake` may be called from any thread.

    With `exit_when_waiting` it returns when nothing but waits and sleeps is open. `write(stream, text)`
    takes what the workflow prints, instead of the standard streams. `commits` is the way into the store,
    by default a direct one. `on_rest` is told when nothing but waits and sleeps is open, and when that is
    over. Without `polls` somebody else looks for deliveries of other processes, and calls `wake`; without
    `inline` plain functions always run in threads, because other runs go on in this one. `children` runs what
    the workflow starts as runs of their own; `hooks` are called for what happens.
    """

    def __init__(
        self,
        core: Core,
        backend: Backend,
        *,
        clock: Clock,
        exit_when_waiting: bool = False,
        on_progress: OnProgress | None = None,
        write: Callable[[str, str], None] | None = None,
        hide_loop: bool = False,
        commits: Commits | None = None,
        on_rest: "Callable[[Driver, bool], None] | None" = None,
        polls: bool = True,
        inline: bool = True,
        children: Children | None = None,
        hooks: Calls | None = None,
    ) -> None:
        self.core = core
        self.committed: Callable[[Commit], None] | None = None
        self._backend = backend
        self._clock = clock
        self._exit_when_waiting = exit_when_waiting
        self._on_progress = on_progress
        self._write = write
        self._leaves = Leaves(core.run_id, self._report, Pulses(self._take_progress, self._save), hide_loop)
        self._commits = Direct(backend) if commits is None else commits
        self._on_rest = on_rest
        self._polls = polls and clock.real
        self._inline = inline
        self._abandon = core.abandon if inline else core.discard
        self._children = children
        self._hooks = hooks
        self._refusal: StoppedByHook | None = None
        self._around = surroundings.get()
        if children is not None:
            children.adopt(core.offspring)
        self._draining = False
        self._in_place: asyncio.Task[None] | None = None
        self._ticking: asyncio.TimerHandle | None = None
        self._woken = asyncio.Event()
        self.outside = Outside(core, self._woken)
        self._loop = asyncio.get_running_loop()
        self._inbox = InboxReader(core, backend, clock)
        self._turn = time.monotonic()
        self._broken: RunHeld | StorageError | None = None
        ledger = core.history.ledger
        self._unfinished = Compact(ledger.dropped, ledger.inbox) if ledger.dropped else None

    def wake(self) -> None:
        """Look at the inbox and step again."""
        self._inbox.is_stale = True
        self._loop.call_soon_threadsafe(self._woken.set)
        if self._in_place is not None:
            self._loop.call_soon_threadsafe(self._tick)

    def nothing_came(self) -> None:
        """Do not look at the inbox before something is heard of it, or at the usual times."""
        self._inbox.looked()

    def leave(self) -> None:
        """Return as soon as nothing but waits and sleeps is open."""
        self._exit_when_waiting = True
        self.wake()

    def drain(self) -> None:
        """Return as soon as the leaves under way have ended; no other one is started."""
        self._draining = True
        self.leave()

    def dissolve(self) -> None:
        """Let go of the run, in a process that goes on with others."""
        self.core.dissolve()
        del self._leaves

    async def run(self) -> RunOutcome:
        """Drive until the run is over, paused, or left while waiting.

        Raises DivergenceError, Fenced, StorageError or StoppedByHook; the body is then abandoned as it is.
        """
        core = self.core
        if self._around is not None:
            self._around.entered(core)
        stop_watching = self._backend.watch_inbox(core.run_id, self.wake)
        try:
            if core.history.started is not None:
                self._inbox.take()
            if self._polls:
                self._ticking = self._loop.call_later(_SELDOM_MS / 1000, self._tick)
            while (outcome := await self._turn_once()) is None:
                pass
            if self._refusal is not None and outcome.status == "left":
                raise self._refusal
            if self._children is not None and outcome.status in FINAL:
                self._children.parent_ended(core.run_id, core.offspring.owned())
            return outcome
        finally:
            stop_watching()
            if self._children is not None:
                self._children.left(core.run_id)
            if self._ticking is not None:
                self._ticking.cancel()
            self._leaves.close()
            if core.ended is None:
                self._abandon()

    async def _turn_once(self) -> RunOutcome | None:
        core = self.core
        if self._broken is not None:
            raise self._broken
        if core.external is not None:
            await self.outside.settle()
        self._woken.clear()
        self._inbox.take_at_times(self._poll_ms)
        commit = core.step(self._clock.now())
        if core.diverged is not None:
            raise core.diverged
        self._hand_over()
        if commit.events:
            await self._commit(commit)
        self._tell_progress(commit)
        await self._carry_out(commit.commands)
        self._mind_children()
        if core.ended is not None:
            await self._leaves.unwound()
        if core.ended is not None or core.paused is not None:
            return outcome_of(core)
        if self._draining and self._leaves.idle and not core.has_more:
            return RunOutcome("left")
        return None if core.has_more else await self._rest()

    # -- committing ------------------------------------------------------------------------------

    async def _commit(self, commit: Commit) -> None:
        with self._marking():
            if commit.children:
                await birth.append(self._commits, self.core.run_id, commit)
            else:
                await self._commits.append(self.core.run_id, commit.expected, commit.events)
        if self.committed is not None:
            self.committed(commit)
        if self._hooks is not None:
            await self._hooks.committed(commit.events, commit.children)
        if self._around is not None:
            await self._around.committed(self.core, commit.events)
        for opening in commit.children:
            if self._children is not None:
                self._children.begun(opening)

    async def _carry_out(self, commands: list[Command]) -> None:
        for command in commands:
            if isinstance(command, StartLeaf):
                await self._start(command)
            elif isinstance(command, CancelLeaf):
                self._leaves.cancel(command.path)
            elif isinstance(command, Compact):
                self._unfinished = command
            else:
                self._show(command)
        if self._unfinished is not None and self.core.live:
            await self._compact(self._unfinished)

    async def _compact(self, command: Compact) -> None:
        """Remove what the log can do without, also where the process before was killed before it did."""
        self._unfinished = None
        await asyncio.sleep(0)  # the leaves just started go first
        with self._marking():
            self._backend.compact(self.core.run_id, command.dropped, command.inbox)

    @contextlib.contextmanager
    def _marking(self) -> Iterator[None]:
        """Note on the run that its store is in trouble, if it is."""
        try:
            yield
        except StorageError as error:
            self._backend.mark(self.core.run_id, "storage_error", str(error))
            raise

    async def _start(self, command: StartLeaf) -> None:
        leaves = self._leaves
        if self._draining or (self._hooks is not None and not await self._is_let(command, self._hooks)):
            return
        if self._hooks is not None and self.core.delivery.cancel_reason is not None:
            leaves.start(command._replace(fn=never_called, sync=False))
            return
        if self._around is not None:
            command = self._around.stand_in(self.core, command)
        in_place = self._inline or not command.sync
        alone = in_place and len(self.core.agenda.running) == 1 and leaves.idle
        alone = alone and command.timeout is None and command.heartbeat is None
        if alone and (command.sync or len(self.core.open) == 1) and self.core.external is None:
            if time.monotonic() - self._turn > _TURN:
                await self._let_others_run()
            await leaves.unwound()
            await self._run_in_place(command)
        else:
            leaves.start(command)

    async def _is_let(self, command: StartLeaf, hooks: Calls) -> bool:
        """Whether a leaf may be called; if not, the run is left as it is, once others have ended.

        A run that is cancelled does not wait for its hooks.
        """
        matters = lambda: not self._draining and self.core.delivery.cancel_reason is None  # noqa: E731
        try:
            await ask_while(matters, hooks.before_step(command), self._inbox.take)
        except StoppedByHook as error:
            self._refusal = error
            self.drain()
        return not self._draining

    async def _run_in_place(self, command: StartLeaf) -> None:
        """Run a leaf as a part of this task, until it ends or the run is cancelled."""
        self._in_place = None if command.sync else asyncio.current_task()
        try:
            await self._leaves.run(command)
        except asyncio.CancelledError:
            task, self._in_place = self._in_place, None
            if task is None or self.core.delivery.cancel_reason is None or task.uncancel() > 0:
                raise
        finally:
            self._in_place = None

    def _tick(self) -> None:
        """Look for a cancel while a leaf runs in place; others are seen in the next turn."""
        if self._polls:
            self._ticking = self._loop.call_later(_SELDOM_MS / 1000, self._tick)
        if self._in_place is not None:
            self._inbox.take()
            if self.core.delivery.cancel_reason is not None:
                self._in_place.cancel()

    async def _let_others_run(self) -> None:
        await asyncio.sleep(0)
        self._turn = time.monotonic()

    def _show(self, command: Write | Warn | CallLogger) -> None:
        if isinstance(command, CallLogger):
            command.method(*command.args, **command.kwargs)
        elif isinstance(command, Warn):
            sys.stderr.write(f"flopod: {command.path}: {command.message}\n")
        elif self._write is not None:
            self._write(command.stream, command.text)
        else:
            stream = sys.stdout if command.stream == "stdout" else sys.stderr
            stream.write(command.text)
            if command.flush:
                stream.flush()

    def _report(self, path: str, outcome: Returned | Raised) -> None:
        if self._hooks is not None:
            self._hooks.reported(path, outcome)
        self.core.complete(path, outcome, self._clock.now())
        self._woken.set()

    def _take_progress(self, path: str, attempt: int, progress: Raw) -> None:
        self.core.progressed(path, attempt, progress, self._clock.now())

    def _save(self) -> None:
        """Write what leaves have told, with the next commit or, if a leaf holds that up, right now."""
        if not self._leaves.inline:
            self._woken.set()
            return
        commit = self.core.flush()
        try:
            if commit.events:
                self._backend.append(self.core.run_id, commit.expected, commit.events)
                if self._hooks is not None:
                    self._hooks.later(commit.events)
        except (RunHeld, StorageError) as error:
            self._broken = error
            self.core.abandon()

    # -- children --------------------------------------------------------------------------------

    def _hand_over(self) -> None:
        """Make known what detaches were given, before their work begins."""
        for given in self.core.offspring.take_given():
            if self._children is not None:
                self._children.give(*given)

    def _mind_children(self) -> None:
        """Watch those whose end the run is to see, and cancel those that it wants to end."""
        offspring = self.core.offspring
        if self._children is None or not self.core.acts:
            return
        for child in offspring.take_unwatched():
            self._children.watch(child, self.core.run_id, self._child_ended)
        while offspring.orders:
            self._children.cancel(*offspring.orders.popitem())

    def _child_ended(self, ended: ChildCompleted) -> None:
        self.core.child_ended(ended, self._clock.now())
        self._woken.set()

    # -- waiting ---------------------------------------------------------------------------------

    async def _rest(self) -> RunOutcome | None:
        core = self.core
        if not core.acts or (core.history.replaying and core.external is not None):
            await self.outside.be_patient()
            return None
        idle = self._leaves.idle
        if idle and core.external is None and not core.open:
            raise FlopodError(
                f"the run {core.run_id!r} waits for something that no activity, timer or event ends"
            )
        if idle and self._exit_when_waiting and self._only_waits() and self._children_rest():
            await self._leaves.unwound()
            return None if self._inbox.take() or core.has_more else outcome_of(core)
        rests = self._on_rest is not None and idle and self._only_waits()
        if rests and self._on_rest is not None:
            self._on_rest(self, True)
        await self._clock.pause(self._next_look(), self._woken, idle)
        if rests and self._on_rest is not None:
            self._on_rest(self, False)
        return None

    def _children_rest(self) -> bool:
        return self._draining or self._children is None or self._children.rest()

    def _only_waits(self) -> bool:
        core, due = self.core, self.core.next_due()
        return not core.agenda.retrying and core.external is None and (due is None or due > self._clock.now())

    def _next_look(self) -> int | None:
        due = self.core.next_due()
        if not self._polls:
            return due
        poll = self._clock.now() + self._poll_ms
        return poll if due is None else min(due, poll)

    @property
    def _poll_ms(self) -> int:
        return _POLL_MS if self.core.mailbox.waiting else _SELDOM_MS

    # -- reporting -------------------------------------------------------------------------------

    def _tell_progress(self, commit: Commit) -> None:
        if self._on_progress is not None and (commit.events or commit.commands):
            self._on_progress(progress_of(self.core))
