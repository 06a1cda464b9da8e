"""Random operations on a store that two processes share, as it were: two objects on one place take turns."""

import json
from collections import Counter
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from msgspec import Raw

from flopod.backends import Backend, Batch
from flopod.backends.base import Filter, cursor_after
from flopod.backends.lock import Hold
from flopod.errors import BadInput, FlopodError, InvalidRunId, RunHeld
from flopod.events import (
    Compacted,
    Event,
    RunCompleted,
    RunFailed,
    RunPaused,
    RunResumed,
    RunStarted,
    SleepCompleted,
    SleepStarted,
    Totals,
    WaitStarted,
)
from tests.contract.support import Place, step
from tests.reliability.stateful.model import Model

RUNS = st.sampled_from(["a", "b", "b.child", "C-3"])
TIMES = st.integers(1, 40)
SMALL = st.integers(0, 4)
STATUSES = st.sampled_from(
    ["pending", "running", "waiting", "completed", "failed", "paused", "storage_error"]
)


@st.composite
def events(draw: st.DrawFn) -> list[Event]:
    """Events of a run that goes on."""
    number, at = draw(SMALL), draw(TIMES)
    nap = f"naps[{number}]/nap"
    some: dict[str, list[Event]] = {
        "step": step(number, at),
        "begin": step(number, at)[:1],
        "sleep": [SleepStarted(path=nap, at=at, due=at + draw(TIMES))],
        "awake": [SleepCompleted(path=nap, at=at)],
        "wait": [WaitStarted(path="approved", at=at, event="approved", due=draw(st.none() | TIMES))],
        "pause": [RunPaused(at=at, reason="lunch")],
        "resume": [RunResumed(at=at, crashed=draw(st.booleans()))],
        "complete": [RunCompleted(at=at, result=Raw(b"[1]"))],
        "fail": [RunFailed(at=at, error=Raw(b'{"$":"x"}'), traceback="LookupError: gone\n")],
        "nothing": [],
        "many": [event for n in range(12) for event in step(n, at)],
    }
    return [
        event for name in draw(st.lists(st.sampled_from(sorted(some)), max_size=3)) for event in some[name]
    ]


class Stores(RuleBasedStateMachine):
    """Two objects on a place, and a model. `succeeded` counts by the names of operations."""

    succeeded: ClassVar[Counter[str]] = Counter()

    def new_place(self) -> Place:
        """Make an empty place."""
        raise NotImplementedError

    @initialize()
    def begin(self) -> None:
        self.place = self.new_place()
        self.stores: list[Backend] = [self.place.open(), self.place.open()]
        self.model = Model()
        self.holds: dict[str, Hold] = {}
        self.turn = 0
        self.marks: list[object] = [store.news(None)[0] for store in self.stores]
        self.told: list[set[str]] = [set(), set()]

    def teardown(self) -> None:
        for hold in self.__dict__.get("holds", {}).values():
            hold.release()
        if "place" in self.__dict__:
            self.place.close()

    @property
    def store(self) -> Backend:
        """The object whose turn it is."""
        self.turn += 1
        return self.stores[self.turn % len(self.stores)]

    def same(self, name: str, found: Any, expected: Any) -> None:
        """Compare two answers; errors by type and text."""
        if isinstance(expected, FlopodError):
            assert (type(found), str(found)) == (type(expected), str(expected)), name
        else:
            assert found == expected, f"{name}: {found!r}, and the model says {expected!r}"
            self.succeeded[name] += 1

    # -- the log ---------------------------------------------------------------------------------

    def _batch(self, run_id: str, new: list[Event], at: int, off: int) -> Batch:
        last = len(self.model.runs[run_id].events) if run_id in self.model.runs else 0
        if last == 0:
            opening = RunStarted(
                workflow=f"w{at % 2}",
                input=Raw(b"[]"),
                run_id=run_id,
                at=at,
                queue=f"q{at % 3}",
                attributes={"region": f"r{at % 2}"},
            )
            new = [opening, *new]
        return Batch(run_id, max(last + off, 0), new)

    @rule(run_id=RUNS, new=events(), at=TIMES, off=st.sampled_from([0, 0, 0, 0, -1, 1, 7]))
    def append(self, run_id: str, new: list[Event], at: int, off: int) -> None:
        batch = self._batch(run_id, new, at, off)
        self.same("append", answer(self.store.append, *batch), self.model.append(*batch))

    @rule(
        runs=st.lists(RUNS, unique=True, min_size=1), new=events(), at=TIMES, off=st.sampled_from([0, 0, 1])
    )
    def append_many(self, runs: list[str], new: list[Event], at: int, off: int) -> None:
        batches = [self._batch(run_id, new, at, off if n else 0) for n, run_id in enumerate(runs)]
        found = self.store.append_many([*batches, Batch("../x", 0, [])])
        assert isinstance(found.pop(), InvalidRunId)
        for each, batch in zip(found, batches, strict=True):
            self.same("append_many", each, self.model.append(*batch))

    @rule(run_id=RUNS)
    def load(self, run_id: str) -> None:
        self.same("load", self.store.load(run_id), self.model.load(run_id))
        self.same("first", self.store.first(run_id), next(iter(self.model.load(run_id)), None))

    @precondition(lambda self: any(len(run.events) > 4 for run in self.model.runs.values()))
    @rule(data=st.data(), now=st.booleans())
    def compact(self, data: st.DataObject, now: bool) -> None:
        run_id = data.draw(
            st.sampled_from([one for one, run in self.model.runs.items() if len(run.events) > 4])
        )
        run = self.model.runs[run_id]
        last = data.draw(st.integers(2, len(run.events)))
        known = max(run.dropped, default=1)
        dropped = [(2, max(last, known))]
        taken = len(self.model.inboxes.get(run_id, ()))
        totals = Totals(started=run.summary.activities_started, done=run.summary.activities_done)
        noted = [Compacted(at=1, dropped=dropped, inbox=taken, totals=totals)]
        store = self.store
        self.same("compact", store.append(run_id, len(run.events), noted), len(run.events) + 1)
        self.model.append(run_id, len(run.events), noted)
        self.model.compact(run_id, dropped, taken)
        if now:
            store.compact(run_id, dropped, taken)

    # -- summaries -------------------------------------------------------------------------------

    @rule(run_id=RUNS)
    def summary(self, run_id: str) -> None:
        self.same("summary", self.store.summary(run_id), self.model.summary(run_id))

    @rule(run_id=RUNS)
    def mark(self, run_id: str) -> None:
        # A hold notes what a run without a log cannot; it is marked again when it ends.
        if run_id in self.model.runs or run_id not in self.holds:
            found = self.store.mark(run_id, "storage_error", "full")
            self.same("mark", found, self.model.mark(run_id, "full"))

    @rule(
        status=st.lists(STATUSES, max_size=2), workflow=st.none() | st.sampled_from(["w0", "w1", "w2"]),
        queue=st.none() | st.sampled_from(["q0", "q1"]), region=st.none() | st.sampled_from(["r0", "r1"]),
        after=st.none() | TIMES, before=st.none() | TIMES, text=st.sampled_from(["", "b", "lookup", "r1"]),
        size=st.integers(1, 3),
    )  # fmt: skip
    def find(
        self, status: list[Any], workflow: str | None, queue: str | None, region: str | None,
        after: int | None, before: int | None, text: str, size: int,
    ) -> None:  # fmt: skip
        attributes = {} if region is None else {"region": region}
        wanted = Filter(
            status=status, workflow=workflow, queue=queue, attributes=attributes,
            started_after=after, started_before=before, text=text,
        )  # fmt: skip
        expected = self.model.listing(wanted)
        self.same("find", self.store.find(wanted), expected)
        found, cursor = [], None
        while page := self.store.find(wanted, size, cursor):
            found += page
            cursor = cursor_after(page[-1])
        self.same("find", found, expected)

    @rule(
        status=st.none() | STATUSES, workflow=st.none() | st.just("w1"), limit=st.none() | st.integers(1, 3)
    )
    def summaries(self, status: Any, workflow: str | None, limit: int | None) -> None:
        expected = self.model.listing(Filter(status=[status] if status else [], workflow=workflow))[:limit]
        self.same("summaries", self.store.summaries(status, workflow, limit), expected)

    @rule()
    def open_runs(self) -> None:
        wanted = Filter(status=["pending", "running", "waiting", "storage_error"])
        self.same("open_runs", self.store.open_runs(), self.model.listing(wanted)[::-1])

    @rule(before=TIMES)
    def due_timers(self, before: int) -> None:
        found = [(timer.due, timer.run_id, timer.path) for timer in self.store.due_timers(before)]
        assert [due for due, _, _ in found] == sorted(due for due, _, _ in found)
        self.same("due_timers", sorted(found), self.model.timers(before))

    @rule(text=st.sampled_from(["nowhere", "x:y"]))
    def bad_cursor(self, text: str) -> None:
        assert isinstance(answer(self.store.summaries, None, None, None, text), BadInput)

    # -- inboxes and documents -------------------------------------------------------------------

    @rule(
        run_id=RUNS, path=st.sampled_from(["p", "q"]), payload=st.sampled_from(["1", '{"a": [null]}', "nan!"])
    )
    def deliver(self, run_id: str, path: str, payload: str) -> None:
        store = self.store
        token = store.inbox_token(run_id)
        found = answer(store.deliver, run_id, path, "event", payload.encode())
        if payload == "nan!":
            assert isinstance(found, BadInput)
            return
        text = json.dumps(json.loads(payload), separators=(",", ":")).encode()
        self.same("deliver", found, self.model.deliver(run_id, path, text))
        assert store.inbox_token(run_id) != token
        for told in self.told:
            told.add(run_id)

    @rule(run_id=RUNS, after=SMALL)
    def inbox(self, run_id: str, after: int) -> None:
        found = [(item.n, item.path, bytes(item.payload)) for item in self.store.inbox(run_id, after)]
        expected = [item for item in self.model.inboxes.get(run_id, ()) if item[0] > after]
        taken = self.model.taken.get(run_id, 0)
        assert all(item in expected for item in found), f"{found} are not of {expected}"
        self.same("inbox", [item for item in found if item[0] > taken], [i for i in expected if i[0] > taken])

    @rule(index=st.integers(0, 1))
    def news(self, index: int) -> None:
        self.marks[index], run_ids = self.stores[index].news(self.marks[index])
        if self.place.kind != "memory":
            here = {run_id for run_id in self.told[index] if self.model.inboxes.get(run_id)}
            assert here <= set(run_ids), f"{here} were delivered to, and only {run_ids} are news"
        self.told[index].clear()
        self.succeeded["news"] += 1

    @rule(name=RUNS, kind=st.sampled_from(["plan", "build"]), document=st.binary(max_size=5))
    def keep(self, name: str, kind: str, document: bytes) -> None:
        self.store.keep(kind, name, document)
        self.model.documents[kind, name] = document
        self.succeeded["keep"] += 1

    @rule(name=RUNS, kind=st.sampled_from(["plan", "build", "other"]))
    def kept(self, name: str, kind: str) -> None:
        self.same("kept", self.store.kept(kind, name), self.model.documents.get((kind, name)))
        mine = {name: one for (of, name), one in sorted(self.model.documents.items()) if of == kind}
        self.same("all_kept", list(self.store.all_kept(kind).items()), list(mine.items()))

    @rule(name=RUNS, kind=st.sampled_from(["plan", "build"]))
    def drop(self, name: str, kind: str) -> None:
        self.same(
            "drop", self.store.drop(kind, name), self.model.documents.pop((kind, name), None) is not None
        )

    # -- holds, ends and new beginnings ----------------------------------------------------------

    @rule(run_id=RUNS, how=st.sampled_from(["hold", "claim"]))
    def hold(self, run_id: str, how: str) -> None:
        store = self.store
        found = answer(store.hold if how == "hold" else store.claim, run_id)
        if run_id in self.model.held:
            assert isinstance(found, RunHeld)
            return
        assert isinstance(found, Hold), found
        assert not found.crashed
        self.holds[run_id] = found
        self.model.held.add(run_id)
        self.succeeded[how] += 1

    @precondition(lambda self: self.holds)
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        run_id = data.draw(st.sampled_from(sorted(self.holds)))
        self.holds.pop(run_id).release()
        self.model.held.discard(run_id)
        self.succeeded["release"] += 1

    @rule(run_id=RUNS)
    def delete(self, run_id: str) -> None:
        found, expected = answer(self.store.delete, run_id), self.model.delete(run_id)
        if isinstance(expected, RunHeld):
            assert isinstance(found, RunHeld)
        else:
            self.same("delete", found, expected)

    @precondition(lambda self: not self.holds)
    @rule(index=st.integers(0, 1), closed=st.booleans())
    def reopen(self, index: int, closed: bool) -> None:
        """A new process in the place of one that ended, or was killed."""
        if closed:
            self.stores[index].close()
        self.stores[index] = self.place.open()
        self.marks[index] = self.stores[index].news(None)[0]
        self.told[index].clear()
        self.succeeded["reopen"] += 1

    @invariant()
    def every_run_is_there(self) -> None:
        if "model" in self.__dict__ and self.turn % 5 == 0:
            assert [run.run_id for run in self.stores[0].summaries()] == [
                run.run_id for run in self.model.listing(Filter())
            ]


def answer(call: Any, *args: Any) -> Any:
    """What a call returns or raises."""
    try:
        return call(*args)
    except FlopodError as error:
        return error
