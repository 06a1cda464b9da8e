"""`run_workflow`: starting is idempotent, a resume fits or says why not, and nothing else is written."""

import asyncio
import time
from typing import Any

import pytest

from flopod.backends.memory import MemoryBackend
from flopod.engine.clock import VirtualClock
from flopod.engine.identity import Identity
from flopod.engine.outcome import Progress
from flopod.engine.run import run_workflow
from flopod.errors import BadInput, BuildMismatch, DivergenceError, Fenced, InputChanged, RunHeld, StorageFull
from flopod.events import Log, RunDiverged, RunPaused, RunResumed
from tests.engine.support import RUN, deliver, drive, kinds

seen: list[Any] = []


async def leaf(x: Any) -> Any:
    seen.append(x)
    return x


async def deadly(_: Any) -> Any:
    raise KeyboardInterrupt


async def two_steps(wf: Any, x: int, y: int = 0) -> int:
    a = await wf.activity("first", leaf, x)
    return int(a + await wf.activity("second", leaf, y))


async def waiting(wf: Any) -> Any:
    await wf.activity("first", leaf, 1)
    return await wf.wait("approved", timeout="2h")


def test_a_finished_run_gives_its_result_again() -> None:
    """A second start calls nothing, writes nothing and returns the recorded result."""
    backend = MemoryBackend()
    assert drive(two_steps, 1, 2, backend=backend).value == 3
    seen.clear()
    lines = backend.lines(RUN)
    assert drive(two_steps, 1, 2, backend=backend).value == 3
    assert (seen, backend.lines(RUN)) == ([], lines)


def test_a_failed_run_gives_its_error_again() -> None:
    """A second start of a failed run gives error and traceback of the first."""

    async def fails(_: Any) -> None:
        raise LookupError("gone")

    backend = MemoryBackend()
    first = drive(fails, backend=backend)
    again = drive(fails, backend=backend)
    assert (
        (first.status, repr(first.error))
        == (again.status, repr(again.error))
        == ("failed", "LookupError('gone')")
    )
    assert "in fails" in first.traceback
    assert "flopod" not in first.traceback
    assert again.traceback == first.traceback


def test_another_input_or_workflow_is_refused() -> None:
    """A start that differs from the recorded one is an error that names both, and writes nothing."""
    backend = MemoryBackend()
    drive(two_steps, 1, 2, backend=backend)
    lines = backend.lines(RUN)
    with pytest.raises(InputChanged, match=r'recorded {"y": 2}, given {"y": 3}'):
        drive(two_steps, 1, 3, backend=backend)
    with pytest.raises(InputChanged, match="another workflow: recorded main, given other"):
        drive(two_steps, 1, 2, backend=backend, workflow="other")
    assert backend.lines(RUN) == lines


def test_a_resume_takes_the_recorded_input() -> None:
    """Without arguments the recorded ones are used, whichever way they were given."""
    for args, kwargs in (((1, 2), None), (None, {"x": 1, "y": 2}), ((1,), {"y": 2})):
        backend = MemoryBackend()
        options: dict[str, Any] = {"identity": Identity(run_id=RUN), "clock": VirtualClock()}
        assert asyncio.run(run_workflow(two_steps, args, kwargs, backend=backend, **options)).value == 3
        cut = backend.prefix(RUN, 3, crashed=False)
        assert asyncio.run(run_workflow(two_steps, backend=cut, **options)).value == 3


def test_same_build_that_diverges_is_recorded_once() -> None:
    """A divergence is one event, an error with both sides, and nothing else; the run stays resumable."""

    async def other(wf: Any, x: int, _: int) -> int:
        return int(await wf.activity("first", leaf, x + 1))

    backend = MemoryBackend()
    drive(two_steps, 1, 2, backend=backend)
    cut = backend.prefix(RUN, 3, crashed=False)
    for _ in range(2):
        with pytest.raises(
            DivergenceError, match=r"(?s)recorded: .*:leaf with \[1\].*the code: .*:leaf with \[2\]"
        ) as caught:
            drive(other, 1, 2, backend=cut)
        assert caught.value.exit_code == 5
        assert kinds(cut)[3:] == ["RunDiverged"]
    assert isinstance(cut.load(RUN)[-1].event, RunDiverged)
    assert drive(two_steps, 1, 2, backend=cut).value == 3


def test_another_build_that_does_not_fit_is_refused_and_writes_nothing() -> None:
    """The error names both builds and the first difference."""

    async def other(wf: Any, x: int, _: int) -> int:
        return int(await wf.activity("renamed", leaf, x))

    backend = MemoryBackend()
    drive(two_steps, 1, 2, backend=backend, build="b1")
    cut = backend.prefix(RUN, 3, crashed=False)
    with pytest.raises(BuildMismatch, match=r"(?s)needs the build b1, this is b2.*'renamed'") as caught:
        drive(other, 1, 2, backend=cut, build="b2")
    assert caught.value.exit_code == 5
    assert len(cut.lines(RUN)) == 3


def test_another_build_that_fits_goes_on() -> None:
    """A build that accepts the whole past takes the run over, and the log says so."""

    async def longer(wf: Any, x: int, y: int) -> int:
        got = await two_steps(wf, x, y)
        return got + int(await wf.activity("third", leaf, 10))

    backend = MemoryBackend()
    drive(two_steps, 1, 2, backend=backend, build="b1")
    cut = backend.prefix(RUN, 4, crashed=False)
    assert drive(longer, 1, 2, backend=cut, build="b2").value == 13
    resumed = [record.event for record in cut.load(RUN) if isinstance(record.event, RunResumed)]
    assert [event.build for event in resumed] == ["b2"]


def test_leaves_while_waiting() -> None:
    """Asked to leave when it only waits, it says for what, and a later process goes on."""
    backend, clock = MemoryBackend(), VirtualClock()
    left = drive(waiting, backend=backend, clock=clock, exit_when_waiting=True)
    assert left.status == "waiting"
    assert [(wait.path, wait.event, wait.due) for wait in left.waiting] == [
        ("approved", "approved", clock.now() + 7_200_000)
    ]
    seen.clear()
    lines = backend.lines(RUN)
    assert drive(waiting, backend=backend, clock=clock, exit_when_waiting=True).status == "waiting"
    assert backend.lines(RUN) == lines, "a look that finds nothing new writes nothing"
    deliver(backend, "approved", "approved", {"by": "me"})
    assert drive(waiting, backend=backend, clock=clock).value == {"by": "me"}
    assert seen == []


def test_a_wait_times_out() -> None:
    """A wait nobody answers is None after its timeout, on a clock that jumps there."""
    clock = VirtualClock()
    start = clock.now()
    assert drive(waiting, backend=MemoryBackend(), clock=clock).value is None
    assert clock.now() >= start + 7_200_000


def test_an_event_delivered_in_the_same_process_is_taken_at_once() -> None:
    """`deliver` wakes the run that waits in this process."""
    backend = MemoryBackend()

    async def both() -> Any:
        running = asyncio.create_task(
            run_workflow(waiting, [], identity=Identity(run_id=RUN), backend=backend)
        )
        await asyncio.sleep(0.02)
        deliver(backend, "approved", "approved", 5)
        return (await asyncio.wait_for(running, 5)).value

    assert asyncio.run(both()) == 5


def test_a_payload_that_does_not_fit_is_dropped_with_one_warning() -> None:
    """The wait goes on for one that fits; no resume warns again."""

    async def typed(wf: Any) -> Any:
        return await wf.wait("n", type=int, timeout=3600)

    backend = MemoryBackend()
    deliver(backend, "n", "n", "text")
    options: dict[str, Any] = {"write": lambda *_: None, "exit_when_waiting": True}
    assert drive(typed, backend=backend, **options).status == "waiting"
    assert drive(typed, backend=backend, **options).status == "waiting"
    deliver(backend, "n", "n", 4)
    assert drive(typed, backend=backend, **options).value == 4
    warnings = [record.event for record in backend.load(RUN) if isinstance(record.event, Log)]
    assert len(warnings) == 1


def test_a_run_is_held_by_one_process() -> None:
    """A second runner of the same run is refused."""
    backend = MemoryBackend()
    with backend.hold(RUN), pytest.raises(RunHeld):
        drive(two_steps, 1, 2, backend=backend)


def test_a_second_writer_stops_the_first() -> None:
    """Somebody else's append fences the run: it stops, and its body does not unwind."""
    backend, unwound = MemoryBackend(), []

    async def intruding(_: Any) -> None:
        backend.append(RUN, len(backend.lines(RUN)), [RunResumed(at=1)])

    async def body(wf: Any) -> None:
        try:
            await wf.activity("first", intruding, 1)
            await wf.activity("second", leaf, 1)
        finally:
            unwound.append(True)

    with pytest.raises(Fenced):
        drive(body, backend=backend)
    assert unwound == []


def test_interrupts_leave_a_resumable_run() -> None:
    """Ctrl-C in a leaf is no outcome: nothing is recorded of it and nothing unwinds."""
    unwound: list[bool] = []

    async def body(wf: Any, fn: Any = deadly) -> Any:
        try:
            return await wf.activity("leaf", fn, 1)
        finally:
            unwound.append(True)

    backend = MemoryBackend()
    with pytest.raises(KeyboardInterrupt):
        drive(body, backend=backend)
    assert unwound == []
    assert kinds(backend) == ["RunStarted", "ActivityStarted"]


def test_poison_parks_and_a_resume_on_purpose_goes_on() -> None:
    """After five crashes in one leaf the run is paused; it stays so until it is resumed on purpose."""
    backend = MemoryBackend()
    drive(two_steps, 1, 2, backend=backend)
    backend = backend.prefix(RUN, 4, crashed=True)
    for _ in range(4):
        backend = _killed_at_the_leaf(backend)
    seen.clear()
    for _ in range(2):
        parked = drive(two_steps, 1, 2, backend=backend)
        assert parked.status == "paused"
        assert "second" in parked.reason
    assert sum(isinstance(record.event, RunPaused) for record in backend.load(RUN)) == 1
    assert seen == []
    assert drive(two_steps, 1, 2, backend=backend, resume_paused=True).value == 3
    assert seen == [2]


def test_a_leaf_that_was_not_in_flight_is_not_suspected(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a limit of one crash, only what was running at the crash is parked."""
    monkeypatch.setenv("FLOPOD_MAX_CRASHES", "1")
    backend = MemoryBackend()
    drive(two_steps, 1, 2, backend=backend)
    assert drive(two_steps, 1, 2, backend=backend.prefix(RUN, 1)).value == 3
    assert drive(two_steps, 1, 2, backend=backend.prefix(RUN, 2)).status == "paused"
    assert drive(two_steps, 1, 2, backend=backend.prefix(RUN, 3)).value == 3


def _killed_at_the_leaf(backend: MemoryBackend) -> MemoryBackend:
    async def killed(wf: Any, x: int, y: int) -> None:
        await wf.activity("first", leaf, x)
        await wf.activity("second", leaf, y)

    class Killed(BaseException):
        pass

    class Dying(MemoryBackend):
        def append(self, *args: Any, **kwargs: Any) -> int:
            super().append(*args, **kwargs)
            raise Killed

    dying = Dying.from_records(RUN, backend.lines(RUN))
    with pytest.raises(Killed):
        drive(killed, 1, 2, backend=dying)
    return MemoryBackend.from_records(RUN, dying.lines(RUN))


def test_the_crash_limit_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """FLOPOD_MAX_CRASHES that is no number is an error that says so."""
    monkeypatch.setenv("FLOPOD_MAX_CRASHES", "many")
    with pytest.raises(BadInput, match="FLOPOD_MAX_CRASHES is 'many'"):
        drive(two_steps, 1, 2, backend=MemoryBackend())


def test_progress_tells_what_is_open() -> None:
    """The listener hears of running leaves, waits and what is done."""
    heard: list[Progress] = []
    drive(waiting, backend=MemoryBackend(), on_progress=heard.append, exit_when_waiting=True)
    assert heard[0].running == ["first"] or heard[0].done == 1
    assert [wait.path for wait in heard[-1].waiting] == ["approved"]
    assert heard[-1].done == 1


def test_a_result_that_is_no_data_fails_the_run() -> None:
    """The error names the field."""

    async def body(_: Any) -> Any:
        return {"client": (x for x in "ab")}

    outcome = drive(body, backend=MemoryBackend())
    assert outcome.status == "failed"
    assert "result" in str(outcome.error)
    assert "client" in str(outcome.error)


def test_nothing_is_printed_before_it_is_committed(capsys: pytest.CaptureFixture[str]) -> None:
    """If the append fails, what it holds has not been shown; on the resume it is, once."""

    async def body(wf: Any) -> None:
        wf.print("one")
        await wf.activity("first", leaf, 1)
        wf.print("two")

    class Full(MemoryBackend):
        left = 1

        def append(self, *args: Any, **kwargs: Any) -> int:
            if not self.left:
                raise StorageFull("memory")
            self.left -= 1
            return super().append(*args, **kwargs)

    backend = Full()
    with pytest.raises(StorageFull):
        drive(body, backend=backend)
    assert capsys.readouterr().out == "one\n"
    assert backend.summary(RUN).status == "storage_error"  # type: ignore[union-attr]
    backend.left = 99
    drive(body, backend=backend)
    assert capsys.readouterr().out == "two\n"


def test_clocks_that_count_from_the_start_of_a_machine_have_one_origin() -> None:
    """A difference is right after a restart too, and `loop.time()` can be compared with them."""
    clocks = (time.monotonic, time.perf_counter, time.monotonic_ns, time.perf_counter_ns)

    async def body(wf: Any) -> list[float]:
        read = [wf.record(clock.__name__, clock) for clock in clocks]
        await wf.sleep("soon", 0.01)
        return [read[0], read[1], read[2] / 1e9, read[3] / 1e9, asyncio.get_running_loop().time()]

    running = run_workflow(body, [], identity=Identity(run_id=RUN), backend=MemoryBackend())
    assert all(abs(value - time.time()) < 60 for value in asyncio.run(running).value)
