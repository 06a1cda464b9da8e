"""A run in a test: what it does next, and what there is to see of it."""

from collections.abc import Callable, Sequence
from typing import Any

from flopod.backends.base import Backend
from flopod.durations import Duration, seconds
from flopod.engine import control
from flopod.engine.hooks import Hooks
from flopod.engine.outcome import OpenWait, RunOutcome
from flopod.testing.errors import TestFailure
from flopod.testing.life import Life
from flopod.testing.process import FOREVER
from flopod.testing.same import ending_text
from flopod.testing.subject import Project, Subject, check_event
from flopod.testing.tape import Later, Tape
from flopod.testing.view import RunView


class Run(RunView):
    """A run of a workflow. Killed and resumed it is the same run, in another process."""

    def __init__(
        self,
        subject: Subject,
        args: Sequence[Any] | None,
        kwargs: dict[str, Any] | None,
        *,
        run_id: str,
        backend: Backend,
        tape: Tape,
        start: float,
        now: float = 0.0,
        hooks: Hooks | None = None,
    ) -> None:
        super().__init__(subject, tape, start, backend)
        self.is_proven = False
        self._hooks = hooks
        self.input = (args, kwargs)
        self._life = self._born(run_id, now)
        self._life.start(args, kwargs)

    def _born(self, run_id: str, now: float) -> Life:
        return Life(
            self.subject, run_id, self.backend, self.tape, start=self.start, now=now, hooks=self._hooks
        )

    # -- what it does ----------------------------------------------------------------------------

    def until(self, leaf: str) -> "Run":
        """Go on until a leaf of that name or path has ended and its outcome is recorded, and no further."""
        self.check_leaf(leaf)
        self._alive("goes on")
        self._life.until = leaf
        self._drive()
        if self._life.until is not None:
            self._life.until = None
            raise TestFailure(f"the run does not come to the end of the leaf {leaf!r}: {self.story()}")
        return self

    def deliver(self, event: str, payload: Any = None, *, after: Duration | None = None) -> "Run":
        """Give it an event, by its name or by the path of the wait: now, or when so much time has passed.

        The payload is data of the type that the workflow waits for, or JSON data of that form. What is wrong
        with it, or with the name, is an error here. What is not waited for yet is kept. What was delivered
        before is taken first.
        """
        self._alive("takes an event")
        if after is None and self.status != "pending":
            if self._life.has_untaken(self.run_id):
                self._drive(horizon=self._life.loop.now)
            self._life.deliver(*self._life.place_of(event, self.run_id), payload)
            return self
        check_event(self.subject, event)
        wait = 0.0 if after is None else seconds(after)
        later = Later(self.run_id, self._life.clock.now() + round(wait * 1000), event, payload)
        self.tape.later.append(later)
        self._life.announce(later)
        return self

    def cancel(self, reason: str = "") -> "Run":
        """Cancel it: CancelledError is raised where its body waits, which may clean up durably."""
        self._begun("cancel")
        control.cancel(self.backend, self.run_id, reason)
        self._life.note_order(self.run_id)
        return self

    def pause(self, reason: str = "") -> "Run":
        """Bring it to rest, here and now; `resume` lets it go on. Such a run is not for the crash matrix."""
        self._begun("pause")
        self.is_proven = True
        control.pause(self.backend, self.run_id, reason)
        self._drive(horizon=self._life.loop.now)
        return self

    def crash(self, after: int | str | None = None) -> "Run":
        """Kill its process: here and now, or further on.

        After a number: right after the commit of that record of its log. After the name or the path of a
        leaf: when it has run, but before that is recorded, so that it runs again in the next process.
        """
        self._alive("is killed")
        if after is not None:
            if isinstance(after, str):
                self.check_leaf(after)
            self._life.dies_after = after
            self._drive()
            if not self._life.is_killed:
                raise TestFailure(f"the run is not killed after {after!r}: {self.story()}{self._so_far()}")
        self._life.kill()
        return self

    def _so_far(self) -> str:
        return f"; it has {len(self.events)} records, and called {', '.join(self.paths) or 'no leaf'}"

    def resume(self, source: Project | None = None, *, crash_after: int | str | None = None) -> "Run":
        """Let another process go on with it, after a crash, a pause or the no of a hook.

        With `source` it is one of an edited build.
        """
        if not (self._life.is_killed or self.is_stopped_by_hook or self.status == "paused"):
            raise TestFailure(f"the run has a process: {self.story()}; call crash() before resume()")
        if source is not None:
            self.subject, self.is_proven = source.subject(self.subject.name), True
        paused, now, run_id = self.status == "paused", self._life.loop.now, self.run_id
        self._life.close()
        self._life = self._born(run_id, now)
        is_new = self.backend.summary(run_id) is None or self.subject.opens_itself is not None
        self._life.start(*(self.input if is_new else (None, None)), resume_paused=paused)
        return self if crash_after is None else self.crash(crash_after)

    def outcome(self) -> RunOutcome:
        """Go on to the end, and return how it ended. Raises TestFailure for a run that waits for ever."""
        found = super().outcome()
        self._drive(horizon=self._life.loop.now)
        return found

    def go_on_to(self, other: "Run") -> None:
        """Go on as far as another life of the same run has come."""
        if other._life.is_over:
            self.outcome()
        else:
            self._drive(horizon=other._life.loop.now)

    def ending(self) -> str:
        """Say how it ended or stands: the same for equal runs."""
        if self._life.is_over:
            return ending_text(self._life.main.result())
        return f"{self.status}, waiting for {self.waiting}"

    # -- what there is to see --------------------------------------------------------------------

    @property
    def run_id(self) -> str:
        return self._life.run_id

    @property
    def status(self) -> str:
        """`waiting`, `completed` and so on, as `flopod runs list` says it; `crashed` after a kill."""
        if self._life.is_killed:
            return "crashed"
        summary = self._summary
        return "pending" if summary is None else summary.status

    @property
    def is_stopped_by_hook(self) -> bool:
        """Whether a hook did not let it begin, or go on."""
        return self._life.is_stopped_by_hook

    @property
    def waits(self) -> list[OpenWait]:
        """Its open waits, with path and end (ms since the epoch), then those of runs that it has started."""
        return [wait for _, wait in self._life.open_waits(self.run_id)]

    def __repr__(self) -> str:
        return f"<run {self.run_id} of {self.subject.name}: {self.status}>"

    # -- inside ----------------------------------------------------------------------------------

    @property
    def _process(self) -> Life:
        return self._life

    def _drive(self, reached: Callable[[], bool] = lambda: False, horizon: float = FOREVER) -> None:
        if not self._life.is_killed:
            self._life.drive(reached, horizon)
            if self._life.is_killed:
                self._life.kill()

    def _begun(self, what: str) -> None:
        self._alive(f"can {what} it")
        if self.status == "pending":
            raise TestFailure(
                f"the run has not begun, so nothing can {what} it; until_waiting(), until(...) and "
                "advance(...) let it go on"
            )
