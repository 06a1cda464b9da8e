"""The process that posts for beacons: a real one, a real server, and SIGKILL for both sides of the outbox."""

import ast
import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest

from flopod import Retry
from flopod.detach import create_beacon_driver, detach_and_forget, poster
from flopod_compiler.bundle import runtime
from tests.bundle.support import linked, run_in_bundle
from tests.detach.beacons import QUICK, helper_of, is_empty, never, until
from tests.detach.web import Web, ok

pytestmark = pytest.mark.process


PROGRAM = """
    import os, signal, sys
    from flopod import Retry
    from flopod.detach import create_beacon_driver, detach_and_forget
    driver = create_beacon_driver(sys.argv[1], retry=Retry(None, delay="50ms", max_delay="100ms"))
    for i in range(int(sys.argv[2])):
        detach_and_forget(driver, None, i)
    os.kill(0 if sys.argv[3] == "group" else os.getpid(), signal.SIGKILL)
"""


def killed(url: str, count: int, data: Path, whom: str) -> None:
    """Run a program that detaches, and is killed before its next line."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(PROGRAM), url, str(count), whom],
        env={**os.environ, "FLOPOD_DATA_DIR": str(data)},
        start_new_session=True,
        capture_output=True,
        timeout=30,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()


@pytest.mark.parametrize("whom", ["process", "group"])
def test_sigkill_right_after_the_call_loses_nothing(whom: str, web: Web, tmp_path: Path) -> None:
    """The helper is of another group, has none of the pipes, and posts what is in the data directory."""
    killed(web.url, 3, tmp_path, whom)
    until(lambda: is_empty(tmp_path / "beacon"), "never empty")
    assert web.bodies == [b"0", b"1", b"2"]


def test_a_detach_at_the_very_end_of_a_program_is_posted(web: Web, tmp_path: Path) -> None:
    """Where Python starts no more threads, a helper is started still; the handle is done."""
    program = """
        import atexit, sys
        from flopod.detach import create_beacon_driver, detach_and_join_later
        driver = create_beacon_driver(sys.argv[1])
        atexit.register(lambda: print(detach_and_join_later(driver, None, "bye").status))
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program), web.url],
        env={**os.environ, "FLOPOD_DATA_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "done\n", "")
    until(lambda: is_empty(tmp_path / "beacon"), "never posted")
    assert web.bodies == [b'"bye"']


def test_a_server_that_comes_up_later_gets_everything(folder: Path) -> None:
    """The helper tries again until somebody answers."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    driver = create_beacon_driver(f"http://127.0.0.1:{port}/events", folder=folder, retry=QUICK)
    for i in range(3):
        detach_and_forget(driver, never, i)
    until(lambda: any(".0." not in name for name in poster.names(folder)), "never tried")
    web = Web(port=port)
    try:
        until(lambda: is_empty(folder), "never empty")
        assert sorted(web.bodies) == [b"0", b"1", b"2"]
    finally:
        web.close()


def test_what_is_left_is_posted_when_a_driver_is_made(web: Web, tmp_path: Path) -> None:
    """After both the program and its helper were killed; the key is the same in each try."""
    web.answer = lambda *_: (503, {}, b"")
    killed(web.url, 1, tmp_path, "process")
    outbox = tmp_path / "beacon"
    until(lambda: web.posts and helper_of(outbox), "never tried")
    os.kill(helper_of(outbox) or 0, signal.SIGKILL)
    until(lambda: helper_of(outbox) is None, "not dead")
    assert not is_empty(outbox)
    web.answer = ok
    create_beacon_driver("http://example.com", folder=outbox)
    until(lambda: is_empty(outbox), "never posted again")
    assert set(web.bodies) == {b"0"}
    assert len({post.key for post in web.posts}) == 1


def test_a_helper_killed_in_the_middle_of_a_post_is_followed_by_another(web: Web, folder: Path) -> None:
    """This process lives, so it sees the death; the item goes out again, under the same key."""
    asked, go = threading.Event(), threading.Event()

    def answer(_post: object, number: int) -> tuple[int, dict[str, str], bytes]:
        if number == 1:
            asked.set()
            go.wait(10)
        return 200, {}, b""

    web.answer = answer
    detach_and_forget(create_beacon_driver(web.url, folder=folder), never, "once")
    assert asked.wait(10)
    pid = helper_of(folder)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    until(lambda: is_empty(folder), "never posted again")
    go.set()
    assert web.bodies == [b'"once"'] * 2
    assert len({post.key for post in web.posts}) == 1


@pytest.mark.parametrize("status", [500, 408, 425])
def test_an_answer_that_may_change_is_asked_for_again(status: int, web: Web, folder: Path) -> None:
    """Server errors and time-outs; the second try is taken."""
    web.answer = lambda _post, number: (status if number == 1 else 200, {}, b"")
    detach_and_forget(create_beacon_driver(web.url, folder=folder, retry=QUICK), never, 1)
    until(lambda: len(web.posts) == 2 and is_empty(folder), "never posted again")


def test_retry_after_is_waited_for_by_all_of_a_url(web: Web, folder: Path) -> None:
    """A 429 holds back what else goes to the same URL, for as long as it asks."""
    times: list[float] = []

    def answer(_post: object, number: int) -> tuple[int, dict[str, str], bytes]:
        times.append(time.monotonic())
        return (429, {"Retry-After": "1"}, b"") if number == 1 else (200, {}, b"")

    web.answer = answer
    driver = create_beacon_driver(web.url, folder=folder, retry=QUICK)
    for i in range(2):
        detach_and_forget(driver, never, i)
    until(lambda: len(web.posts) == 3 and is_empty(folder), "never empty")
    assert web.bodies == [b"0", b"0", b"1"]
    assert times[1] - times[0] >= 1


@pytest.mark.parametrize("status", [400, 413, 302])
def test_a_refused_item_is_kept_with_the_answer(status: int, web: Web, folder: Path) -> None:
    """It is posted once, others go on; a redirect is not followed, for it would drop the payload."""
    headers = {"Location": "http://127.0.0.1:9/"} if status == 302 else {}
    web.answer = lambda _post, number: (status, headers, b"no such field") if number == 1 else (200, {}, b"")
    driver = create_beacon_driver(web.url, folder=folder, retry=QUICK)
    detach_and_forget(driver, never, "bad")
    detach_and_forget(driver, never, "good")
    until(lambda: is_empty(folder), "never empty")
    assert web.bodies == [b'"bad"', b'"good"']
    (item,) = (folder / poster.REFUSED).glob("*.item")
    assert poster.load(item.name, item.read_bytes()).body == b'"bad"'
    told = json.loads(item.with_suffix(".json").read_text())
    assert (told["status"], told["answer"], told["tried"]) == (status, "no such field", 1)


@pytest.mark.parametrize(
    ("retry", "tries"),
    [
        (Retry(max_attempts=2, delay=0), 2),
        (Retry(max_attempts=None, delay="1h", max_delay="1h", deadline="1m"), 1),
    ],
)
def test_a_policy_has_an_end(retry: Retry, tries: int, web: Web, folder: Path) -> None:
    """After so many tries, or where the next one would be too late, the item is put with the refused."""
    web.answer = lambda *_: (500, {}, b"broken")
    detach_and_forget(create_beacon_driver(web.url, folder=folder, retry=retry), never, 1)
    until(lambda: list(folder.glob("refused/*.item")), "never given up")
    assert len(web.posts) == tries


def test_garbage_in_the_outbox_is_put_aside(web: Web, folder: Path) -> None:
    """A torn file and a foreign one stop nobody, and are kept."""
    folder.mkdir()
    whole = poster.dump({"url": web.url}, b"12345")
    (folder / "0-torn.0.item").write_bytes(whole[:-2])
    (folder / "0-foreign.item").write_bytes(b"\xff{")
    (folder / "0-empty.0.item").write_bytes(b"")
    detach_and_forget(create_beacon_driver(web.url, folder=folder), never, 1)
    until(lambda: is_empty(folder), "never empty")
    assert web.bodies == [b"1"]
    aside = sorted(file.name for file in (folder / poster.DAMAGED).iterdir())
    assert aside == ["0-empty.0.item", "0-foreign.item", "0-torn.0.item"]


def test_one_helper_a_folder_which_ends(web: Web, folder: Path) -> None:
    """While it works nobody starts a second; when nothing comes it ends, and the next item has a new one."""
    driver = create_beacon_driver(web.url, folder=folder)
    detach_and_forget(driver, never, 1)
    until(lambda: is_empty(folder) and helper_of(folder), "never posted")
    first = helper_of(folder)
    detach_and_forget(driver, never, 2)
    until(lambda: is_empty(folder), "never posted")
    assert helper_of(folder) == first
    until(lambda: helper_of(folder) is None, "never ended")
    detach_and_forget(driver, never, 3)
    until(lambda: len(web.posts) == 3, "never posted")


def test_what_comes_while_a_helper_ends_is_not_lost(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It comes before the lock is free, so its writer starts nobody: the helper looks again."""
    folder.mkdir()
    runs: list[list[str]] = []

    def run(self: poster.Poster, _linger: float) -> None:  # noqa: ARG001
        runs.append(poster.names(folder))
        for name in poster.names(folder):
            (folder / name).unlink()
        if len(runs) == 1:
            (folder / "1-late.0.item").write_bytes(b"")
            assert poster.lock(folder) is None

    monkeypatch.setattr(poster.Poster, "run", run)
    fd = poster.lock(folder)
    assert fd is not None
    poster.work(folder, fd)
    assert runs == [[], ["1-late.0.item"]]


def test_a_bundle_starts_the_helper_too(web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its modules are in no file that a new process could import."""
    reached = runtime.modules_reached
    with_detach = lambda roots, *rest: reached([*roots, "flopod.detach"], *rest)  # noqa: E731
    monkeypatch.setattr(runtime, "modules_reached", with_detach)
    source = """
        from flopod.detach import create_beacon_driver, detach_and_forget, poster

        def beacon(url):
            detach_and_forget(create_beacon_driver(url), None, poster.__spec__.loader.__class__.__module__)

        async def run(value):
            return value
    """
    bundle = linked(tmp_path / "src", {"main.py": textwrap.dedent(source)}, "main").content
    code = f"import main\nmain.beacon({web.url!r})\n"
    nothing = tmp_path / "nothing"
    (nothing / "flopod").mkdir(parents=True)
    (nothing / "flopod" / "__init__.py").write_text("raise ImportError('not where a bundle runs')")
    environment = {"FLOPOD_DATA_DIR": str(tmp_path / "data"), "PYTHONPATH": str(nothing)}
    run_in_bundle(tmp_path / "bundle", bundle, code, **environment)
    until(lambda: is_empty(tmp_path / "data" / "beacon"), "never posted")
    assert web.bodies == [b'"bundle"']


def test_the_helper_needs_the_standard_library_alone() -> None:
    """It is started by its text, where the project's modules need not be importable."""
    tree = ast.parse(Path(poster.__file__).read_text())
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.split(".")[0] for name in names} <= sys.stdlib_module_names
