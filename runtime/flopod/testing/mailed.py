"""What is given to runs from outside, by a script or by a test: now, later, or again in another life."""

import json
from collections.abc import Callable, Iterable
from typing import Any

from flopod.backends.base import Backend
from flopod.codec import plain
from flopod.engine import waits
from flopod.engine.outcome import OpenWait
from flopod.engine.waits import matches
from flopod.errors import FlopodError
from flopod.events import FINAL
from flopod.testing.errors import TestFailure
from flopod.testing.process import Process
from flopod.testing.script import NEVER, Names, Outcome
from flopod.testing.subject import Subject, check_event
from flopod.testing.tape import Delivery, Later, Tape


class Mailed(Process):
    """A process with runs of a store, to which events are delivered."""

    backend: Backend
    tape: Tape

    def subject_of(self, run_id: str) -> Subject:
        """Return what is known of the workflow of a run."""
        raise NotImplementedError

    def kin_of(self, run_id: str) -> Iterable[str]:
        """The runs that a run has started, and those that they have."""
        raise NotImplementedError

    def expect_open_waits(self, run_ids: Iterable[str]) -> None:
        """See to the waits that were open when the process before ended."""
        for run_id in run_ids:
            summary = self.backend.summary(run_id)
            for path, wait in {} if summary is None else summary.waits.items():
                since = self.tape.waits.get((run_id, path), self.clock.now())
                self.expect(run_id, path, wait.event, since)

    def expect(self, run_id: str, path: str, event: str, since: int) -> None:
        """Give a wait what the script has for it, in its time."""
        for one in self.tape.replayed:
            if (one.run_id, one.path) == (run_id, path) and one.since is not None:
                self.replay(one, since + one.at - one.since)
                return
        if any((one.run_id, one.path) == (run_id, path) for one in self.tape.deliveries):
            return
        try:
            outcome = self.tape.events.deal(Names(path, event), run_id)
        except AssertionError as error:
            self.fail(error)
            return
        if outcome is not None and outcome.after < NEVER:
            self._at(since + round(outcome.after * 1000), lambda: self._give(run_id, path, event, outcome))

    def _at(self, ms: int, do: Callable[[], object]) -> None:
        self.loop.call_at(max(self.loop.now, self.clock.offset(ms)), self._guarded, do)

    def _guarded(self, do: Callable[[], object]) -> None:
        try:
            do()
        except (FlopodError, AssertionError) as error:
            self.fail(error)

    def replay(self, one: Delivery, at: int) -> None:
        """Deliver again what another life of the run was given."""
        self.tape.replayed.remove(one)
        self._at(at, lambda: self._put(one.run_id, one.path, one.event, one.payload))

    def _give(self, run_id: str, path: str, event: str, outcome: Outcome) -> None:
        summary = self.backend.summary(run_id)
        if summary is not None and path in summary.waits:
            self.deliver(run_id, path, event, outcome.give_now())

    def announce(self, later: Later) -> None:
        """See to an event that the test gives to the run in a while."""

        def give() -> None:
            self.tape.later.remove(later)
            self.deliver(*self.place_of(later.event, later.run_id), later.payload)

        self._at(later.at, give)

    def open_waits(self, run_id: str) -> list[tuple[str, OpenWait]]:
        """The waits that are open in a run and in those that it has started, with their run ids."""
        found = []
        for each in dict.fromkeys([run_id, *self.kin_of(run_id)]):
            summary = self.backend.summary(each)
            if summary is not None and summary.status not in FINAL:
                found += [
                    (each, OpenWait(path, wait.event, wait.due)) for path, wait in summary.waits.items()
                ]
        return found

    def has_untaken(self, run_id: str) -> bool:
        """Whether something was delivered to a wait of a run that is still open."""
        here = {(each, wait.path) for each, wait in self.open_waits(run_id)}
        return any((one.run_id, one.path) in here for one in self.tape.deliveries)

    def place_of(self, event: str, run_id: str) -> tuple[str, str, str]:
        """Return run, path and event of the wait that is meant. Raises TestFailure if that is not clear."""
        subject = self.subject_of(run_id)
        check_event(subject, event)
        waits = self.open_waits(run_id)
        exact = [(each, one.path, one.event) for each, one in waits if one.path == event]
        here = exact or [(each, one.path, one.event) for each, one in waits if one.event == event]
        if len(here) > 1 and here[0][0] == here[1][0]:
            shown = ", ".join(repr(path) for _, path, _ in here)
            raise TestFailure(f"it waits for {event!r} at {shown}; deliver to one of these")
        return here[0] if here else (run_id, *self._place_to_come(event, subject))

    def _place_to_come(self, event: str, subject: Subject) -> tuple[str, str]:
        """A wait that is not open yet; what is delivered to it is kept."""
        known = [one for one in subject.events or () if one.matches(event)]
        exact = [one for one in known if one.path == event or matches(one.path, event)]
        if exact:
            return event, exact[0].callee
        paths = {one.path for one in known if "*" not in one.path}
        if subject.events is None or not known:
            return event, event
        if len(paths) == 1 == len(known):
            return paths.pop(), event
        shown = ", ".join(repr(one.path) for one in known)
        raise TestFailure(
            f"it does not wait for {event!r} yet, and can at {shown}; deliver to a path, or call "
            f"until_waiting({event!r}) before"
        )

    def deliver(self, run_id: str, path: str, event: str, payload: Any) -> None:
        """Put an event into the inbox of a run. Raises what `flopod runs deliver` would report."""
        self._put(run_id, path, event, json.dumps(plain(payload), ensure_ascii=False))

    def _put(self, run_id: str, path: str, event: str, text: str) -> None:
        number = self._put_in(run_id, path, event, text)
        since = self.tape.waits.get((run_id, path))
        given = Delivery(run_id, path, event, text, self.clock.now(), since, number)
        self.tape.deliveries.append(given)

    def _put_in(self, run_id: str, path: str, event: str, text: str) -> int:
        if not path:  # an order
            return self.backend.deliver(run_id, path, event, text.encode())
        return waits.deliver(self.backend, run_id, path, event, text).number

    def note_order(self, run_id: str) -> None:
        """Note the last order that was given to a run through its inbox, as a delivery to no path."""
        last = self.backend.inbox(run_id)[-1]
        payload = bytes(last.payload).decode()
        self.tape.deliveries.append(Delivery(run_id, "", last.event, payload, self.clock.now(), None, last.n))
