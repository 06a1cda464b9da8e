"""Who owns a run, and what the next owner learns about the one before."""

import os
import signal
import subprocess
import sys

import pytest

from flopod.backends import Backend, MemoryBackend
from flopod.errors import RunHeld
from tests.contract.support import RUNTIME, Place, process, started


def test_a_run_is_held_once(place: Place) -> None:
    """A second hold in the same process is refused, names this process, and works after a release."""
    hold = place.open().hold("run")
    with pytest.raises(RunHeld) as caught:
        place.open().hold("run")
    assert caught.value.pid == os.getpid()
    assert caught.value.exit_code == 7
    place.open().hold("other").release()
    hold.release()
    hold.release()
    place.open().hold("run").release()


def test_an_orderly_end_is_no_crash(place: Place) -> None:
    """The first owner, and one after a release or a leave, finds no crash."""
    with place.open().hold("run") as first:
        assert not first.crashed
        first.leave()
    with place.open().hold("run") as second:
        assert not second.crashed
    assert not place.open().hold("run").crashed


def test_a_store_works_on_after_a_release(store: Backend) -> None:
    """Releasing a run does not end the store, nor lose what was appended under the hold."""
    with store.hold("run"):
        store.append("run", 0, [started()])
    assert len(store.load("run")) == 1
    store.append("run", 1, [])
    store.close()


def test_a_cut_copy_looks_crashed() -> None:
    """A copy of a memory store cut at a record is a killed run: its first owner learns of it, once."""
    store = MemoryBackend()
    store.append("run", 0, [started(), started(), started()])
    store.deliver("run", "p", "e", b"1")
    copy = store.prefix("run", 2)
    assert len(copy.load("run")) == 2
    assert len(copy.inbox("run")) == 1
    with copy.hold("run") as hold:
        assert hold.crashed
    assert not copy.hold("run").crashed
    assert not store.prefix("run", 2, crashed=False).hold("run").crashed


@pytest.mark.process
def test_another_process_is_named(shared: Place) -> None:
    """A run that another process holds is refused with its pid."""
    body = "hold = store.hold('run'); print('held', flush=True); sys.stdin.read()"
    with process(shared, body) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "held\n"
        with pytest.raises(RunHeld, match=str(child.pid)) as caught:
            shared.open().hold("run")
        assert caught.value.pid == child.pid


@pytest.mark.process
@pytest.mark.parametrize(
    ("end", "crashed"),
    [("os.kill(os.getpid(), 9)", True), ("os._exit(3)", True), ("hold.leave(); os._exit(3)", False)],
)
def test_a_killed_owner_is_known(shared: Place, end: str, crashed: bool) -> None:
    """The next owner gets the run at once and knows whether the one before was killed or left."""
    with process(shared, f"import os; hold = store.hold('run'); {end}") as child:
        child.wait(20)
    with shared.open().hold("run") as hold:
        assert hold.crashed is crashed


@pytest.mark.process
def test_a_signal_handler_can_leave(shared: Place) -> None:
    """Leaving from the handler of SIGTERM makes the end an orderly one."""
    body = """
        import os, signal
        hold = store.hold('run')
        signal.signal(signal.SIGTERM, lambda *_: (hold.leave(), os._exit(143)))
        print('held', flush=True)
        sys.stdin.read()
    """
    with process(shared, body) as child:
        assert child.stdout is not None
        child.stdout.readline()
        child.send_signal(signal.SIGTERM)
        assert child.wait(20) == 143
    assert not shared.open().hold("run").crashed


@pytest.mark.process
def test_a_forked_worker_does_not_keep_the_run(shared: Place) -> None:
    """A process that was forked from the killed owner and lives on does not hold the run."""
    body = """
        import os, time
        hold = store.hold('run')
        worker = os.fork()
        if worker == 0:
            hold.leave()
            time.sleep(20)
            os._exit(0)
        print(worker, flush=True)
        sys.stdin.read()
    """
    with process(shared, body) as child:
        assert child.stdout is not None
        worker = int(child.stdout.readline())
        try:
            child.kill()
            child.wait(20)
            with shared.open().hold("run") as hold:
                assert hold.crashed
        finally:
            os.kill(worker, signal.SIGKILL)


@pytest.mark.process
def test_memory_does_not_load_the_other_stores() -> None:
    """A program that keeps its runs in memory does not pay for importing SQLite."""
    code = (
        f"import sys; sys.path.insert(0, {str(RUNTIME)!r}); from flopod.backends import MemoryBackend;"
        "MemoryBackend().hold('r'); print('sqlite3' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
