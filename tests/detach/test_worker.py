"""The worker driver: what goes to a process and comes back, and what happens when the process does not."""

import asyncio
import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from flopod.detach import (
    ChildExited,
    DetachHandle,
    WorkerDied,
    create_worker_driver,
    detach_and_join_later,
    flush_all_detached,
    immediate_driver,
    registry,
    worker_driver,
)
from flopod.errors import SerializableError

METHODS: list[Any] = ["fork", "spawn", "forkserver"]
forked = create_worker_driver(workers=2, context="fork")
alone = create_worker_driver(workers=1, context="fork")


@dataclass
class Order:
    number: int


class VendorDown(Exception):
    """An error with arguments of its own."""


def pid_and(x: Any) -> tuple[int, Any]:
    return os.getpid(), x


async def later(seconds: float) -> float:
    await asyncio.sleep(seconds)
    return seconds


def next_order(order: Order) -> Order:
    return Order(order.number + 1)


def fail(x: Any) -> None:
    raise VendorDown(x, 503)


def end_by(how: str) -> Any:
    match how:
        case "exit":
            sys.exit(3)
        case "_exit":
            os._exit(3)
        case "result":
            return threading.Lock()
    raise asyncio.CancelledError


def tell_and_hang(path: str) -> None:
    Path(path).write_text(str(os.getpid()))
    while True:
        pass


async def detach_another(path: str) -> int:
    detach_and_join_later(immediate_driver, write_late, path)
    return os.getpid()


async def write_late(path: str) -> None:
    await asyncio.sleep(0.05)
    Path(path).write_text("written")


def run_twice(child: Any, input: Any) -> Any:
    return [child(input), child(input)]


def outcome(handle: DetachHandle) -> Any:
    return asyncio.run(asyncio.wait_for(handle.wait(), 30))


def pid_in(path: Path) -> int:
    """The process id that a child has written, once it has."""
    until(lambda: path.exists() and path.read_text())
    return int(path.read_text())


def is_gone(pid: int) -> bool:
    """Whether a process has ended, perhaps with nobody to take note of it."""

    def is_over() -> bool:
        try:
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
        except (FileNotFoundError, ProcessLookupError):
            return True

    until(is_over)
    return True


def until(condition: Callable[[], object]) -> None:
    """Wait until something is so."""
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end, "it does not come about"
        time.sleep(0.01)


@pytest.fixture(autouse=True)
def _nothing_left() -> Iterator[None]:
    yield
    left = asyncio.run(flush_all_detached(5)).pending
    if left:
        for process in multiprocessing.active_children():
            process.kill()
    assert left == 0


@pytest.mark.parametrize("method", METHODS)
def test_a_child_runs_in_another_process(method: Any) -> None:
    """However that is started, plain and async children, the author's types and errors go there and back."""
    driver = create_worker_driver(workers=1, context=method, idle=0.1)
    pid, x = outcome(detach_and_join_later(driver, pid_and, {"a": (1, 2)}))
    assert pid != os.getpid()
    assert x == {"a": (1, 2)}
    assert outcome(detach_and_join_later(driver, next_order, Order(1))) == Order(2)
    assert outcome(detach_and_join_later(driver, later, 0.01)) == 0.01
    with pytest.raises(VendorDown) as caught:
        outcome(detach_and_join_later(driver, fail, "acme"))
    assert caught.value.args == ("acme", 503)
    [note] = caught.value.__notes__
    assert note.startswith(f"in the worker process {pid}:\nTraceback")
    assert "raise VendorDown(x, 503)" in note
    assert is_gone(pid)


def test_the_driver_of_the_library_works_as_it_is() -> None:
    """It has a safe start method, its name and its flags."""
    assert outcome(detach_and_join_later(worker_driver, next_order, Order(1))) == Order(2)
    assert worker_driver.name == "worker"
    assert worker_driver.capabilities.cpu_isolated
    assert not worker_driver.capabilities.in_process


def test_the_caller_does_not_wait_and_replies_come_in_any_order() -> None:
    """Two children are under way at a time; the third takes the place of the one that ends first."""
    outcome(detach_and_join_later(forked, pid_and, 0))
    begun = time.monotonic()
    slow, fast, third = (detach_and_join_later(forked, later, each) for each in (1.5, 0.01, 0.02))
    assert time.monotonic() - begun < 1
    assert outcome(third) == 0.02
    assert fast.status == "done"
    assert slow.status in ("queued", "running")
    assert outcome(slow) == 1.5


@pytest.mark.parametrize("child", [lambda x: x, asyncio.Lock().acquire], ids=["lambda", "bound"])
def test_a_child_that_has_no_name_fails_at_once(child: Any) -> None:
    """Before the detach returns, with what to write instead."""
    handle = detach_and_join_later(forked, child, 1)
    assert handle.status == "failed"
    assert isinstance(handle.error, TypeError)
    assert "top level of a module" in str(handle.error)


def test_an_input_without_a_codec_fails_at_once() -> None:
    """The error names the place in it."""
    handle = detach_and_join_later(forked, pid_and, {"lock": threading.Lock()})
    assert handle.status == "failed"
    assert isinstance(handle.error, SerializableError)
    assert "input['lock']" in str(handle.error) or "input.lock" in str(handle.error)
    assert registry.look_up(handle.id) is None


def test_a_result_that_cannot_come_back_fails_the_handle() -> None:
    """The worker stays what it is."""
    pid, _ = outcome(detach_and_join_later(alone, pid_and, 0))
    with pytest.raises(SerializableError, match=r"result is a _thread\.lock"):
        outcome(detach_and_join_later(alone, end_by, "result"))
    assert outcome(detach_and_join_later(alone, pid_and, 0)) == (pid, 0)


@pytest.mark.parametrize("how", ["exit", "cancelled"])
def test_what_would_end_a_program_ends_a_child_only(how: str) -> None:
    """An exit or a cancellation is an error of the child, not of who waits for it."""
    with pytest.raises(ChildExited) as caught:
        outcome(detach_and_join_later(alone, end_by, how))
    assert isinstance(caught.value.__cause__, (SystemExit, asyncio.CancelledError))


@pytest.mark.parametrize("method", METHODS)
def test_a_process_that_dies_fails_what_it_ran_and_nothing_else(method: Any, tmp_path: Path) -> None:
    """A child of another process goes on, one that was waiting gets a new process."""
    driver = create_worker_driver(workers=2, context=method, idle=0.1)
    killed = detach_and_join_later(driver, tell_and_hang, str(tmp_path / "pid"))
    pid = pid_in(tmp_path / "pid")
    until(lambda: killed.status == "running")
    other = detach_and_join_later(driver, later, 0.3)
    waiting = [detach_and_join_later(driver, pid_and, each) for each in range(3)]
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(WorkerDied, match=f"{pid} ended by SIGKILL"):
        outcome(killed)
    assert outcome(other) == 0.3
    results = [outcome(each) for each in waiting]
    assert [each[1] for each in results] == [0, 1, 2]
    assert pid not in {each[0] for each in results}


def test_an_exit_without_a_word_fails_the_handle() -> None:
    """The status of the process is in the error; the next child has a new process."""
    with pytest.raises(WorkerDied, match="ended with status 3 while it ran the child"):
        outcome(detach_and_join_later(alone, end_by, "_exit"))
    assert outcome(detach_and_join_later(alone, pid_and, 1))[1] == 1


def test_a_process_that_dies_with_nothing_to_do_fails_nobody() -> None:
    """The next child runs on another one."""
    pid, _ = outcome(detach_and_join_later(alone, pid_and, 0))
    os.kill(pid, signal.SIGKILL)
    other, _ = outcome(detach_and_join_later(alone, pid_and, 0))
    assert other != pid


def test_what_a_child_detaches_in_its_turn_runs_to_its_end(tmp_path: Path) -> None:
    """The handle does not wait for it, and the handles of the parent are unknown in the worker."""
    hanging = detach_and_join_later(forked, later, 0.2)
    outcome(detach_and_join_later(forked, detach_another, str(tmp_path / "late")))
    outcome(detach_and_join_later(forked, later, 0))
    outcome(hanging)
    until(lambda: (tmp_path / "late").exists() and (tmp_path / "late").read_text() == "written")


def test_a_runner_of_ones_own_is_sent_by_name() -> None:
    """One that has no name is said to have none when the driver is first used."""
    driver = create_worker_driver(run_twice, workers=1, context="fork", idle=0.1)
    assert outcome(detach_and_join_later(driver, next_order, Order(1))) == [Order(2), Order(2)]
    with pytest.raises(TypeError, match="top level of a module"):
        detach_and_join_later(create_worker_driver(lambda child, x: child(x)), next_order, Order(1))


def test_threads_take_anything() -> None:
    """They run beside the caller in the same process; an exit ends the child only."""
    driver = create_worker_driver(threads=True, workers=1, idle=0.1)
    lock = threading.Lock()
    assert driver.name == "worker-thread"
    assert driver.capabilities.in_process
    assert outcome(detach_and_join_later(driver, lambda x: (x, threading.get_ident()), lock)) != (
        lock,
        threading.get_ident(),
    )
    with pytest.raises(ChildExited):
        outcome(detach_and_join_later(driver, end_by, "exit"))
    assert outcome(detach_and_join_later(driver, later, 0.01)) == 0.01


def test_an_unknown_start_method_is_refused_when_it_is_first_used() -> None:
    """And a handle that was made without asking fails."""
    driver = create_worker_driver(context="clone")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="does not start processes by 'clone'"):
        detach_and_join_later(driver, pid_and, 1)
    with pytest.raises(ValueError, match="clone"):
        outcome(driver.schedule(pid_and, 1, "1"))
    with pytest.raises(ValueError, match="one worker at least"):
        create_worker_driver(workers=0)


SCRIPT = """
    import asyncio, os, sys, time
    from flopod.detach import create_worker_driver, detach_and_join_later

    def hang(path):
        with open(path, "w") as file:
            file.write(str(os.getpid()))
        while True:
            pass

    print("main")
    {guard}
        driver = create_worker_driver(workers=1, context=sys.argv[2])
        handle = detach_and_join_later(driver, hang, sys.argv[1])
        detach_and_join_later(driver, hang, sys.argv[1])
        {then}
"""


def start(folder: Path, method: str, then: str, guard: str = 'if __name__ == "__main__":') -> Any:
    script = folder / "script.py"
    script.write_text(textwrap.dedent(SCRIPT.format(then=then, guard=guard)))
    return subprocess.Popen(
        [sys.executable, str(script), str(folder / "pid"), method],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.mark.process
@pytest.mark.parametrize("method", METHODS)
def test_a_worker_does_not_outlive_its_parent(method: str, tmp_path: Path) -> None:
    """Not when that is killed, even if the worker is busy; its functions may stand in the script itself."""
    with start(tmp_path, method, "time.sleep(60)") as parent:
        pid = pid_in(tmp_path / "pid")
        parent.kill()
        assert is_gone(pid)


@pytest.mark.process
def test_a_program_ends_though_a_worker_is_busy(tmp_path: Path) -> None:
    """And though a child waits for one, which is not begun now; who wants it calls flush_all_detached."""
    then = "while not (os.path.exists(sys.argv[1]) and os.path.getsize(sys.argv[1])): time.sleep(0.01)"
    with start(tmp_path, "fork", then) as parent:
        assert parent.wait(30) == 0
        assert is_gone(pid_in(tmp_path / "pid"))


@pytest.mark.process
def test_a_script_without_a_guard_is_told_so(tmp_path: Path) -> None:
    """The script is run again by each process that is spawned: its handle fails, and nothing hangs."""
    with start(tmp_path, "spawn", "asyncio.run(handle.wait())", "if True:") as parent:
        told, _ = parent.communicate(timeout=30)
    assert "needs `if __name__" in told
    assert parent.returncode == 1
    assert not (tmp_path / "pid").exists()


def test_every_start_method_of_this_system_is_tested() -> None:
    """A new one is not forgotten."""
    assert set(multiprocessing.get_all_start_methods()) == set(METHODS)
