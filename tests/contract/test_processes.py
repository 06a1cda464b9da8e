"""Real processes: killed in mid-append, two on one run, without permission, without room."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from flopod.errors import Fenced
from flopod.events import RunSummary, fold
from tests.contract.support import Place, output_of, process, public_folder, started, step

pytestmark = pytest.mark.process


@pytest.mark.parametrize("acknowledged", [1, 7, 40])
def test_nothing_acknowledged_is_lost_by_a_kill(shared: Place, acknowledged: int) -> None:
    """A process killed while it appends leaves every acknowledged record, and at most one batch more."""
    body = """
        last = store.append('run', 0, [started()])
        for number in range(100000):
            last = store.append('run', last, step(number))
            print(last, flush=True)
    """
    with process(shared, body) as child:
        assert child.stdout is not None
        text = "".join(child.stdout.readline() for _ in range(acknowledged))
        child.kill()
        text += child.stdout.read()
    last = int(text[: text.rindex("\n")].split()[-1])
    shared.settle()
    store = shared.open()
    records = store.load("run")
    assert last <= len(records) <= last + 2
    summary: RunSummary | None = None
    for seq, event in records:
        summary = fold(summary, seq, event)
    assert summary is not None
    summary.run_id = "run"
    assert store.summary("run") == summary
    assert store.append("run", len(records), step(0)) == len(records) + 2


def test_of_two_processes_one_is_fenced(shared: Place) -> None:
    """Two processes that append to one run without a hold never both succeed at the same place."""
    shared.open().append("run", 0, [started()])
    body = """
        done = []
        print('ready', flush=True)
        sys.stdin.readline()
        for seq in range(1, 400, 2):
            try:
                store.append('run', seq, step(seq))
                done.append(seq)
            except Fenced:
                pass
        print(*done)
    """
    with process(shared, body) as one, process(shared, body) as two:
        for child in (one, two):
            assert child.stdout is not None
            assert child.stdout.readline() == "ready\n"
        for child in (one, two):
            assert child.stdin is not None
            child.stdin.write("go\n")
            child.stdin.flush()
        texts = [child.stdout.read() for child in (one, two) if child.stdout]
    places = [int(place) for text in texts for place in text.split()]
    assert len(places) == len(set(places))
    records = shared.open().load("run")
    assert [record.seq for record in records] == list(range(1, len(records) + 1))
    assert len(records) == 1 + 2 * len(places)


def test_a_forked_process_can_use_the_store(shared: Place) -> None:
    """A fork can use the store it inherited, and parent and child do not disturb each other."""
    store = shared.open()
    store.append("run", 0, [started()])
    store.append("other", 0, [started(run_id="other")])
    child = os.fork()
    if child == 0:
        try:
            code = 0 if store.append("other", 1, step(0)) == 3 else 1
        except BaseException:
            code = 2
        os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert store.append("run", 1, step(3)) == 3
    with pytest.raises(Fenced):
        store.append("other", 1, step(0))


def test_a_full_disk_in_a_real_process(local: Place) -> None:
    """Where the system refuses to let a file grow, the error says so, and the run goes on later."""
    store = local.open()
    assert store.append("run", 0, [started()]) == 1
    store.close()
    body = """
        import resource
        store.load('run')
        resource.setrlimit(resource.RLIMIT_FSIZE, (9000, resource.RLIM_INFINITY))
        events = [event for number in range(200) for event in step(number)]
        try:
            store.append('run', 1, events)
        except StorageError as error:
            print(type(error).__name__)
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        print(len(store.load('run')), store.append('run', 1, events))
    """
    refused, length, after = output_of(local, body).split()
    # SQLite does not tell why the system refused a write, unless the whole disk is full.
    assert refused == ("StorageFull" if local.kind == "file" else "SyncFailed")
    assert (length, after) == ("1", "401")


@pytest.fixture
def public() -> Iterator[Path]:
    """Give a folder that every user can enter."""
    with public_folder(0o755) as folder:
        yield folder


@pytest.mark.parametrize("kind", ["file", "sqlite"])
def test_a_place_without_permission(kind: str, public: Path) -> None:
    """A user who may only read can load and list runs; appending is refused as read-only."""
    place = Place(kind, public)
    store = place.open()
    store.append("run", 0, [started()])
    store.deliver("run", "p", "e", b"1")
    store.hold("run").release()
    place.close()
    for path in [public, *public.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    body = """
        import os
        if os.geteuid() == 0:
            os.setuid(65534)
        for use in (
            lambda: store.append('run', 1, step(0)),
            lambda: store.append('new', 0, [started()]),
            lambda: store.deliver('run', 'p', 'e', b'1'),
            lambda: store.hold('run'),
        ):
            try:
                print('allowed', use())
            except ReadOnlyStorage as error:
                print(error.exit_code)
    """
    assert output_of(place, body).split() == ["6"] * 4
    if kind == "file":
        reading = """
            import os
            if os.geteuid() == 0:
                os.setuid(65534)
            print(len(store.load('run')), len(store.summaries()))
        """
        assert output_of(place, reading) == "1 1\n"
