"""Random orders to an engine and the runs in its store, and a model that knows the status of each run."""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from msgspec import Raw

from flopod.backends import Backend
from flopod.engine import control
from flopod.engine.copies import exported, fork, imported
from flopod.engine.engine import Engine
from flopod.engine.limits import Limit
from flopod.engine.registry import HandWritten
from flopod.errors import Conflict, InputChanged, UnknownPath, UnknownRun
from flopod.events import FINAL
from tests.reliability.support import status, until

ROOM = 3
RUNS = [f"run{n}" for n in range(4)]
executed: Counter[tuple[str, Any]] = Counter()
broken: set[str] = set()


async def first(name: str) -> str:
    executed["first", name] += 1
    return name


async def last(name: str, answer: str) -> str:
    executed["last", name] += 1
    if name in broken:
        raise LookupError(name)
    return answer


async def asks(wf: Any, name: str) -> Any:
    await wf.activity("first", first, name)
    return await wf.activity("last", last, name, await wf.wait("go"))


def has_room(machine: "Engines") -> bool:
    """Whether one more run may be under way: a slot that leaked would keep it out."""
    return list(machine.expected.values()).count("waiting") < ROOM


class Engines(RuleBasedStateMachine):
    """An engine with room for a few runs; `expected` has the status that each run comes to."""

    succeeded: ClassVar[Counter[str]] = Counter()

    def new_store(self) -> Backend:
        """Make an empty store."""
        raise NotImplementedError

    @initialize(resting=st.sampled_from([0, 8]))
    def begin(self, resting: int) -> None:
        executed.clear()
        broken.clear()
        self.resting = resting
        self.outside = self.new_store()
        self.runner = asyncio.Runner()
        self.expected: dict[str, str] = {}
        self.copies = 0
        self.runner.run(self._enter())
        for run_id in RUNS[:2]:
            self.start(run_id)

    def teardown(self) -> None:
        if "runner" in self.__dict__:
            self.runner.run(self.engine.drain())
            self.runner.close()

    async def _enter(self) -> None:
        limits = {"asks": Limit(concurrency=ROOM)}
        self.engine = Engine(self.outside, HandWritten({"asks": asks}), limits=limits, resting=self.resting)
        self.engine.enter()

    def does(self, name: str, order: Callable[[], Coroutine[Any, Any, Any]], **expected: str) -> None:
        """Give an order, and wait until every run has the status that the model says."""

        async def obey() -> None:
            await order()
            self.expected.update(expected)
            for run_id, wanted in self.expected.items():
                await until(lambda run_id=run_id, wanted=wanted: status(self.outside, run_id) == wanted)

        self.runner.run(obey())
        self.succeeded[name] += 1

    def refuses(self, order: Callable[[], Any], *errors: type[Exception]) -> None:
        """Give an order that is refused."""
        try:
            order()
        except errors:
            return
        raise AssertionError(f"none of {errors} was raised")

    def some(self, data: st.DataObject, *statuses: str) -> str:
        """Draw a run of one of these statuses, or one that there is not."""
        found = [run_id for run_id, one in sorted(self.expected.items()) if one in statuses]
        return data.draw(st.sampled_from(found or ["nobody"]))

    # -- orders ----------------------------------------------------------------------------------

    @precondition(has_room)
    @rule(run_id=st.sampled_from(RUNS))
    def starts(self, run_id: str) -> None:
        self.start(run_id)

    def start(self, run_id: str) -> None:
        """Start a run, or again one that there is."""

        async def order() -> None:
            await self.engine.start("asks", [run_id], run_id=run_id)

        self.does("start", order, **{run_id: self.expected.get(run_id, "waiting")})

    @rule(run_id=st.sampled_from(RUNS))
    def start_otherwise(self, run_id: str) -> None:
        if run_id in self.expected:
            run = self.engine.start("asks", ["another"], run_id=run_id)
            self.refuses(lambda: self.runner.run(run), InputChanged)

    @rule(data=st.data(), breaks=st.booleans(), inside=st.booleans())
    def deliver(self, data: st.DataObject, breaks: bool, inside: bool) -> None:
        run_id = self.some(data, "waiting")
        if run_id == "nobody":
            return
        (broken.add if breaks else broken.discard)(run_id.partition("-")[0])

        async def order() -> None:
            deliver = self.engine.deliver if inside else self.outside.deliver
            deliver(run_id, "go", "go", Raw(b'"yes"'))

        self.does("deliver", order, **{run_id: "failed" if breaks else "completed"})

    @rule(data=st.data(), wanted=st.integers(0, 3), force=st.booleans())
    def cancel(self, data: st.DataObject, wanted: int, force: bool) -> None:
        run_id = self.some(data, "waiting", "paused") if wanted else self.some(data, *FINAL)
        if self.expected.get(run_id) not in ("waiting", "paused"):
            if self.expected.get(run_id) != "cancelled":
                self.refuses(lambda: control.cancel(self.outside, run_id), Conflict, UnknownRun)
            return
        force = force and self.expected[run_id] == "paused"

        async def order() -> None:
            control.cancel(self.outside, run_id, "enough", force=force)

        self.does("cancel", order, **{run_id: "cancelled"})

    @rule(data=st.data())
    def pause(self, data: st.DataObject) -> None:
        run_id = self.some(data, "waiting", "completed", "cancelled")
        if self.expected.get(run_id) != "waiting":
            self.refuses(lambda: control.pause(self.outside, run_id), Conflict, UnknownRun)
            return

        async def order() -> None:
            control.pause(self.outside, run_id)

        self.does("pause", order, **{run_id: "paused"})

    @precondition(has_room)
    @rule(data=st.data())
    def resume(self, data: st.DataObject) -> None:
        run_id = self.some(data, "paused")
        if run_id != "nobody":

            async def order() -> None:
                control.resume(self.outside, run_id)

            self.does("resume", order, **{run_id: "waiting"})

    @rule(data=st.data(), wanted=st.integers(0, 3), mended=st.booleans())
    def retry(self, data: st.DataObject, wanted: int, mended: bool) -> None:
        run_id = self.some(data, "failed") if wanted else self.some(data, "completed")
        if self.expected.get(run_id) != "failed":
            self.refuses(lambda: control.retry(self.outside, run_id), Conflict, UnknownRun)
            return
        if mended:
            broken.discard(run_id.partition("-")[0])

        async def order() -> None:
            before = self._length(run_id)
            control.retry(self.outside, run_id)
            await until(lambda: self._length(run_id) > before + 1)

        self.does("retry", order, **{run_id: "completed" if mended else "failed"})

    def _length(self, run_id: str) -> int:
        summary = self.outside.summary(run_id)
        return 0 if summary is None else summary.seq

    @precondition(has_room)
    @rule(data=st.data())
    def fork(self, data: st.DataObject) -> None:
        run_id = self.some(data, "completed", "failed", "waiting")
        if run_id == "nobody" or len(self.expected) > 6:
            self.refuses(lambda: fork(self.outside, "nobody", "new"), UnknownRun)
            return
        self.refuses(lambda: fork(self.outside, run_id, run_id), Conflict)
        self.refuses(lambda: fork(self.outside, run_id, "new", "nowhere"), UnknownPath)
        self.copies += 1
        copy = f"{run_id.partition('-')[0]}-fork{self.copies}"

        async def order() -> None:
            fork(self.outside, run_id, copy, "go")

        self.does("fork", order, **{copy: "waiting"})

    @precondition(has_room)
    @rule(data=st.data())
    def copy(self, data: st.DataObject) -> None:
        run_id = self.some(data, *FINAL, "waiting", "paused")
        if run_id == "nobody" or len(self.expected) > 6:
            return
        self.copies += 1
        copy = f"{run_id.partition('-')[0]}-copy{self.copies}"
        lines = list(exported(self.outside, run_id))
        self.refuses(lambda: imported(self.outside, lines), Conflict)

        async def order() -> None:
            imported(self.outside, lines, copy)

        self.does("export and import", order, **{copy: self.expected[run_id]})

    @rule(data=st.data())
    def prune(self, data: st.DataObject) -> None:
        run_id = self.some(data, *FINAL)
        if run_id != "nobody":
            assert self.outside.delete(run_id)
            del self.expected[run_id]
            executed.clear()
            self.succeeded["prune"] += 1

    @precondition(lambda self: any(one in ("waiting", "paused") for one in self.expected.values()))
    @rule()
    def restart(self) -> None:
        async def order() -> None:
            await self.engine.drain()
            await self._enter()

        self.does("restart", order)
